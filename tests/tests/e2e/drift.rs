//! What is changed behind Terraform's back is shown by the next plan and repaired by the next apply.

use aws_sdk_eventbridge::types::{RuleState, Target};
use aws_sdk_sqs::types::QueueAttributeName;

use crate::world::{Configuration, HOME, Trigger, World};

const REGION: &str = "eu-west-1";
/// A target that somebody else put on our rule: it is left alone, and in nobody's way when the rule is destroyed.
const FOREIGN: &str = "mine";

#[derive(Debug, Clone, Copy)]
enum Change {
    RuleDeleted,
    RuleDisabled,
    PatternChanged,
    TargetsRemoved,
    TargetReplaced,
    HubRuleDisabled,
    BusPolicyRemoved,
    QueuePolicyRemoved,
}

#[tokio::test]
async fn drift_is_shown_and_repaired() {
    let world = World::new().await;
    let mut wanted = Configuration::new("http://127.0.0.1:9/unused");
    wanted.triggers = vec![Trigger::new("instances", "RunInstances").with("match_expression = \"detail.userIdentity.type == 'Root'\"")];
    world.terraform.configure(&wanted.text());
    world.terraform.apply().await.success();
    let before = snapshot(&world).await;
    let changes = [
        Change::RuleDeleted,
        Change::RuleDisabled,
        Change::PatternChanged,
        Change::TargetsRemoved,
        Change::TargetReplaced,
        Change::HubRuleDisabled,
        Change::BusPolicyRemoved,
        Change::QueuePolicyRemoved,
    ];
    for change in changes {
        make(&world, change).await;
        assert_ne!(snapshot(&world).await, before, "{change:?} changes nothing");
        let plan = world.terraform.plan().await;
        assert_eq!(plan.status.code(), Some(2), "{change:?} is not shown:\n{}", plan.said());
        world.terraform.apply().await.success();
        assert_eq!(snapshot(&world).await, before, "{change:?} is not repaired");
        world.terraform.assert_empty_plan().await;
    }
    world.destroy().await;
}

async fn make(world: &World, change: Change) {
    let rule = world.rule(REGION).await;
    let events = world.events(REGION).await;
    let home = world.events(HOME).await;
    let pattern = r#"{"source":["aws.s3"]}"#;
    match change {
        Change::RuleDeleted => {
            remove_targets(&events, &rule).await;
            events.delete_rule().name(rule).send().await.unwrap();
        }
        Change::RuleDisabled => drop(events.disable_rule().name(rule).send().await.unwrap()),
        Change::PatternChanged => drop(events.put_rule().name(rule).event_pattern(pattern).state(RuleState::Enabled).send().await.unwrap()),
        Change::TargetsRemoved => remove_targets(&events, &rule).await,
        Change::TargetReplaced => {
            remove_targets(&events, &rule).await;
            let target = Target::builder().id(FOREIGN).arn(format!("arn:aws:sqs:{REGION}:{}:mine", world.account)).build().unwrap();
            events.put_targets().rule(rule).targets(target).send().await.unwrap();
        }
        Change::HubRuleDisabled => {
            let rules = home.list_rules().event_bus_name("trailwire-security").send().await.unwrap();
            let name = rules.rules()[0].name().unwrap();
            home.disable_rule().event_bus_name("trailwire-security").name(name).send().await.unwrap();
        }
        Change::BusPolicyRemoved => {
            home.remove_permission().event_bus_name("trailwire-security").remove_all_permissions(true).send().await.unwrap();
        }
        Change::QueuePolicyRemoved => {
            let sqs = aws_sdk_sqs::Client::new(&world.stand.sdk(&world.account, HOME).await);
            let url = sqs.get_queue_url().queue_name("trailwire-security").send().await.unwrap().queue_url.unwrap();
            sqs.set_queue_attributes().queue_url(url).attributes(QueueAttributeName::Policy, "").send().await.unwrap();
        }
    }
}

async fn remove_targets(events: &aws_sdk_eventbridge::Client, rule: &str) {
    let targets = events.list_targets_by_rule().rule(rule).send().await.unwrap().targets.unwrap_or_default();
    let ids = targets.iter().map(|target| target.id().to_owned()).collect();
    events.remove_targets().rule(rule).set_ids(Some(ids)).send().await.unwrap();
}

/// Everything that the changes touch, as AWS has it.
async fn snapshot(world: &World) -> String {
    let events = world.events(REGION).await;
    let mut facts = Vec::new();
    for (name, rule) in world.rules(REGION).await {
        let targets = events.list_targets_by_rule().rule(&name).send().await.unwrap().targets.unwrap_or_default();
        let ours: Vec<_> = targets.iter().filter(|target| target.id() != FOREIGN).collect();
        facts.push(format!("{name} {rule:?} {ours:?}"));
    }
    let home = world.events(HOME).await;
    let hub = home.list_rules().event_bus_name("trailwire-security").send().await.unwrap();
    facts.push(format!("{:?}", hub.rules()));
    facts.push(format!("{:?}", home.describe_event_bus().name("trailwire-security").send().await.unwrap().policy()));
    let sqs = aws_sdk_sqs::Client::new(&world.stand.sdk(&world.account, HOME).await);
    let url = sqs.get_queue_url().queue_name("trailwire-security").send().await.unwrap().queue_url.unwrap();
    let attributes = sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::Policy).send().await.unwrap();
    let policy = attributes.attributes().and_then(|attributes| attributes.get(&QueueAttributeName::Policy).cloned());
    facts.push(policy.unwrap_or_default());
    facts.join("\n")
}

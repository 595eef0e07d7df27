//! Apply, edit, import, destroy.

use serde_json::{Value, json};

use crate::world::{Configuration, HOME, PROVIDER, REGIONS, Trigger, World};

#[tokio::test]
async fn a_trigger_lives_from_apply_to_destroy() {
    let world = World::new().await;
    let mut wanted = Configuration::new("http://127.0.0.1:9/unused");
    world.terraform.configure(&wanted.text());
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
    for region in ["us-east-1", "eu-west-1"] {
        let rule = world.rule(region).await;
        assert!(rule.starts_with("tw-") && rule.ends_with("-instances-0"), "{rule}");
        let targets = world.events(region).await.list_targets_by_rule().rule(&rule).send().await.unwrap().targets.unwrap();
        let hub = format!("arn:aws:events:{HOME}:{}:event-bus/trailwire-security", world.account);
        assert_eq!(targets.iter().map(|target| target.arn()).collect::<Vec<_>>(), [hub]);
    }

    wanted.triggers[0].event_names = vec!["RunInstances", "TerminateInstances"];
    world.terraform.configure(&wanted.text());
    world.terraform.assert_changes().await;
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
    for region in ["us-east-1", "eu-west-1"] {
        let (_, pattern) = &world.rules(region).await[&world.rule(region).await];
        let pattern: Value = serde_json::from_str(pattern).unwrap();
        assert_eq!(pattern["detail"]["eventName"], json!(["RunInstances", "TerminateInstances"]), "{region}");
    }

    wanted.triggers[0] = wanted.triggers[0].clone().with("enabled = false");
    world.terraform.configure(&wanted.text());
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
    for region in ["us-east-1", "eu-west-1"] {
        assert!(world.rules(region).await.values().all(|(state, _)| state == "DISABLED"), "{region}");
    }
    world.destroy().await;
}

/// The rules of a trigger are the hub's regions times its definition: the hub's own apply makes and removes them.
#[tokio::test]
async fn a_region_added_to_the_hub_reaches_its_triggers_in_the_same_apply() {
    let world = World::new().await;
    let mut wanted = Configuration::new("http://127.0.0.1:9/unused");
    wanted.triggers.push(Trigger::new("everywhere-but", "StopLogging").with(r#"exclude_regions = ["ap-southeast-2"]"#));
    for (regions, rules) in [
        (vec!["us-east-1", "eu-west-1"], [2, 2, 0, 0]),
        (vec!["us-east-1", "eu-west-1", "eu-north-1", "ap-southeast-2"], [2, 2, 2, 1]),
        (vec!["us-east-1", "eu-north-1"], [2, 0, 2, 0]),
    ] {
        wanted.regions = regions;
        world.terraform.configure(&wanted.text());
        world.terraform.apply().await.success();
        for (region, count) in REGIONS.iter().zip(rules) {
            assert_eq!(world.rules(region).await.len(), count, "rules in {region} when the hub has {:?}", wanted.regions);
        }
        world.terraform.assert_empty_plan().await;
    }
    world.destroy().await;
}

#[tokio::test]
async fn everything_can_be_imported_with_an_empty_plan_after() {
    let world = World::new().await;
    let mut wanted = Configuration::new("http://127.0.0.1:9/unused");
    wanted.triggers.push(
        Trigger::new("root", "ConsoleLogin")
            .with(r#"description = "Root signed in""#)
            .with(r#"severity = "critical""#)
            .with(r#"match_expression = "detail.userIdentity.type == 'Root'""#)
            .with("action {\n  wait {\n    duration = \"10m\"\n  }\n}"),
    );
    wanted.triggers.push(
        Trigger::new("filtered", "ConsoleLogin")
            .with(r#"filter_pattern = "{ $.userIdentity.type = Root && $.userAgent = \"*x*\" }""#)
            .with(r#"push_down = "full""#)
            .with("test {\n  name = \"a\"\n  event = \"{\\\"eventName\\\":\\\"ConsoleLogin\\\"}\"\n  expect = false\n}"),
    );
    world.terraform.configure(&wanted.text());
    world.terraform.apply().await.success();

    let other = world.other_state();
    other.configure(&wanted.text());
    for (address, id) in [
        ("trailwire_hub.security", "security"),
        ("trailwire_destination.team", "security/team"),
        ("trailwire_trigger.instances", "security/instances"),
        ("trailwire_trigger.root", "security/root"),
        ("trailwire_trigger.filtered", "security/filtered"),
    ] {
        other.import(address, id).await.success();
        assert_eq!(other.attributes(address).await, world.terraform.attributes(address).await, "{address}");
    }
    other.assert_empty_plan().await;
    other.destroy().await.success();
    world.assert_nothing_left().await;
}

#[tokio::test]
async fn a_second_state_with_the_same_name_is_refused_with_the_import_command() {
    let world = World::new().await;
    let wanted = Configuration::new("http://127.0.0.1:9/unused");
    world.terraform.configure(&wanted.text());
    world.terraform.apply().await.success();
    let before = world.rules("eu-west-1").await;

    let other = world.other_state();
    let trigger = Trigger::new("instances", "StopInstances").block("\"security\"", "\"team\"");
    other.configure(&format!("{PROVIDER}{trigger}"));
    let refused = other.apply().await.failure();
    let flat = refused.said().split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    assert!(flat.contains("terraform import"), "{}", refused.said());
    assert!(flat.contains("security/instances"), "{}", refused.said());
    assert_eq!(other.state().await, [] as [String; 0]);
    assert_eq!(world.rules("eu-west-1").await, before);

    let hub = format!("{PROVIDER}resource \"trailwire_hub\" \"mine\" {{\n  name = \"security\"\n  regions = [\"us-east-1\"]\n}}\n");
    other.configure(&hub);
    let refused = other.apply().await.failure();
    assert!(refused.said().contains("terraform import"), "{}", refused.said());
    world.terraform.assert_empty_plan().await;
    world.destroy().await;
}

#[tokio::test]
async fn secrets_are_in_secrets_manager_and_nowhere_else() {
    let world = World::new().await;
    let text = |version: u32, secret: &str| {
        format!(
            r#"{PROVIDER}
resource "trailwire_hub" "security" {{
  name    = "security"
  regions = ["us-east-1"]
}}
resource "trailwire_destination" "chat" {{
  hub  = trailwire_hub.security.id
  name = "chat"
  slack {{
    webhook_url_wo         = "http://127.0.0.1:9/{secret}"
    webhook_url_wo_version = {version}
  }}
}}
"#
        )
    };
    let secrets = aws_sdk_secretsmanager::Client::new(&world.stand.sdk(&world.account, HOME).await);
    for (version, secret) in [(1, "first-5ecret"), (2, "second-5ecret")] {
        world.terraform.configure(&text(version, secret));
        let plan = world.terraform.assert_changes().await;
        assert!(!plan.contains(secret), "{plan}");
        let applied = world.terraform.apply().await.success();
        assert!(!applied.said().contains(secret), "{}", applied.said());
        assert!(!world.terraform.state_text().contains(secret), "the state has the secret");
        world.terraform.assert_empty_plan().await;
        let names = secrets.list_secrets().send().await.unwrap();
        let names: Vec<&str> = names.secret_list().iter().filter_map(|secret| secret.name()).collect();
        assert_eq!(names, ["trailwire/security/chat/slack-webhook-url"]);
        let value = secrets.get_secret_value().secret_id(names[0]).send().await.unwrap();
        assert_eq!(value.secret_string(), Some(format!("http://127.0.0.1:9/{secret}").as_str()));
    }
    world.destroy().await;
}

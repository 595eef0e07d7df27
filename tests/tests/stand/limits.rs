//! Limits and rules that AWS enforces.

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use aws_sdk_eventbridge::error::ProvideErrorMetadata;
use aws_sdk_eventbridge::types::{RuleState, Tag, Target};
use trailwire_tests::stand::Stand;

use crate::world::{ANY, World, target};

const REGION: &str = "eu-central-1";

fn code(error: impl ProvideErrorMetadata) -> String {
    error.code().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_rule_has_at_most_five_targets_and_goes_only_without() {
    let world = World::new();
    let events = world.events(REGION).await;
    events.put_rule().name("r").event_pattern(ANY).send().await.unwrap();
    let (_, queue) = world.queue(REGION, "q").await;
    let targets = |range: std::ops::Range<u32>| range.map(|n| Target::builder().id(n.to_string()).arn(&queue).build().unwrap()).collect();
    events.put_targets().rule("r").set_targets(Some(targets(0..5))).send().await.unwrap();
    events.put_targets().rule("r").set_targets(Some(targets(4..5))).send().await.unwrap();
    let refused = events.put_targets().rule("r").set_targets(Some(targets(5..6))).send().await.unwrap_err();
    assert_eq!(code(refused), "LimitExceededException");

    let refused = events.delete_rule().name("r").send().await.unwrap_err();
    assert_eq!(code(refused), "ValidationException");
    let ids = Some((0..5).map(|n| n.to_string()).collect());
    events.remove_targets().rule("r").set_ids(ids).send().await.unwrap();
    events.delete_rule().name("r").send().await.unwrap();
    events.delete_rule().name("r").send().await.unwrap();
    let refused = events.remove_targets().rule("r").ids("0").send().await.unwrap_err();
    assert_eq!(code(refused), "ResourceNotFoundException");
}

#[tokio::test]
async fn rule_names_and_patterns_are_checked() {
    let world = World::new();
    let events = world.events(REGION).await;
    let long_pattern = format!(r#"{{"source":["{}"]}}"#, "a".repeat(2_040));
    let cases = [
        ("r".repeat(64), ANY.to_owned(), ""),
        ("r".repeat(65), ANY.to_owned(), "ValidationException"),
        ("r/s".to_owned(), ANY.to_owned(), "ValidationException"),
        ("long".to_owned(), long_pattern, "LimitExceededException"),
        ("empty".to_owned(), "{}".to_owned(), "InvalidEventPatternException"),
        ("scalar".to_owned(), r#"{"source":"aws.ec2"}"#.to_owned(), "InvalidEventPatternException"),
        ("unknown".to_owned(), r#"{"source":[{"like":"aws"}]}"#.to_owned(), "InvalidEventPatternException"),
    ];
    for (name, pattern, wanted) in cases {
        let found = match events.put_rule().name(&name).event_pattern(&pattern).send().await {
            Ok(_) => String::new(),
            Err(refused) => code(refused),
        };
        assert_eq!(found, wanted, "rule {name} with {pattern}");
    }
    let refused = events.put_rule().name("nothing").send().await.unwrap_err();
    assert_eq!(code(refused), "ValidationException");
}

#[tokio::test]
async fn put_rule_replaces_the_whole_rule() {
    let world = World::new();
    let events = world.events(REGION).await;
    let tag = |value: &str| Tag::builder().key("team").value(value).build().unwrap();
    let put = events.put_rule().name("r").event_pattern(ANY).description("d").state(RuleState::Disabled).tags(tag("one"));
    let arn = put.send().await.unwrap().rule_arn.unwrap();
    events.put_rule().name("r").event_pattern(ANY).tags(tag("two")).send().await.unwrap();
    let rule = events.describe_rule().name("r").send().await.unwrap();
    assert_eq!(rule.state(), Some(&RuleState::Enabled));
    assert_eq!(rule.description(), None);
    let tags = events.list_tags_for_resource().resource_arn(arn).send().await.unwrap().tags.unwrap();
    assert_eq!(tags, [tag("one")]);
}

#[tokio::test]
async fn a_bus_has_at_most_300_rules_and_30_with_wildcards() {
    let world = World::new();
    let events = world.events(REGION).await;
    let wildcard = r#"{"source":[{"wildcard":"aws.*2"}]}"#;
    for n in 0..300 {
        let pattern = if n < 30 { wildcard } else { ANY };
        events.put_rule().name(format!("r{n}")).event_pattern(pattern).send().await.unwrap();
    }
    let one_more = events.put_rule().name("one-more").event_pattern(ANY).send().await.unwrap_err();
    assert_eq!(code(one_more), "LimitExceededException");
    let changed = events.put_rule().name("r299").event_pattern(wildcard).send().await.unwrap_err();
    assert_eq!(code(changed), "LimitExceededException");
    events.put_rule().name("r0").event_pattern(wildcard).send().await.unwrap();
    let page = events.list_rules().send().await.unwrap();
    assert_eq!((page.rules().len(), page.next_token().is_some()), (100, true));
}

#[tokio::test]
async fn a_bus_goes_only_without_rules_and_its_policy_goes_with_it() {
    let world = World::new();
    let (_, _) = world.hub(REGION).await;
    let events = world.events(REGION).await;
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    events.put_permission().event_bus_name("hub").policy(policy).send().await.unwrap();
    let refused = events.delete_event_bus().name("hub").send().await.unwrap_err();
    assert_eq!(code(refused), "ValidationException");
    events.remove_targets().event_bus_name("hub").rule("to-queue").ids("t").send().await.unwrap();
    events.delete_rule().event_bus_name("hub").name("to-queue").send().await.unwrap();
    events.delete_event_bus().name("hub").send().await.unwrap();
    events.create_event_bus().name("hub").send().await.unwrap();
    assert_eq!(events.describe_event_bus().name("hub").send().await.unwrap().policy(), None);
}

#[tokio::test]
async fn the_name_of_a_bus_may_be_its_arn() {
    let world = World::new();
    let (bus, _) = world.hub(REGION).await;
    let events = world.events(REGION).await;
    let (_, queue) = world.queue(REGION, "q").await;
    events.put_rule().event_bus_name(&bus).name("by-arn").event_pattern(ANY).send().await.unwrap();
    events.put_targets().event_bus_name(&bus).rule("by-arn").targets(target(&queue)).send().await.unwrap();
    let rule = events.describe_rule().event_bus_name("hub").name("by-arn").send().await.unwrap();
    assert_eq!(rule.event_bus_name(), Some("hub"));
}

#[tokio::test]
async fn a_deleted_queue_keeps_its_name_for_a_while() {
    let stand = Stand::start().unwrap();
    let sqs = aws_sdk_sqs::Client::new(&stand.sdk("111122223333", REGION).await);
    let url = sqs.create_queue().queue_name("q").send().await.unwrap().queue_url.unwrap();
    sqs.delete_queue().queue_url(url).send().await.unwrap();
    let refused = sqs.create_queue().queue_name("q").send().await.unwrap_err();
    let refused = refused.into_service_error();
    assert!(refused.is_queue_deleted_recently(), "{refused:?}");
    stand.control().hold_queue_names(Duration::ZERO).await;
    sqs.create_queue().queue_name("q").send().await.unwrap();
}

#[tokio::test]
async fn a_secret_scheduled_for_deletion_keeps_its_name() {
    let world = World::new();
    let secrets = aws_sdk_secretsmanager::Client::new(&world.stand.sdk(&world.account, REGION).await);
    let create = || secrets.create_secret().name("trailwire/a/b/c").secret_string("s").send();
    let arn = create().await.unwrap().arn.unwrap();
    secrets.delete_secret().secret_id(arn).send().await.unwrap();
    assert_eq!(code(create().await.unwrap_err()), "InvalidRequestException");
    secrets.delete_secret().secret_id("trailwire/a/b/c").force_delete_without_recovery(true).send().await.unwrap();
    create().await.unwrap();
}

#[tokio::test]
async fn an_item_has_at_most_400_kilobytes() {
    let world = World::new();
    let tables = aws_sdk_dynamodb::Client::new(&world.stand.sdk(&world.account, REGION).await);
    let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash).build().unwrap();
    let attribute = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S).build().unwrap();
    let create = tables.create_table().table_name("items").key_schema(key).attribute_definitions(attribute);
    create.billing_mode(BillingMode::PayPerRequest).send().await.unwrap();
    let put = |size: usize| {
        let item = tables.put_item().table_name("items").item("pk", AttributeValue::S("k".into()));
        item.item("v", AttributeValue::S("v".repeat(size))).send()
    };
    put(400 * 1024 - 16).await.unwrap();
    assert_eq!(code(put(400 * 1024 + 1).await.unwrap_err()), "ValidationException");
}

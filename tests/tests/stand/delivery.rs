//! From a bus to the targets of its rules.

use aws_sdk_eventbridge::types::{PutEventsRequestEntry, RuleState};
use serde_json::{Value, json};
use trailwire_tests::cloudtrail::Event;

use crate::world::{World, forwarding, target};

const ALL: RuleState = RuleState::EnabledWithAllCloudtrailManagementEvents;

#[tokio::test]
async fn callers_cannot_put_aws_sources() {
    let world = World::new();
    let entry = PutEventsRequestEntry::builder().source("aws.ec2").detail_type("AWS API Call via CloudTrail").detail("{}").build();
    let put = world.events("us-east-1").await.put_events().entries(entry).send().await.unwrap();
    assert_eq!(put.failed_entry_count, 1);
    assert_eq!(put.entries()[0].error_code(), Some("NotAuthorizedForSourceException"));
}

#[tokio::test]
async fn the_state_of_a_rule_decides_about_read_only_events() {
    let world = World::new();
    let account = world.account.as_str();
    let sts = |name| Event::read_only(account, "eu-west-1", "sts", name);
    let events = [
        Event::new(account, "eu-west-1", "ec2", "RunInstances"),
        Event::read_only(account, "eu-west-1", "ec2", "DescribeInstances"),
        Event::read_only(account, "eu-west-1", "kms", "Decrypt"),
        Event::read_only(account, "eu-west-1", "s3", "GetObject").with("/detail/managementEvent", json!(false)),
        sts("GetSessionToken"),
        sts("GetCallerIdentity"),
    ];
    let cases: [(&str, RuleState, &[&str]); 3] = [
        ("all", ALL, &["RunInstances", "DescribeInstances", "Decrypt", "GetObject", "GetSessionToken", "GetCallerIdentity"]),
        ("writes", RuleState::Enabled, &["RunInstances", "Decrypt", "GetObject", "GetSessionToken"]),
        ("nothing", RuleState::Disabled, &[]),
    ];
    let mut urls = Vec::new();
    for (name, state, _) in &cases {
        let (url, arn) = world.queue("eu-west-1", name).await;
        world.rule("eu-west-1", "default", name, state.clone(), target(&arn)).await;
        urls.push(url);
    }
    world.control().put_events(&events.map(Value::from)).await;
    for ((name, _, wanted), url) in cases.iter().zip(urls) {
        let received = world.received("eu-west-1", &url).await;
        let mut found: Vec<&str> = received.iter().map(|event| event["detail"]["eventName"].as_str().unwrap()).collect();
        let mut wanted = wanted.to_vec();
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "rule {name}");
    }
}

#[tokio::test]
async fn a_hop_to_another_region_keeps_the_event_as_it_was() {
    let world = World::new();
    let (bus, url) = world.hub("us-east-1").await;
    let role = world.role("forward", "events.amazonaws.com", "events:PutEvents").await;
    for region in ["eu-west-1", "ap-northeast-1", "us-east-1"] {
        world.rule(region, "default", "forward", ALL, forwarding(&bus, &role, None)).await;
        let event = Event::new(&world.account, region, "ec2", "RunInstances").envelope();
        world.control().put_events(std::slice::from_ref(&event)).await;
        assert_eq!(world.received("us-east-1", &url).await, [event], "from {region}");
    }
}

#[tokio::test]
async fn there_is_one_hop_and_no_second() {
    let world = World::new();
    let (bus, url) = world.hub("us-east-1").await;
    let role = world.role("forward", "events.amazonaws.com", "events:PutEvents").await;
    let middle = world.events("eu-west-1").await.create_event_bus().name("middle").send().await.unwrap().event_bus_arn.unwrap();
    world.rule("eu-west-1", "default", "first", ALL, forwarding(&middle, &role, None)).await;
    world.rule("eu-west-1", "middle", "second", ALL, forwarding(&bus, &role, None)).await;
    world.control().put_events(&[Event::new(&world.account, "eu-west-1", "ec2", "RunInstances").into()]).await;
    assert_eq!(world.received("us-east-1", &url).await, [] as [Value; 0]);
}

#[tokio::test]
async fn another_account_needs_the_policy_of_the_bus() {
    let hub = World::new();
    let (bus, url) = hub.hub("us-east-1").await;
    let member = World::new();
    let role = member.role("forward", "events.amazonaws.com", "events:PutEvents").await;
    let (dead_url, dead) = member.queue("eu-west-1", "dead").await;
    member.rule("eu-west-1", "default", "forward", ALL, forwarding(&bus, &role, Some(&dead))).await;
    let event = Event::new(&member.account, "eu-west-1", "ec2", "RunInstances").envelope();

    let stranger = json!({ "AWS": "arn:aws:iam::999999999999:root" });
    let own = json!({ "AWS": format!("arn:aws:iam::{}:root", member.account) });
    let organization = json!({ "StringEquals": { "aws:PrincipalOrgID": "o-stand" } });
    let cases = [
        ("no policy", None, false),
        ("a stranger", Some((stranger, json!({}))), false),
        ("the member", Some((own, json!({}))), true),
        ("an organization it is not in", Some((json!("*"), json!({ "StringEquals": { "aws:PrincipalOrgID": "o-other" } }))), false),
        ("its organization", Some((json!("*"), organization)), true),
    ];
    hub.control().set_organization("o-stand", &[&member.account]).await;
    for (name, policy, carried) in cases {
        if let Some((principal, condition)) = policy {
            let policy = json!({ "Version": "2012-10-17", "Statement": [{
                "Sid": "members", "Effect": "Allow", "Principal": principal, "Action": "events:PutEvents", "Resource": bus, "Condition": condition,
            }]});
            hub.events("us-east-1").await.put_permission().event_bus_name("hub").policy(policy.to_string()).send().await.unwrap();
        }
        member.control().put_events(std::slice::from_ref(&event)).await;
        let arrived = hub.received("us-east-1", &url).await;
        let refused = member.received("eu-west-1", &dead_url).await;
        let (wanted, other) = if carried { (arrived, refused) } else { (refused, arrived) };
        assert_eq!((wanted, other), (vec![event.clone()], vec![]), "policy for {name}");
    }
}

#[tokio::test]
async fn what_cannot_be_delivered_is_dead_lettered_with_the_reason() {
    let world = World::new();
    let region = "eu-west-1";
    let (bus, _) = world.hub("us-east-1").await;
    let (dead_url, dead) = world.queue(region, "dead").await;
    let powerless = world.role("powerless", "events.amazonaws.com", "events:DescribeRule").await;
    let role = world.role("forward", "events.amazonaws.com", "events:PutEvents").await;
    let missing_bus = format!("{}-missing", bus);
    let missing_queue = format!("arn:aws:sqs:{region}:{}:missing", world.account);
    let silent = world.sqs(region).await.create_queue().queue_name("silent").send().await.unwrap().queue_url.unwrap();
    let cases = [
        ("a role without permission", forwarding(&bus, &powerless, Some(&dead)), "NO_PERMISSIONS"),
        ("a bus that is not there", forwarding(&missing_bus, &role, Some(&dead)), "NO_RESOURCE"),
        ("a queue that is not there", forwarding_to_queue(&missing_queue, &dead), "NO_RESOURCE"),
        (
            "a queue without a policy",
            forwarding_to_queue(&format!("arn:aws:sqs:{region}:{}:silent", world.account), &dead),
            "NO_PERMISSIONS",
        ),
    ];
    for (name, target, code) in cases {
        let target_arn = target.arn().to_owned();
        world.rule(region, "default", "broken", ALL, target).await;
        let event = Event::new(&world.account, region, "ec2", "RunInstances").envelope();
        world.control().put_events(std::slice::from_ref(&event)).await;
        let messages = world.messages(region, &dead_url).await;
        let [message] = messages.as_slice() else { panic!("{name}: {} dead letters", messages.len()) };
        let attribute = |name: &str| message.message_attributes().unwrap()[name].string_value().unwrap();
        assert_eq!(serde_json::from_str::<Value>(message.body().unwrap()).unwrap(), event, "{name}");
        assert_eq!(attribute("ERROR_CODE"), code, "{name}");
        assert_eq!(attribute("TARGET_ARN"), target_arn, "{name}");
        assert_eq!(attribute("RULE_ARN"), format!("arn:aws:events:{region}:{}:rule/broken", world.account), "{name}");
        assert!(!attribute("ERROR_MESSAGE").is_empty(), "{name}");
        let delete = world.sqs(region).await.delete_message().queue_url(&dead_url).receipt_handle(message.receipt_handle().unwrap());
        delete.send().await.unwrap();
    }
    assert!(world.messages(region, &silent).await.is_empty());
}

fn forwarding_to_queue(arn: &str, dead: &str) -> aws_sdk_eventbridge::types::Target {
    let dead = aws_sdk_eventbridge::types::DeadLetterConfig::builder().arn(dead).build();
    aws_sdk_eventbridge::types::Target::builder().id("t").arn(arn).dead_letter_config(dead).build().unwrap()
}

#[tokio::test]
async fn a_target_needs_a_role_that_eventbridge_can_assume() {
    let world = World::new();
    let (bus, _) = world.hub("us-east-1").await;
    let events = world.events("eu-west-1").await;
    events.put_rule().name("forward").event_pattern(crate::world::ANY).send().await.unwrap();
    let lambda = world.role("for-lambda", "lambda.amazonaws.com", "events:PutEvents").await;
    let missing = format!("arn:aws:iam::{}:role/missing", world.account);
    for role in [lambda, missing] {
        let refused = events.put_targets().rule("forward").targets(forwarding(&bus, &role, None)).send().await.unwrap_err();
        let message = refused.into_service_error().meta().message().unwrap().to_owned();
        assert!(message.contains("cannot be assumed by principal"), "{message}");
    }
    let refused = events.put_targets().rule("forward").targets(target(&bus)).send().await.unwrap_err();
    assert!(refused.into_service_error().meta().message().unwrap().contains("RoleArn is required"));
}

#[tokio::test]
async fn a_region_can_be_disabled_in_one_account() {
    let world = World::new();
    world.control().disable_regions(&world.account, &["eu-south-1"]).await;
    for (account, status) in [(world.account.clone(), "DISABLED"), (world.stand.new_account(), "ENABLED")] {
        let answer = list_regions(&world, &account).await;
        let region = answer["Regions"].as_array().unwrap().iter().find(|region| region["RegionName"] == "eu-south-1").unwrap();
        assert_eq!(region["RegionOptStatus"], status);
    }
}

/// The account API has no client here: one signed-looking request does.
async fn list_regions(world: &World, account: &str) -> Value {
    let request = reqwest::Client::new()
        .post(format!("{}/listRegions", world.stand.endpoint()))
        .header("authorization", format!("AWS4-HMAC-SHA256 Credential={account}/20260101/us-east-1/account/aws4_request"))
        .body("{}");
    serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
}

//! From an event on a regional bus to a notification.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use serde_json::{Value, json};
use trailwire_tests::cloudtrail::Event;
use trailwire_tests::sink::Reply;

use crate::world::{Configuration, HOME, REGIONS, Told, Trigger, World, told};

const SIGN_IN: [&str; 2] = ["AWS Console Signin via CloudTrail", "AWS Console Sign In via CloudTrail"];

#[tokio::test]
async fn events_in_scope_that_match_are_told_once_and_no_others() {
    let world = World::new().await;
    let (path, url) = world.webhook();
    let mut wanted = Configuration::new(&url);
    wanted.regions = vec!["us-east-1", "eu-west-1", "eu-north-1"];
    wanted.triggers = vec![
        Trigger::new("instances", "RunInstances"),
        Trigger::new("trails", "StopLogging").with(r#"regions = ["eu-west-1"]"#),
        Trigger::new("off", "DeleteTrail").with("enabled = false"),
        Trigger::new("root", "ConsoleLogin").with(r#"match_expression = "detail.userIdentity.type == 'Root'""#),
        Trigger::new("reading", "DescribeInstances").with("include_read_only = true"),
        Trigger::new("writing", "GetParameters")
            .with("event_sources = [\"ssm.amazonaws.com\"]\n  allow = { TW2404 = \"that no rule carries it is what is tested\" }"),
    ];
    world.terraform.configure(&wanted.text());
    world.terraform.apply().await.success();

    let account = world.account.as_str();
    let mut events = Vec::new();
    let mut expected = Vec::new();
    let mut happens = |event: Event, fires: Option<&str>| {
        expected.extend(fires.map(|trigger| Told::new(trigger, &event)));
        events.push(Value::from(event));
    };
    for region in REGIONS {
        let in_scope = region != "ap-southeast-2";
        happens(Event::new(account, region, "ec2", "RunInstances"), in_scope.then_some("instances"));
        happens(Event::new(account, region, "cloudtrail", "StopLogging"), (region == "eu-west-1").then_some("trails"));
        happens(Event::new(account, region, "cloudtrail", "DeleteTrail"), None);
        happens(Event::new(account, region, "ec2", "runinstances"), None);
        happens(Event::read_only(account, region, "ec2", "DescribeInstances"), in_scope.then_some("reading"));
        happens(Event::read_only(account, region, "ssm", "GetParameters"), None);
        for detail_type in SIGN_IN {
            let login = Event::console_login(account, region, detail_type);
            happens(login.clone(), in_scope.then_some("root"));
            let user = json!({ "type": "IAMUser", "userName": "bob" });
            happens(Event::console_login(account, region, detail_type).with("/detail/userIdentity", user), None);
        }
    }
    world.control().put_events(&events).await;
    let journal = tempfile::tempdir().unwrap();
    let run = world.run_until_idle(journal.path()).await;
    expected.sort();
    assert_eq!(told(&world.stand.sink().received(&path)), expected, "{}", run.said());
    world.destroy().await;
}

#[tokio::test]
async fn two_triggers_on_one_event_fire_once_each() {
    let world = World::new().await;
    let (path, url) = world.webhook();
    let mut wanted = Configuration::new(&url);
    wanted.triggers.push(Trigger::new("any-of-these", "RunInstances").with(r#"event_sources = ["ec2.amazonaws.com"]"#));
    world.terraform.configure(&wanted.text());
    world.terraform.apply().await.success();

    let events: Vec<Event> =
        (0..20).map(|n| Event::new(&world.account, ["us-east-1", "eu-west-1"][n % 2], "ec2", "RunInstances")).collect();
    let envelopes: Vec<Value> = events.iter().map(Event::envelope).collect();
    let copies = world.control().put_events(&envelopes).await;
    assert!(copies.iter().all(|copies| *copies == 2), "two copies travel: {copies:?}");
    // The same events come once more, as EventBridge may send them.
    world.control().put_events(&envelopes).await;

    let journal = tempfile::tempdir().unwrap();
    world.run_until_idle(journal.path()).await;
    // And again to a new process with the same journal.
    world.control().put_events(&envelopes).await;
    world.run_until_idle(journal.path()).await;
    let mut expected: Vec<Told> =
        events.iter().flat_map(|event| ["instances", "any-of-these"].map(|trigger| Told::new(trigger, event))).collect();
    expected.sort();
    assert_eq!(told(&world.stand.sink().received(&path)), expected);
    world.destroy().await;
}

/// The definition is written before the first rule and read before each batch is judged: what a rule carried is never lost.
#[tokio::test]
async fn a_trigger_created_while_events_flow_loses_none_that_its_rule_carried() {
    let world = World::new().await;
    let (path, url) = world.webhook();
    let mut wanted = Configuration::new(&url);
    wanted.triggers = vec![Trigger::new("other", "StopLogging")];
    world.terraform.configure(&wanted.text());
    world.terraform.apply().await.success();
    let journal = tempfile::tempdir().unwrap();
    let runtime = world.start_runtime(journal.path());
    let first = Event::new(&world.account, HOME, "cloudtrail", "StopLogging");
    world.control().put_events(&[first.envelope()]).await;
    world.stand.sink().expect(&path, 1).await;

    let applied = Arc::new(AtomicBool::new(false));
    let flow = tokio::spawn(flow(world.stand, world.account.clone(), Arc::clone(&applied)));
    wanted.triggers.push(Trigger::new("instances", "RunInstances"));
    world.terraform.configure(&wanted.text());
    world.terraform.apply().await.success();
    applied.store(true, Ordering::Relaxed);
    let (carried, missed) = flow.await.unwrap();
    assert!(!missed.is_empty() && carried.len() >= 20, "the rules came while events flowed: {} carried", carried.len());

    let arrived = world.stand.sink().expect(&path, carried.len() + 1).await;
    let mut expected: Vec<Told> = carried.iter().map(|event| Told::new("instances", event)).collect();
    expected.push(Told::new("other", &first));
    expected.sort();
    assert_eq!(told(&arrived), expected, "{}", runtime.said());
    runtime.terminate();
    runtime.finish().await.success();
    world.destroy().await;
}

/// Puts events one by one in two regions until twenty more were carried after the apply; those that a rule carried, and the others.
async fn flow(stand: &'static trailwire_tests::stand::Stand, account: String, applied: Arc<AtomicBool>) -> (Vec<Event>, Vec<Event>) {
    let (mut carried, mut missed) = (Vec::new(), Vec::new());
    let mut after = 0;
    while after < 20 {
        for region in ["us-east-1", "eu-west-1"] {
            let event = Event::new(&account, region, "ec2", "RunInstances");
            let sent = stand.control().put_events(&[event.envelope()]).await;
            let is_carried = sent[0] > 0;
            after += usize::from(is_carried && applied.load(Ordering::Relaxed));
            if is_carried { carried.push(event) } else { missed.push(event) }
        }
    }
    (carried, missed)
}

#[tokio::test]
async fn a_destination_that_fails_gets_the_notification_again_under_the_same_id() {
    let world = World::new().await;
    let (path, url) = world.webhook();
    world.terraform.configure(&Configuration::new(&url).text());
    world.terraform.apply().await.success();
    world.stand.sink().script(&path, [Reply::status(500), Reply::status(429).header("retry-after", "1")]);
    world.control().put_events(&[Event::new(&world.account, HOME, "ec2", "RunInstances").envelope()]).await;
    let journal = tempfile::tempdir().unwrap();
    world.run_until_idle(journal.path()).await;
    let arrived = world.stand.sink().received(&path);
    assert_eq!(arrived.iter().map(|notification| notification.status).collect::<Vec<_>>(), [500, 429, 200]);
    let id = arrived[0].header("webhook-id");
    assert!(!id.is_empty() && arrived.iter().all(|notification| notification.header("webhook-id") == id));
    world.destroy().await;
}

/// The journal outlives the process: a wait that has begun ends when it was to end.
#[tokio::test]
async fn a_wait_survives_a_restart() {
    let world = World::new().await;
    let (path, url) = world.webhook();
    let mut wanted = Configuration::new(&url);
    let later = "action {\n  wait {\n    duration = \"5s\"\n  }\n}\naction {\n  notify {\n    destinations = [trailwire_destination.team.name]\n    title = \"later\"\n  }\n}";
    wanted.triggers[0].after = later.to_owned();
    world.terraform.configure(&wanted.text());
    world.terraform.apply().await.success();
    world.control().put_events(&[Event::new(&world.account, HOME, "ec2", "RunInstances").envelope()]).await;
    let journal = tempfile::tempdir().unwrap();
    let runtime = world.start_runtime(journal.path());
    world.stand.sink().expect(&path, 1).await;
    runtime.kill().await;
    world.run_until_idle(journal.path()).await;
    let arrived = world.stand.sink().received(&path);
    let last = arrived.last().unwrap();
    assert_eq!(last.json()["data"]["title"], "later");
    let accepted: jiff::Timestamp = last.json()["timestamp"].as_str().unwrap().parse().unwrap();
    let waited = last.arrived.duration_since(SystemTime::from(accepted)).unwrap_or_default();
    assert!((5..120).contains(&waited.as_secs()), "waited {waited:?}");
    world.destroy().await;
}

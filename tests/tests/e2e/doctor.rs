//! `trailwire doctor` at a deployment that is sound, and at one that somebody has changed.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use trailwire_tests::control::{Fault, Matcher};
use trailwire_tests::json::call;
use trailwire_tests::process::{Finished, Program};
use trailwire_tests::{leftovers, members, runtime, trails};

use crate::accounts::{EXTERNAL_ID, over};
use crate::world::{Configuration, HOME, REGIONS, Trigger, World};

const CLOUDWATCH: (&str, &str) = ("monitoring", "GraniteServiceVersion20100801");

pub(crate) async fn doctor(world: &World, more: &[&str]) -> Finished {
    let arguments: Vec<&str> = ["doctor", "--hub", "security"].iter().chain(more).copied().collect();
    Program::start(runtime::command(world.stand, &world.account, HOME, &arguments)).finish().await
}

#[tokio::test]
async fn a_sound_deployment_is_told_from_a_broken_one_cell_by_cell() {
    let world = World::new().await;
    let (_, url) = world.webhook();
    let mut wanted = Configuration::new(&url);
    wanted.triggers.push(Trigger::new("trails", "StopLogging").with(r#"regions = ["eu-west-1"]"#));
    world.terraform.configure(&wanted.text());
    world.terraform.apply().await.success();

    let unattended = doctor(&world, &[]).await;
    assert_eq!(unattended.status.code(), Some(1), "{}", unattended.said());
    assert!(unattended.stdout.contains("no runtime was ever seen"), "{}", unattended.said());

    let journal = tempfile::tempdir().unwrap();
    world.run_until_idle(journal.path()).await;
    let sound = doctor(&world, &[]).await.success();
    let account = &world.account;
    let lines: Vec<&str> = sound.stdout.lines().collect();
    assert!(lines[0].starts_with(&format!("ok      hub security at {account}/{HOME}, 0 waiting, a runtime seen ")), "{}", sound.said());
    assert_eq!(lines[1..], [format!("ok      {account}/eu-west-1"), format!("ok      {account}/us-east-1")]);

    for_how_long_events_wait_is_told(&world).await;

    let events = world.events("eu-west-1").await;
    let rules = world.rules("eu-west-1").await;
    let [instances, trails] = ["instances", "trails"].map(|name| rules.keys().find(|rule| rule.contains(name)).unwrap());
    events.disable_rule().name(instances).send().await.unwrap();
    events.remove_targets().rule(trails).ids("trailwire").send().await.unwrap();
    let broken = doctor(&world, &["--json"]).await;
    assert_eq!(broken.status.code(), Some(1), "{}", broken.said());
    let told: Value = serde_json::from_str(&broken.stdout).unwrap();
    assert_eq!((&told["ok"], &told["home"]["ok"]), (&Value::Bool(false), &Value::Bool(true)), "{}", broken.said());
    let cells = told["cells"].as_array().unwrap();
    assert_eq!((&cells[0]["region"], &cells[1]["ok"]), (&Value::from("eu-west-1"), &Value::Bool(true)));
    let problems: Vec<&str> = cells[0]["problems"].as_array().unwrap().iter().map(|problem| problem.as_str().unwrap()).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert_eq!(problems[0], format!("rule {instances} is in state DISABLED, not ENABLED"));
    assert!(problems[1].starts_with(&format!("rule {trails} does not send to ")), "{problems:?}");
    assert!(broken.stderr.contains("1 of 2 cells are not as they should be"), "{}", broken.said());

    let foreign = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"a","Effect":"Allow","Principal":"*","Action":"events:PutEvents","Resource":"arn:aws:events:{HOME}:{account}:event-bus/trailwire-security"}}]}}"#
    );
    world.events(HOME).await.put_permission().event_bus_name("trailwire-security").policy(foreign).send().await.unwrap();
    let open = doctor(&world, &[]).await;
    let told = "bus trailwire-security has another policy: accounts of the hub may not send to it, or others may";
    assert!(open.stdout.contains(told), "{}", open.said());

    let absent = Program::start(runtime::command(world.stand, account, HOME, &["doctor", "--hub", "nobody"])).finish().await;
    assert_eq!(absent.status.code(), Some(2), "{}", absent.said());
    world.destroy().await;
}

/// Where something waits, by what CloudWatch knows; nothing, a little, and more than is sound.
async fn for_how_long_events_wait_is_told(world: &World) {
    let sqs = world.sqs(HOME).await;
    let url = sqs.get_queue_url().queue_name("trailwire-security").send().await.unwrap().queue_url.unwrap();
    sqs.send_message().queue_url(&url).message_body("{}").send().await.unwrap();
    let unknown = doctor(world, &[]).await.success();
    assert!(unknown.stdout.contains(", 1 waiting for an unknown time, "), "{}", unknown.said());

    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for (seconds, told) in [(42, ", 1 waiting for up to 42 s, "), (900, "the oldest event has waited for 900 s: no runtime keeps up")] {
        let datum = json!({
            "MetricName": "ApproximateAgeOfOldestMessage", "Value": seconds, "Unit": "Seconds", "Timestamp": at,
            "Dimensions": [{ "Name": "QueueName", "Value": "trailwire-security" }],
        });
        let data = json!({ "Namespace": "AWS/SQS", "MetricData": [datum] });
        call(world.stand, &world.account, HOME, CLOUDWATCH, "PutMetricData", &data).await;
        let looked = doctor(world, &[]).await;
        assert!(looked.stdout.contains(told), "{}", looked.said());
        assert_eq!(looked.status.success(), seconds < 600, "{}", looked.said());
    }
    let refused = world.control().fault(Fault::fail(Matcher::service("monitoring").by(&world.account), 400, "AccessDeniedException")).await;
    let looked = doctor(world, &[]).await;
    assert!(looked.stdout.contains("the age of the oldest event can not be read: AccessDeniedException"), "{}", looked.said());
    refused.remove().await;
    sqs.purge_queue().queue_url(&url).send().await.unwrap();
}

/// Every cell of two accounts, one of them entered by its deploy role, until one of them has no trail any more.
#[tokio::test]
async fn canaries_prove_the_whole_path_of_each_cell() {
    let world = World::new().await;
    let (_, url) = world.webhook();
    let member = world.stand.new_account();
    members::allow(world.stand, &member, &world.account, EXTERNAL_ID).await;
    for account in [&world.account, &member] {
        trails::log(world.stand, account, "eu-north-1", true).await;
    }
    world.terraform.configure(&over(&[&member], &url, ""));
    world.terraform.apply().await.success();
    let send = ["--canary", "--member-external-id", EXTERNAL_ID];

    let unattended = doctor(&world, &send).await;
    assert_eq!(unattended.status.code(), Some(1), "{}", unattended.said());
    assert!(unattended.stdout.contains("no canary was sent: it is a runtime that tells of their arrival"), "{}", unattended.said());

    let journal = tempfile::tempdir().unwrap();
    world.run_until_idle(journal.path()).await;
    let runtime = world.start_runtime(journal.path());
    let sound = doctor(&world, &send).await.success();
    let cells =
        [&world.account, &member].into_iter().flat_map(|account| ["eu-west-1", "us-east-1"].map(|region| format!("{account}/{region}")));
    let mut cells: Vec<String> = cells.collect();
    cells.sort();
    let told: Vec<&str> = sound.stdout.lines().skip(1).collect();
    assert_eq!(told.len(), cells.len(), "{}", sound.said());
    for (line, cell) in told.iter().zip(&cells) {
        assert!(line.starts_with(&format!("ok      {cell}, its canary arrived after ")), "{}", sound.said());
    }
    world.terraform.assert_empty_plan().await;

    trails::stop(world.stand, &member, "eu-north-1").await;
    let broken = doctor(&world, &[&send[..], &["--wait", "5s", "--json"]].concat()).await;
    assert_eq!(broken.status.code(), Some(1), "{}", broken.said());
    let told: Value = serde_json::from_str(&broken.stdout).unwrap();
    let silent: Vec<&Value> = told["cells"].as_array().unwrap().iter().filter(|cell| cell["account"] == member.as_str()).collect();
    assert_eq!(silent.len(), 2);
    for cell in silent {
        assert_eq!(cell["canary_seconds"], Value::Null);
        assert!(cell["problems"][0].as_str().unwrap().starts_with("its canary did not arrive within 5 s: no trail logs there"), "{cell}");
    }
    runtime.terminate();
    runtime.finish().await.success();
    world.destroy().await;
    assert_eq!(leftovers::of(world.stand, &member, &REGIONS).await, [] as [String; 0]);
}

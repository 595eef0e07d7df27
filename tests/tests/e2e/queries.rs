//! Queries from HCL to the message: the example as its reader would run it, what a crash keeps, and the reading role's life.

use std::fs;

use serde_json::json;
use trailwire_tests::cloudtrail::Event;
use trailwire_tests::control::Matcher;
use trailwire_tests::process::Program;
use trailwire_tests::runtime;
use trailwire_tests::sink::{Notification, Reply};
use trailwire_tests::stand::repository;

use crate::world::{Configuration, HOME, Trigger, World};

/// A call of AWS that no SDK is here for, in form fields.
async fn call(world: &World, service: &str, fields: &[(&str, &str)]) {
    let credential = format!("{}/20260301/{HOME}/{service}/aws4_request", world.account);
    let signed = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0");
    let body = fields.iter().map(|(name, value)| format!("{name}={}", value.replace(':', "%3A"))).collect::<Vec<_>>().join("&");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request =
        client.post(world.stand.endpoint()).header("authorization", signed).header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body(body).send().await.unwrap();
    let status = answer.status();
    assert!(status.is_success(), "{status}: {}", answer.text().await.unwrap());
}

async fn run_instances(world: &World, group: &str, count: &str) {
    let tags = [
        ("TagSpecification.1.ResourceType", "instance"),
        ("TagSpecification.1.Tag.1.Key", "aws:autoscaling:groupName"),
        ("TagSpecification.1.Tag.1.Value", group),
    ];
    let run = [("Action", "RunInstances"), ("Version", "2016-11-15"), ("ImageId", "ami-1"), ("MinCount", count), ("MaxCount", count)];
    call(world, "ec2", &[&run[..], &tags[..]].concat()).await;
}

async fn make_group(world: &World, name: &str) {
    let launch = [
        ("Action", "CreateLaunchConfiguration"),
        ("Version", "2011-01-01"),
        ("LaunchConfigurationName", name),
        ("ImageId", "ami-1"),
        ("InstanceType", "t3.micro"),
    ];
    call(world, "autoscaling", &launch).await;
    let group = [
        ("Action", "CreateAutoScalingGroup"),
        ("Version", "2011-01-01"),
        ("AutoScalingGroupName", name),
        ("LaunchConfigurationName", name),
        ("MinSize", "0"),
        ("MaxSize", "5"),
        ("DesiredCapacity", "0"),
        ("AvailabilityZones.member.1", "us-east-1a"),
    ];
    call(world, "autoscaling", &group).await;
}

fn changed(world: &World, group: &str) -> Event {
    Event::new(&world.account, HOME, "autoscaling", "UpdateAutoScalingGroup")
        .with("/detail/requestParameters", json!({ "autoScalingGroupName": group }))
}

/// The example of the guide, with a short wait.
async fn example(world: &mut World, url: &str) {
    let text = fs::read_to_string(repository().join("examples/autoscaling/main.tf")).unwrap();
    world.terraform.set("TF_VAR_webhook_url", url);
    world.terraform.set("TF_VAR_settle", "1s");
    world.terraform.configure(&text);
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
}

fn titles(notifications: &[Notification]) -> Vec<String> {
    let accepted = notifications.iter().filter(|notification| notification.is_accepted());
    accepted.map(|notification| notification.json()["data"]["title"].as_str().unwrap().to_owned()).collect()
}

fn start(world: &World, journal: &std::path::Path) -> Program {
    runtime::start(world.stand, &world.account, HOME, "operations", journal)
}

#[tokio::test]
async fn the_example_counts_the_instances_of_a_group_that_was_changed() {
    let mut world = World::new().await;
    let (path, url) = world.webhook();
    example(&mut world, &url).await;
    make_group(&world, "web").await;
    run_instances(&world, "web", "3").await;
    run_instances(&world, "other", "2").await;
    let (journal, event) = (tempfile::tempdir().unwrap(), changed(&world, "web"));

    // The second message is refused at first, and the runtime killed: what it had counted is what it tells afterwards.
    world.stand.sink().script(&path, [Reply::status(200), Reply::status(503)]);
    let runtime = start(&world, journal.path());
    world.control().put_events(&[event.envelope()]).await;
    world.stand.sink().expect(&path, 2).await;
    runtime.kill().await;
    run_instances(&world, "web", "1").await;
    let runtime = start(&world, journal.path());
    let arrived = world.stand.sink().expect(&path, 3).await;
    runtime.terminate();
    let ended = runtime.finish().await.success();
    assert_eq!(titles(&arrived), ["web: UpdateAutoScalingGroup by alice (IAM user)", "web: 3 of 0 instances run"], "{}", ended.said());
    for (service, operation) in [("ec2", "DescribeInstances"), ("autoscaling", "DescribeAutoScalingGroups")] {
        assert_eq!(world.control().call_count(&world.calls(service, operation)).await, 1, "{operation}");
    }
    world.destroy().await;
}

#[tokio::test]
async fn the_reading_role_comes_and_goes_with_what_queries_may_call() {
    let world = World::new().await;
    let (_, url) = world.webhook();
    let query = |operation: &str| {
        format!("action {{\n    query {{\n      service = \"ec2\"\n      operation = \"{operation}\"\n      as = \"found\"\n    }}\n  }}")
    };
    let mut wanted = Configuration::new(&url);
    wanted.triggers = vec![Trigger { after: query("DescribeInstances"), ..Trigger::new("asks", "RunInstances") }];
    let allowing = |operations: &str| {
        wanted.text().replace("name    = \"security\"\n", &format!("name    = \"security\"\n  query_operations = [{operations}]\n"))
    };

    // What the hub does not allow is refused while planning, and so is what nobody may call.
    world.terraform.configure(&wanted.text());
    let plan = world.terraform.plan().await;
    assert!(plan.said().contains("Hub `security` does not allow the query `ec2:DescribeInstances`"), "{}", plan.said());
    world.terraform.configure(&allowing("\"ec2:TerminateInstances\""));
    let plan = world.terraform.plan().await;
    assert!(plan.said().contains("[TW1118]") && plan.said().contains("`ec2:TerminateInstances` is not an operation"), "{}", plan.said());
    assert_eq!(world.control().call_count(&world.calls("iam", "CreateRole")).await, 0);

    world.terraform.configure(&allowing("\"ec2:DescribeInstances\", \"iam:GetRole\""));
    world.terraform.apply().await.success();
    world.terraform.assert_empty_plan().await;
    let hub = world.terraform.attributes("trailwire_hub.security").await;
    let forward = hub["forward_role_name"].as_str().unwrap();
    let read = forward.replace("-forward", "-read");
    let role = format!("arn:aws:iam::*:role/trailwire/{read}");
    assert!(hub["runtime_policy_json"].as_str().unwrap().contains(&role), "{hub}");
    let iam = aws_sdk_iam::Client::new(&world.stand.sdk(&world.account, HOME).await);
    let policy = || async { iam.get_role_policy().role_name(&read).policy_name("read").send().await.map(|answer| answer.policy_document) };
    let wants = json!(["ec2:DescribeInstances", "iam:GetRole"]);
    assert_eq!(decoded(&policy().await.unwrap())["Statement"][0]["Action"], wants);

    // Drift is told and repaired.
    let other = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "ec2:*", "Resource": "*" }] }).to_string();
    iam.put_role_policy().role_name(&read).policy_name("read").policy_document(other).send().await.unwrap();
    let told = world.terraform.assert_changes().await;
    assert!(told.contains(&format!("role {read} has another policy")), "{told}");
    world.terraform.apply().await.success();
    assert_eq!(decoded(&policy().await.unwrap())["Statement"][0]["Action"], wants);

    // Fewer operations, and then none.
    world.terraform.configure(&allowing("\"ec2:DescribeInstances\""));
    world.terraform.apply().await.success();
    assert_eq!(decoded(&policy().await.unwrap())["Statement"][0]["Action"], json!(["ec2:DescribeInstances"]));
    let mut without = wanted.clone();
    without.triggers = vec![Trigger::new("asks", "RunInstances")];
    world.terraform.configure(&without.text());
    world.terraform.apply().await.success();
    assert!(policy().await.is_err());
    assert!(
        !world.terraform.attributes("trailwire_hub.security").await["runtime_policy_json"].as_str().unwrap().contains("sts:AssumeRole")
    );
    world.terraform.assert_empty_plan().await;
    let calls = Matcher::operation("iam", "GetRole").by(&world.account);
    let before = world.control().call_count(&calls).await;
    world.terraform.assert_empty_plan().await;
    assert_eq!(world.control().call_count(&calls).await - before, 1, "the reading role is not looked for any more");
    world.destroy().await;
}

fn decoded(document: &str) -> serde_json::Value {
    serde_json::from_str(&trailwire_engine::fanout::policy::from_percent(document)).unwrap()
}

/// An event that names no group must not count the instances of all of them.
#[tokio::test]
async fn a_query_that_cannot_be_asked_is_a_dead_letter_that_says_why() {
    let mut world = World::new().await;
    let (path, url) = world.webhook();
    example(&mut world, &url).await;
    let journal = tempfile::tempdir().unwrap();
    let event = Event::new(&world.account, HOME, "autoscaling", "UpdateAutoScalingGroup").with("/detail/requestParameters", json!({}));
    let mut command = runtime::command(world.stand, &world.account, HOME, &["run", "--hub", "operations", "--until-idle", "1s"]);
    command.env("TRAILWIRE_STATE_DIR", journal.path());
    world.control().put_events(&[event.envelope()]).await;
    let ended = Program::start(command).finish().await.success();
    assert_eq!(titles(&world.stand.sink().received(&path)).len(), 1, "{}", ended.said());
    let reason = "the query autoscaling:DescribeAutoScalingGroups cannot be asked: the template `{{ detail.requestParameters.autoScalingGroupName }}` gives nothing on this event";
    assert!(ended.said().contains(reason), "{}", ended.said());
    let listed = runtime::command(world.stand, &world.account, HOME, &["dlq", "list", "--hub", "operations"]);
    let listed = Program::start(listed).finish().await.success();
    assert!(listed.said().contains("gives nothing on this event"), "{}", listed.said());
    world.destroy().await;
}

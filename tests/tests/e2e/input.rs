//! Bad input gets a clear error and loses nothing.

use std::process::Command;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use trailwire_tests::cloudtrail::Event;
use trailwire_tests::control::{Fault, Matcher};
use trailwire_tests::process::{Program, built};
use trailwire_tests::runtime;

use crate::world::{Configuration, HOME, Told, Trigger, World, told};

/// What no trigger can judge goes to the dead-letter queue with the reason, and stands in nobody's way.
#[tokio::test]
async fn foreign_messages_go_to_the_dead_letter_queue_with_a_reason() {
    let world = World::new().await;
    let (path, url) = world.webhook();
    world.terraform.configure(&Configuration::new(&url).text());
    world.terraform.apply().await.success();
    let sqs = world.sqs(HOME).await;
    let queue = sqs.get_queue_url().queue_name("trailwire-security").send().await.unwrap().queue_url.unwrap();
    let bad = [
        r#"{"detail": {"eventName": "RunInstances""#.to_owned(),
        "hello".to_owned(),
        "[1, 2, 3]".to_owned(),
        "null".to_owned(),
        json!({ "Type": "Notification", "Message": "an SNS message" }).to_string(),
    ];
    for body in &bad {
        sqs.send_message().queue_url(&queue).message_body(body).send().await.unwrap();
    }
    let event = Event::new(&world.account, HOME, "ec2", "RunInstances");
    world.control().put_events(&[event.envelope()]).await;
    let journal = tempfile::tempdir().unwrap();
    let run = world.run_until_idle(journal.path()).await;
    assert_eq!(told(&world.stand.sink().received(&path)), [Told::new("instances", &event)], "{}", run.said());

    let dead = sqs.get_queue_url().queue_name("trailwire-security-dlq").send().await.unwrap().queue_url.unwrap();
    let receive = sqs.receive_message().queue_url(&dead).max_number_of_messages(10).message_attribute_names("All");
    let messages = receive.send().await.unwrap().messages.unwrap_or_default();
    let mut bodies: Vec<&str> = messages.iter().filter_map(|message| message.body()).collect();
    let mut wanted: Vec<&str> = bad.iter().map(String::as_str).collect();
    bodies.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(bodies, wanted, "{}", run.said());
    for message in &messages {
        let reasons: Vec<&str> = message.message_attributes().into_iter().flatten().filter_map(|(_, value)| value.string_value()).collect();
        assert!(!reasons.is_empty() && reasons.iter().all(|reason| !reason.is_empty()), "{message:?} has no reason");
    }
    world.destroy().await;
}

/// A document that this runtime cannot read: the last good one stays in force, and the log says so.
#[tokio::test]
async fn a_bad_document_keeps_the_last_good_one_in_force() {
    let world = World::new().await;
    let (path, url) = world.webhook();
    let mut wanted = Configuration::new(&url);
    wanted.triggers.push(Trigger::new("trails", "StopLogging"));
    world.terraform.configure(&wanted.text());
    world.terraform.apply().await.success();
    let journal = tempfile::tempdir().unwrap();
    let runtime = world.start_runtime(journal.path());
    let mut events = vec![Event::new(&world.account, HOME, "ec2", "RunInstances")];
    world.control().put_events(&[events[0].envelope()]).await;
    world.stand.sink().expect(&path, 1).await;

    write_document(&world, "instances", r#"{"name": "instances", "event_names": 5, "#).await;
    for name in ["RunInstances", "StopLogging"] {
        let source = if name == "RunInstances" { "ec2" } else { "cloudtrail" };
        let event = Event::new(&world.account, HOME, source, name);
        world.control().put_events(&[event.envelope()]).await;
        events.push(event);
    }
    let arrived = world.stand.sink().expect(&path, 3).await;
    let mut expected: Vec<Told> =
        events.iter().zip(["instances", "instances", "trails"]).map(|(event, trigger)| Told::new(trigger, event)).collect();
    expected.sort();
    assert_eq!(told(&arrived), expected);
    runtime.says("earlier").await;
    runtime.terminate();
    runtime.finish().await.success();
    world.destroy().await;
}

/// While the definitions cannot be read nothing is judged, nothing is lost and the queue is not worn out.
#[tokio::test]
async fn events_wait_while_the_definitions_cannot_be_read() {
    let world = World::new().await;
    let (path, url) = world.webhook();
    world.terraform.configure(&Configuration::new(&url).text());
    world.terraform.apply().await.success();
    let journal = tempfile::tempdir().unwrap();
    let runtime = world.start_runtime(journal.path());
    runtime.says("receiving").await;
    let reads = Matcher::service("dynamodb").by(&world.account);
    let refusing = world.control().fault(Fault::fail(reads, 400, "AccessDeniedException")).await;
    let mut events: Vec<Event> = (0..10).map(|_| Event::new(&world.account, HOME, "ec2", "RunInstances")).collect();
    world.control().put_events(&events.iter().map(Event::envelope).collect::<Vec<_>>()).await;
    refusing.struck(8).await;
    refusing.remove().await;
    events.push(Event::new(&world.account, HOME, "ec2", "RunInstances"));
    world.control().put_events(&[events[10].envelope()]).await;
    let arrived = world.stand.sink().wait(&path, |arrived| arrived.len() >= 11, Duration::from_secs(300), "eleven notifications").await;
    let mut expected: Vec<Told> = events.iter().map(|event| Told::new("instances", event)).collect();
    expected.sort();
    assert_eq!(told(&arrived), expected);
    runtime.terminate();
    runtime.finish().await.success();
    world.destroy().await;
}

/// Writes a trigger's document behind everybody's back, and a revision that makes runtimes read it.
async fn write_document(world: &World, name: &str, document: &str) {
    let tables = aws_sdk_dynamodb::Client::new(&world.stand.sdk(&world.account, HOME).await);
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let one = AttributeValue::N("1".to_owned());
    let update = tables.update_item().table_name("trailwire-security").key("pk", text("trigger")).key("sk", text(name));
    let update = update.update_expression("SET #d = :d").expression_attribute_names("#d", "document");
    update.expression_attribute_values(":d", text(document)).send().await.unwrap();
    let update = tables.update_item().table_name("trailwire-security").key("pk", text("hub")).key("sk", text("hub"));
    let update = update.update_expression("ADD #r :one").expression_attribute_names("#r", "revision");
    update.expression_attribute_values(":one", one).send().await.unwrap();
}

/// What keeps the runtime from starting is named soon.
#[tokio::test]
async fn a_runtime_that_cannot_start_says_why() {
    let world = World::new().await;
    let nobody = world.stand.new_account();
    let command = |hub: &str, change: &dyn Fn(&mut Command)| {
        let mut command = runtime::command(world.stand, &nobody, HOME, &["run", "--hub", hub]);
        command.env("TRAILWIRE_STATE_DIR", world.terraform.path().join("journal"));
        change(&mut command);
        command
    };
    let no_credentials = |command: &mut Command| {
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    };
    let unreachable = |command: &mut Command| {
        command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    };
    let cases: [(&str, Command, &[&str]); 3] = [
        ("a wrong hub name", command("nonesuch", &|_| {}), &["nonesuch"]),
        ("missing credentials", command("security", &no_credentials), &["credentials"]),
        ("an unreachable endpoint", command("security", &unreachable), &["127.0.0.1:9"]),
    ];
    for (name, command, words) in cases {
        let started = Instant::now();
        let failed = Program::start(command).finish().await.failure();
        assert!(started.elapsed() < Duration::from_secs(120), "{name} took {:?}", started.elapsed());
        for word in words {
            assert!(failed.said().contains(word), "{name}: no {word:?} in\n{}", failed.said());
        }
    }
}

/// The provider names the same things in its own words.
#[tokio::test]
async fn a_provider_that_cannot_reach_aws_says_why() {
    let mut world = World::new().await;
    world.terraform.configure(&Configuration::new("http://127.0.0.1:9/unused").text());
    world.terraform.set("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let started = Instant::now();
    let failed = world.terraform.apply().await.failure();
    // How often such a call is tried again is the matter of the provider's own tests.
    assert!(started.elapsed() < Duration::from_secs(120), "it took {:?}", started.elapsed());
    let flat = failed.said().replace(['│', '\n'], " ");
    assert!(flat.contains("cannot be reached") && flat.contains("AWS_ENDPOINT_URL"), "{}", failed.said());
}

#[tokio::test]
async fn bad_arguments_are_refused() {
    for arguments in [vec!["run"], vec!["run", "--hub", "a", "--definitions", "b"], vec!["nonesuch"]] {
        let mut command = Command::new(built("trailwire"));
        command.args(&arguments);
        let refused = Program::start(command).finish().await.failure();
        assert!(!refused.stderr.is_empty(), "{arguments:?}");
    }
}

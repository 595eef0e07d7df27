//! `trailwire-demo`: the main job, shown on the stand. What it prints is for a person who has never seen Trailwire.
#![forbid(unsafe_code)]

use std::fs;
use std::process::ExitCode;
use std::time::{Instant, SystemTime};

use serde_json::{Value, json};
use trailwire_tests::cloudtrail::Event;
use trailwire_tests::process::Program;
use trailwire_tests::sink::Notification;
use trailwire_tests::stand::{Stand, repository};
use trailwire_tests::terraform::Workspace;
use trailwire_tests::{leftovers, runtime};

const ACCOUNT: &str = "111122223333";
const HOME: &str = "us-east-1";
const PATH: &str = "/team";

#[tokio::main]
async fn main() -> ExitCode {
    match show().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\ndemo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// An event of the demo, and the trigger that it should fire.
struct Scene {
    what: &'static str,
    event: Event,
    fires: Option<&'static str>,
}

async fn show() -> Result<(), Box<dyn std::error::Error>> {
    let started = Instant::now();
    step("Starting a local AWS");
    let stand = Stand::start()?;
    say(&format!("it listens on {}; nothing leaves this machine", stand.endpoint()));

    step("terraform apply examples/quickstart");
    let mut workspace = Workspace::new(&stand, ACCOUNT, HOME);
    workspace.configure(&fs::read_to_string(repository().join("examples/quickstart/main.tf"))?);
    workspace.set("TF_VAR_webhook_url", &stand.sink().at(PATH));
    let applied = workspace.apply().await;
    if !applied.status.success() {
        return Err(format!("terraform apply failed:\n{}", applied.said()).into());
    }
    tell_matching(&applied.stdout, &["Creation complete", "Apply complete"]);

    step("trailwire run --hub quickstart");
    let journal = tempfile::tempdir()?;
    let mut command = runtime::command(&stand, ACCOUNT, HOME, &["run", "--hub", "quickstart", "--until-idle", "3s"]);
    command.env("TRAILWIRE_STATE_DIR", journal.path());
    let runtime = Program::start(command);
    runtime.says("receiving").await;
    say("it reads the hub's definitions and waits for the hub's queue");

    step("Events happen in AWS");
    let scenes = scenes();
    for scene in &scenes {
        let envelope = scene.event.envelope();
        let expected = scene.fires.map_or("not to be told".to_owned(), |trigger| format!("fires {trigger}"));
        say(&format!("{:<15} {:<30} {:<52} {expected}", text(&envelope, "/region"), text(&envelope, "/detail/eventName"), scene.what));
    }
    let events: Vec<Value> = scenes.iter().map(|scene| scene.event.envelope()).collect();
    let happened = SystemTime::now();
    stand.control().put_events(&events).await;

    step("Notifications arrive");
    let wanted = scenes.iter().filter(|scene| scene.fires.is_some()).count();
    print_arrivals(&stand, &runtime, wanted, happened).await?;
    let runtime = runtime.finish().await;
    let arrived = stand.sink().received(PATH);
    check(&scenes, &arrived).map_err(|error| format!("{error}\n{}", runtime.said()))?;

    step("terraform destroy");
    let destroyed = workspace.destroy().await;
    if !destroyed.status.success() {
        return Err(format!("terraform destroy failed:\n{}", destroyed.said()).into());
    }
    tell_matching(&destroyed.stdout, &["Destroy complete"]);
    let left = leftovers::of(&stand, ACCOUNT, &REGIONS).await;
    if !left.is_empty() {
        return Err(format!("left behind: {}", left.join(", ")).into());
    }

    step("What you saw");
    say(&format!("{} triggers, written in HCL, put in force in four regions by one terraform apply", 3));
    say(&format!(
        "{} events in {} regions; {wanted} were to be told and were, once each, with account and region of their origin",
        scenes.len(),
        5
    ));
    say("the others were not: one did not match, one lay in a region outside the hub");
    say(&format!("terraform destroy left nothing in any region; all of it took {:.0} s", started.elapsed().as_secs_f64()));
    Ok(())
}

/// The regions of the hub, and the one beside it.
const REGIONS: [&str; 5] = ["us-east-1", "us-east-2", "eu-north-1", "ap-southeast-2", "eu-west-3"];

fn scenes() -> Vec<Scene> {
    let ingress = |region: &str, cidr: &str| {
        Event::new(ACCOUNT, region, "ec2", "AuthorizeSecurityGroupIngress").with(
            "/detail/requestParameters",
            json!({
                "groupId": "sg-0a1b2c3d4e5f60718",
                "ipPermissions": { "items": [{
                    "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
                    "ipRanges": { "items": [{ "cidrIp": cidr }] },
                }] },
            }),
        )
    };
    let key = Event::new(ACCOUNT, HOME, "iam", "CreateAccessKey").with("/detail/requestParameters", json!({ "userName": "bob" }));
    let opened = Some("security-group-opened");
    let root = Some("root-sign-in");
    vec![
        Scene { what: "alice opens SSH to the internet", event: ingress("eu-north-1", "0.0.0.0/0"), fires: opened },
        Scene { what: "alice does it again on the other side of the world", event: ingress("ap-southeast-2", "0.0.0.0/0"), fires: opened },
        Scene { what: "alice creates an access key for bob", event: key, fires: Some("access-key-created") },
        Scene {
            what: "root signs in (\"Signin\", as AWS documents it)",
            event: Event::console_login(ACCOUNT, HOME, "AWS Console Signin via CloudTrail"),
            fires: root,
        },
        Scene {
            what: "root signs in (\"Sign In\", as events have it)",
            event: Event::console_login(ACCOUNT, "us-east-2", "AWS Console Sign In via CloudTrail"),
            fires: root,
        },
        Scene { what: "alice opens SSH to the office alone", event: ingress("us-east-2", "203.0.113.0/24"), fires: None },
        Scene { what: "alice opens SSH in a region outside the hub", event: ingress("eu-west-3", "0.0.0.0/0"), fires: None },
    ]
}

/// Prints notifications as they come, until there are as many as expected.
async fn print_arrivals(stand: &Stand, runtime: &Program, wanted: usize, happened: SystemTime) -> Result<(), String> {
    let limit = std::time::Duration::from_secs(60);
    let mut arrivals = stand.sink().arrivals();
    let mut shown = 0;
    while shown < wanted {
        arrivals.mark_unchanged();
        let received = stand.sink().received(PATH);
        for notification in received.iter().skip(shown) {
            print_notification(notification, happened);
        }
        shown = received.len();
        if shown < wanted && tokio::time::timeout(limit, arrivals.changed()).await.is_err() {
            return Err(format!("{shown} of {wanted} notifications arrived; the runtime said:\n{}", runtime.said()));
        }
    }
    Ok(())
}

/// A notification as a chat would show it: severity and title, the message, the fields.
fn print_notification(notification: &Notification, happened: SystemTime) {
    let body = notification.json();
    let data = &body["data"];
    let late = notification.arrived.duration_since(happened).unwrap_or_default();
    println!();
    println!("   +-- {}: {}", text(data, "/severity").to_uppercase(), text(data, "/title"));
    for line in text(data, "/message").lines() {
        println!("   |   {line}");
    }
    for (label, value) in data["fields"].as_object().into_iter().flatten() {
        println!("   |   {label}: {}", value.as_str().map_or(value.to_string(), str::to_owned));
    }
    println!("   +-- {:.1} s after the event, by trigger {}", late.as_secs_f64(), text(data, "/trigger"));
}

/// Each event that should fire was told once, in its own account and region, and no other.
fn check(scenes: &[Scene], arrived: &[Notification]) -> Result<(), String> {
    for scene in scenes {
        let told = arrived.iter().filter(|notification| notification.body.contains(scene.event.id())).count();
        if told != usize::from(scene.fires.is_some()) {
            return Err(format!("\"{}\" was told {told} times", scene.what));
        }
    }
    Ok(())
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn tell_matching(output: &str, wanted: &[&str]) {
    for line in output.lines().filter(|line| wanted.iter().any(|text| line.contains(text))) {
        say(line);
    }
}

fn step(title: &str) {
    println!("\n== {title}");
}

fn say(line: &str) {
    println!("   {line}");
}

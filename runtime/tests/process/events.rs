//! The catalogue on the command line.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::program::{Finished, trailwire};

fn output(arguments: &[&str]) -> String {
    Finished::of(&mut trailwire(arguments)).success().stdout
}

#[test]
fn sources_and_events() {
    let sources = output(&["events"]);
    assert!(sources.lines().any(|line| line == "iam.amazonaws.com"), "{sources}");
    assert!(sources.lines().count() > 450, "{sources}");
    assert_eq!(output(&["events", "--prefix", "iam."]), "iam.amazonaws.com\n");

    let created = output(&["events", "lambda.amazonaws.com", "--prefix", "CreateF"]);
    assert_eq!(created, "CreateFunction20150331\nCreateFunctionUrlConfig\n");
    let read = output(&["events", "signin.amazonaws.com", "--read-only"]);
    assert!(!read.contains("ConsoleLogin"), "{read}");
    for source in ["ec2.amazonaws.com", "iam.amazonaws.com", "signin.amazonaws.com"] {
        let wide: Vec<String> = output(&["events", source]).lines().filter(|line| line.len() > 100).map(str::to_owned).collect();
        assert_eq!(wide, [] as [String; 0]);
    }
}

#[test]
fn events_as_json() {
    let text = output(&["events", "iam.amazonaws.com", "--prefix", "CreateUser", "--json"]);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let regions = lines[0]["regions"].clone();
    assert_eq!(regions[0], "us-east-1");
    let expected = json!({
        "source": "iam.amazonaws.com",
        "name": "CreateUser",
        "event_type": "AwsApiCall",
        "read_only": false,
        "data_event": false,
        "origin": "api",
        "regions": regions,
        "reaches_event_bridge": true,
    });
    assert_eq!(lines, [expected]);
    assert_eq!(output(&["events", "--prefix", "iam.", "--json"]), "{\"source\":\"iam.amazonaws.com\"}\n");
}

#[test]
fn an_unknown_source_is_refused_with_the_one_that_was_meant() {
    let finished = Finished::of(&mut trailwire(&["events", "cloudwatch.amazonaws.com"])).refused();
    assert_eq!(
        finished.stderr,
        "error: there is no event source `cloudwatch.amazonaws.com` in the catalogue\n  = help: did you mean `monitoring.amazonaws.com`?\n"
    );
    assert_eq!(finished.stdout, "");
    Finished::of(&mut trailwire(&["events", "--read-only"])).refused();
}

/// What the guide shows is what the command prints.
#[test]
fn the_guide_is_true() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guides/event-names.md");
    let text = std::fs::read_to_string(guide).unwrap();
    let console = text.split("```console\n").nth(1).unwrap().split("```").next().unwrap();
    let shown: Vec<(&str, &str)> = console.split("$ trailwire ").skip(1).map(|shown| shown.split_once('\n').unwrap()).collect();
    assert_eq!(shown.len(), 2);
    for (command, expected) in shown {
        assert_eq!(output(&command.split(' ').collect::<Vec<_>>()), expected, "{command}");
    }
}

/// `trailwire events SOURCE | head -1`.
#[test]
fn a_reader_that_goes_away_ends_it_without_noise() {
    let mut command = trailwire(&["events", "ec2.amazonaws.com", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

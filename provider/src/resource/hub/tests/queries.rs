//! The reading roles of a hub that allows queries.

use serde_json::{Value, json};

use super::H;
use super::accounts::{B, C};
use crate::cloud::call::Tagged;
use crate::cloud::error::Kind;
use crate::resource::testing::{Bench, drawn};
use crate::resource::trigger::TriggerResource;
use crate::value::Dynamic;

const T: &TriggerResource = &TriggerResource;

fn config(operations: &[&str], members: &[&str], team: &str) -> Value {
    let mut config = json!({ "name": "security", "regions": ["eu-west-1"], "tags": { "team": team } });
    for (name, list) in [("query_operations", operations), ("member_accounts", members)] {
        if !list.is_empty() {
            config[name] = json!(list);
        }
    }
    config
}

/// The accounts with a reading role, and the actions that it may do. The home account has no name here.
fn reading(bench: &Bench) -> Vec<(String, Value)> {
    bench.model.with(|world| {
        let read = world.role_policies.iter().filter(|((role, _), _)| role.ends_with("-read"));
        let told = read.map(|((role, _), policy)| {
            let policy: Value = serde_json::from_str(policy).unwrap();
            (role.split_once('/').map_or("", |(account, _)| account).to_owned(), policy["Statement"][0]["Action"].clone())
        });
        let mut told: Vec<(String, Value)> = told.collect();
        told.sort_by(|one, other| one.0.cmp(&other.0));
        told
    })
}

const TWO: [&str; 2] = ["ec2:DescribeInstances", "s3:ListBuckets"];

#[tokio::test]
async fn they_are_in_every_account_and_go_with_the_argument() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &config(&TWO, &[B], "one")).await;
    let two = json!(["ec2:DescribeInstances", "s3:ListAllMyBuckets"]);
    assert_eq!(reading(&bench), [(String::new(), two.clone()), (B.to_owned(), two.clone())]);
    assert!(state.get_str("runtime_policy_json").unwrap().contains("sts:AssumeRole"));
    // Another account and other tags.
    let state = bench.ok(H, &state, &config(&TWO, &[C], "two")).await;
    assert_eq!(reading(&bench), [(String::new(), two.clone()), (C.to_owned(), two)]);
    bench.model.with(|world| {
        let tags: Vec<_> = world.tags.iter().filter(|((_, of), _)| matches!(of, Tagged::Role(name) if name.ends_with("-read"))).collect();
        assert!(tags.len() == 2 && tags.iter().all(|(_, tags)| tags["team"] == "two"), "{tags:?}");
    });
    let imported = bench.import(H, "security").await.unwrap();
    let read = bench.read(H, &imported).await.state;
    assert_eq!(read.get("query_operations").as_strings().len(), 2);
    assert_eq!(read.get("runtime_policy_json"), state.get("runtime_policy_json"));
    // Fewer, none, and all gone.
    let state = bench.ok(H, &state, &config(&TWO[..1], &[C], "two")).await;
    assert_eq!(reading(&bench)[0].1, json!(["ec2:DescribeInstances"]));
    let state = bench.ok(H, &state, &config(&[], &[C], "two")).await;
    assert_eq!(reading(&bench), []);
    assert!(!state.get_str("runtime_policy_json").unwrap().contains("sts:AssumeRole"));
    bench.ok(H, &state, &Value::Null).await;
    let state = bench.ok(H, &Dynamic::Null, &config(&TWO, &[B], "one")).await;
    bench.ok(H, &state, &Value::Null).await;
    assert!(bench.model.with(|world| world.is_empty()));
}

#[tokio::test]
async fn one_that_differs_or_is_left_is_drift_and_is_repaired() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &config(&TWO, &[B], "one")).await;
    bench.model.with(|world| world.role_policies.retain(|(role, _), _| !role.ends_with("-read")));
    let read = bench.read(H, &state).await.state;
    let told = read.get("drifted").get_str("111122223333/eu-west-1").unwrap().to_owned();
    assert!(told.contains("-read has another policy"), "{told}");
    let state = bench.ok(H, &read, &config(&TWO, &[B], "one")).await;
    assert_eq!(reading(&bench).len(), 2);
    // One that cannot be removed is looked for until it is.
    bench.model.fail(|cell, call| (cell.account == B && call.operation() == "iam:DeleteRolePolicy").then_some(Kind::AccessDenied));
    let (state, error) = bench.fails(H, &state, &config(&[], &[B], "one")).await;
    assert!(error.contains("iam:DeleteRolePolicy"), "{error}");
    bench.model.heal();
    let read = bench.read(H, &state).await.state;
    let told = read.get("drifted").get_str(&format!("{B}/eu-west-1")).unwrap().to_owned();
    assert!(told.contains("-read is not wanted any more"), "{told}");
    bench.ok(H, &read, &config(&[], &[B], "one")).await;
    assert_eq!(reading(&bench), []);
}

#[tokio::test]
async fn triggers_ask_what_the_hub_allows() {
    let bench = Bench::new();
    let trigger = |operation: &str| {
        json!({ "hub": "security", "name": "asks", "event_names": ["RunInstances"], "event_sources": ["ec2.amazonaws.com"],
            "action": [{ "query": [{ "service": "ec2", "operation": operation, "as": "found" }] }] })
    };
    bench.ok(H, &Dynamic::Null, &config(&["ec2:DescribeInstances"], &[], "one")).await;
    bench.ok(T, &Dynamic::Null, &trigger("DescribeInstances")).await;
    let plan = bench.plan(T, &Dynamic::Null, &bench.config(T, &trigger("DescribeImages"))).await;
    let told = drawn(&plan.diagnostics);
    let expected = "error[TW1122]: hub `security` does not allow the query `ec2:DescribeImages` (in action[0].query[0].operation)\n  \
                    = help: add it to the hub: `query_operations = [\"ec2:DescribeImages\", …]`";
    assert_eq!(told, expected);
}

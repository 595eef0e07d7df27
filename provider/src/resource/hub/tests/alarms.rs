//! The alarms of a hub.

use serde_json::{Value, json};

use super::H;
use crate::cloud::call::Tagged;
use crate::cloud::error::Kind;
use crate::resource::testing::{Bench, drawn};
use crate::value::Dynamic;

const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:pager";
const OTHER: &str = "arn:aws:sns:eu-west-1:111122223333:all";

fn config(actions: &[&str], team: &str) -> Value {
    let mut config = json!({ "name": "security", "regions": ["eu-west-1"], "tags": { "team": team } });
    if !actions.is_empty() {
        config["alarm_actions"] = json!(actions);
    }
    config
}

/// The names of the alarms, without what all of the hub's names begin with, and what each tells.
fn alarms(bench: &Bench) -> Vec<(String, Value)> {
    let short = |name: &String| name.splitn(3, '-').nth(2).unwrap().to_owned();
    bench.model.with(|world| world.alarms.iter().map(|((_, name), alarm)| (short(name), alarm["AlarmActions"].clone())).collect())
}

#[tokio::test]
async fn they_are_made_changed_and_removed_with_the_argument() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &config(&[TOPIC], "one")).await;
    let all = |told: Value| ["dead-letters", "events-wait", "runtime-silent"].map(|name| (name.to_owned(), told.clone()));
    assert_eq!(alarms(&bench), all(json!([TOPIC])));
    let state = bench.ok(H, &state, &config(&[OTHER, TOPIC], "two")).await;
    assert_eq!(alarms(&bench), all(json!([OTHER, TOPIC])));
    bench.model.with(|world| {
        let tags: Vec<_> = world.tags.iter().filter(|((_, of), _)| matches!(of, Tagged::Alarm(_))).collect();
        assert_eq!(tags.len(), 3);
        assert!(tags.iter().all(|(_, tags)| tags["team"] == "two"), "{tags:?}");
    });
    let imported = bench.import(H, "security").await.unwrap();
    assert_eq!(bench.read(H, &imported).await.state.get("alarm_actions").as_strings().len(), 2);

    let state = bench.ok(H, &state, &config(&[], "two")).await;
    assert_eq!(alarms(&bench), []);
    bench.ok(H, &state, &Value::Null).await;
    let state = bench.ok(H, &Dynamic::Null, &config(&[TOPIC], "one")).await;
    bench.ok(H, &state, &Value::Null).await;
    assert!(bench.model.with(|world| world.is_empty()));
}

#[tokio::test]
async fn one_that_somebody_changed_or_removed_is_drift_and_is_repaired() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &config(&[TOPIC], "one")).await;
    bench.model.with(|world| {
        world.alarms.retain(|(_, name), _| !name.ends_with("-dead-letters"));
        world.alarms.values_mut().next().unwrap()["Threshold"] = json!(1);
    });
    let read = bench.read(H, &state).await.state;
    let told = read.get("drifted").get_str("111122223333/eu-west-1").unwrap().to_owned();
    assert!(told.contains("-dead-letters is missing") && told.contains("-events-wait differs in Threshold"), "{told}");
    bench.ok(H, &read, &config(&[TOPIC], "one")).await;
    assert_eq!(alarms(&bench).len(), 3);
}

#[tokio::test]
async fn cloudwatch_is_not_asked_where_there_are_none() {
    let bench = Bench::new();
    bench.model.fail(|_, call| call.operation().starts_with("cloudwatch:").then_some(Kind::AccessDenied));
    let state = bench.ok(H, &Dynamic::Null, &config(&[], "one")).await;
    let state = bench.ok(H, &state, &config(&[], "two")).await;
    bench.ok(H, &state, &Value::Null).await;
    let (state, error) = bench.fails(H, &Dynamic::Null, &config(&[TOPIC], "one")).await;
    assert!(error.contains("cloudwatch:DescribeAlarms"), "{error}");
    bench.model.heal();
    bench.ok(H, &state, &Value::Null).await;
    assert!(bench.model.with(|world| world.is_empty()));
}

#[tokio::test]
async fn what_they_cannot_tell_is_refused() {
    let bench = Bench::new();
    let far = "arn:aws:sns:us-east-1:111122223333:pager";
    for (actions, expected) in [
        (vec!["pager"], "error[TW1107]: `pager` is not an ARN (in alarm_actions)".to_owned()),
        (
            vec![far],
            format!("error[TW1107]: `{far}` is in region `us-east-1`, and alarms only tell what is in their own, the hub's `eu-west-1`"),
        ),
    ] {
        let plan = bench.plan(H, &Dynamic::Null, &bench.config(H, &config(&actions, "one"))).await;
        assert!(drawn(&plan.diagnostics).contains(&expected), "{}", drawn(&plan.diagnostics));
    }
}

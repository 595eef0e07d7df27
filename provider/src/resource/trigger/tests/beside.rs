//! What the hub and the other triggers of a plan tell of a trigger.

use super::quota::planned;
use super::*;

fn named(name: &str, more: Value) -> Value {
    let mut config = with(more);
    config["name"] = json!(name);
    config
}

#[tokio::test]
async fn events_that_the_hub_leaves_out() {
    let bench = Bench::new();
    let users = |more: Value| {
        let mut config = named("users", json!({ "event_names": ["CreateUser"], "event_sources": ["iam.amazonaws.com"] }));
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    };
    let told = planned(&bench, &hub(&["eu-west-1"]), &[users(json!({}))]).await;
    assert_eq!(
        told[0],
        "warning[TW2407]: `CreateUser` is recorded only in `us-east-1`, which the hub's regions leave out (in hub)\n  = help: add `us-east-1` to the hub's `regions`"
    );
    assert_eq!(planned(&bench, &hub(&["eu-west-1", "us-east-1"]), &[users(json!({}))]).await, [""]);
    assert_eq!(planned(&bench, &hub(&["eu-west-1"]), &[users(json!({ "allow": { "TW2407": "another hub has it" } }))]).await, [""]);
}

#[tokio::test]
async fn events_that_another_trigger_of_the_plan_tells() {
    let bench = Bench::new();
    let [a, b] = ["a", "b"].map(|name| named(name, json!({})));
    let other = named("c", json!({ "event_names": ["RunInstances"] }));
    let told = planned(&bench, &hub(&REGIONS), &[a.clone(), a, other, b]).await;
    assert_eq!([&told[0], &told[1], &told[2]], [""; 3]);
    assert!(told[3].starts_with("warning[TW2423]: every event that fires this trigger fires `a`, too, and both tell `"), "{told:?}");
}

//! What the hub's function may do for a destination.

use serde_json::{Value, json};

use super::D;
use crate::cloud::error::Kind;
use crate::resource::hub::{HubResource, sha256};
use crate::resource::testing::Bench;
use crate::value::Dynamic;

pub(super) const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:alerts";
const ROLE: &str = "tw-755b7686-runtime";

pub(super) fn hub(function: bool) -> Value {
    let mut hub = json!({ "name": "security", "regions": ["eu-west-1"] });
    if function {
        hub["lambda"] = json!([{ "s3_bucket": "packages", "s3_key": "one", "source_code_hash": sha256(b"one") }]);
    }
    hub
}

fn topic(arn: &str) -> Value {
    json!({ "hub": "security", "name": "chat", "sns": [{ "topic_arn": arn }] })
}

fn webhook() -> Value {
    json!({ "hub": "security", "name": "chat", "webhook": [{ "url": "https://example.com/" }] })
}

/// What the function may do by the policies of destinations: their names and what they are about.
pub(super) fn policies(bench: &Bench) -> Vec<(String, String)> {
    let resource = |policy: &str| serde_json::from_str::<Value>(policy).unwrap()["Statement"][0]["Resource"].as_str().unwrap().to_owned();
    bench.model.with(|world| {
        let of_destinations = world.role_policies.iter().filter(|((role, name), _)| role == ROLE && name != "runtime");
        of_destinations.map(|((_, name), policy)| (name.clone(), resource(policy))).collect()
    })
}

pub(super) fn one(resource: &str) -> Vec<(String, String)> {
    vec![("destination-chat".to_owned(), resource.to_owned())]
}

#[tokio::test]
async fn it_comes_changes_and_goes_with_the_destination() {
    let bench = Bench::new();
    bench.ok(&HubResource, &Dynamic::Null, &hub(true)).await;
    let state = bench.ok(D, &Dynamic::Null, &topic(TOPIC)).await;
    assert_eq!(policies(&bench), one(TOPIC));
    let other = TOPIC.replace("alerts", "other");
    let state = bench.ok(D, &state, &topic(&other)).await;
    assert_eq!(policies(&bench), one(&other));
    // What needs no rights has no policy.
    let state = bench.ok(D, &state, &webhook()).await;
    assert_eq!(policies(&bench), []);
    let state = bench.ok(D, &state, &topic(TOPIC)).await;
    bench.ok(D, &state, &Value::Null).await;
    assert_eq!(policies(&bench), []);
}

#[tokio::test]
async fn what_differs_is_told_and_repaired() {
    let bench = Bench::new();
    bench.ok(&HubResource, &Dynamic::Null, &hub(true)).await;
    let mut state = bench.ok(D, &Dynamic::Null, &topic(TOPIC)).await;
    for (left, told) in [
        (None, "role tw-755b7686-runtime lacks policy destination-chat"),
        (Some(r#"{"Statement":[{"Resource":"*"}]}"#), "policy destination-chat of role tw-755b7686-runtime is another one"),
    ] {
        bench.model.with(|world| {
            let key = (ROLE.to_owned(), "destination-chat".to_owned());
            world.role_policies.remove(&key);
            world.role_policies.extend(left.map(|policy| (key, policy.to_owned())));
        });
        let read = bench.read(D, &state).await.state;
        assert_eq!(read.get("drifted").get_str(ROLE), Some(told));
        state = bench.ok(D, &read, &topic(TOPIC)).await;
        assert_eq!(policies(&bench), one(TOPIC));
        assert!(bench.read(D, &state).await.state.get_string_map("drifted").is_empty());
    }
}

/// A hub without a function has no role of ours, and IAM is not asked.
#[tokio::test]
async fn a_function_that_comes_later_finds_its_policies() {
    let bench = Bench::new();
    let state = bench.ok(&HubResource, &Dynamic::Null, &hub(false)).await;
    bench.model.fail(|_, call| call.operation().ends_with("RolePolicy").then_some(Kind::AccessDenied));
    let destination = bench.ok(D, &Dynamic::Null, &topic(TOPIC)).await;
    assert!(bench.read(D, &destination).await.state.get_string_map("drifted").is_empty());
    bench.model.heal();
    let state = bench.ok(&HubResource, &state, &hub(true)).await;
    assert_eq!(policies(&bench), one(TOPIC));
    let state = bench.ok(&HubResource, &state, &hub(false)).await;
    assert!(bench.model.with(|world| !world.roles.contains_key(ROLE)));
    let state = bench.ok(&HubResource, &state, &hub(true)).await;
    assert_eq!(policies(&bench), one(TOPIC));
    bench.ok(D, &destination, &Value::Null).await;
    bench.ok(&HubResource, &state, &Value::Null).await;
    assert!(bench.model.with(|world| world.is_empty()));
}

#[tokio::test]
async fn a_create_or_destroy_that_fails_halfway_is_undone_or_repeated() {
    for operation in ["iam:PutRolePolicy", "dynamodb:TransactWriteItems"] {
        let bench = Bench::new();
        bench.ok(&HubResource, &Dynamic::Null, &hub(true)).await;
        bench.model.fail(move |_, call| (call.operation() == operation).then_some(Kind::AccessDenied));
        let (state, error) = bench.fails(D, &Dynamic::Null, &topic(TOPIC)).await;
        assert!(state.is_null() && error.contains(operation.rsplit(':').next().unwrap()), "{error}");
        assert_eq!(policies(&bench), []);
        bench.model.heal();
        let state = bench.ok(D, &Dynamic::Null, &topic(TOPIC)).await;
        bench.model.fail(|_, call| (call.operation() == "iam:DeleteRolePolicy").then_some(Kind::AccessDenied));
        let (state, _) = bench.fails(D, &state, &Value::Null).await;
        bench.model.heal();
        assert!(!bench.read(D, &state).await.state.is_null());
        bench.ok(D, &state, &Value::Null).await;
        assert_eq!(policies(&bench), []);
    }
}

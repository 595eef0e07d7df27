//! A change of tags that does not reach everything at once.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt};
use serde_json::{Value, json};

use super::{H, config, trigger};
use crate::cloud::call::Tags;
use crate::cloud::error::Kind;
use crate::resource::Resource;
use crate::resource::testing::Bench;
use crate::resource::trigger::TriggerResource;
use crate::value::Dynamic;

const T: &TriggerResource = &TriggerResource;

fn tagged(config: &Value, tags: &Value) -> Value {
    let mut config = config.clone();
    config["tags"] = tags.clone();
    config
}

/// The different tags that things have.
fn tags(bench: &Bench, of: &str) -> BTreeSet<Tags> {
    bench
        .model
        .with(|world| world.tags.iter().filter(|((_, thing), _)| format!("{thing:?}").contains(of)).map(|(_, tags)| tags.clone()).collect())
}

fn only(tags: &Value) -> BTreeSet<Tags> {
    BTreeSet::from([tags.as_object().unwrap().iter().map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect()])
}

#[tokio::test]
async fn what_failed_somewhere_is_repeated_there() {
    let (first, second, third) = (json!({ "team": "a", "old": "x" }), json!({ "team": "b", "new": "y" }), json!({ "team": "a" }));
    let cases: [(&dyn Resource, Value, &str, &str); 4] = [
        (H, config(), "events:", "-canary"),
        (H, config(), "sqs:", "forward-dlq"),
        (H, config(), "iam:", "Role"),
        (T, trigger(), "events:", "-a-0"),
    ];
    for (resource, config, service, things) in cases {
        for last in [&second, &third, &first] {
            let bench = Bench::new();
            if resource.name() != H.name() {
                bench.ok(H, &Dynamic::Null, &super::config()).await;
            }
            let state = bench.ok(resource, &Dynamic::Null, &tagged(&config, &first)).await;
            bench.model.fail(move |cell, call| {
                let tags = call.operation().starts_with(service) && call.operation().contains("Tag") && !call.operation().contains("List");
                (tags && (service == "iam:" || cell.region == "us-east-1")).then_some(Kind::AccessDenied)
            });
            let (state, error) = bench.fails(resource, &state, &tagged(&config, &second)).await;
            assert!(error.contains("is not updated everywhere: 1 of "), "{service}: {error}");
            bench.model.heal();
            let read = bench.read(resource, &state).await.state;
            let drifted = read.get("drifted").get_str("111122223333/eu-west-1").unwrap_or_default().to_owned();
            assert!(drifted.contains("a change of tags is not finished"), "{service}: {drifted}");
            bench.ok(resource, &read, &tagged(&config, last)).await;
            assert_eq!(tags(&bench, things), only(last), "{service}");
        }
    }
}

#[tokio::test]
async fn a_killed_change_is_finished_or_taken_back() {
    let (first, second) = (tagged(&config(), &json!({ "old": "x" })), tagged(&config(), &json!({ "new": "y" })));
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &first).await;
    let calls = bench.kill_in(H, 0, &state, &second).await;
    let killed = (1..=calls).flat_map(|moment| [(moment, &first), (moment, &second)]).map(|(moment, then)| {
        let (first, second) = (&first, &second);
        async move {
            let bench = Bench::new();
            let state = bench.ok(H, &Dynamic::Null, first).await;
            bench.kill_in(H, moment, &state, second).await;
            let read = bench.read(H, &state).await.state;
            bench.ok(H, &read, then).await;
            assert_eq!(tags(&bench, ""), only(&then["tags"]), "killed in call {moment}, then {then}");
        }
    });
    stream::iter(killed).buffer_unordered(16).collect::<()>().await;
}

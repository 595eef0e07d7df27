//! A change of `forward_dead_letter` that does not reach every cell at once.

use futures::stream::{self, StreamExt};
use serde_json::{Value, json};

use super::{H, config, trigger};
use crate::cloud::error::Kind;
use crate::resource::testing::Bench;
use crate::resource::trigger::TriggerResource;
use crate::value::Dynamic;

const AWAY: &str = "111122223333/us-east-1";

fn without() -> Value {
    let mut config = config();
    config["forward_dead_letter"] = json!(false);
    config
}

/// A hub with a trigger.
async fn made(config: &Value) -> (Bench, Dynamic) {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, config).await;
    bench.ok(&TriggerResource, &Dynamic::Null, &trigger()).await;
    (bench, state)
}

/// How many cells have a queue, and how many targets on their buses, of two in each cell, have one.
fn kept(bench: &Bench) -> [usize; 2] {
    bench.model.with(|world| {
        let queues = world.queues.keys().filter(|(_, name)| name.ends_with("forward-dlq")).count();
        let rules = world.rules.iter().filter(|((_, name), _)| name.starts_with("default/"));
        [queues, rules.flat_map(|(_, rule)| &rule.targets).filter(|target| target.dead_letter_arn.is_some()).count()]
    })
}

#[tokio::test]
async fn a_cell_that_failed_is_retargeted_by_the_next_apply() {
    for (from, to, partly, wholly) in [(without(), config(), [2, 2], [2, 4]), (config(), without(), [1, 2], [0, 0])] {
        let (bench, state) = made(&from).await;
        bench.model.fail(|cell, call| (call.operation() == "events:PutTargets" && cell.region == "us-east-1").then_some(Kind::Quota));
        let (state, error) = bench.fails(H, &state, &to).await;
        assert!(error.contains("hub `security` is not updated everywhere: 1 of 2 cells failed"), "{error}");
        assert_eq!(kept(&bench), partly, "a queue stays where targets may have it");
        bench.model.heal();
        let read = bench.read(H, &state).await.state;
        assert_eq!(read.get("drifted").get_str(AWAY), Some("a change of `forward_dead_letter` is not finished"));
        let state = bench.ok(H, &read, &to).await;
        assert_eq!(kept(&bench), wholly);
        bench.model.take_calls();
        let mut other = to.clone();
        other["tags"] = json!({ "team": "other" });
        bench.ok(H, &state, &other).await;
        assert!(!bench.model.take_calls().iter().any(|call| call.starts_with("events:PutTargets")), "what is finished is left alone");
    }
}

#[tokio::test]
async fn a_queue_that_still_holds_events_is_told_until_it_is_gone() {
    let (bench, state) = made(&config()).await;
    let hold = |count: &'static str| {
        bench.model.with(|world| {
            let queue = world.queues.iter_mut().find(|((region, name), _)| region == "us-east-1" && name.ends_with("forward-dlq"));
            queue.unwrap().1.insert("ApproximateNumberOfMessages".to_owned(), count.to_owned());
        });
    };
    hold("3");
    let (mut state, mut error) = bench.fails(H, &state, &without()).await;
    for _ in 0..2 {
        assert!(error.contains("holds 3 events that could not be forwarded"), "{error}");
        assert_eq!(kept(&bench), [1, 0]);
        state = bench.read(H, &state).await.state;
        assert_eq!(state.get("drifted").get_str(AWAY), Some("a change of `forward_dead_letter` is not finished"));
        (state, error) = bench.fails(H, &state, &without()).await;
    }
    hold("0");
    bench.ok(H, &state, &without()).await;
    assert_eq!(kept(&bench), [0, 0]);
}

#[tokio::test]
async fn a_definition_that_cannot_be_read_keeps_the_queues() {
    let (bench, state) = made(&config()).await;
    bench.model.with(|world| {
        for item in world.tables.values_mut().flatten().filter(|((kind, _), _)| kind == "trigger") {
            item.1.insert("document".to_owned(), r#"{"later":1}"#.into());
        }
    });
    bench.apply(H, &state, &without()).await;
    assert_eq!(kept(&bench), [2, 2], "the trigger's targets have them");
}

#[tokio::test]
async fn a_killed_change_is_finished_or_taken_back() {
    for (from, to, wholly, back) in [(without(), config(), [2, 4], [0, 0]), (config(), without(), [0, 0], [2, 4])] {
        let (bench, state) = made(&from).await;
        let calls = bench.kill_in(H, 0, &state, &to).await;
        assert!(calls > 15, "{calls}");
        let killed = (1..=calls).flat_map(|moment| [(moment, &to, wholly), (moment, &from, back)]).map(|(moment, then, expected)| {
            let (from, to) = (&from, &to);
            async move {
                let (bench, state) = made(from).await;
                bench.kill_in(H, moment, &state, to).await;
                let read = bench.read(H, &state).await.state;
                bench.ok(H, &read, then).await;
                assert_eq!(kept(&bench), expected, "killed in call {moment}, then {then}");
            }
        });
        stream::iter(killed).buffer_unordered(16).collect::<()>().await;
    }
}

/// A region that is taken out of the scope and could not be cleared keeps what its targets had, whatever changes meanwhile.
#[tokio::test]
async fn a_cell_that_comes_back_before_it_was_cleared_is_retargeted() {
    let only = |config: Value| {
        let mut config = config;
        config["regions"] = json!(["eu-west-1"]);
        config
    };
    let denied = |operations: &'static [&'static str]| {
        move |cell: &trailwire_engine::fanout::names::Cell, call: &crate::cloud::call::Call| {
            (operations.contains(&call.operation()) && cell.region == "us-east-1").then_some(Kind::ScpDenied)
        }
    };
    for (from, to, wholly) in [(without(), config(), [2, 4]), (config(), without(), [0, 0])] {
        // It fails before the region goes, or changes only afterwards.
        for fails_first in [true, false] {
            let (bench, mut state) = made(&from).await;
            if fails_first {
                bench.model.fail(denied(&["events:PutTargets"]));
                (state, _) = bench.fails(H, &state, &to).await;
            }
            bench.model.fail(denied(&["events:RemoveTargets", "events:DeleteRule"]));
            let (state, _) = bench.fails(H, &state, &only(if fails_first { to.clone() } else { from.clone() })).await;
            let (state, _) = bench.fails(H, &state, &only(to.clone())).await;
            bench.model.heal();
            let read = bench.read(H, &state).await.state;
            bench.ok(H, &read, &to).await;
            assert_eq!(kept(&bench), wholly, "{fails_first}");
        }
    }
}

//! The provider is killed in the middle, and then something smaller is applied.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream::{self, StreamExt};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::H;
use super::accounts::{B, C};
use crate::resource::testing::{Bench, drawn};
use crate::value::Dynamic;

fn large() -> Value {
    let topic = "arn:aws:sns:eu-west-1:111122223333:pager";
    let lambda = json!([{ "filename": concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml") }]);
    let (regions, members) = (["eu-west-1", "us-east-1", "us-west-2"], [B, C]);
    json!({ "name": "security", "regions": regions, "member_accounts": members, "alarm_actions": [topic], "lambda": lambda,
        "query_operations": ["ec2:DescribeInstances"] })
}

/// Fewer regions and fewer accounts, no alarms, no function and no queries.
fn small() -> Value {
    json!({ "name": "security", "regions": ["eu-west-1", "us-east-1"], "member_accounts": [C] })
}

/// The same without queues in the cells.
fn bare() -> Value {
    json!({ "name": "security", "regions": ["eu-west-1", "us-east-1"], "member_accounts": [C], "forward_dead_letter": false })
}

/// Applies and is killed in the n-th call, once it is carried out. How many calls were made where nobody was killed.
pub(super) async fn kill_in(bench: &Bench, moment: usize, prior: &Dynamic, config: &Value) -> usize {
    let (reached, count) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let (notify, counted) = (Arc::clone(&reached), Arc::clone(&count));
    bench.model.fail(move |_, _| {
        if counted.fetch_add(1, Ordering::Relaxed) + 1 == moment {
            notify.notify_one();
        }
        None
    });
    tokio::select! {
        biased;
        () = reached.notified() => {}
        done = bench.apply(H, prior, config) => drop(done),
    }
    bench.model.heal();
    count.load(Ordering::Relaxed)
}

/// Applies the smaller configuration, by import where everything was done before the kill, and destroys it.
async fn apply_smaller(bench: &Bench, state: Dynamic, smaller: &Value, moment: usize) {
    let state = if state.is_null() {
        let done = bench.apply(H, &state, smaller).await;
        if drawn(&done.diagnostics).contains("terraform import") { bench.import(H, "security").await.unwrap() } else { done.state }
    } else {
        state
    };
    let read = bench.read(H, &state).await.state;
    let state = bench.ok(H, &read, smaller).await;
    let in_cells = if *smaller == bare() { 0 } else { 4 };
    bench.model.with(|world| {
        assert_eq!(world.roles.len(), 2, "killed in call {moment}: {:?}", world.roles.keys());
        assert_eq!(world.queues.len(), 2 + in_cells, "killed in call {moment}: {:?}", world.queues.keys());
        assert_eq!(world.alarms.len(), 0, "killed in call {moment}: {:?}", world.alarms.keys());
        assert!(world.lambda.is_empty(), "killed in call {moment}: {:?}", world.lambda);
    });
    bench.ok(H, &state, &Value::Null).await;
    assert!(bench.model.with(|world| world.is_empty()), "killed in call {moment}");
}

#[tokio::test]
async fn whatever_a_killed_create_began_is_cleared_where_less_is_wanted() {
    let calls = kill_in(&Bench::new(), 0, &Dynamic::Null, &large()).await;
    assert!(calls > 40, "{calls}");
    let killed = (1..=calls).map(|moment| async move {
        let bench = Bench::new();
        kill_in(&bench, moment, &Dynamic::Null, &large()).await;
        apply_smaller(&bench, Dynamic::Null, &small(), moment).await;
        kill_in(&bench, moment, &Dynamic::Null, &large()).await;
        apply_smaller(&bench, Dynamic::Null, &bare(), moment).await;
    });
    stream::iter(killed).buffer_unordered(16).collect::<()>().await;
}

/// And killed again, with something else in mind.
#[tokio::test]
async fn whatever_two_killed_creates_began_is_cleared() {
    let other = json!({ "name": "security", "regions": ["eu-west-1", "eu-central-1"], "member_accounts": [C] });
    let moments = (8..=44).step_by(6).flat_map(|first| (8..=32).step_by(4).map(move |second| (first, second)));
    let killed = moments.map(|(first, second)| {
        let other = &other;
        async move {
            let bench = Bench::new();
            kill_in(&bench, first, &Dynamic::Null, &large()).await;
            kill_in(&bench, second, &Dynamic::Null, other).await;
            let smaller = if first % 4 == 0 { bare() } else { small() };
            apply_smaller(&bench, Dynamic::Null, &smaller, first).await;
        }
    });
    stream::iter(killed).buffer_unordered(16).collect::<()>().await;
}

#[tokio::test]
async fn whatever_a_killed_update_began_is_cleared_where_it_is_taken_back() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &small()).await;
    let calls = kill_in(&bench, 0, &state, &large()).await;
    let killed = (1..=calls).map(|moment| async move {
        let bench = Bench::new();
        let state = bench.ok(H, &Dynamic::Null, &small()).await;
        kill_in(&bench, moment, &state, &large()).await;
        apply_smaller(&bench, state, &small(), moment).await;
    });
    stream::iter(killed).buffer_unordered(16).collect::<()>().await;
}

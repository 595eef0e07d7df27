//! `kill -9` of the provider at random moments.

use futures::stream::{self, StreamExt};
use serde_json::Value;
use trailwire_tests::control::{Effect, Fault, Matcher};
use trailwire_tests::leftovers;
use trailwire_tests::plugin::Plugin;

use crate::sandbox::{AWAY, HOME, HUB, REGIONS, Sandbox, TRIGGER, hub, trigger};

const KILLS: usize = 50;
const KILLS_OF_A_HUB: usize = 18;
const SEED: u64 = 0x7261_696c;
const SIDE_BY_SIDE: usize = 6;

/// What a user does in a row.
fn script() -> Vec<(&'static str, Value)> {
    vec![
        (HUB, hub(&REGIONS, "one")),
        (TRIGGER, trigger(1, "A")),
        (TRIGGER, trigger(2, "B")),
        (HUB, hub(&[HOME], "two")),
        (TRIGGER, Value::Null),
        (HUB, Value::Null),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_after_a_kill_converges_and_leaves_no_orphan() {
    let calls = calls_of(&script()).await;
    let moments = moments(KILLS, calls);
    let runs = stream::iter(moments).map(|moment| tokio::spawn(killed_in(moment))).buffer_unordered(SIDE_BY_SIDE);
    let imported: Vec<bool> = runs.map(|done| done.expect("a run failed")).collect().await;
    println!("{} of {KILLS} had to import", imported.iter().filter(|had| **had).count());
}

/// A hub that was being made when the provider was killed is made with fewer regions: nothing is left in the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_made_smaller_after_a_kill_leaves_nothing_where_it_is_not() {
    let (large, small) = (hub(&REGIONS, "one"), hub(&[HOME], "one"));
    let calls = calls_of(&[(HUB, large.clone())]).await;
    let runs = moments(KILLS_OF_A_HUB, calls).into_iter().map(|moment| {
        let (large, small) = (large.clone(), small.clone());
        tokio::spawn(async move {
            let mut sandbox = Sandbox::new().await;
            sandbox.kill_in(moment, &[(HUB, large)]).await;
            let provider = sandbox.provider().await;
            if converge(&mut sandbox, &provider, HUB, &small).await {
                println!("call {moment}: was made, and is imported");
            }
            let away = leftovers::of(sandbox.stand, &sandbox.account, &[AWAY]).await;
            let away: Vec<String> = away.into_iter().filter(|left| left.contains(AWAY)).collect();
            assert_eq!(away, [] as [String; 0], "after a kill in call {moment}");
            provider.end().await;
            sandbox.apply(HUB, &Value::Null).await.ok();
            assert_eq!(sandbox.leftovers().await, [] as [String; 0], "after a kill in call {moment}");
        })
    });
    stream::iter(runs).buffer_unordered(SIDE_BY_SIDE).for_each(|done| async { done.expect("a run failed") }).await;
}

/// In which calls the provider is killed, of so many.
fn moments(count: usize, calls: u64) -> Vec<u64> {
    let mut random = SEED;
    let moments = (0..count).map(|_| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        1 + (random >> 33) % calls
    });
    let moments = moments.collect();
    println!("seed {SEED:#x}: kills in calls {moments:?} of {calls}");
    moments
}

/// How many calls of AWS these applies make when nothing happens.
async fn calls_of(script: &[(&'static str, Value)]) -> u64 {
    let mut sandbox = Sandbox::new().await;
    let provider = sandbox.provider().await;
    for (resource, config) in script {
        sandbox.apply_with(&provider, resource, config).await.ok();
    }
    provider.end().await;
    sandbox.control().call_count(&Matcher::default().by(&sandbox.account)).await
}

/// The provider is killed in its n-th call, and the same is applied again. Whether what it had finished, and could not say any more, had to be imported.
async fn killed_in(moment: u64) -> bool {
    let mut sandbox = Sandbox::new().await;
    let left = sandbox.kill_in(moment, &script()).await;
    let provider = sandbox.provider().await;
    for resource in [HUB, TRIGGER] {
        sandbox.refresh_with(&provider, resource).await;
    }
    let mut imported = false;
    for (resource, config) in left {
        imported |= converge(&mut sandbox, &provider, resource, &config).await;
    }
    provider.end().await;
    assert_eq!(sandbox.leftovers().await, [] as [String; 0], "after a kill in call {moment}");
    imported
}

impl Sandbox {
    /// Applies one after another, and kills the provider in its n-th call. What it had not finished.
    async fn kill_in(&mut self, moment: u64, script: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
        let every = Fault::new(Matcher::default().by(&self.account), Effect::Delay { milliseconds: 0 });
        let calls = self.control().fault(every).await;
        let provider = self.provider().await;
        let mut left = script.to_vec();
        while let Some((resource, config)) = left.first().cloned() {
            let answer = tokio::select! {
                answer = self.apply_with(&provider, resource, &config) => answer,
                () = calls.struck(moment) => break,
            };
            answer.ok();
            left.remove(0);
        }
        provider.kill().await;
        calls.remove().await;
        left
    }
}

/// The next apply. A provider that was killed between its last call and its answer has finished: the user is told to import, and does.
async fn converge(sandbox: &mut Sandbox, provider: &Plugin, resource: &'static str, config: &Value) -> bool {
    if config.is_null() && sandbox.state(resource).is_none() {
        return false;
    }
    let answer = sandbox.apply_with(provider, resource, config).await;
    let told = !answer.errors.is_empty();
    if told {
        let said = answer.errors.join("\n");
        let id = if resource == HUB { "security" } else { "security/a" };
        assert!(sandbox.state(resource).is_none() && said.contains(&format!("terraform import {resource}.NAME {id}")), "{said}");
        let importing = sandbox.provider().await;
        let state = importing.import(resource, id).await.expect("the provider answers").ok();
        sandbox.states.insert(resource, state);
        sandbox.apply_with(&importing, resource, config).await.ok();
        importing.end().await;
    }
    let last = script().into_iter().rfind(|(_, config)| !config.is_null());
    if last.is_some_and(|(_, last)| last == *config) {
        let looking = sandbox.provider().await;
        sandbox.assert_settled_with(&looking, TRIGGER, &trigger(2, "B")).await;
        sandbox.assert_settled_with(&looking, HUB, config).await;
        looking.end().await;
    }
    told
}

//! The canary rule of each cell.

use serde_json::{Value, json};
use trailwire_engine::fanout::rules::RuleState;

use super::{H, config};
use crate::cloud::call::Tagged;
use crate::resource::testing::Bench;
use crate::value::Dynamic;

/// The regions that have the rule.
fn regions(bench: &Bench) -> Vec<String> {
    let is_canary = |name: &String| name.starts_with("default/") && name.ends_with("-canary");
    bench.model.with(|world| world.rules.keys().filter(|(_, name)| is_canary(name)).map(|(region, _)| region.clone()).collect())
}

#[tokio::test]
async fn every_cell_has_one_for_as_long_as_it_is_covered() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &config()).await;
    assert_eq!(regions(&bench), ["eu-west-1", "us-east-1"]);
    bench.model.with(|world| {
        let canary = world.rules.values().find(|rule| rule.rule.name.ends_with("-canary")).unwrap();
        assert_eq!(canary.rule.state, RuleState::Enabled);
        assert!(canary.targets[0].arn.ends_with(":event-bus/trailwire-security") && canary.targets[0].dead_letter_arn.is_some());
    });
    let moved =
        json!({ "name": "security", "regions": ["us-east-1", "us-west-2"], "tags": { "team": "other" }, "forward_dead_letter": false });
    let state = bench.ok(H, &state, &moved).await;
    assert_eq!(regions(&bench), ["us-east-1", "us-west-2"]);
    bench.model.with(|world| {
        let canaries: Vec<_> = world.rules.iter().filter(|(_, rule)| rule.rule.name.ends_with("-canary")).collect();
        assert!(canaries.iter().all(|(_, rule)| rule.targets[0].dead_letter_arn.is_none()), "{canaries:?}");
        for ((region, _), rule) in canaries {
            let arn = format!("arn:aws:events:{region}:111122223333:rule/{}", rule.rule.name);
            assert_eq!(world.tags[&(region.clone(), Tagged::Events(arn))]["team"], "other");
        }
    });
    bench.ok(H, &state, &Value::Null).await;
    assert_eq!(regions(&bench), [""; 0]);
}

#[tokio::test]
async fn one_that_somebody_changed_or_removed_is_drift_and_is_repaired() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &config()).await;
    bench.model.with(|world| {
        world.rules.retain(|(region, name), _| region != "us-east-1" || !name.ends_with("-canary"));
        world.rules.values_mut().find(|rule| rule.rule.name.ends_with("-canary")).unwrap().rule.state = RuleState::Disabled;
    });
    let read = bench.read(H, &state).await.state;
    let drifted = read.get_string_map("drifted");
    assert!(drifted["111122223333/us-east-1"].contains("-canary is missing"), "{drifted:?}");
    assert!(drifted["111122223333/eu-west-1"].contains("-canary is in state DISABLED, not ENABLED"), "{drifted:?}");
    bench.ok(H, &read, &config()).await;
    assert_eq!(regions(&bench), ["eu-west-1", "us-east-1"]);
}

/// The tag by which a canary is sent is no drift.
#[tokio::test]
async fn a_canary_that_was_sent_leaves_nothing_to_do() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &config()).await;
    bench.model.with(|world| {
        let tags = world.tags.iter_mut().filter(|((_, of), _)| format!("{of:?}").contains("-canary"));
        tags.for_each(|(_, tags)| drop(tags.insert("trailwire:canary".to_owned(), "canary-1".to_owned())));
    });
    bench.settled(H, &state, &config()).await;
}

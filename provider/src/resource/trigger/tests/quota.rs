//! Rules that do not fit are told while planning.

use super::*;
use crate::cloud::call::{Call, Tags};
use crate::context::Context;
use crate::resource::PlanRequest;
use trailwire_engine::fanout::names::Cell;
use trailwire_engine::fanout::rules::{Rule, RuleState};

/// Rules of somebody else on the default bus of a region, where the hub has its canary.
async fn crowd(bench: &Bench, region: &str, count: usize, pattern: &str) {
    let context = bench.context();
    let session = context.cloud.session(&bench.stop);
    let cell = Cell::new(session.home().await.unwrap().cell.account, region);
    let mut rule = bench.model.with(|world| world.rules.values().next().unwrap().rule.clone());
    for number in 0..count {
        rule = Rule { name: format!("other-{number}"), pattern: pattern.to_owned(), state: RuleState::Enabled, ..rule };
        session.put_rule(&cell, "default", &rule, &Tags::new()).await.unwrap();
    }
}

/// What is said of creates, one after another in one process that has planned the hub before.
pub(super) async fn planned(bench: &Bench, hub: &Value, triggers: &[Value]) -> Vec<String> {
    let context: Context = bench.context();
    let mut told = Vec::new();
    let resources =
        std::iter::once((&HubResource as &dyn Resource, hub)).chain(triggers.iter().map(|trigger| (T as &dyn Resource, trigger)));
    for (resource, config) in resources {
        let config = bench.config(resource, config);
        let request = PlanRequest { prior: Dynamic::Null, proposed: config.clone(), config, private: Vec::new(), stop: bench.stop.clone() };
        told.push(drawn(&resource.plan(&context, request).await.diagnostics));
    }
    told.remove(0);
    told
}

/// They are all alike, and that is told elsewhere.
fn named(name: &str, more: Value) -> Value {
    let mut config = with(more);
    config["name"] = json!(name);
    config["allow"]["TW2423"] = json!("alike");
    config
}

#[tokio::test]
async fn what_the_bus_holds_and_what_the_plan_adds_is_counted() {
    let (bench, _) = bench(&REGIONS).await;
    crowd(&bench, "eu-west-1", 297, r#"{"source":["x"]}"#).await;
    bench.model.take_calls();
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| named(name, json!({ "regions": ["eu-west-1"] })));
    let elsewhere = named("e", json!({ "regions": ["us-east-1"] }));
    let told = planned(&bench, &hub(&REGIONS), &[a.clone(), a.clone(), elsewhere, b, c, d]).await;
    assert!(
        told[0].starts_with(
            "warning[TW2420]: the default bus of 111122223333/eu-west-1, with what it holds and what this plan adds, would hold more than 270 of the \
             300 rules that it takes\n  = help: "
        ),
        "{told:?}"
    );
    // Once for each bus; the same trigger counts once.
    assert_eq!([&told[1], &told[2], &told[3], &told[5]], [""; 4]);
    assert!(
        told[4].starts_with(
            "error[TW2421]: the default bus of 111122223333/eu-west-1, with what it holds and what this plan adds, would hold more than the 300 rules \
             that it takes\n  = help: "
        ),
        "{told:?}"
    );
    let calls = bench.model.take_calls();
    assert_eq!(calls.iter().filter(|call| call.starts_with("events:ListRules")).count(), 2, "one for each region: {calls:?}");
    // Who knows better says so.
    let raised = named("a", json!({ "allow": { "TW2420": "raised", "TW2421": "raised" } }));
    crowd(&bench, "eu-central-1", 400, r#"{"source":["x"]}"#).await;
    assert_eq!(planned(&bench, &hub(&REGIONS), &[raised]).await, [""]);
}

#[tokio::test]
async fn rules_with_wildcards_are_fewer() {
    let (bench, _) = bench(&REGIONS).await;
    for region in REGIONS {
        crowd(&bench, region, 30, r#"{"source":[{"wildcard":"x*"}]}"#).await;
    }
    let wildcards = json!({ "push_down": "full", "match_expression": "contains(detail.userAgent, 'a')" });
    let told = planned(&bench, &hub(&REGIONS), &[named("a", wildcards), named("b", json!({}))]).await;
    assert!(
        told[0].starts_with(
            "error[TW2422]: the default bus of 111122223333/eu-central-1 (and 2 others), with what it holds and what this plan adds, would hold more than \
             30 rules with wildcards, and AWS takes no more\n"
        ),
        "{told:?}"
    );
    assert_eq!(told[1], "");
}

#[tokio::test]
async fn what_changes_in_place_adds_nothing_and_what_widens_does() {
    let (bench, _) = bench(&REGIONS).await;
    let narrow = named("a", json!({ "regions": ["us-east-1"] }));
    let there = bench.ok(T, &Dynamic::Null, &narrow).await;
    crowd(&bench, "us-east-1", 299, r#"{"source":["x"]}"#).await;
    crowd(&bench, "eu-west-1", 300, r#"{"source":["x"]}"#).await;
    let told = |config: Value| {
        let (bench, there) = (&bench, &there);
        async move { drawn(&bench.plan(T, there, &bench.config(T, &config)).await.diagnostics) }
    };
    assert_eq!(told(named("a", json!({ "regions": ["us-east-1"], "event_names": ["RunInstances"] }))).await, "");
    let wider = told(named("a", json!({ "regions": ["us-east-1", "eu-west-1"] }))).await;
    assert!(wider.starts_with("error[TW2421]: the default bus of 111122223333/eu-west-1, with"), "{wider}");
    // A bus that cannot be listed says nothing.
    bench.model.fail(|_, call| matches!(call, Call::ListRules { .. }).then_some(Kind::AccessDenied));
    assert_eq!(told(named("a", json!({ "regions": ["us-east-1", "eu-west-1"] }))).await, "");
}

#[tokio::test]
async fn a_trigger_that_is_replaced_makes_room() {
    let (bench, _) = bench(&REGIONS).await;
    let there = bench.ok(T, &Dynamic::Null, &named("a", json!({ "regions": ["eu-west-1"] }))).await;
    crowd(&bench, "eu-west-1", 298, r#"{"source":["x"]}"#).await;
    let renamed = bench.config(T, &named("b", json!({ "regions": ["eu-west-1"], "hub": there.get_str("hub_arn").unwrap() })));
    for (goes, full) in [(true, false), (false, true)] {
        let context = bench.context();
        for prior in [there.clone(), Dynamic::Null].into_iter().skip(usize::from(!goes)) {
            let request =
                PlanRequest { prior, proposed: renamed.clone(), config: renamed.clone(), private: Vec::new(), stop: bench.stop.clone() };
            let told = drawn(&T.plan(&context, request).await.diagnostics);
            assert_eq!(told.contains("TW2421"), full, "{told}");
        }
    }
}

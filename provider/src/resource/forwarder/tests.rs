use serde_json::{Value, json};
use trailwire_engine::catalogue;
use trailwire_engine::diagnostic::any_error;

use super::ForwarderResource;
use crate::apply::cells::cells_of;
use crate::cloud::error::Kind;
use crate::resource::hub::HubResource;
use crate::resource::testing::{Bench, drawn};
use crate::resource::trigger::TriggerResource;
use crate::resource::{PlanRequest, Resource, ValidateRequest};
use crate::value::Dynamic;

const F: &ForwarderResource = &ForwarderResource;
const T: &TriggerResource = &TriggerResource;
const REGIONS: [&str; 3] = ["eu-central-1", "eu-west-1", "us-east-1"];

fn merged(mut config: Value, changes: &Value) -> Value {
    config.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    config
}

fn hub(regions: &[&str]) -> Value {
    json!({ "name": "security", "regions": regions })
}

fn forwarder(changes: Value) -> Value {
    let all = if changes.get("event_names").or(changes.get("event_sources")).is_some() { json!(null) } else { json!(true) };
    merged(json!({ "hub": "security", "name": "all-writes", "all": all }), &changes)
}

fn trigger(changes: Value) -> Value {
    let config = json!({
        "hub": "security",
        "name": "opened",
        "event_names": ["AuthorizeSecurityGroupIngress"],
        "forwarder": "all-writes",
        "match_expression": "detail.userIdentity.type == 'Root'",
        "action": [{ "notify": [{ "destinations": ["team"] }] }],
    });
    merged(config, &changes)
}

async fn bench() -> (Bench, Dynamic) {
    let bench = Bench::new();
    let hub = bench.ok(&HubResource, &Dynamic::Null, &hub(&REGIONS)).await;
    (bench, hub)
}

fn rules(bench: &Bench) -> Vec<usize> {
    bench.model.with(|world| ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2"].map(|region| world.rule_names(region).len()).to_vec())
}

/// Plans what must be refused, and returns the errors as the user reads them.
async fn refused(bench: &Bench, resource: &dyn Resource, prior: &Dynamic, config: &Value) -> String {
    let plan = bench.plan(resource, prior, &bench.config(resource, config)).await;
    assert!(any_error(&plan.diagnostics), "nothing is wrong");
    drawn(&plan.diagnostics)
}

#[tokio::test]
async fn a_forwarder_lives_and_dies_with_one_rule_for_everything_in_every_cell() {
    let (bench, hub_state) = bench().await;
    bench.model.take_calls();
    let made = bench.apply(F, &Dynamic::Null, &forwarder(json!({}))).await.state;
    let calls = bench.model.take_calls();
    assert_eq!(calls.iter().filter(|call| call.starts_with("events:")).count(), 2 * REGIONS.len(), "{calls:?}");
    let made = bench.settled(F, &made, &forwarder(json!({}))).await;
    assert_eq!(made.get_str("id"), Some("security/all-writes"));
    assert_eq!(cells_of(&made).len(), 3);
    bench.model.with(|world| {
        let rule = &world.rules.values().find(|rule| rule.rule.name.ends_with("-fwd.all-writes-0")).unwrap().rule;
        assert_eq!(rule.pattern, r#"{"source":[{"prefix":"aws."}],"detail-type":[{"suffix":" via CloudTrail"}]}"#);
        assert_eq!(rule.state.as_str(), "ENABLED");
        assert_eq!(rule.description, "Trailwire: forwarder all-writes of hub security");
    });
    let sources = json!({ "event_sources": ["iam.amazonaws.com"], "include_read_only": true, "tags": { "a": "b" } });
    let narrow = bench.ok(F, &made, &forwarder(sources)).await;
    bench.model.with(|world| {
        let rule = &world.rules.values().find(|rule| rule.rule.name.ends_with("-fwd.all-writes-0")).unwrap().rule;
        assert!(rule.pattern.ends_with(r#""detail":{"eventSource":["iam.amazonaws.com"]}}"#), "{}", rule.pattern);
        assert_eq!(rule.state.as_str(), "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS");
    });
    bench.ok(F, &narrow, &Value::Null).await;
    assert_eq!(rules(&bench), [0, 0, 0, 0]);
    bench.ok(&HubResource, &hub_state, &Value::Null).await;
    assert!(bench.model.with(|world| world.is_empty()));
}

#[tokio::test]
async fn many_names_fill_few_rules_and_a_trigger_of_the_same_name_has_its_own() {
    let (bench, _) = bench().await;
    let changes = catalogue::events("ec2.amazonaws.com").unwrap().into_iter().filter(|event| !event.entry.read_only);
    let names: Vec<String> = changes.map(|event| event.name).take(330).collect();
    let characters: usize = names.iter().map(|name| name.len() + 3).sum();
    let config = forwarder(json!({ "event_names": names, "allow": { "TW2405": "some are" } }));
    let many = bench.ok(F, &Dynamic::Null, &config).await;
    // Of the 2,048 characters of a pattern 1,947 are left for names, and one of them needs no comma.
    let rules_of_names = characters.div_ceil(1_948);
    assert!(rules_of_names > 2);
    assert_eq!(many.get_list("rule_names").len(), rules_of_names);
    let own = bench.ok(T, &Dynamic::Null, &trigger(json!({ "name": "all-writes", "forwarder": null }))).await;
    assert_eq!(rules(&bench), [rules_of_names + 1, rules_of_names + 1, rules_of_names + 1, 0]);
    let few = bench.ok(F, &many, &forwarder(json!({}))).await;
    assert_eq!(rules(&bench), [2, 2, 2, 0]);
    bench.ok(F, &few, &Value::Null).await;
    assert_eq!(rules(&bench), [1, 1, 1, 0]);
    bench.ok(T, &own, &Value::Null).await;
}

#[tokio::test]
async fn a_trigger_that_names_one_makes_no_rules_and_no_call_in_any_cell() {
    let (bench, _) = bench().await;
    bench.ok(F, &Dynamic::Null, &forwarder(json!({}))).await;
    bench.model.fail(|_, call| call.operation().starts_with("events:").then_some(Kind::AccessDenied));
    let made = bench.ok(T, &Dynamic::Null, &trigger(json!({}))).await;
    assert_eq!(made.get_list("rule_names").len(), 0);
    assert_eq!(cells_of(&made), []);
    assert!(made.get("pushed_pattern").is_null());
    assert_eq!(made.get_str("residual"), Some("detail.userIdentity.type == 'Root'"));
    let changed = bench.ok(T, &made, &trigger(json!({ "severity": "high" }))).await;
    let imported = bench.import(T, "security/opened").await.unwrap();
    bench.settled(T, &imported, &trigger(json!({ "severity": "high" }))).await;
    bench.ok(T, &changed, &Value::Null).await;
    assert_eq!(rules(&bench), [1, 1, 1, 0]);
}

#[tokio::test]
async fn a_trigger_moves_to_a_forwarder_and_back() {
    let (bench, _) = bench().await;
    bench.ok(F, &Dynamic::Null, &forwarder(json!({}))).await;
    let own = trigger(json!({ "forwarder": null }));
    let state = bench.ok(T, &Dynamic::Null, &own).await;
    assert_eq!(rules(&bench), [2, 2, 2, 0]);
    let state = bench.ok(T, &state, &trigger(json!({}))).await;
    assert_eq!(rules(&bench), [1, 1, 1, 0]);
    let state = bench.ok(T, &state, &own).await;
    assert_eq!(rules(&bench), [2, 2, 2, 0]);
    // What could not be removed stays known until it is.
    bench.model.fail(|cell, call| (call.operation() == "events:RemoveTargets" && cell.region == "us-east-1").then_some(Kind::AccessDenied));
    let (left, error) = bench.fails(T, &state, &trigger(json!({}))).await;
    assert!(error.contains("trigger `opened` is not updated everywhere"), "{error}");
    assert_eq!((rules(&bench), cells_of(&left).len()), (vec![1, 1, 2, 0], 1));
    bench.model.heal();
    let read = bench.read(T, &left).await.state;
    bench.ok(T, &read, &trigger(json!({}))).await;
    assert_eq!(rules(&bench), [1, 1, 1, 0]);
}

#[tokio::test]
async fn what_the_forwarder_lacks_is_told_while_planning_and_in_apply() {
    let (bench, _) = bench().await;
    let missing = "error[TW4006]: hub `security` has no forwarder `all-writes` (in forwarder)\n  \
                   = help: declare it, and refer to it, so that it is made first: `forwarder = trailwire_forwarder.NAME.name`";
    assert_eq!(refused(&bench, T, &Dynamic::Null, &trigger(json!({}))).await, missing);
    let iam = forwarder(json!({ "event_sources": ["iam.amazonaws.com"], "exclude_regions": ["eu-west-1"] }));
    bench.ok(F, &Dynamic::Null, &iam).await;
    let lacks = "error[TW2424]: forwarder `all-writes` lacks events of this trigger: those of every source but its own; the regions `eu-west-1` (in forwarder)";
    let told = refused(&bench, T, &Dynamic::Null, &trigger(json!({}))).await;
    assert!(told.starts_with(lacks), "{told}");
    let mended = json!({ "event_sources": ["iam.amazonaws.com"], "event_names": ["CreateUser"], "exclude_regions": ["eu-west-1"] });
    bench.ok(T, &Dynamic::Null, &trigger(mended)).await;
}

#[tokio::test]
async fn a_forwarder_of_the_same_plan_counts_as_it_will_be() {
    let (bench, _) = bench().await;
    let told = |changes: Value| {
        let bench = &bench;
        async move {
            let context = bench.context();
            let mut told = String::new();
            for (resource, config) in [(F as &dyn Resource, forwarder(changes)), (T, trigger(json!({})))] {
                let config = bench.config(resource, &config);
                let (proposed, stop) = (config.clone(), bench.stop.clone());
                let request = PlanRequest { prior: Dynamic::Null, proposed, config, private: Vec::new(), stop };
                told = drawn(&resource.plan(&context, request).await.diagnostics);
            }
            told
        }
    };
    assert_eq!(told(json!({})).await, "");
    assert!(told(json!({ "regions": ["us-east-1"] })).await.contains("lacks events of this trigger: those of every region but its own"));
}

#[tokio::test]
async fn narrowing_or_destroying_one_that_is_relied_on_is_refused() {
    let (bench, _) = bench().await;
    let state = bench.ok(F, &Dynamic::Null, &forwarder(json!({}))).await;
    let relying = bench.ok(T, &Dynamic::Null, &trigger(json!({}))).await;
    let told = refused(&bench, F, &state, &forwarder(json!({ "event_names": ["RunInstances"] }))).await;
    assert_eq!(
        told,
        "error[TW4007]: forwarder `all-writes` would lack events of `opened` (it needs the event names `AuthorizeSecurityGroupIngress`)\n  \
         = help: change these triggers first, in an apply of their own"
    );
    let (kept, error) = bench.fails(F, &state, &Value::Null).await;
    assert!(error.starts_with("error[TW4007]: forwarder `all-writes` is relied on by `opened`"), "{error}");
    assert_eq!((kept == state, rules(&bench)), (true, vec![1, 1, 1, 0]));
    let still_enough = forwarder(json!({ "event_names": ["AuthorizeSecurityGroupIngress"] }));
    let narrow = bench.ok(F, &state, &still_enough).await;
    bench.ok(T, &relying, &Value::Null).await;
    bench.ok(F, &narrow, &Value::Null).await;
    assert_eq!(rules(&bench), [0, 0, 0, 0]);
}

#[tokio::test]
async fn create_is_all_or_nothing_and_drift_is_repaired() {
    let (bench, _) = bench().await;
    bench.model.fail(|cell, call| (call.operation() == "events:PutTargets" && cell.region == "us-east-1").then_some(Kind::ScpDenied));
    let (state, error) = bench.fails(F, &Dynamic::Null, &forwarder(json!({}))).await;
    assert!(state.is_null() && error.contains("forwarder `all-writes` was not created, and what was made is removed again"), "{error}");
    assert_eq!(rules(&bench), [0, 0, 0, 0]);
    bench.model.heal();
    let state = bench.ok(F, &Dynamic::Null, &forwarder(json!({}))).await;
    bench.model.with(|world| world.rules.retain(|(region, name), _| region != "us-east-1" || !name.contains("all-writes")));
    let read = bench.read(F, &state).await.state;
    assert!(read.get_string_map("drifted")["111122223333/us-east-1"].ends_with("is missing"));
    bench.ok(F, &read, &forwarder(json!({}))).await;
    assert_eq!(rules(&bench), [1, 1, 1, 0]);
    let (_, error) = bench.fails(F, &Dynamic::Null, &forwarder(json!({}))).await;
    assert!(error.contains("terraform import trailwire_forwarder.NAME security/all-writes"), "{error}");
}

#[tokio::test]
async fn the_hub_takes_its_forwarders_along_and_stays_while_there_are_some() {
    let (bench, hub_state) = bench().await;
    let state = bench.ok(F, &Dynamic::Null, &forwarder(json!({}))).await;
    let hub_state = bench.ok(&HubResource, &hub_state, &hub(&["eu-west-1", "us-west-2"])).await;
    assert_eq!(rules(&bench), [0, 1, 0, 1]);
    bench.settled(F, &state, &forwarder(json!({}))).await;
    let (_, error) = bench.fails(&HubResource, &hub_state, &Value::Null).await;
    assert!(error.contains("hub `security` still holds forwarder `all-writes`"), "{error}");
    let config = json!({ "name": "security", "regions": ["eu-west-1", "us-west-2"], "force_destroy": true });
    let hub_state = bench.ok(&HubResource, &hub_state, &config).await;
    bench.ok(&HubResource, &hub_state, &Value::Null).await;
    assert!(bench.model.with(|world| world.is_empty()));
}

#[tokio::test]
async fn an_import_needs_no_change() {
    let (bench, _) = bench().await;
    let config = forwarder(json!({
        "event_names": ["RunInstances"], "event_sources": ["ec2.amazonaws.com"], "regions": ["eu-west-1", "us-east-1"], "tags": { "a": "b" },
    }));
    bench.ok(F, &Dynamic::Null, &config).await;
    let imported = bench.import(F, "security/all-writes").await.unwrap();
    bench.settled(F, &imported, &config).await;
    let error = bench.import(F, "security/nope").await.unwrap_err();
    assert_eq!(error, "error[TW4006]: hub `security` has no forwarder `nope`");
}

#[tokio::test]
async fn mistakes_and_the_price_of_everything_are_told() {
    let bench = Bench::new();
    let check = |changes: Value| drawn(&F.validate(&ValidateRequest { config: bench.config(F, &forwarder(changes)) }));
    assert!(check(json!({ "all": null })).starts_with("error[TW1003]: `all` is missing (in all)"));
    assert!(check(json!({ "include_read_only": true })).starts_with("warning[TW2425]: this forwards every management event"));
    assert_eq!(check(json!({ "include_read_only": true, "allow": { "TW2425": "the archive wants them" } })), "");
    let mut config = bench.config(F, &forwarder(json!({})));
    config.set("event_names", Dynamic::Unknown);
    assert_eq!(drawn(&F.validate(&ValidateRequest { config: config.clone() })), "", "they may turn out to be null");
    config.set("all", Dynamic::Unknown);
    assert_eq!(drawn(&F.validate(&ValidateRequest { config })), "");
}

#[tokio::test]
async fn tags_that_are_left_to_others_are_neither_shown_nor_taken_away() {
    let (mut bench, _) = bench().await;
    let config = forwarder(json!({ "tags": { "team": "security", "cost:center": "1", "owner": "a" } }));
    let state = bench.ok(F, &Dynamic::Null, &config).await;
    bench.provider = json!({
        "default_tags": [{ "tags": { "stage": "live", "team": "all" } }],
        "ignore_tags": [{ "keys": ["owner"], "key_prefixes": ["cost:"] }],
    });
    let state = bench.ok(F, &state, &config).await;
    let all: Vec<(String, String)> = state.get_string_map("tags_all").into_iter().collect();
    assert_eq!(all, [("stage".to_owned(), "live".to_owned()), ("team".to_owned(), "security".to_owned())]);
    bench.model.with(|world| {
        let of_rules = world.tags.iter().filter(|((_, of), _)| format!("{of:?}").contains("fwd.all-writes-0"));
        let keys: Vec<Vec<&str>> = of_rules.map(|(_, tags)| tags.keys().map(String::as_str).collect()).collect();
        assert_eq!(keys, [["cost:center", "owner", "stage", "team"]; 3]);
    });
    let imported = bench.import(F, "security/all-writes").await.unwrap();
    bench.settled(F, &imported, &config).await;
}

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::TriggerResource;
use crate::apply::cells::{cells_of, timeout_note};
use crate::cloud::Session;
use crate::cloud::error::Kind;
use crate::cloud::model;
use crate::resource::hub::HubResource;
use crate::resource::testing::{Bench, drawn};
use crate::resource::{Resource, ValidateRequest};
use crate::value::Dynamic;

mod beside;
mod hubs;
mod pushed;
mod quota;
mod send;
mod unknown;

const T: &TriggerResource = &TriggerResource;

fn hub(regions: &[&str]) -> Value {
    json!({ "name": "security", "regions": regions })
}

fn trigger() -> Value {
    json!({
        "hub": "security",
        "name": "opened",
        "event_names": ["AuthorizeSecurityGroupIngress"],
        "action": [{ "notify": [{ "destinations": ["team"], "fields": { "Group": "detail.requestParameters.groupId" } }] }, { "wait": [{ "duration": "10m" }] }],
    })
}

fn with(changes: Value) -> Value {
    let mut config = trigger();
    config.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    config
}

async fn bench(regions: &[&str]) -> (Bench, Dynamic) {
    let bench = Bench::new();
    let hub = bench.ok(&HubResource, &Dynamic::Null, &hub(regions)).await;
    (bench, hub)
}

const REGIONS: [&str; 3] = ["eu-central-1", "eu-west-1", "us-east-1"];

fn rules(bench: &Bench) -> Vec<usize> {
    bench.model.with(|world| ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2"].map(|region| world.rule_names(region).len()).to_vec())
}

#[tokio::test]
async fn a_trigger_lives_and_dies_with_its_definition_before_its_rules() {
    let (bench, hub_state) = bench(&REGIONS).await;
    bench.model.take_calls();
    let created = bench.ok(T, &Dynamic::Null, &trigger()).await;
    let calls = bench.model.take_calls();
    let position = |wanted: &str| calls.iter().position(|call| call.starts_with(wanted)).unwrap();
    assert!(position("dynamodb:TransactWriteItems") < position("events:PutRule"), "{calls:?}");
    assert_eq!(rules(&bench), [1, 1, 1, 0]);
    assert_eq!(cells_of(&created).len(), 3);
    let edited = with(json!({ "event_names": ["RunInstances"], "include_read_only": true, "description": "d", "tags": { "a": "b" } }));
    let updated = bench.ok(T, &created, &edited).await;
    bench.model.with(|world| {
        let rule = world.rules.values().find(|rule| rule.rule.name.ends_with("opened-0")).unwrap();
        assert!(rule.rule.pattern.contains("RunInstances"));
        assert_eq!(rule.rule.state.as_str(), "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS");
        let tagged = world
            .tags
            .iter()
            .filter(|((_, of), tags)| format!("{of:?}").contains("opened-0") && tags.get("a").is_some_and(|value| value == "b"));
        assert_eq!(tagged.count(), 3);
    });
    let disabled = bench.ok(T, &updated, &with(json!({ "enabled": false }))).await;
    bench.model.with(|world| {
        assert!(world.rules.values().filter(|rule| rule.rule.name.ends_with("opened-0")).all(|rule| rule.rule.state.as_str() == "DISABLED"))
    });
    bench.model.take_calls();
    bench.ok(T, &disabled, &Value::Null).await;
    let calls = bench.model.take_calls();
    let last = |wanted: &str| calls.iter().rposition(|call| call.starts_with(wanted)).unwrap();
    assert!(last("events:DeleteRule") < last("dynamodb:TransactWriteItems"), "{calls:?}");
    assert_eq!(rules(&bench), [0, 0, 0, 0]);
    bench.ok(&HubResource, &hub_state, &Value::Null).await;
    assert!(bench.model.with(|world| world.is_empty()));
}

#[tokio::test]
async fn create_makes_two_calls_for_each_cell_and_few_beside_them() {
    let (bench, _) = bench(&REGIONS).await;
    bench.model.take_calls();
    bench.apply(T, &Dynamic::Null, &trigger()).await;
    let calls = bench.model.take_calls();
    assert_eq!(calls.iter().filter(|call| call.starts_with("events:")).count(), 2 * REGIONS.len(), "{calls:?}");
    // What follows the first call of a process: the plan's is another one.
    let applied = calls.rsplit(|call| call.starts_with("sts:")).next().unwrap();
    let tables: Vec<&str> = applied.iter().filter_map(|call| call.strip_prefix("dynamodb:")?.split(' ').next()).collect();
    // Where the hub is, in every region.
    let (search, rest) = tables.split_at(model::REGIONS.len());
    assert!(search.iter().all(|call| *call == "GetItem"), "{calls:?}");
    // Its record; the claim; the record again after the rules; the claim is confirmed.
    let mut rest = rest.to_vec();
    // A machine that takes its time renews the claim.
    rest.dedup();
    assert_eq!(rest, ["GetItem", "TransactWriteItems", "GetItem", "TransactWriteItems"], "{calls:?}");
}

#[tokio::test]
async fn a_scope_is_narrowed_and_widened() {
    let (bench, _) = bench(&REGIONS).await;
    let narrow = bench.ok(T, &Dynamic::Null, &with(json!({ "regions": ["us-east-1"] }))).await;
    assert_eq!(rules(&bench), [0, 0, 1, 0]);
    let wide = bench.ok(T, &narrow, &with(json!({ "exclude_regions": ["us-east-1"] }))).await;
    assert_eq!(rules(&bench), [1, 1, 0, 0]);
    let (_, error) = bench.fails(T, &wide, &with(json!({ "regions": ["us-west-2"] }))).await;
    assert!(error.contains("region `us-west-2` is not in the scope of hub `security` (in regions)"), "{error}");
    assert_eq!(rules(&bench), [1, 1, 0, 0]);
}

#[tokio::test]
async fn a_region_added_to_the_hub_or_taken_out_reaches_the_trigger_in_the_hubs_apply() {
    let (bench, hub_state) = bench(&REGIONS).await;
    let all = bench.ok(T, &Dynamic::Null, &trigger()).await;
    let restricted = with(json!({ "name": "restricted", "regions": ["eu-west-1"] }));
    let one = bench.ok(T, &Dynamic::Null, &restricted).await;
    let hub_state = bench.ok(&HubResource, &hub_state, &hub(&["eu-west-1", "us-west-2"])).await;
    assert_eq!(rules(&bench), [0, 2, 0, 1]);
    let all = bench.settled(T, &all, &trigger()).await;
    assert_eq!(cells_of(&all).len(), 2);
    bench.settled(T, &one, &restricted).await;
    bench.ok(&HubResource, &hub_state, &json!({ "name": "security" })).await;
    assert_eq!(rules(&bench), [1, 2, 1, 1]);
    bench.settled(T, &all, &trigger()).await;
}

#[tokio::test]
async fn drift_is_found_told_and_repaired() {
    let (bench, _) = bench(&REGIONS).await;
    let state = bench.ok(T, &Dynamic::Null, &trigger()).await;
    bench.model.with(|world| {
        world.rules.retain(|(region, name), _| region != "us-east-1" || !name.contains("opened"));
        let rule =
            world.rules.iter_mut().find(|((region, _), rule)| region == "eu-central-1" && rule.rule.name.ends_with("opened-0")).unwrap().1;
        rule.targets.clear();
    });
    let read = bench.read(T, &state).await.state;
    let drifted = read.get_string_map("drifted");
    assert!(drifted["111122223333/us-east-1"].ends_with("is missing"), "{drifted:?}");
    assert!(drifted["111122223333/eu-central-1"].contains("does not send to"), "{drifted:?}");
    assert_eq!(drifted.len(), 2);
    bench.ok(T, &read, &trigger()).await;
    assert_eq!(rules(&bench), [1, 1, 1, 0]);
}

#[tokio::test]
async fn create_is_all_or_nothing() {
    let (bench, _) = bench(&REGIONS).await;
    bench.model.fail(|cell, call| (call.operation() == "events:PutTargets" && cell.region == "us-east-1").then_some(Kind::ScpDenied));
    let (state, error) = bench.fails(T, &Dynamic::Null, &trigger()).await;
    assert!(state.is_null());
    assert_eq!(
        error,
        "error[TW4004]: trigger `opened` was not created, and what was made is removed again: 1 of 3 cells failed\n  \
         = help: 111122223333/us-east-1: `events:PutTargets`: ScpDenied: injected (request id r-1)\n    \
         a service control policy forbids it there; to leave the region out, add to the hub: exclude_regions = [\"us-east-1\"]"
    );
    assert_eq!(rules(&bench), [0, 0, 0, 0]);
    bench.model.heal();
    bench.ok(T, &Dynamic::Null, &trigger()).await;
}

#[tokio::test]
async fn what_a_failed_rollback_leaves_is_in_the_state_and_nobody_adopts_it() {
    let (bench, _) = bench(&REGIONS).await;
    bench.model.fail(|cell, call| {
        let hit = matches!(call.operation(), "events:PutTargets" | "events:DeleteRule") && cell.region == "us-east-1";
        hit.then_some(Kind::AccessDenied)
    });
    let (state, error) = bench.fails(T, &Dynamic::Null, &trigger()).await;
    assert!(error.contains("was not wholly created"), "{error}");
    assert_eq!(cells_of(&state).len(), 3);
    bench.model.heal();
    let (_, error) = bench.fails(T, &Dynamic::Null, &trigger()).await;
    assert!(error.contains("terraform import trailwire_trigger.NAME security/opened"), "{error}");
    bench.ok(T, &state, &Value::Null).await;
    assert_eq!(rules(&bench), [0, 0, 0, 0]);
    bench.ok(T, &Dynamic::Null, &trigger()).await;
}

#[tokio::test]
async fn an_interrupt_keeps_what_exists() {
    let (mut bench, _) = bench(&REGIONS).await;
    let stop = bench.stop.clone();
    let seen = AtomicUsize::new(0);
    bench.model.fail(move |_, call| {
        if call.operation() == "events:PutRule" && seen.fetch_add(1, Ordering::SeqCst) == 0 {
            stop.cancel();
        }
        None
    });
    let (state, error) = bench.fails(T, &Dynamic::Null, &trigger()).await;
    assert!(error.starts_with("error[TW4008]") && error.contains("Terraform was interrupted"), "{error}");
    assert_eq!(cells_of(&state).len(), 3);
    bench.model.heal();
    bench.stop = Default::default();
    bench.ok(T, &state, &Value::Null).await;
    assert_eq!(rules(&bench), [0, 0, 0, 0]);
}

#[tokio::test]
async fn tolerated_failures_are_repaired_by_the_next_apply() {
    let (bench, _) = bench(&REGIONS).await;
    bench.model.fail(|cell, call| (call.operation() == "events:PutRule" && cell.region == "us-east-1").then_some(Kind::AccessDenied));
    let tolerant = with(json!({ "failure_tolerance": 1 }));
    let response = bench.apply(T, &Dynamic::Null, &tolerant).await;
    assert!(drawn(&response.diagnostics).starts_with("warning[TW4004]: trigger `opened` is not everywhere yet"));
    assert_eq!(response.state.get_string_map("drifted").len(), 1);
    bench.model.heal();
    bench.ok(T, &response.state, &tolerant).await;
    assert_eq!(rules(&bench), [1, 1, 1, 0]);
}

#[tokio::test]
async fn update_and_delete_go_on_elsewhere_and_tell_the_truth() {
    let (bench, _) = bench(&REGIONS).await;
    let state = bench.ok(T, &Dynamic::Null, &trigger()).await;
    bench.model.fail(|cell, call| {
        let hit = matches!(call.operation(), "events:PutRule" | "events:RemoveTargets") && cell.region == "us-east-1";
        hit.then_some(Kind::AccessDenied)
    });
    let edited = with(json!({ "event_names": ["RunInstances"] }));
    let (updated, error) = bench.fails(T, &state, &edited).await;
    assert!(error.contains("is not updated everywhere: 1 of 3 cells failed"), "{error}");
    assert_eq!(updated.get_string_map("drifted").keys().collect::<Vec<_>>(), ["111122223333/us-east-1"]);
    let changed = bench.model.with(|world| world.rules.values().filter(|rule| rule.rule.pattern.contains("RunInstances")).count());
    assert_eq!(changed, 2);
    let (left, error) = bench.fails(T, &updated, &Value::Null).await;
    assert!(error.contains("is not removed everywhere: 1 of 3 cells failed"), "{error}");
    assert_eq!(cells_of(&left).len(), 1);
    assert_eq!(rules(&bench), [0, 0, 1, 0]);
    bench.model.heal();
    bench.ok(T, &left, &Value::Null).await;
    assert_eq!(rules(&bench), [0, 0, 0, 0]);
}

#[tokio::test]
async fn a_destroy_works_when_the_hub_is_gone() {
    let (bench, _) = bench(&REGIONS).await;
    let state = bench.ok(T, &Dynamic::Null, &trigger()).await;
    bench.model.with(|world| {
        world.tables.clear();
        world.buses.clear();
    });
    bench.ok(T, &state, &Value::Null).await;
    assert_eq!(rules(&bench), [0, 0, 0, 0]);
}

#[tokio::test]
async fn an_import_needs_no_change_and_names_what_it_does_not_find() {
    let (bench, hub_state) = bench(&REGIONS).await;
    let config = with(
        json!({ "tags": { "a": "b" }, "regions": ["eu-west-1", "us-east-1"], "event_sources": ["ec2.amazonaws.com"], "severity": "low",
            "threshold": [{ "count": 3, "window": "5m", "group_by": "detail.userIdentity.arn" }], "suppress": [{ "window": "10m" }] }),
    );
    bench.ok(T, &Dynamic::Null, &config).await;
    let imported = bench.import(T, "security/opened").await.unwrap();
    bench.settled(T, &imported, &config).await;
    let by_arn = format!("{}/opened", hub_state.get_str("arn").unwrap());
    assert_eq!(bench.import(T, &by_arn).await.unwrap().get_str("name"), Some("opened"));
    for (id, expected) in [
        ("security/nope", "error[TW4006]: hub `security` has no trigger `nope`"),
        ("nope/opened", "error[TW4006]: there is no hub `nope`"),
        ("opened", "error[TW5003]: `opened` does not name a trigger"),
    ] {
        let error = bench.import(T, id).await.unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn a_cell_that_cannot_be_read_keeps_its_last_state_with_a_warning() {
    let (bench, _) = bench(&REGIONS).await;
    let state = bench.ok(T, &Dynamic::Null, &trigger()).await;
    bench.model.fail(|cell, call| (call.operation() == "events:ListRules" && cell.region == "us-east-1").then_some(Kind::AccessDenied));
    let read = bench.read(T, &state).await;
    assert_eq!(read.state, state);
    assert!(drawn(&read.diagnostics).starts_with("warning[TW4000]: 111122223333/us-east-1 could not be read"));
}

#[test]
fn mistakes_are_found_with_their_places() {
    let bench = Bench::new();
    let check = |changes: Value| drawn(&T.validate(&ValidateRequest { config: bench.config(T, &with(changes)) }));
    let found = check(json!({ "regions": [], "match_expression": "!detail.x" }));
    assert!(found.contains("error[TW1101]: `regions` is an empty list (in regions)"), "{found}");
    assert!(found.contains("error[TW2110]"), "{found}");
    let found = check(json!({ "account_ids": ["12"], "name": "Bad" }));
    assert!(found.contains("(in account_ids)") && found.contains("`Bad` is not a name for a trigger"), "{found}");
}

#[test]
fn a_template_that_nobody_could_render_is_found() {
    let bench = Bench::new();
    let action = json!([{ "notify": [{ "destinations": ["team"], "title": "{{ event_nam }}", "message": "{{ actor }}" }] }]);
    let found = drawn(&T.validate(&ValidateRequest { config: bench.config(T, &with(json!({ "action": action }))) }));
    assert_eq!(
        found,
        "error[TW1106]: unknown variable `event_nam` (in action[0].notify[0].title)\n  |\n1 | {{ event_nam }}\n  |    ^^^^^^^^^\n  = help: did you mean `event_name`?"
    );
}

#[tokio::test]
async fn a_hub_in_another_region_is_found_by_its_name_or_arn_which_mean_the_same() {
    let bench = Bench::new();
    let hub = bench.ok(&HubResource, &Dynamic::Null, &json!({ "name": "security", "region": "us-west-2", "regions": ["us-east-1"] })).await;
    let state = bench.ok(T, &Dynamic::Null, &trigger()).await;
    let arn = hub.get_str("arn").unwrap();
    assert_eq!(state.get_str("hub_arn"), Some(arn));
    let state = bench.ok(T, &state, &with(json!({ "hub": arn }))).await;
    bench.ok(&HubResource, &Dynamic::Null, &json!({ "name": "security", "region": "us-east-1", "regions": ["us-east-1"] })).await;
    let (_, error) = bench.fails(T, &Dynamic::Null, &with(json!({ "name": "other" }))).await;
    assert!(error.contains("there are several hubs `security` in this account") && error.contains(arn), "{error}");
    let (_, error) = bench.fails(T, &Dynamic::Null, &with(json!({ "hub": "nope" }))).await;
    assert!(error.starts_with("error[TW4006]: there is no hub `nope` (in hub)"), "{error}");
    bench.ok(T, &state, &Value::Null).await;
}

#[tokio::test]
async fn a_refresh_asks_twice_for_each_cell_and_once_for_the_table_however_many_triggers_there_are() {
    let (bench, _) = bench(&REGIONS).await;
    let mut states = Vec::new();
    for name in ["a", "b", "c", "d"] {
        states.push(bench.ok(T, &Dynamic::Null, &with(json!({ "name": name }))).await);
    }
    bench.model.take_calls();
    let context = bench.context();
    let reads = states
        .into_iter()
        .map(|state| T.read(&context, crate::resource::ReadRequest { state, private: Vec::new(), stop: bench.stop.clone() }));
    futures::future::join_all(reads).await;
    let calls = bench.model.take_calls();
    let count = |service: &str| calls.iter().filter(|call| call.starts_with(service)).count();
    assert_eq!((count("events:"), count("dynamodb:"), count("sts:")), (2 * REGIONS.len(), 4, 1), "{calls:?}");
}

#[tokio::test]
async fn many_names_are_split_over_rules_and_surplus_rules_go() {
    let (bench, _) = bench(&["us-east-1"]).await;
    let names: Vec<String> = (0..200).map(|n| format!("AnEventNameOfSomeLength{n}")).collect();
    let many = bench.ok(T, &Dynamic::Null, &with(json!({ "event_names": names }))).await;
    assert_eq!(rules(&bench), [0, 0, many.get_list("rule_names").len(), 0]);
    assert!(many.get_list("rule_names").len() > 1);
    let few = bench.ok(T, &many, &trigger()).await;
    assert_eq!(rules(&bench), [0, 0, 1, 0]);
    bench.ok(T, &few, &Value::Null).await;
}

#[tokio::test]
async fn a_timeout_is_told_apart_from_an_interrupt() {
    let bench = Bench::new();
    let note = |session: &Session| timeout_note(session).unwrap_or_default();
    let session = bench.context().cloud.session(&bench.stop).within(Duration::from_millis(1));
    assert_eq!(note(&session), "");
    session.stop().cancelled().await;
    assert!(note(&session).contains("of `timeouts` are over"));
    let session = bench.context().cloud.session(&bench.stop).within(Duration::from_secs(60));
    bench.stop.cancel();
    assert!(note(&session).contains("Terraform was interrupted"));
}

#[tokio::test]
async fn a_region_that_refuses_the_token_is_not_taken_for_an_empty_one() {
    let (bench, _) = bench(&REGIONS).await;
    let state = bench.ok(T, &Dynamic::Null, &trigger()).await;
    bench.model.fail(|cell, call| (call.operation().starts_with("events:") && cell.region == "us-east-1").then_some(Kind::RegionDisabled));
    let (left, error) = bench.fails(T, &state, &Value::Null).await;
    assert!(error.contains("AWS_STS_REGIONAL_ENDPOINTS"), "{error}");
    assert_eq!(cells_of(&left).len(), 1);
    assert_eq!(rules(&bench), [0, 0, 1, 0]);
    let read = bench.read(T, &left).await;
    assert!(drawn(&read.diagnostics).contains("could not be read"));
    bench.model.heal();
    bench.ok(T, &left, &Value::Null).await;
    assert_eq!(rules(&bench), [0, 0, 0, 0]);
}

#[tokio::test]
async fn a_region_that_could_not_be_cleared_stays_known_until_it_is() {
    let (bench, _) = bench(&REGIONS).await;
    let state = bench.ok(T, &Dynamic::Null, &trigger()).await;
    bench.model.fail(|cell, call| (call.operation() == "events:RemoveTargets" && cell.region == "us-east-1").then_some(Kind::AccessDenied));
    let narrow = with(json!({ "exclude_regions": ["us-east-1"] }));
    bench.fails(T, &state, &narrow).await;
    bench.model.heal();
    let read = bench.read(T, &bench.import(T, "security/opened").await.unwrap()).await.state;
    assert!(read.get("drifted").get_str("111122223333/us-east-1").unwrap().ends_with("is not wanted"));
    bench.ok(T, &read, &narrow).await;
    assert_eq!(rules(&bench), [1, 1, 0, 0]);
}

#[test]
fn a_null_tag_is_refused_where_it_is_written() {
    let bench = Bench::new();
    let config = bench.config(T, &with(json!({ "tags": { "owner": null } })));
    let found = crate::schema::validate::check(&config, &T.schema().block);
    assert!(drawn(&found).contains("has null under `owner`: leave the key out"), "{}", drawn(&found));
}

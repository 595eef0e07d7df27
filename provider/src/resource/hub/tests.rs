mod accounts;
mod alarms;
mod canary;
mod killed;
mod lambda;
mod lost;
mod organization;
mod queries;
mod retag;
mod retarget;
mod trails;
mod unknown;

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Notify;
use trailwire_engine::fanout::names::{Hub, Owner};

use super::HubResource;
use crate::apply::cells::cells_of;
use crate::cloud::call::Tagged;
use crate::cloud::error::Kind;
use crate::resource::testing::{Bench, drawn};
use crate::resource::trigger::TriggerResource;
use crate::resource::{Resource, ValidateRequest};
use crate::value::Dynamic;

const H: &HubResource = &HubResource;

fn config() -> Value {
    json!({ "name": "security", "regions": ["eu-west-1", "us-east-1"], "tags": { "team": "security" } })
}

fn trigger() -> Value {
    json!({ "hub": "security", "name": "a", "any_event": true, "action": [{ "send": [{ "destination": "d" }] }] })
}

#[tokio::test]
async fn a_hub_lives_and_dies_and_leaves_nothing() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &config()).await;
    assert_eq!(state.get_str("arn"), Some("arn:aws:events:eu-west-1:111122223333:event-bus/trailwire-security"));
    assert_eq!(cells_of(&state).len(), 2);
    bench.model.with(|world| {
        assert_eq!(world.queues.len(), 4, "a queue, its dead letters, and the dead letters of two cells");
        assert!(world.buses.values().all(|bus| bus.policy.is_some()));
        assert!(world.tags.values().all(|tags| tags.get("team").is_some_and(|team| team == "security")));
        let rule = world.rules.values().find(|rule| rule.rule.name.ends_with("-hub")).unwrap();
        assert_eq!(rule.rule.state.as_str(), "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS");
        assert_eq!(rule.targets.len(), 1);
    });
    let state = bench.ok(H, &state, &json!({ "name": "security", "regions": ["us-west-2"], "tags": { "team": "other" } })).await;
    bench.model.with(|world| {
        assert_eq!(world.queues.len(), 3);
        let is_of_a_cell = |of: &Tagged| ["forward-dlq", "-canary"].iter().any(|end| format!("{of:?}").contains(end));
        let live = world.tags.iter().filter(|((region, of), _)| region == "us-west-2" || !is_of_a_cell(of));
        assert!(live.map(|(_, tags)| tags).all(|tags| tags.get("team").is_some_and(|team| team == "other")), "{:?}", world.tags);
    });
    bench.ok(H, &state, &Value::Null).await;
    assert!(bench.model.with(|world| world.is_empty()));
}

#[tokio::test]
async fn without_regions_every_enabled_one_is_meant_and_a_new_one_is_drift() {
    let bench = Bench::new();
    bench.model.with(|world| world.disabled.insert("us-west-2".to_owned()));
    let all = json!({ "name": "security", "exclude_regions": ["us-east-1"] });
    let state = bench.ok(H, &Dynamic::Null, &all).await;
    assert_eq!(cells_of(&state).len(), 2);
    bench.model.with(|world| world.disabled.clear());
    let read = bench.read(H, &state).await.state;
    assert_eq!(read.get("drifted").get_str("111122223333/us-west-2"), Some("the region is enabled and not watched yet"));
    let state = bench.ok(H, &read, &all).await;
    assert_eq!(cells_of(&state).len(), 3);
    bench.model.with(|world| world.disabled.insert("us-west-2".to_owned()));
    let read = bench.read(H, &state).await.state;
    assert!(!read.get("drifted").get("111122223333/us-west-2").is_null());
    let state = bench.ok(H, &read, &all).await;
    assert_eq!(cells_of(&state).len(), 2);
}

#[tokio::test]
async fn a_named_region_that_is_not_enabled_is_an_error_that_names_it() {
    let bench = Bench::new();
    bench.model.with(|world| world.disabled.insert("us-east-1".to_owned()));
    let plan = bench.plan(H, &Dynamic::Null, &bench.config(H, &config())).await;
    assert!(drawn(&plan.diagnostics).starts_with("error[TW4003]: region `us-east-1` is not enabled in account 111122223333 (in regions)"));
}

#[tokio::test]
async fn every_kind_of_drift_is_found_and_repaired() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &config()).await;
    bench.model.with(|world| {
        world.buses.values_mut().for_each(|bus| bus.policy = None);
        world.rules.values_mut().for_each(|rule| rule.targets.clear());
        world.role_policies.clear();
        world.roles.values_mut().for_each(|role| role.trust = Some("{}".to_owned()));
        world.queues.retain(|(region, name), _| region != "us-east-1" && !name.ends_with("security-dlq"));
        let queue = world.queues.iter_mut().find(|((_, name), _)| name == "trailwire-security").unwrap().1;
        queue.insert("VisibilityTimeout".to_owned(), "1".to_owned());
    });
    let read = bench.read(H, &state).await.state;
    let drifted = read.get_string_map("drifted");
    let home = &drifted["111122223333/eu-west-1"];
    for expected in
        ["another policy", "does not send to", "trusts somebody else", "security-dlq is missing", "differs in VisibilityTimeout"]
    {
        assert!(home.contains(expected), "{expected}: {home}");
    }
    assert!(drifted["111122223333/us-east-1"].contains("forward-dlq is missing"));
    bench.ok(H, &read, &config()).await;
}

#[tokio::test]
async fn create_is_all_or_nothing() {
    for operation in ["events:PutPermission", "sqs:CreateQueue", "iam:PutRolePolicy", "events:PutTargets"] {
        let bench = Bench::new();
        bench.model.fail(move |_, call| (call.operation() == operation).then_some(Kind::AccessDenied));
        let (state, error) = bench.fails(H, &Dynamic::Null, &config()).await;
        assert!(state.is_null(), "{operation}");
        assert!(error.contains("hub `security` was not created, and what was made is removed again") && error.contains("r-1"), "{error}");
        assert!(bench.model.with(|world| world.is_empty()), "{operation}: {:?}", bench.model.with(|world| format!("{world:?}")));
    }
}

#[tokio::test]
async fn a_hub_whose_making_was_interrupted_is_in_the_state_and_can_be_destroyed() {
    let mut bench = Bench::new();
    let stop = bench.stop.clone();
    bench.model.fail(move |_, call| {
        if call.operation() == "events:CreateEventBus" {
            stop.cancel();
        }
        None
    });
    let (state, _) = bench.fails(H, &Dynamic::Null, &config()).await;
    assert_eq!(state.get_str("id"), Some("security"));
    bench.model.heal();
    bench.stop = Default::default();
    let (_, error) = bench.fails(H, &Dynamic::Null, &config()).await;
    assert!(error.contains("terraform import trailwire_hub.NAME security"), "{error}");
    bench.ok(H, &state, &Value::Null).await;
    assert!(bench.model.with(|world| world.is_empty()));
}

#[tokio::test]
async fn a_killed_create_is_finished_by_the_next_one() {
    let bench = Bench::new();
    let config = config();
    let reached = Arc::new(Notify::new());
    let notify = Arc::clone(&reached);
    bench.model.fail(move |_, call| {
        if call.operation() == "sqs:CreateQueue" {
            notify.notify_one();
        }
        None
    });
    tokio::select! {
        biased;
        // Dropped in the middle, as a killed process is.
        () = reached.notified() => {}
        _ = bench.apply(H, &Dynamic::Null, &config) => panic!("nobody was killed"),
    }
    bench.model.heal();
    assert!(bench.model.with(|world| !world.is_empty() && world.rules.is_empty()));
    let state = bench.ok(H, &Dynamic::Null, &config).await;
    bench.ok(H, &state, &Value::Null).await;
    assert!(bench.model.with(|world| world.is_empty()));
}

#[tokio::test]
async fn a_hub_is_not_destroyed_while_something_is_declared_in_it_unless_forced() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &config()).await;
    bench.ok(&TriggerResource, &Dynamic::Null, &trigger()).await;
    let (state, error) = bench.fails(H, &state, &Value::Null).await;
    assert!(error.starts_with("error[TW4007]: hub `security` still holds trigger `a`\n"), "{error}");
    let mut forced = config();
    forced["force_destroy"] = json!(true);
    let state = bench.ok(H, &state, &forced).await;
    let removed = bench.apply(H, &state, &Value::Null).await;
    let told = drawn(&removed.diagnostics);
    assert!(told.starts_with("warning[TW4007]: hub `security` is removed with trigger `a`, which were still declared in it\n"), "{told}");
    assert!(bench.model.with(|world| world.is_empty()));
}

#[tokio::test]
async fn an_import_needs_no_change() {
    let bench = Bench::new();
    bench.ok(H, &Dynamic::Null, &config()).await;
    let imported = bench.import(H, "security").await.unwrap();
    bench.settled(H, &imported, &config()).await;
    let by_arn = bench.import(H, imported.get_str("arn").unwrap()).await.unwrap();
    assert_eq!(by_arn, imported);
    assert!(bench.import(H, "nope").await.unwrap_err().starts_with("error[TW4006]: there is no hub `nope`\n"));
    assert!(bench.import(H, "x/y").await.unwrap_err().starts_with("error[TW5003]: `x/y` does not name a hub"));
}

#[tokio::test]
async fn a_second_state_with_the_same_name_is_refused_with_the_import_command() {
    let bench = Bench::new();
    bench.ok(H, &Dynamic::Null, &config()).await;
    let (state, error) = bench.fails(H, &Dynamic::Null, &config()).await;
    assert!(state.is_null());
    assert!(error.contains("hub `security` exists already") && error.contains("terraform import trailwire_hub.NAME security"), "{error}");
    bench.model.with(|world| assert_eq!(world.buses.len(), 1));
}

#[tokio::test]
async fn dead_letters_of_the_cells_come_and_go() {
    let bench = Bench::new();
    let mut without = config();
    without["forward_dead_letter"] = json!(false);
    let with = bench.ok(H, &Dynamic::Null, &config()).await;
    bench.ok(&TriggerResource, &Dynamic::Null, &trigger()).await;
    let hub = Hub::from_arn(with.get_str("arn").unwrap()).unwrap();
    let kept = |bench: &Bench| {
        bench.model.with(|world| {
            let targets = world.rules.values().filter(|rule| rule.rule.name == hub.rule_name(Owner::trigger("a"), 0));
            (world.queues.len(), targets.filter(|rule| rule.targets[0].dead_letter_arn.is_some()).count())
        })
    };
    assert_eq!(kept(&bench), (4, 2));
    let off = bench.ok(H, &with, &without).await;
    assert_eq!(kept(&bench), (2, 0));
    bench.ok(H, &off, &config()).await;
    assert_eq!(kept(&bench), (4, 2));
}

#[tokio::test]
async fn another_account_is_an_error_and_never_gone() {
    let bench = Bench::new();
    let mut state = bench.ok(H, &Dynamic::Null, &config()).await;
    state.set("arn", Dynamic::String("arn:aws:events:eu-west-1:999999999999:event-bus/trailwire-security".to_owned()));
    let read = bench.read(H, &state).await;
    assert_eq!(read.state, state);
    assert!(
        drawn(&read.diagnostics)
            .starts_with("error[TW4009]: hub `security` belongs to account 999999999999, and the credentials to account 111122223333")
    );
}

#[test]
fn a_configuration_is_checked() {
    let bench = Bench::new();
    let check = |config: Value| drawn(&H.validate(&ValidateRequest { config: bench.config(H, &config) }));
    assert_eq!(check(config()), "");
    for (config, expected) in [
        (json!({ "name": "Bad" }), "error[TW1100]"),
        (json!({ "name": "a-dlq" }), "error[TW1100]"),
        (
            json!({ "name": "a", "regions": ["us-east-1"], "exclude_regions": ["us-east-1"] }),
            "error[TW1104]: every region in `regions` is excluded",
        ),
        (
            json!({ "name": "a", "region": "us-east-1", "regions": ["cn-north-1"] }),
            "error[TW1107]: region `cn-north-1` is in another partition",
        ),
        (json!({ "name": "a", "region": "cn-north-1", "regions": ["cn-northwest-1"] }), "error[TW1107]: in China"),
    ] {
        let found = check(config);
        assert!(found.starts_with(expected), "{found}");
    }
}

#[tokio::test]
async fn a_hub_that_its_regions_cannot_send_to_is_refused_while_planning() {
    let bench = Bench::new();
    for (config, expected) in [
        (
            json!({ "name": "a", "region": "cn-north-1" }),
            "error[TW1107]: region `eu-central-1` is in another partition than the hub's region",
        ),
        (
            json!({ "name": "a", "regions": ["cn-north-1"] }),
            "error[TW1107]: region `cn-north-1` is in another partition than the hub's region",
        ),
    ] {
        let plan = bench.plan(H, &Dynamic::Null, &bench.config(H, &config)).await;
        assert!(drawn(&plan.diagnostics).starts_with(expected), "{}", drawn(&plan.diagnostics));
        assert_eq!(plan.diagnostics.len(), 1, "{:?}", plan.diagnostics);
    }
    let told = super::check_partition("cn-north-1", &["cn-north-1".to_owned(), "cn-northwest-1".to_owned()]);
    assert!(drawn(&told).ends_with("make a hub in each region, this one with `regions = [\"cn-north-1\"]`"), "{}", drawn(&told));
}

#[tokio::test]
async fn a_region_that_could_not_be_cleared_stays_known_until_it_is() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &config()).await;
    bench.ok(&TriggerResource, &Dynamic::Null, &trigger()).await;
    bench.model.fail(|cell, call| (call.operation() == "events:RemoveTargets" && cell.region == "us-east-1").then_some(Kind::AccessDenied));
    let narrow = json!({ "name": "security", "regions": ["eu-west-1"], "tags": { "team": "security" } });
    let (_, error) = bench.fails(H, &state, &narrow).await;
    assert!(error.contains("hub `security` is not updated everywhere: 1 of 2 cells failed"), "{error}");
    bench.model.heal();
    // Even a state that knows nothing of it, as after a killed apply, sees what is left.
    let imported = bench.import(H, "security").await.unwrap();
    let read = bench.read(H, &imported).await.state;
    assert!(read.get("drifted").get_str("111122223333/us-east-1").unwrap().contains("not wanted here any more"), "{read:?}");
    assert_eq!(cells_of(&read).len(), 2);
    let state = bench.ok(H, &read, &narrow).await;
    assert_eq!(cells_of(&state).len(), 1);
    assert_eq!(bench.model.with(|world| world.rule_names("us-east-1")), Vec::<String>::new());
}

#[tokio::test]
async fn a_table_that_was_made_before_an_interrupt_is_in_the_state() {
    let mut bench = Bench::new();
    let stop = bench.stop.clone();
    bench.model.fail(move |_, call| {
        if call.operation() == "dynamodb:CreateTable" {
            stop.cancel();
        }
        None
    });
    let (state, error) = bench.fails(H, &Dynamic::Null, &config()).await;
    assert!(error.contains("Terraform was interrupted"), "{error}");
    assert_eq!(state.get_str("id"), Some("security"));
    bench.model.heal();
    bench.stop = Default::default();
    bench.ok(H, &state, &Value::Null).await;
    assert!(bench.model.with(|world| world.is_empty()));
}

#[tokio::test]
async fn what_a_killed_create_left_in_the_hub_does_not_keep_it() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &config()).await;
    let reached = Arc::new(Notify::new());
    let notify = Arc::clone(&reached);
    bench.model.fail(move |_, call| {
        if call.operation() == "events:PutTargets" {
            notify.notify_one();
        }
        None
    });
    let trigger = trigger();
    tokio::select! {
        biased;
        () = reached.notified() => {}
        _ = bench.apply(&TriggerResource, &Dynamic::Null, &trigger) => panic!("nobody was killed"),
    }
    bench.model.heal();
    assert!(!bench.model.with(|world| world.rule_names("us-east-1").is_empty()));
    bench.ok(H, &state, &Value::Null).await;
    assert!(bench.model.with(|world| world.is_empty()));
}

#[tokio::test]
async fn a_hub_that_is_replaced_takes_what_is_declared_in_it_along() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &config()).await;
    let mut moved = config();
    moved["region"] = json!("us-east-1");
    let plan = bench.plan(H, &state, &bench.config(H, &moved)).await;
    assert_eq!(plan.requires_replace.len(), 1);
    assert!(plan.planned.get("id").is_unknown() && plan.planned.get("arn").is_unknown());
}

#[tokio::test]
async fn a_hub_that_holds_work_is_not_destroyed_unless_forced() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &config()).await;
    bench.model.with(|world| {
        let queue = world.queues.iter_mut().find(|((region, name), _)| region == "us-east-1" && name.ends_with("forward-dlq")).unwrap().1;
        queue.insert("ApproximateNumberOfMessages".to_owned(), "3".to_owned());
    });
    let (state, error) = bench.fails(H, &state, &Value::Null).await;
    assert!(error.contains("events that nobody has handled") && error.contains("in 111122223333/us-east-1 holds 3"), "{error}");
    let narrow = json!({ "name": "security", "regions": ["eu-west-1"], "tags": { "team": "security" } });
    let (narrowed, error) = bench.fails(H, &state, &narrow).await;
    assert!(error.contains("holds 3 events that could not be forwarded"), "{error}");
    let mut forced = narrow;
    forced["force_destroy"] = json!(true);
    let state = bench.ok(H, &narrowed, &forced).await;
    bench.ok(H, &state, &Value::Null).await;
    assert!(bench.model.with(|world| world.is_empty()));
}

#[tokio::test]
async fn rules_that_nobody_declares_are_drift_and_go() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &config()).await;
    bench.ok(&TriggerResource, &Dynamic::Null, &trigger()).await;
    bench.model.with(|world| world.tables.values_mut().for_each(|items| items.retain(|(kind, _), _| kind != "trigger")));
    let read = bench.read(H, &state).await.state;
    assert!(read.get("drifted").get_str("111122223333/us-east-1").unwrap().contains("rules of trigger a, which nobody declares"));
    bench.ok(H, &read, &config()).await;
    assert_eq!(bench.model.with(|world| world.rule_names("us-east-1")), Vec::<String>::new());
}

#[tokio::test]
async fn a_definition_that_cannot_be_read_is_told() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &config()).await;
    bench.ok(&TriggerResource, &Dynamic::Null, &trigger()).await;
    bench.model.with(|world| {
        for items in world.tables.values_mut() {
            for (_, item) in items.iter_mut().filter(|((kind, _), _)| kind == "trigger") {
                item.insert("document".to_owned(), r#"{"later":1}"#.into());
            }
        }
    });
    let wide = json!({ "name": "security", "regions": ["eu-west-1", "us-east-1", "us-west-2"] });
    let response = bench.apply(H, &state, &wide).await;
    assert!(drawn(&response.diagnostics).starts_with("warning[TW6001]: the definition of trigger `a` cannot be read"));
    assert_eq!(bench.model.with(|world| world.rule_names("us-east-1").len()), 1);
}

#[tokio::test]
async fn timeouts_alone_change_nothing_in_aws() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &config()).await;
    let mut patient = config();
    patient["timeouts"] = json!([{ "create": "1h" }]);
    let plan = bench.plan(H, &state, &bench.config(H, &patient)).await;
    assert_eq!(plan.planned.get("cells"), state.get("cells"));
    bench.model.take_calls();
    let response = bench.apply(H, &state, &patient).await;
    assert_eq!(response.state.get("drifted"), state.get("drifted"));
    let calls = bench.model.take_calls();
    assert!(calls.iter().all(|call| call.starts_with("sts:") || call.starts_with("account:")), "{calls:?}");
}

#[tokio::test]
async fn answers_that_are_lost_after_the_work_was_done_do_no_harm() {
    let bench = Bench::new();
    bench.model.lose_answers(true);
    let state = bench.ok(H, &Dynamic::Null, &config()).await;
    let made = bench.ok(&TriggerResource, &Dynamic::Null, &trigger()).await;
    bench.ok(&TriggerResource, &made, &Value::Null).await;
    bench.ok(H, &state, &Value::Null).await;
    assert!(bench.model.with(|world| world.is_empty()));
}

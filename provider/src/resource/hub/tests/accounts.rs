//! Hubs over several accounts.

use serde_json::{Value, json};

use super::{H, trigger};
use crate::apply::cells::cells_of;
use crate::cloud::error::Kind;
use crate::cloud::model::ACCOUNT;
use crate::resource::testing::{Bench, drawn};
use crate::resource::trigger::TriggerResource;
use crate::resource::{Resource, ValidateRequest};
use crate::value::Dynamic;

const T: &TriggerResource = &TriggerResource;
pub(super) const B: &str = "444455556666";
pub(super) const C: &str = "777788889999";

fn hub(members: &[&str]) -> Value {
    json!({ "name": "security", "regions": ["eu-west-1", "us-east-1"], "member_accounts": members })
}

fn alone() -> Value {
    json!({ "name": "security", "regions": ["eu-west-1", "us-east-1"] })
}

/// A hub over the home account and two members, with one trigger.
async fn three(bench: &Bench) -> (Dynamic, Dynamic) {
    let state = bench.ok(H, &Dynamic::Null, &hub(&[B, C])).await;
    let trigger = bench.ok(T, &Dynamic::Null, &trigger()).await;
    (state, trigger)
}

/// How many things are in an account: rules, a canary for each cell among them, roles, queues.
pub(super) fn held(bench: &Bench, account: &str) -> [usize; 3] {
    let here = |key: &str| key.starts_with(account);
    bench.model.with(|world| {
        [
            world.rules.keys().filter(|(place, _)| here(place)).count(),
            world.roles.keys().filter(|role| here(role)).count(),
            world.queues.keys().filter(|(place, _)| here(place)).count(),
        ]
    })
}

#[tokio::test]
async fn members_come_and_go_with_all_that_is_theirs() {
    let bench = Bench::new();
    let state = bench.ok(H, &Dynamic::Null, &hub(&[B])).await;
    let made = bench.ok(T, &Dynamic::Null, &trigger()).await;
    assert_eq!((cells_of(&state).len(), cells_of(&made).len()), (4, 4));
    assert_eq!((held(&bench, B), held(&bench, C)), ([4, 1, 2], [0, 0, 0]));
    bench.model.with(|world| {
        let trusted = world.buses.values().next().unwrap().policy.clone().unwrap();
        assert!(trusted.contains(&format!("arn:aws:iam::{B}:root")) && trusted.contains(ACCOUNT), "{trusted}");
        let rule = world.rules.iter().find(|((place, _), _)| place.starts_with(B)).unwrap().1;
        assert_eq!(rule.targets[0].role_arn.as_deref().and_then(|arn| arn.split(':').nth(4)), Some(B));
    });
    let state = bench.ok(H, &state, &hub(&[C])).await;
    assert_eq!((held(&bench, B), held(&bench, C)), ([0, 0, 0], [4, 1, 2]));
    let made = bench.settled(T, &made, &trigger()).await;
    assert!(cells_of(&made).iter().all(|cell| cell.account != B));
    let state = bench.ok(H, &state, &alone()).await;
    assert_eq!(held(&bench, C), [0, 0, 0]);
    bench.ok(T, &made, &Value::Null).await;
    bench.ok(H, &state, &Value::Null).await;
    assert!(bench.model.with(|world| world.is_empty()));
}

#[tokio::test]
async fn an_import_knows_the_members() {
    let bench = Bench::new();
    bench.ok(H, &Dynamic::Null, &hub(&[B, C])).await;
    let imported = bench.import(H, "security").await.unwrap();
    let read = bench.settled(H, &imported, &hub(&[B, C])).await;
    assert_eq!(read.get_strings("member_accounts"), [B, C]);
}

#[tokio::test]
async fn regions_are_those_of_each_account() {
    let bench = Bench::new();
    let every = json!({ "name": "security", "member_accounts": [B] });
    bench.model.with(|world| world.disabled.extend(["us-west-2".to_owned(), format!("{B}/us-east-1")]));
    let state = bench.ok(H, &Dynamic::Null, &every).await;
    assert_eq!(state.get("cells").get(ACCOUNT).as_strings(), ["eu-central-1", "eu-west-1", "us-east-1"]);
    assert_eq!(state.get("cells").get(B).as_strings(), ["eu-central-1", "eu-west-1", "us-west-2"]);
    bench.ok(T, &Dynamic::Null, &trigger()).await;
    bench.model.with(|world| world.disabled.clear());
    let read = bench.read(H, &state).await.state;
    let drifted = read.get_string_map("drifted");
    assert_eq!(drifted.keys().collect::<Vec<_>>(), [&format!("{ACCOUNT}/us-west-2"), &format!("{B}/us-east-1")]);
    let state = bench.ok(H, &read, &every).await;
    assert_eq!(cells_of(&state).len(), 8);
    assert_eq!(held(&bench, B), [8, 1, 4]);
    let named = json!({ "name": "security", "regions": ["eu-west-1", "us-east-1"], "member_accounts": [B] });
    bench.model.with(|world| world.disabled.insert(format!("{B}/us-east-1")));
    let plan = bench.plan(H, &state, &bench.config(H, &named)).await;
    let expected = format!("error[TW4003]: region `us-east-1` is not enabled in account {B} (in regions)");
    assert!(drawn(&plan.diagnostics).starts_with(&expected), "{}", drawn(&plan.diagnostics));
}

#[tokio::test]
async fn an_account_that_cannot_be_reached_keeps_its_state_and_plans_stand() {
    let bench = Bench::new();
    let (state, made) = three(&bench).await;
    bench.model.with(|world| world.unreachable.insert(B.to_owned()));
    for (resource, state, config) in [(H as &dyn Resource, &state, hub(&[B, C])), (T, &made, trigger())] {
        let read = bench.read(resource, state).await;
        assert_eq!(read.state, *state);
        let warned = drawn(&read.diagnostics);
        let expected = format!("warning[TW4010]: account {B} cannot be reached, and what the state says of it is kept\n");
        assert!(warned.starts_with(&expected) && warned.contains(&format!("abandon_accounts = [\"{B}\"]")), "{warned}");
        let plan = bench.plan(resource, &read.state, &bench.config(resource, &config)).await;
        assert_eq!(plan.planned, read.state);
    }
    // What another account lost is told all the same.
    bench.model.with(|world| world.rules.retain(|(place, _), _| !place.starts_with(C)));
    let read = bench.read(T, &made).await.state;
    assert_eq!(read.get_string_map("drifted").keys().collect::<Vec<_>>(), [&format!("{C}/eu-west-1"), &format!("{C}/us-east-1")]);
}

#[tokio::test]
async fn an_account_that_cannot_be_reached_fails_an_apply_by_name() {
    let bench = Bench::new();
    bench.model.with(|world| world.unreachable.insert(B.to_owned()));
    for regions in [json!(["eu-west-1"]), Value::Null] {
        let mut wanted = hub(&[B, C]);
        wanted["regions"] = regions;
        let (state, error) = bench.fails(H, &Dynamic::Null, &wanted).await;
        assert!(state.is_null() && error.contains(B) && error.contains("abandon_accounts") && error.contains("sts:AssumeRole"), "{error}");
        assert!(bench.model.with(|world| world.is_empty()), "{error}");
    }
    bench.model.with(|world| world.unreachable.clear());
    let (state, _) = three(&bench).await;
    bench.model.with(|world| world.unreachable.insert(B.to_owned()));
    let mut wider = hub(&[B, C]);
    wider["regions"] = json!(["eu-west-1", "us-east-1", "us-west-2"]);
    let (after, error) = bench.fails(H, &state, &wider).await;
    assert!(error.contains(&format!("{B}/eu-west-1: `sts:AssumeRole`")) && error.contains("abandon_accounts"), "{error}");
    assert_eq!(held(&bench, C), [6, 1, 3], "the others are updated");
    bench.model.with(|world| world.unreachable.clear());
    bench.ok(H, &after, &wider).await;
    assert_eq!(held(&bench, B), [6, 1, 3]);
}

#[tokio::test]
async fn an_abandoned_account_is_forgotten_without_a_call() {
    let bench = Bench::new();
    let (state, made) = three(&bench).await;
    bench.model.with(|world| world.unreachable.insert(B.to_owned()));
    // Taken out of the members, it is to be cleared, and cannot.
    let (state, error) = bench.fails(H, &state, &hub(&[C])).await;
    assert!(error.contains("not updated everywhere") && error.contains(&format!("abandon_accounts = [\"{B}\"]")), "{error}");
    let mut given_up = hub(&[C]);
    given_up["abandon_accounts"] = json!([B]);
    let read = bench.read(H, &state).await.state;
    bench.model.take_calls();
    let applied = bench.apply(H, &read, &given_up).await;
    assert_eq!(drawn(&applied.diagnostics), "");
    let state = bench.settled(H, &applied.state, &given_up).await;
    assert!(cells_of(&state).iter().all(|cell| cell.account != B));
    let made = bench.settled(T, &made, &trigger()).await;
    bench.ok(T, &made, &Value::Null).await;
    bench.ok(H, &state, &Value::Null).await;
    let calls = bench.model.take_calls();
    assert!(calls.iter().all(|call| !call.contains(B)), "{calls:?}");
    assert_eq!((held(&bench, C), held(&bench, B)), ([0, 0, 0], [4, 1, 2]));
}

#[tokio::test]
async fn create_over_accounts_is_all_or_nothing() {
    for operation in ["iam:CreateRole", "iam:PutRolePolicy", "sqs:CreateQueue"] {
        let bench = Bench::new();
        bench.model.fail(move |cell, call| (cell.account == C && call.operation() == operation).then_some(Kind::AccessDenied));
        let (state, error) = bench.fails(H, &Dynamic::Null, &hub(&[B, C])).await;
        assert!(state.is_null() && error.contains(C) && error.contains("what was made is removed again"), "{operation}: {error}");
        assert!(bench.model.with(|world| world.is_empty()), "{operation}");
    }
}

#[tokio::test]
async fn a_lost_role_of_a_member_is_drift_and_a_left_one_too() {
    let bench = Bench::new();
    let (state, _) = three(&bench).await;
    bench.model.with(|world| {
        world.roles.retain(|role, _| !role.starts_with(B));
        world.role_policies.retain(|(role, _), _| !role.starts_with(B));
    });
    let read = bench.read(H, &state).await.state;
    assert!(read.get("drifted").get_str(&format!("{B}/eu-west-1")).unwrap().ends_with("-forward is missing"), "{read:?}");
    let state = bench.ok(H, &read, &hub(&[B, C])).await;
    assert_eq!(held(&bench, B), [4, 1, 2]);
    bench.model.fail(|_, call| (call.operation() == "iam:DeleteRole").then_some(Kind::AccessDenied));
    let (state, error) = bench.fails(H, &state, &hub(&[C])).await;
    assert!(error.contains("iam:DeleteRole"), "{error}");
    bench.model.heal();
    let read = bench.read(H, &state).await.state;
    assert!(read.get("drifted").get_str(&format!("{B}/eu-west-1")).unwrap().contains("is not wanted here any more"), "{read:?}");
    bench.ok(H, &read, &hub(&[C])).await;
    assert_eq!(held(&bench, B), [0, 0, 0]);
}

#[tokio::test]
async fn two_hubs_over_the_same_members_leave_each_other_alone() {
    let bench = Bench::new();
    let mut other = hub(&[B]);
    other["name"] = json!("other");
    let one = bench.ok(H, &Dynamic::Null, &hub(&[B])).await;
    let two = bench.ok(H, &Dynamic::Null, &other).await;
    assert_eq!(held(&bench, B), [4, 2, 4]);
    bench.ok(H, &one, &Value::Null).await;
    assert_eq!(held(&bench, B), [2, 1, 2]);
    bench.settled(H, &two, &other).await;
}

#[tokio::test]
async fn accounts_are_checked_while_planning() {
    let bench = Bench::new();
    let validate = |config: &Value| drawn(&H.validate(&ValidateRequest { config: bench.config(H, config) }));
    let mut both = hub(&[B]);
    both["abandon_accounts"] = json!([B]);
    let many: Vec<String> = (0..250).map(|number| format!("{number:012}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (config, expected) in [
        (both, format!("error[TW1104]: account {B} is in `member_accounts` and in `abandon_accounts` (in abandon_accounts)")),
        (hub(&many), "error[TW1108]: a bus policy names at most 250 accounts, the hub's own included, and these are more".to_owned()),
    ] {
        assert!(validate(&config).starts_with(&expected), "{}", validate(&config));
    }
    assert_eq!(validate(&hub(&many[..249])), "");
    let plan = bench.plan(H, &Dynamic::Null, &bench.config(H, &hub(&[ACCOUNT]))).await;
    let expected = format!("error[TW1104]: account {ACCOUNT} is the hub's own, which it always covers (in member_accounts)");
    assert!(drawn(&plan.diagnostics).starts_with(&expected), "{}", drawn(&plan.diagnostics));
}

#[tokio::test]
async fn no_call_goes_to_an_account_that_is_not_allowed() {
    let mut bench = Bench::new();
    bench.provider = json!({ "allowed_account_ids": [ACCOUNT, C] });
    let mut wanted = hub(&[B, C]);
    for regions in [json!(["eu-west-1"]), Value::Null] {
        wanted["regions"] = regions;
        let told = match wanted["regions"].is_null() {
            false => drawn(&bench.plan(H, &Dynamic::Null, &bench.config(H, &wanted)).await.diagnostics),
            true => bench.fails(H, &Dynamic::Null, &wanted).await.1,
        };
        assert!(told.contains(&format!("the provider block does not allow account {B}")), "{told}");
    }
    let calls = bench.model.take_calls();
    assert!(calls.iter().all(|call| !call.contains(B)), "{calls:?}");
    assert!(bench.model.with(|world| world.is_empty()));
}

#[tokio::test]
async fn a_state_in_which_accounts_share_an_entry_is_understood() {
    let bench = Bench::new();
    let (_, made) = three(&bench).await;
    let mut shared = made.clone();
    let regions = Dynamic::strings(["eu-west-1", "us-east-1"]);
    shared.set("cells", Dynamic::object([(format!("{ACCOUNT}, {B}, {C}"), regions)]));
    assert_eq!(bench.settled(T, &shared, &trigger()).await, made);
    // With nothing but that state.
    bench.model.with(|world| world.tables.clear());
    bench.ok(T, &shared, &Value::Null).await;
    let left: Vec<String> = bench.model.with(|world| world.rules.keys().map(|(_, name)| name.clone()).collect());
    assert_eq!(left.len(), 1 + 6, "the hub's own, and its canaries, are left: {left:?}");
}

/// Nothing was made in an account whose role could not be taken: it must not keep the hub from being removed.
#[tokio::test]
async fn a_hub_that_never_reached_an_account_is_destroyed_without_it() {
    let bench = Bench::new();
    bench.model.fail(|cell, call| match call.operation() {
        _ if cell.account == B => Some(Kind::AccountRefused),
        "iam:DeleteRole" if cell.account == C => Some(Kind::AccessDenied),
        _ => None,
    });
    let (state, error) = bench.fails(H, &Dynamic::Null, &hub(&[B, C])).await;
    assert!(error.contains("was not wholly created") && cells_of(&state).iter().all(|cell| cell.account != B), "{error}");
    bench.model.fail(|cell, _| (cell.account == B).then_some(Kind::AccountRefused));
    let read = bench.read(H, &state).await.state;
    bench.ok(H, &read, &Value::Null).await;
    assert!(bench.model.with(|world| world.is_empty()));
}

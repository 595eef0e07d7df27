//! Hubs over an organisation.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::accounts::{B, C, held};
use super::{H, trigger};
use crate::apply::cells::cells_of;
use crate::cloud::model::{ACCOUNT, ModelOrganization, ORGANIZATION};
use crate::resource::testing::{Bench, drawn};
use crate::resource::trigger::TriggerResource;
use crate::resource::{Resource, ValidateRequest};
use crate::value::Dynamic;

const T: &TriggerResource = &TriggerResource;
const ROOT: &str = "r-ab12";
const UNIT: &str = "ou-ab12-11111111";
const BELOW: &str = "ou-ab12-22222222";

fn hub(organization: Value) -> Value {
    let mut block = json!({ "id": ORGANIZATION });
    block.as_object_mut().unwrap().extend(organization.as_object().unwrap().clone());
    json!({ "name": "security", "regions": ["eu-west-1"], "organization": [block] })
}

/// Ours manages; B is in a unit below a unit, C in the root.
fn organised() -> Bench {
    let bench = Bench::new();
    let of = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(child, parent)| ((*child).to_owned(), (*parent).to_owned())).collect::<BTreeMap<_, _>>()
    };
    let organization = ModelOrganization {
        management: ACCOUNT.to_owned(),
        accounts: of(&[(ACCOUNT, ROOT), (B, BELOW), (C, ROOT)]),
        units: of(&[(UNIT, ROOT), (BELOW, UNIT)]),
    };
    bench.model.with(|world| world.organization = Some(organization));
    bench
}

fn accounts(state: &Dynamic) -> Vec<String> {
    let mut accounts: Vec<String> = cells_of(state).into_iter().map(|cell| cell.account).collect();
    accounts.dedup();
    accounts
}

#[tokio::test]
async fn an_organisation_is_covered_by_unit_and_with_exclusions() {
    for (organization, covered) in [
        (json!({}), vec![ACCOUNT, B, C]),
        (json!({ "organizational_unit_ids": [UNIT] }), vec![ACCOUNT, B]),
        (json!({ "organizational_unit_ids": [ROOT], "exclude_account_ids": [C] }), vec![ACCOUNT, B]),
    ] {
        let bench = organised();
        let state = bench.ok(H, &Dynamic::Null, &hub(organization.clone())).await;
        assert_eq!(accounts(&state), covered, "{organization}");
        let imported = bench.import(H, "security").await.unwrap();
        bench.settled(H, &imported, &hub(organization)).await;
        bench.ok(H, &state, &Value::Null).await;
        assert!(bench.model.with(|world| world.is_empty()));
    }
}

#[tokio::test]
async fn accounts_that_join_and_leave_are_drift_that_the_hub_repairs() {
    let bench = organised();
    bench.model.with(|world| world.organization.as_mut().unwrap().accounts.remove(C));
    let state = bench.ok(H, &Dynamic::Null, &hub(json!({}))).await;
    bench.ok(T, &Dynamic::Null, &trigger()).await;
    bench.model.with(|world| {
        let policy = world.buses.values().next().unwrap().policy.clone().unwrap();
        assert!(policy.contains(&format!(r#"{{"StringEquals":{{"aws:PrincipalOrgID":"{ORGANIZATION}"}}}}"#)), "{policy}");
        let accounts = &mut world.organization.as_mut().unwrap().accounts;
        accounts.remove(B);
        accounts.insert(C.to_owned(), ROOT.to_owned());
    });
    let read = bench.read(H, &state).await.state;
    let drifted = read.get_string_map("drifted");
    let told: Vec<(&str, &str)> = drifted.iter().map(|(cell, reason)| (cell.as_str(), reason.as_str())).collect();
    let [left, joined] = [B, C].map(|account| format!("{account}/eu-west-1"));
    let expected =
        [(left.as_str(), "the account is not in scope any more"), (joined.as_str(), "the account is in scope and not watched yet")];
    assert_eq!(told, expected);
    let state = bench.ok(H, &read, &hub(json!({}))).await;
    assert_eq!((accounts(&state), held(&bench, B), held(&bench, C)), (vec![ACCOUNT.to_owned(), C.to_owned()], [0, 0, 0], [2, 1, 1]));
}

#[tokio::test]
async fn an_organisation_is_asked_once_by_each_process_and_no_more_than_needed() {
    let bench = organised();
    let state = bench.ok(H, &Dynamic::Null, &hub(json!({ "organizational_unit_ids": [UNIT] }))).await;
    bench.model.take_calls();
    bench.read(H, &state).await;
    let calls = bench.model.take_calls();
    let asked: Vec<&String> = calls.iter().filter(|call| call.starts_with("organizations:")).collect();
    let count = |operation: &str| asked.iter().filter(|call| call.contains(operation)).count();
    assert_eq!(
        (count(":DescribeOrganization"), count(":ListAccountsForParent"), count(":ListOrganizationalUnits")),
        (1, 2, 2),
        "{asked:?}"
    );
    assert_eq!(asked.len(), 5);
}

#[tokio::test]
async fn what_is_wrong_with_an_organisation_is_told() {
    let bench = organised();
    let plan = async |config: Value| drawn(&bench.plan(H, &Dynamic::Null, &bench.config(H, &config)).await.diagnostics);
    let other = plan(hub(json!({ "id": "o-other12345" }))).await;
    assert!(other.contains(&format!("account {ACCOUNT} is of organisation {ORGANIZATION}, and the hub says `o-other12345`")), "{other}");
    let mut both = hub(json!({}));
    both["member_accounts"] = json!([B]);
    let told = drawn(&H.validate(&ValidateRequest { config: bench.config(H, &both) }));
    assert!(told.starts_with("error[TW1104]: `member_accounts` cannot stand beside `organization` (in member_accounts)"), "{told}");
    bench.model.with(|world| world.organization = None);
    let none = plan(hub(json!({}))).await;
    assert!(none.contains("`organizations:DescribeOrganization`") && none.contains("delegated administrators"), "{none}");
}

#[tokio::test]
async fn a_management_account_without_a_role_is_told_as_such() {
    let bench = organised();
    bench.model.with(|world| {
        world.organization.as_mut().unwrap().management = B.to_owned();
        world.unreachable.insert(B.to_owned());
    });
    for regions in [json!(["eu-west-1"]), Value::Null] {
        let mut wanted = hub(json!({}));
        wanted["regions"] = regions;
        let (_, error) = bench.fails(H, &Dynamic::Null, &wanted).await;
        let note = format!("{B} is the organisation's management account: stack sets of the organisation make no role there");
        assert!(error.contains(&note) && error.contains(&format!("exclude_account_ids = [\"{B}\"]")), "{error}");
        assert!(bench.model.with(|world| world.is_empty()));
    }
    bench.ok(H, &Dynamic::Null, &hub(json!({ "exclude_account_ids": [B] }))).await;
}

#[tokio::test]
async fn an_organisation_that_cannot_be_listed_keeps_the_state() {
    let bench = organised();
    let state = bench.ok(H, &Dynamic::Null, &hub(json!({}))).await;
    bench.model.fail(|_, call| call.operation().starts_with("organizations:").then_some(crate::cloud::error::Kind::AccessDenied));
    let read = bench.read(H, &state).await;
    assert_eq!(read.state, state);
    assert!(drawn(&read.diagnostics).contains("could not be read"), "{}", drawn(&read.diagnostics));
}

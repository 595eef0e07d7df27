//! What a hub over several accounts does where some cells refuse, and who may touch it.

use serde_json::json;
use trailwire_tests::control::{ArmedFault, Effect, Fault, Matcher};
use trailwire_tests::members;

use crate::sandbox::{AWAY, HOME, HUB, REGIONS, Sandbox, TRIGGER, hub, trigger};

const EXTERNAL_ID: &str = "id-1";

/// Service control policies deny the region in every account; the error has the line that leaves it out, and with it everything is made.
#[tokio::test(flavor = "multi_thread")]
async fn a_denial_by_service_control_policies_is_told_with_the_line_to_paste() {
    let mut sandbox = Sandbox::new().await;
    let member = sandbox.stand.new_account();
    members::allow(sandbox.stand, &member, &sandbox.account, EXTERNAL_ID).await;
    let block = json!({ "region": HOME, "member_external_id": EXTERNAL_ID });
    let provider = sandbox.provider_with(&block).await;
    let mut wanted = hub(&REGIONS, "one");
    wanted["member_accounts"] = json!([member]);
    sandbox.apply_with(&provider, HUB, &wanted).await.ok();
    let armed = deny_away(&sandbox, &[&sandbox.account, &member]).await;

    let refused = sandbox.apply_with(&provider, TRIGGER, &trigger(1, "A")).await;
    let said = refused.errors.join("\n");
    let mut accounts = [sandbox.account.clone(), member.clone()];
    accounts.sort();
    for told in [
        "Trigger `a` was not created, and what was made is removed again: 2 of 4 cells failed".to_owned(),
        "2 cells: `events:PutRule`: AccessDeniedException".to_owned(),
        format!("{}: {AWAY}", accounts.join(", ")),
        format!("a service control policy forbids it there; to leave the region out, add to the hub: exclude_regions = [\"{AWAY}\"]"),
    ] {
        assert!(said.contains(&told), "{told} is not told:\n{said}");
    }
    assert!(refused.state.is_none());
    assert_eq!(sandbox.rules().await, [0; 2]);

    // What may fail does, and is told; once it does not, nothing is left to do.
    let mut tolerant = trigger(1, "A");
    tolerant["failure_tolerance"] = json!(2);
    let made = sandbox.apply_with(&provider, TRIGGER, &tolerant).await;
    assert!(made.warnings.join("\n").contains("Trigger `a` is not everywhere yet: 2 of 4 cells failed"), "{:?}", made.warnings);
    let drifted = |state: &serde_json::Value| state["drifted"].as_object().map(|drifted| drifted.keys().cloned().collect::<Vec<_>>());
    let expected = accounts.map(|account| format!("{account}/{AWAY}"));
    assert_eq!(drifted(&made.ok().attributes()), Some(expected.to_vec()));
    assert_eq!(sandbox.rules().await, [0, 1]);
    let again = sandbox.provider_with(&block).await;
    sandbox.refresh_with(&again, TRIGGER).await;
    assert_eq!(drifted(&sandbox.state(TRIGGER).attributes()), Some(expected.to_vec()));
    again.end().await;

    // The line is pasted.
    wanted["exclude_regions"] = json!([AWAY]);
    let again = sandbox.provider_with(&block).await;
    sandbox.refresh_with(&again, HUB).await;
    sandbox.apply_with(&again, HUB, &wanted).await.ok();
    again.end().await;
    let looking = sandbox.provider_with(&block).await;
    sandbox.assert_settled_with(&looking, TRIGGER, &tolerant).await;
    sandbox.assert_settled_with(&looking, HUB, &wanted).await;
    looking.end().await;
    assert_eq!(sandbox.rules().await, [0, 1]);
    for fault in armed {
        fault.remove().await;
    }
    sandbox.apply_with(&provider, TRIGGER, &json!(null)).await.ok();
    sandbox.apply_with(&provider, HUB, &json!(null)).await.ok();
    provider.end().await;
    assert_eq!(sandbox.leftovers().await, [] as [String; 0]);
}

/// A service control policy forbids rules in the region, in each of these accounts.
async fn deny_away(sandbox: &Sandbox, accounts: &[&str]) -> Vec<ArmedFault> {
    let mut armed = Vec::new();
    for account in accounts {
        let message = format!(
            "User: arn:aws:sts::{account}:assumed-role/trailwire-deploy/me is not authorized to perform: events:PutRule on resource: \
             arn:aws:events:{AWAY}:{account}:rule/x with an explicit deny in a service control policy"
        );
        let effect = Effect::Fail { status: 400, code: "AccessDeniedException".to_owned(), message };
        let calls = Matcher::operation("events", "PutRule").by(account).within(AWAY);
        armed.push(sandbox.control().fault(Fault::new(calls, effect)).await);
    }
    armed
}

/// The provider is configured for another region than the one in which everything is: a hub is where its state says.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_in_another_region_changes_nothing() {
    let mut sandbox = Sandbox::new().await;
    sandbox.apply(HUB, &hub(&REGIONS, "one")).await.ok();
    sandbox.apply(TRIGGER, &trigger(1, "A")).await.ok();
    let before = sandbox.leftovers().await;
    let elsewhere = sandbox.provider_with(&json!({ "region": AWAY })).await;
    sandbox.assert_settled_with(&elsewhere, HUB, &hub(&REGIONS, "one")).await;
    sandbox.assert_settled_with(&elsewhere, TRIGGER, &trigger(1, "A")).await;
    elsewhere.end().await;
    assert_eq!(sandbox.leftovers().await, before);
    // From there too it is found, and destroyed where it is.
    let elsewhere = sandbox.provider_with(&json!({ "region": AWAY })).await;
    sandbox.apply_with(&elsewhere, TRIGGER, &json!(null)).await.ok();
    sandbox.apply_with(&elsewhere, HUB, &json!(null)).await.ok();
    elsewhere.end().await;
    assert_eq!(sandbox.leftovers().await, [] as [String; 0]);
}

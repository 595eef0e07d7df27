//! What a hub over several accounts does where some cells refuse, and who may touch it: callers in another account or region do not.

use serde_json::json;
use trailwire_engine::fanout::names::{Cell, Hub};
use trailwire_tests::control::{ArmedFault, Effect, Fault, Matcher};
use trailwire_tests::members;

use crate::sandbox::{AWAY, DESTINATION, FORWARDER, HOME, HUB, REGIONS, Sandbox, TRIGGER, hub, trigger};

const EXTERNAL_ID: &str = "id-1";

/// Credentials of another account, which holds a hub of the same name with the same in it: for every resource, refresh, plan with a change, and destroy.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_in_another_account_changes_nothing_of_any_resource() {
    let (mut ours, mut theirs) = (Sandbox::new().await, Sandbox::new().await);
    let (trigger, mut changed_trigger) = (trigger(1, "A"), trigger(2, "B"));
    changed_trigger["description"] = json!("changed");
    let forwarder = |writes: &str| json!({ "hub": "security", "name": "f", "event_names": [writes] });
    let destination = |path: &str| json!({ "hub": "security", "name": "d", "webhook": [{ "url": format!("https://example.com/{path}") }] });
    let all = [
        (HUB, hub(&REGIONS, "one"), hub(&[HOME], "two")),
        (DESTINATION, destination("a"), destination("b")),
        (FORWARDER, forwarder("StopLogging"), forwarder("StartLogging")),
        (TRIGGER, trigger, changed_trigger),
    ];
    for sandbox in [&mut ours, &mut theirs] {
        for (resource, config, _) in &all {
            sandbox.apply(resource, config).await.ok();
        }
    }
    let accounts = [ours.account.clone(), theirs.account.clone()];
    let mut before = Vec::new();
    for account in &accounts {
        before.push(crate::overlap::objects(ours.stand, account, &Hub::new("security", Cell::new(account, HOME))).await);
    }
    for block in [json!({ "region": HOME }), json!({ "region": HOME, "refresh": "none" })] {
        for (resource, _, changed) in &all {
            let provider = theirs.provider_with(&block).await;
            let state = ours.state(resource);
            let read = provider.read(resource, &state).await.expect("the provider answers");
            assert_eq!(read.state, state, "{resource} is forgotten");
            let updated = provider.apply(resource, &state, changed).await.expect("the provider answers");
            let destroyed = provider.apply(resource, &state, &json!(null)).await.expect("the provider answers");
            let refresh = if block["refresh"].is_null() { vec![("read", read)] } else { vec![] };
            for (what, answer) in refresh.into_iter().chain([("updated", updated), ("destroyed", destroyed)]) {
                let said = answer.errors.join("\n");
                assert!(said.contains(&format!("ub `security` belongs to account {}", ours.account)), "{resource} is {what}:\n{said}");
                assert_eq!(answer.state, state, "{resource} is {what}");
            }
            provider.end().await;
        }
    }
    for (account, before) in accounts.iter().zip(&before) {
        let hub = Hub::new("security", Cell::new(account, HOME));
        assert_eq!(crate::overlap::objects(ours.stand, account, &hub).await, *before, "{account}");
    }
    for sandbox in [&mut ours, &mut theirs] {
        let provider = sandbox.provider().await;
        for (resource, config, _) in &all {
            sandbox.assert_settled_with(&provider, resource, config).await;
        }
        provider.end().await;
        for (resource, ..) in all.iter().rev() {
            sandbox.apply(resource, &json!(null)).await.ok();
        }
        assert_eq!(sandbox.leftovers().await, [] as [String; 0]);
    }
}

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

/// The provider is configured for another region than the one in which everything is: what names no region is not touched, and what does is found where it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_in_another_region_changes_nothing() {
    let mut sandbox = Sandbox::new().await;
    let (unplaced, trigger) = (hub(&REGIONS, "one"), trigger(1, "A"));
    let mut placed = unplaced.clone();
    placed["region"] = json!(HOME);
    sandbox.apply(HUB, &unplaced).await.ok();
    sandbox.apply(TRIGGER, &trigger).await.ok();
    let before = sandbox.leftovers().await;
    let elsewhere = sandbox.provider_with(&json!({ "region": AWAY })).await;
    let known = sandbox.state(HUB);
    sandbox.refresh_with(&elsewhere, HUB).await;
    assert_eq!(sandbox.state(HUB), known, "a refresh looks where the state says");
    for changed in [&unplaced, &hub(&REGIONS, "two"), &hub(&[AWAY], "one")] {
        let refused = sandbox.plan_with(&elsewhere, HUB, changed).await.told().errors.join("\n");
        assert!(refused.contains(&format!("ub `security` is in region {HOME}, and the provider works in {AWAY}")), "{refused}");
    }
    sandbox.assert_settled_with(&elsewhere, HUB, &placed).await;
    sandbox.assert_settled_with(&elsewhere, TRIGGER, &trigger).await;
    elsewhere.end().await;
    assert_eq!(sandbox.leftovers().await, before);

    // In the other region the name means another hub.
    let mut other = Sandbox { account: sandbox.account.clone(), ..Sandbox::new().await };
    let mut near = hub(&[AWAY], "near");
    near["region"] = json!(AWAY);
    other.apply(HUB, &near).await.ok();
    let elsewhere = sandbox.provider_with(&json!({ "region": AWAY })).await;
    let ambiguous = sandbox.plan_with(&elsewhere, TRIGGER, &trigger).await.told().errors.join("\n");
    assert!(ambiguous.contains(&format!("name the hub by its ARN: arn:aws:events:{HOME}:")), "{ambiguous}");
    elsewhere.end().await;
    other.apply(HUB, &json!(null)).await.ok();

    // From there too what names its region is destroyed where it is.
    let elsewhere = sandbox.provider_with(&json!({ "region": AWAY })).await;
    sandbox.apply_with(&elsewhere, TRIGGER, &json!(null)).await.ok();
    sandbox.apply_with(&elsewhere, HUB, &json!(null)).await.ok();
    elsewhere.end().await;
    assert_eq!(sandbox.leftovers().await, [] as [String; 0]);
}

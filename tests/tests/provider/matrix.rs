//! Every fault in every kind of call of every change: it is overcome, or the error names the cell, nothing is orphaned, and the next apply converges.

use std::fmt;

use futures::stream::{self, StreamExt};
use serde_json::Value;
use trailwire_tests::control::{ArmedFault, Effect, Fault, Matcher};
use trailwire_tests::ill::Ill;
use trailwire_tests::plugin::Plugin;

use crate::sandbox::{AWAY, HOME, HUB, REGIONS, Sandbox, TRIGGER, hub, trigger};

/// How many accounts are worked on at once.
const SIDE_BY_SIDE: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Calls {
    Role,
    Rule,
    Targets,
    Read,
    Delete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Create,
    Update,
    Delete,
}

/// One case of the matrix.
struct Case {
    ill: Ill,
    calls: Calls,
    change: Change,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} in {:?} while {:?}", self.ill, self.calls, self.change)
    }
}

impl Calls {
    fn matchers(self, sandbox: &Sandbox) -> Vec<Matcher> {
        let operations: &[&str] = match self {
            Self::Role => return vec![Matcher::service("iam").by(&sandbox.account)],
            Self::Rule => &["PutRule"],
            Self::Targets => &["PutTargets"],
            Self::Read => &["ListRules", "ListRuleNamesByTarget"],
            Self::Delete => &["RemoveTargets", "DeleteRule"],
        };
        operations.iter().map(|operation| sandbox.calls("events", operation).within(AWAY)).collect()
    }

    /// The resource whose changes make such calls, and its configurations before and after an update.
    fn resource(self) -> (&'static str, [Value; 2]) {
        match self {
            Self::Role => (HUB, [hub(&REGIONS, "one"), hub(&REGIONS, "two")]),
            // An update that removes a rule, and others that make one.
            Self::Delete => (TRIGGER, [trigger(2, "A"), trigger(1, "B")]),
            Self::Rule | Self::Targets | Self::Read => (TRIGGER, [trigger(1, "A"), trigger(2, "B")]),
        }
    }

    fn place(self) -> &'static str {
        if self == Self::Role { HOME } else { AWAY }
    }

    fn makes(self, change: Change) -> bool {
        match (self, change) {
            (Self::Role, _) | (Self::Rule | Self::Targets, Change::Create | Change::Update) => true,
            (Self::Rule | Self::Targets, Change::Delete) | (Self::Read | Self::Delete, Change::Create) => false,
            (Self::Read | Self::Delete, Change::Update | Change::Delete) => true,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_overcome_or_named_and_nothing_is_orphaned() {
    let ills = [Ill::Silent, Ill::Throttled, Ill::Failing, Ill::Cut, Ill::Denied, Ill::Disabled, Ill::NotPropagated];
    let calls = [Calls::Role, Calls::Rule, Calls::Targets, Calls::Read, Calls::Delete];
    let all = ills.into_iter().flat_map(|ill| calls.map(|calls| (ill, calls)));
    let struck: Vec<usize> = stream::iter(all)
        .map(|(ill, calls)| tokio::spawn(life(ill, calls)))
        .buffer_unordered(SIDE_BY_SIDE)
        .map(|done| done.expect("a case failed"))
        .collect()
        .await;
    assert_eq!(struck.iter().sum::<usize>(), 7 * 11, "cases in which a fault struck");
}

/// A hub and a trigger live and die under one fault in one kind of calls; in how many changes it struck.
async fn life(ill: Ill, calls: Calls) -> usize {
    let mut sandbox = Sandbox::new().await;
    let (resource, [before, after]) = calls.resource();
    let nothing = Value::Null;
    let is_removal = calls == Calls::Delete;
    let mut struck = 0;
    // What was there, what shall be, and how many rules the trigger then has.
    for (change, old, new, rules) in [
        (Change::Create, &nothing, &before, 1 + usize::from(is_removal)),
        (Change::Update, &before, &after, 2 - usize::from(is_removal)),
        (Change::Delete, &after, &nothing, 0),
    ] {
        let provider = sandbox.provider().await;
        if change != Change::Create {
            sandbox.assert_settled_with(&provider, resource, old).await;
        } else if resource == TRIGGER {
            sandbox.apply_with(&provider, HUB, &hub(&REGIONS, "one")).await.ok();
        }
        let case = Case { ill, calls, change };
        struck += usize::from(suffer(&mut sandbox, provider, &case, resource, new).await);
        let rules = if resource == HUB { 0 } else { rules };
        assert_eq!(sandbox.rules().await, [rules; 2], "{case}");
    }
    if resource == TRIGGER {
        sandbox.apply(HUB, &Value::Null).await.ok();
    }
    assert_eq!(sandbox.leftovers().await, [] as [String; 0], "{ill:?} in {calls:?}");
    struck
}

/// One change under its fault, and what the user does then. Whether the fault struck.
async fn suffer(sandbox: &mut Sandbox, provider: Plugin, case: &Case, resource: &'static str, config: &Value) -> bool {
    let is_disabled = case.ill == Ill::Disabled && case.calls != Calls::Role;
    if is_disabled {
        sandbox.control().disable_regions(&sandbox.account, &[AWAY]).await;
    }
    // A process asks once which regions are enabled, and lists rules once.
    let provider = if is_disabled || case.calls == Calls::Read { sandbox.provider().await } else { provider };
    let planned = sandbox.plan_with(&provider, resource, config).await;
    let mut armed: Vec<ArmedFault> = Vec::new();
    for calls in case.calls.matchers(sandbox) {
        armed.push(sandbox.control().fault(case.ill.fault(calls)).await);
    }
    let answer = sandbox.carry_out(&provider, resource, planned).await;
    provider.end().await;
    let mut struck = false;
    for fault in armed {
        struck |= fault.times_struck().await > 0;
        fault.remove().await;
    }
    sandbox.control().disable_regions(&sandbox.account, &[]).await;
    assert_eq!(struck, case.calls.makes(case.change), "whether it strikes: {case}");

    if answer.errors.is_empty() {
        // Nothing can be removed from a region that is not enabled, and nothing comes from there. Once it is, the hub finds what is left.
        if is_disabled && case.change == Change::Delete {
            sandbox.apply_again(HUB, &hub(&REGIONS, "one"), false).await;
        } else {
            assert!(!struck || case.ill.ends_by_itself(), "{case} is not told");
        }
        return struck;
    }
    let said = answer.errors.join("\n");
    assert!(!case.ill.ends_by_itself(), "{case} is not overcome:\n{said}");
    assert!(said.contains(&sandbox.account) && said.contains(case.calls.place()), "{case} is not told where:\n{said}");
    let is_gone = sandbox.state(resource).is_none();
    match case.change {
        Change::Create if resource == HUB && is_gone => assert_eq!(sandbox.leftovers().await, [] as [String; 0], "{case}"),
        Change::Create if is_gone => assert_eq!(sandbox.rules().await, [0; 2], "{case}"),
        Change::Create => {}
        Change::Update | Change::Delete => assert!(!is_gone, "{case}: what is there is forgotten:\n{said}"),
    }
    sandbox.apply_again(resource, config, case.change == Change::Create).await;
    struck
}

/// The create fails, and so does the removal of what it made: Terraform knows of it, and replaces it.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_rolled_back_is_in_the_state() {
    let mut sandbox = Sandbox::new().await;
    sandbox.apply(HUB, &hub(&REGIONS, "one")).await.ok();
    let mut armed = Vec::new();
    for (operation, region) in [("PutTargets", AWAY), ("DeleteRule", HOME)] {
        let calls = sandbox.calls("events", operation).within(region);
        armed.push(sandbox.control().fault(Fault::fail(calls, 400, "AccessDeniedException")).await);
    }
    let answer = sandbox.apply(TRIGGER, &trigger(1, "A")).await;
    let said = answer.errors.join("\n");
    for told in [format!("{}/{AWAY}: `events:PutTargets`", sandbox.account), format!("{}/{HOME}: `events:DeleteRule`", sandbox.account)] {
        assert!(said.contains(&told), "{told} is not told:\n{said}");
    }
    assert!(!answer.state.is_none());
    for fault in armed {
        fault.remove().await;
    }
    sandbox.apply_again(TRIGGER, &trigger(1, "A"), true).await;
    assert_eq!(sandbox.rules().await, [1; 2]);
    sandbox.apply(TRIGGER, &Value::Null).await.ok();
    sandbox.apply(HUB, &Value::Null).await.ok();
    assert_eq!(sandbox.leftovers().await, [] as [String; 0]);
}

/// Calls that succeed while their entry fails, and credentials that end in the middle: overcome, or told, and nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn entries_that_fail_and_credentials_that_end_are_told() {
    let mut sandbox = Sandbox::new().await;
    sandbox.apply(HUB, &hub(&REGIONS, "one")).await.ok();
    let entry = |code: Option<&str>| Effect::FailEntry { code: code.map(str::to_owned) };
    let away = |operation: &str| sandbox.calls("events", operation).within(AWAY);
    let [puts, removes, rules] = [away("PutTargets"), away("RemoveTargets"), away("PutRule")];
    let expired = Fault::fail(rules, 400, "ExpiredTokenException");
    for (fault, told) in [
        (Fault::new(puts.clone(), entry(Some("ManagedRuleException"))), "`events:PutTargets`: ManagedRuleException"),
        (Fault::new(puts.clone(), entry(None)), "`events:PutTargets`: FailedEntry: the entry failed without a reason"),
        (expired, "`events:PutRule`: ExpiredTokenException"),
    ] {
        let armed = sandbox.control().fault(fault).await;
        let answer = sandbox.apply(TRIGGER, &trigger(1, "A")).await;
        armed.remove().await;
        let said = answer.errors.join("\n");
        assert!(said.contains(told) && said.contains(&format!("{}/{AWAY}", sandbox.account)), "{told} is not told:\n{said}");
        assert!(answer.state.is_none());
        assert_eq!(sandbox.rules().await, [0; 2]);
    }
    let throttled = sandbox.control().fault(Fault::new(puts, entry(Some("ThrottlingException"))).times(2)).await;
    sandbox.apply(TRIGGER, &trigger(1, "A")).await.ok();
    assert_eq!(throttled.times_struck().await, 2);
    throttled.remove().await;
    assert_eq!(sandbox.rules().await, [1; 2]);

    for code in [Some("ManagedRuleException"), None] {
        let armed = sandbox.control().fault(Fault::new(removes.clone(), entry(code))).await;
        let answer = sandbox.apply(TRIGGER, &Value::Null).await;
        armed.remove().await;
        assert!(answer.errors.join("\n").contains("`events:RemoveTargets`"), "{:?}", answer.errors);
        assert!(!answer.state.is_none(), "what is there is forgotten");
        assert_eq!(sandbox.rules().await, [1, 0]);
    }
    sandbox.apply(TRIGGER, &Value::Null).await.ok();
    sandbox.apply(HUB, &Value::Null).await.ok();
    assert_eq!(sandbox.leftovers().await, [] as [String; 0]);
}

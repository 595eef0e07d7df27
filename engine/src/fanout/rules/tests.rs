use proptest::prelude::*;

use super::*;
use crate::fanout::pattern::{Narrowing, patterns};

fn hub() -> Hub {
    Hub::new("security", Cell::new("111122223333", "eu-west-1"))
}

fn rules_of(trigger: &str, names: &[String], state: RuleState) -> Vec<Rule> {
    let patterns = patterns(Narrowing { names, sources: &[] }).unwrap();
    let request = RuleRequest { owner: Owner::trigger(trigger), patterns: &patterns, state };
    cell_rules(&hub(), request, &Cell::new("111122223333", "us-east-1"), true)
}

fn owned_by(trigger: &'static str) -> impl Fn(&str) -> bool {
    let hub = hub();
    move |name| hub.owner_of_rule(name).is_some_and(|(found, _)| found == Owner::trigger(trigger))
}

#[test]
fn a_rule_sends_to_the_hub_by_the_role_and_keeps_what_it_cannot_send() {
    let rules = rules_of("a", &["RunInstances".to_owned()], RuleState::Enabled);
    let hub = hub();
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0].name, hub.rule_name(Owner::trigger("a"), 0));
    assert_eq!(
        rules[0].target,
        Target {
            id: "trailwire".to_owned(),
            arn: hub.arn(),
            role_arn: Some(hub.forward_role_arn("111122223333")),
            dead_letter_arn: Some(format!("arn:aws:sqs:us-east-1:111122223333:{}", hub.forward_dead_letter_queue_name())),
            altered: false,
        }
    );
}

#[test]
fn each_fault_is_named_and_repaired_by_the_fewest_steps() {
    let wanted = rules_of("a", &["RunInstances".to_owned()], RuleState::Enabled);
    let name = wanted[0].name.clone();
    let mut good = Found::new();
    difference(&wanted, &good, owned_by("a")).iter().for_each(|step| after(&mut good, step));
    let change = |edit: &dyn Fn(&mut Found)| {
        let mut found = good.clone();
        edit(&mut found);
        found
    };
    let rule = |found: &mut Found, edit: &dyn Fn(&mut FoundRule)| edit(found.get_mut(&name).unwrap());
    for (found, reason, steps) in [
        (change(&|_| ()), None, vec![]),
        (change(&|found| found.clear()), Some("is missing"), vec!["PutRule", "PutTarget"]),
        (
            change(&|found| rule(found, &|rule| rule.state = Some("DISABLED".to_owned()))),
            Some("is in state DISABLED, not ENABLED"),
            vec!["PutRule"],
        ),
        (change(&|found| rule(found, &|rule| rule.pattern = Some("{}".to_owned()))), Some("has another event pattern"), vec!["PutRule"]),
        (change(&|found| rule(found, &|rule| rule.targets = FoundTargets::Points(false))), Some("does not send to"), vec!["PutTarget"]),
        (change(&|found| rule(found, &|rule| rule.targets = FoundTargets::Points(true))), None, vec![]),
        (
            change(&|found| {
                let extra = found[&name].clone();
                found.insert(hub().rule_name(Owner::trigger("a"), 1), extra);
            }),
            Some("is not wanted"),
            vec!["RemoveTargets", "DeleteRule"],
        ),
    ] {
        let reasons = drift(&wanted, &found, owned_by("a"));
        assert_eq!(reasons.len(), usize::from(reason.is_some()), "{reasons:?}");
        assert!(reasons.iter().all(|found| found.contains(reason.unwrap())), "{reasons:?}");
        let found_steps = difference(&wanted, &found, owned_by("a"));
        let kinds: Vec<String> = found_steps.iter().map(|step| format!("{step:?}").split([' ', '(']).next().unwrap().to_owned()).collect();
        assert_eq!(kinds, steps);
    }
}

fn target() -> impl Strategy<Value = Target> {
    ("[ab]", "[xy]", proptest::option::of("r"), proptest::option::of("d"), any::<bool>()).prop_map(
        |(id, arn, role_arn, dead_letter_arn, altered)| Target {
            id: if id == "a" { TARGET_ID.to_owned() } else { id },
            arn,
            role_arn,
            dead_letter_arn,
            altered,
        },
    )
}

fn targets() -> impl Strategy<Value = FoundTargets> {
    prop_oneof![
        any::<bool>().prop_map(FoundTargets::Points),
        proptest::collection::vec(target(), 0..3).prop_map(|mut all| {
            all.sort_by(|one, other| one.id.cmp(&other.id));
            all.dedup_by(|one, other| one.id == other.id);
            FoundTargets::Read(all)
        }),
    ]
}

fn found() -> impl Strategy<Value = Found> {
    let hub = hub();
    let names = prop_oneof![
        ("(a|b|a-0)", 0_usize..4).prop_map(move |(trigger, k)| hub.rule_name(Owner::trigger(&trigger), k)),
        "(tw-00000000-a-0|somebody-elses)",
    ];
    let text = || proptest::option::of(prop_oneof![Just("{}".to_owned()), Just("DISABLED".to_owned()), Just("ENABLED".to_owned())]);
    let rule = (text(), text(), text(), targets()).prop_map(|(description, pattern, state, targets)| FoundRule {
        description,
        pattern,
        state,
        targets,
    });
    proptest::collection::btree_map(names, rule, 0..8)
}

fn wanted() -> impl Strategy<Value = Vec<Rule>> {
    let state = prop_oneof![Just(RuleState::Enabled), Just(RuleState::EnabledWithReads), Just(RuleState::Disabled)];
    (proptest::collection::vec("[A-Z][a-z]{20,40}", 0..150), state).prop_map(|(names, state)| rules_of("a", &names, state))
}

proptest! {
    #[test]
    fn steps_lead_to_what_is_wanted_and_then_there_are_none(wanted in wanted(), mut found in found()) {
        let before = found.clone();
        let owns = owned_by("a");
        let steps = difference(&wanted, &found, &owns);
        prop_assert_eq!(steps.is_empty(), drift(&wanted, &found, &owns).is_empty());
        steps.iter().for_each(|step| after(&mut found, step));
        prop_assert!(difference(&wanted, &found, &owns).is_empty());
        prop_assert!(drift(&wanted, &found, &owns).is_empty());
        let mine: Vec<&String> = found.keys().filter(|name| owns(name)).collect();
        prop_assert_eq!(mine.len(), wanted.len());
        for (name, rule) in before.iter().filter(|(name, _)| !owns(name)) {
            prop_assert_eq!(found.get(name), Some(rule), "a rule of somebody else changed");
        }
    }

    #[test]
    fn making_comes_before_removing_and_targets_go_before_their_rule(wanted in wanted(), found in found()) {
        let steps = difference(&wanted, &found, owned_by("a"));
        let last_put = steps.iter().rposition(|step| matches!(step, Step::PutRule(_) | Step::PutTarget { .. }));
        let first_delete = steps.iter().position(|step| matches!(step, Step::DeleteRule { .. }));
        if let (Some(put), Some(delete)) = (last_put, first_delete) {
            prop_assert!(put < delete);
        }
        let mut model = found.clone();
        for step in &steps {
            if let Step::DeleteRule { rule } = step {
                let empty = matches!(&model[rule].targets, FoundTargets::Points(false)) || model[rule].targets == FoundTargets::Read(vec![]);
                prop_assert!(empty, "a rule is removed before its targets");
            }
            after(&mut model, step);
        }
    }

    #[test]
    fn removal_leaves_nothing_of_ours_and_touches_nothing_else(mut found in found()) {
        let owns = owned_by("a");
        let others: Found = found.iter().filter(|(name, _)| !owns(name)).map(|(name, rule)| (name.clone(), rule.clone())).collect();
        difference(&[], &found, &owns).iter().for_each(|step| after(&mut found, step));
        prop_assert_eq!(found, others);
    }
}

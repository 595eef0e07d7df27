//! In which order rules are put, so that what moves from one to another is never in neither.
//!
//! A name that comes to a list moves those behind it, some of them to the next rule: that one must have them before the first lets them go.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Found, Rule};

/// The fields by whose values names and sources are cut into rules.
const CUT_BY: [&str; 2] = ["/detail/eventName", "/detail/eventSource"];

/// What a rule carries: its field and value, each.
type Carried = BTreeSet<(usize, String)>;

/// A rule, and what it gains and loses.
struct Change<'r> {
    rule: &'r Rule,
    gains: Carried,
    loses: Carried,
}

/// The rules, each that gains something before the one that loses it; else in their order. Two that gain from each other, as they do where a list was given
/// another order, stay as they are.
pub(super) fn without_gaps<'r>(wanted: &'r [Rule], found: &Found) -> Vec<&'r Rule> {
    if wanted.len() < 2 {
        return wanted.iter().collect();
    }
    let change = |rule: &'r Rule| {
        let before = found.get(&rule.name).and_then(|there| there.pattern.as_deref()).map(carried).unwrap_or_default();
        let after = carried(&rule.pattern);
        Change { rule, gains: &after - &before, loses: &before - &after }
    };
    let mut left: Vec<Change<'r>> = wanted.iter().map(change).collect();
    let mut ordered = Vec::with_capacity(wanted.len());
    while !left.is_empty() {
        let waits =
            |change: &Change<'r>| left.iter().any(|other| other.rule.name != change.rule.name && !other.gains.is_disjoint(&change.loses));
        let next = left.iter().position(|change| change.loses.is_empty() || !waits(change)).unwrap_or(0);
        ordered.push(left.remove(next).rule);
    }
    ordered
}

fn carried(pattern: &str) -> Carried {
    let Ok(pattern) = serde_json::from_str::<Value>(pattern) else { return Carried::new() };
    let of = |(field, pointer): (usize, &&str)| {
        let values = pattern.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
        values.filter_map(|value| Some((field, value.as_str()?.to_owned()))).collect::<Vec<_>>()
    };
    CUT_BY.iter().enumerate().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{FoundTargets, RuleRequest, RuleState, after, cell_rules, difference};
    use super::*;
    use crate::fanout::names::{Cell, Hub, Owner};
    use crate::fanout::pattern::{Narrowing, packed, patterns};

    fn rules(patterns: &[String]) -> Vec<Rule> {
        let hub = Hub::new("security", Cell::new("111122223333", "eu-west-1"));
        let request = RuleRequest { owner: Owner::forwarder("a"), patterns, state: RuleState::Enabled };
        cell_rules(&hub, request, &Cell::new("111122223333", "us-east-1"), true)
    }

    /// The values that rules which send carry.
    fn sent(found: &Found) -> Carried {
        let sends = |targets: &FoundTargets| matches!(targets, FoundTargets::Read(targets) if !targets.is_empty());
        found
            .values()
            .filter(|there| sends(&there.targets))
            .flat_map(|there| carried(there.pattern.as_deref().unwrap_or_default()))
            .collect()
    }

    /// Whether everything that both carry is sent after every step from the one to the other.
    fn is_without_gap(before: &[String], wanted: &[String]) -> bool {
        let mut found = Found::new();
        for step in difference(&rules(before), &found, |_| true) {
            after(&mut found, &step);
        }
        let kept: Carried = {
            let wanted: Carried = wanted.iter().flat_map(|pattern| carried(pattern)).collect();
            sent(&found).intersection(&wanted).cloned().collect()
        };
        difference(&rules(wanted), &found, |_| true).iter().all(|step| {
            after(&mut found, step);
            kept.is_subset(&sent(&found))
        })
    }

    fn names(range: std::ops::Range<usize>) -> Vec<String> {
        range.map(|number| format!("AnEventNameOfSomeLength{number:04}")).collect()
    }

    #[test]
    fn names_that_move_to_the_next_rule_or_back_are_never_in_none() {
        let of = |names: &[String]| patterns(Narrowing { names, sources: &[] }).unwrap();
        let (few, many) = (names(10..400), names(0..400));
        assert!(of(&few).len() > 3);
        assert!(is_without_gap(&of(&few), &of(&many)) && is_without_gap(&of(&many), &of(&few)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// Names come and go anywhere; those that stay keep their order.
        #[test]
        fn no_edit_of_a_list_has_a_gap(before in proptest::collection::vec(any::<bool>(), 300), wanted in proptest::collection::vec(any::<bool>(), 300)) {
            let of = |chosen: &[bool]| {
                let names: Vec<String> = names(0..300).into_iter().zip(chosen).filter(|(_, chosen)| **chosen).map(|(name, _)| name).collect();
                packed(Narrowing { names: &names, sources: &[] }).unwrap()
            };
            prop_assert!(is_without_gap(&of(&before), &of(&wanted)));
        }
    }
}

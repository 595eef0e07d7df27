//! What only several triggers together tell: the same events told twice, and more rules than a bus takes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use super::pushed::{Pushed, kept};
use super::quota::{Pressed, Rules};
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::matcher::Scope;
use crate::pattern::Pattern;
use crate::trigger::{Action, OnError, Trigger};

/// Every diagnostic of a set of triggers, each with the index of the trigger that it is told of, in their order. `scope` is what their hub watches.
/// What a trigger's `allow` silences is left out.
///
/// Two triggers tell the same events where one fires for every event that fires the other, as far as their patterns prove it, both tell one destination, and
/// they are of one severity: a worse trigger within another is meant.
///
/// ```
/// use trailwire_engine::{fanout::set::check_set, matcher::Scope, trigger::Trigger};
/// let trigger = |name: &str, names: &[&str]| Trigger::from_value(&serde_json::json!({"name": name, "event_names": names,
///     "action": [{"send": [{"destination": "archive"}]}]})).unwrap();
/// let (one, other) = (trigger("deleted", &["DeleteUser"]), trigger("changed", &["CreateUser", "DeleteUser"]));
/// let found = check_set(&[&one, &other], &Scope::default());
/// assert_eq!(found[0].1.message, "every event that fires this trigger fires `changed`, too, and both tell `archive`");
/// ```
#[must_use]
pub fn check_set(triggers: &[&Trigger], scope: &Scope) -> Vec<(usize, Diagnostic)> {
    let members: Vec<Member<&Trigger>> = triggers.iter().map(|trigger| Member::of(*trigger)).collect();
    let mut found = overlaps(&members);
    found.extend(quotas(&members, scope));
    found.retain(|(index, diagnostic)| triggers.get(*index).is_some_and(|trigger| !crate::check::is_silenced(trigger, diagnostic.code)));
    found.sort_by_key(|(index, diagnostic)| (*index, diagnostic.code));
    found
}

/// A trigger, made ready to be set beside others one after another.
#[derive(Debug)]
pub struct Beside(Member<Box<Trigger>>);

impl Beside {
    /// Works out what the trigger's rules carry, and keeps no more of the trigger than others are compared with.
    #[must_use]
    pub fn of(trigger: Trigger) -> Self {
        let mut member = Member::of(Box::new(trigger));
        member.trigger.actions = Vec::new();
        member.trigger.tests = Vec::new();
        Self(member)
    }

    /// The trigger's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.trigger.name
    }

    /// That this one and another that came before it tell the same events, as [`check_set`] does, told of this one. Of two that are equal this one is too much.
    #[must_use]
    pub fn overlap(&self, before: &Self) -> Option<Diagnostic> {
        let (this, other) = (&self.0, &before.0);
        let destination = this.destinations.intersection(&other.destinations).next()?;
        if !this.may_repeat(other) || crate::check::is_silenced(&this.trigger, Code::SAME_EVENTS) {
            return None;
        }
        let name = &other.trigger.name;
        if this.is_within(other) {
            Some(told_twice(name, destination))
        } else if other.is_within(this) {
            let message = format!("every event that fires `{name}` fires this trigger, too, and both tell `{destination}`");
            let help = format!("take what `{name}` tells out of this trigger's events, or `{name}` away");
            Some(Diagnostic::warning(Code::SAME_EVENTS, message).at(Path::root("event_names")).help(help))
        } else {
            None
        }
    }
}

/// That another trigger fires wherever this one does.
fn told_twice(other: &str, destination: &str) -> Diagnostic {
    let message = format!("every event that fires this trigger fires `{other}`, too, and both tell `{destination}`");
    let help = format!("take what `{other}` tells out of its events, or this trigger away");
    Diagnostic::warning(Code::SAME_EVENTS, message).at(Path::root("event_names")).help(help)
}

#[derive(Debug)]
struct Member<R> {
    trigger: R,
    pushed: Pushed,
    patterns: Vec<Pattern>,
    destinations: BTreeSet<String>,
}

impl<R: Deref<Target = Trigger>> Member<R> {
    fn of(trigger: R) -> Self {
        let pushed = kept(&trigger).unwrap_or_default();
        let patterns = pushed.patterns.iter().filter_map(|pattern| Pattern::parse(pattern).0).collect();
        let destinations = trigger.actions.iter().flat_map(|action| match action {
            Action::Notify(notify) => notify.destinations.clone(),
            Action::Send(send) => vec![send.destination.clone()],
            Action::Wait(_) | Action::Query(_) => Vec::new(),
        });
        Self { patterns, destinations: destinations.collect(), pushed, trigger }
    }

    /// Whether it would be too much that both fire: a worse trigger within another is meant.
    fn may_repeat(&self, other: &Self) -> bool {
        self.trigger.enabled && other.trigger.enabled && self.trigger.severity == other.trigger.severity
    }

    /// Whether the other fires for every event that fires this one. `true` is certain.
    fn is_within(&self, other: &Self) -> bool {
        let (this, that): (&Trigger, &Trigger) = (&self.trigger, &other.trigger);
        let covers =
            |narrow: &[String], wide: &[String]| wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|one| wide.contains(one)));
        let scope = covers(&this.regions, &that.regions)
            && that.exclude_regions.iter().all(|region| this.exclude_regions.contains(region))
            && covers(&this.account_ids, &that.account_ids)
            && (that.include_read_only || !this.include_read_only)
            && (that.include_self || !this.include_self);
        scope && (self.says_the_same(other) || self.is_proven_within(other))
    }

    /// The same words: the match of both is one, and so is what it errs on.
    fn says_the_same(&self, other: &Self) -> bool {
        let (this, that): (&Trigger, &Trigger) = (&self.trigger, &other.trigger);
        let within =
            |narrow: &[String], wide: &[String]| wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|one| wide.contains(one)));
        this.matching() == that.matching()
            && this.on_error == that.on_error
            && within(&this.event_names, &that.event_names)
            && within(&this.event_sources, &that.event_sources)
    }

    /// The rules of this one keep every event that fires it; those of the other decide all of its match, and so each event that they keep fires it.
    fn is_proven_within(&self, other: &Self) -> bool {
        let decided = other.pushed.residual.is_none() && other.patterns.len() == other.pushed.patterns.len() && !other.patterns.is_empty();
        let kept =
            self.trigger.on_error == OnError::NoMatch && self.patterns.len() == self.pushed.patterns.len() && !self.patterns.is_empty();
        decided && kept && self.patterns.iter().all(|narrow| other.patterns.iter().any(|wide| narrow.implies(wide)))
    }
}

fn overlaps(members: &[Member<&Trigger>]) -> Vec<(usize, Diagnostic)> {
    // Only triggers that tell the same destination are compared.
    let mut by_destination: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, member) in members.iter().enumerate().filter(|(_, member)| member.trigger.enabled) {
        member.destinations.iter().for_each(|destination| by_destination.entry(destination).or_default().push(index));
    }
    let mut found: BTreeMap<(usize, usize), &str> = BTreeMap::new();
    for (destination, indices) in by_destination {
        for (position, first) in indices.iter().enumerate() {
            for second in indices.iter().skip(position + 1) {
                let (Some(one), Some(other)) = (members.get(*first), members.get(*second)) else { continue };
                if !one.may_repeat(other) {
                    continue;
                }
                // Of two that are equal the later one is told.
                let pair = if other.is_within(one) {
                    (*second, *first)
                } else if one.is_within(other) {
                    (*first, *second)
                } else {
                    continue;
                };
                found.entry(pair).or_insert(destination);
            }
        }
    }
    // One is enough for each trigger.
    let mut told = BTreeSet::new();
    let firsts = found.into_iter().filter(|((narrow, _), _)| told.insert(*narrow));
    firsts
        .filter_map(|((narrow, wide), destination)| {
            let other = &members.get(wide)?.trigger.name;
            Some((narrow, told_twice(other, destination)))
        })
        .collect()
}

/// Quotas that the rules of the set alone go beyond, at the trigger with which they do.
fn quotas(members: &[Member<&Trigger>], scope: &Scope) -> Vec<(usize, Diagnostic)> {
    // A region that no trigger names stands for all that none names.
    const ANY: &str = "any other region";
    let named = members.iter().flat_map(|member| member.trigger.regions.iter().chain(&member.trigger.exclude_regions)).map(String::as_str);
    let regions: BTreeSet<&str> = match &scope.regions {
        Some(regions) => regions.iter().map(String::as_str).collect(),
        None => named.chain([ANY]).collect(),
    };
    let mut told: BTreeMap<Pressed, (usize, &str)> = BTreeMap::new();
    for region in regions {
        let mut rules = Rules::default();
        for (index, member) in members.iter().enumerate() {
            let Trigger { regions, exclude_regions, forwarder, .. } = member.trigger;
            if forwarder.is_some()
                || (!regions.is_empty() && !regions.iter().any(|one| one == region))
                || exclude_regions.iter().any(|one| one == region)
            {
                continue;
            }
            rules = rules.and(Rules::of(member.pushed.patterns.iter().map(String::as_str)));
            for pressed in rules.pressed(region) {
                told.entry(pressed).or_insert((index, region));
            }
        }
    }
    if told.contains_key(&Pressed::Full) {
        told.remove(&Pressed::NearlyFull);
    }
    let told = told.into_iter();
    told.map(|(pressed, (index, region))| {
        let place = if region == ANY { "of a region".to_owned() } else { format!("of {region}") };
        (index, pressed.diagnostic(&format!("the default bus {place}, with this trigger and those before it,"), region))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn trigger(name: &str, more: &Value) -> Trigger {
        let mut document =
            json!({"name": name, "event_names": ["CreateUser", "DeleteUser"], "action": [{"notify": [{"destinations": ["d", "e"]}]}]});
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Trigger::from_value(&document).unwrap()
    }

    fn checked(triggers: &[Trigger]) -> Vec<String> {
        let triggers: Vec<&Trigger> = triggers.iter().collect();
        let found = check_set(&triggers, &Scope::default());
        found.iter().map(|(index, diagnostic)| format!("{} {}: {}", diagnostic.code, triggers[*index].name, diagnostic.message)).collect()
    }

    #[test]
    fn one_beside_those_before_it() {
        let told = |this: &Value, before: &Value| {
            let (this, before) = (Beside::of(trigger("this", this)), Beside::of(trigger("before", before)));
            this.overlap(&before).map(|diagnostic| diagnostic.message)
        };
        let one = json!({"event_names": ["CreateUser"]});
        let within = "every event that fires this trigger fires `before`, too, and both tell `d`";
        assert_eq!(told(&one, &json!({})).as_deref(), Some(within));
        assert_eq!(told(&one, &one).as_deref(), Some(within));
        let around = "every event that fires `before` fires this trigger, too, and both tell `d`";
        assert_eq!(told(&json!({}), &one).as_deref(), Some(around));
        for (this, before) in [
            (one.clone(), json!({"event_names": ["DeleteUser"]})),
            (one.clone(), json!({"severity": "low"})),
            (one.clone(), json!({"enabled": false})),
            (one.clone(), json!({"action": [{"send": [{"destination": "f"}]}]})),
            (json!({"event_names": ["CreateUser"], "allow": {"TW2423": "meant"}}), json!({})),
        ] {
            assert_eq!(told(&this, &before), None, "{this} beside {before}");
        }
    }

    #[test]
    fn the_same_events_told_twice() {
        let told = |narrow: &str, wide: &str| {
            vec![format!("TW2423 {narrow}: every event that fires this trigger fires `{wide}`, too, and both tell `d`")]
        };
        let root = json!({"match_expression": "detail.userIdentity.type == 'Root'"});
        let vague = json!({"match_expression": "contains(detail.userAgent, 'a')"});
        for (a, b, wanted) in [
            (json!({}), json!({}), told("b", "a")),
            (json!({"event_names": ["CreateUser"]}), json!({}), told("a", "b")),
            (json!({}), json!({"event_names": null, "any_event": true}), told("a", "b")),
            (root.clone(), json!({}), told("a", "b")),
            (vague.clone(), vague.clone(), told("b", "a")),
            (vague.clone(), json!({}), told("a", "b")),
            (json!({"filter_pattern": "{ $.userIdentity.type = Root }", "event_names": ["CreateUser"]}), root.clone(), told("a", "b")),
            (json!({"regions": ["eu-west-1"]}), json!({"exclude_regions": null}), told("a", "b")),
            (json!({"event_sources": ["iam.amazonaws.com"]}), json!({}), told("a", "b")),
            // Nothing is proven of what the rules leave to the runtime.
            (root.clone(), vague.clone(), vec![]),
            (json!({"match_expression": "contains(detail.userAgent, 'ab')"}), vague.clone(), vec![]),
            // Other events.
            (json!({"event_names": ["CreateUser"]}), json!({"event_names": ["DeleteUser"]}), vec![]),
            (json!({"regions": ["eu-west-1"]}), json!({"regions": ["eu-west-2"]}), vec![]),
            (json!({"exclude_regions": ["eu-west-1"], "event_names": ["CreateUser"]}), json!({"exclude_regions": ["eu-west-2"]}), vec![]),
            (json!({"include_read_only": true, "event_names": ["CreateUser"]}), json!({}), vec![]),
            // An error that counts as a match is in no pattern.
            (json!({"match_expression": "starts_with(detail.userAgent, 'a')", "on_error": "match"}), root.clone(), vec![]),
            // Other destinations, another severity, not at work.
            (json!({"action": [{"send": [{"destination": "f"}]}]}), json!({}), vec![]),
            (json!({"severity": "high"}), json!({}), vec![]),
            (json!({"enabled": false}), json!({}), vec![]),
            (json!({}), json!({"allow": {"TW2423": "meant"}}), vec![]),
        ] {
            assert_eq!(checked(&[trigger("a", &a), trigger("b", &b)]), wanted, "{a} {b}");
        }
    }

    #[test]
    fn more_rules_than_a_bus_takes() {
        let some = |count: usize, more: &Value| -> Vec<Trigger> {
            let own = |index: usize| {
                let mut own = json!({"action": [{"send": [{"destination": format!("d{index}")}]}]});
                own.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                trigger(&format!("t{index}"), &own)
            };
            (1..=count).map(own).collect()
        };
        assert_eq!(checked(&some(270, &json!({}))), [""; 0]);
        assert_eq!(
            checked(&some(271, &json!({}))),
            [
                "TW2420 t271: the default bus of a region, with this trigger and those before it, would hold more than 270 of the 300 rules that it takes"
            ]
        );
        assert_eq!(
            checked(&some(301, &json!({}))),
            [
                "TW2421 t301: the default bus of a region, with this trigger and those before it, would hold more than the 300 rules that it takes"
            ]
        );
        assert_eq!(
            checked(&some(101, &json!({"regions": ["eu-south-1", "eu-west-1"]}))),
            [
                "TW2421 t101: the default bus of eu-south-1, with this trigger and those before it, would hold more than the 100 rules that it takes"
            ]
        );
        let wildcards = json!({"push_down": "full", "match_expression": "contains(detail.userAgent, 'a')"});
        assert_eq!(
            checked(&some(31, &wildcards)),
            [
                "TW2422 t31: the default bus of a region, with this trigger and those before it, would hold more than 30 rules with wildcards, and AWS takes no more"
            ]
        );
        let halves = [some(200, &json!({"regions": ["eu-west-1"]})), some(200, &json!({"regions": ["eu-west-2"]}))].concat();
        assert_eq!(checked(&halves), [""; 0]);
    }
}

//! The rules of a trigger or forwarder in one cell: what is wanted, what differs from what is there, and the steps that repair it, in order.
//!
//! *Invariants*: steps make before they remove, so that nothing which both the old and the new rules carry is missed; where somebody has taken all the
//! places of a rule's targets, one is freed first; a rule is removed after its targets; rules that the caller does not own are never named by a step; after
//! the steps nothing differs.

mod order;

use std::collections::BTreeMap;

use super::names::{Cell, Hub, Owner, TARGET_ID};
use super::policy::same_document;

/// The most targets of a rule.
const MOST_TARGETS: usize = 5;

/// The state of a rule as AWS writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleState {
    /// Carries write events, and read-only events whose names do not begin with Get, List or Describe.
    Enabled,
    /// Carries read-only management events too.
    EnabledWithReads,
    /// Carries nothing.
    Disabled,
}

impl RuleState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Enabled, Self::EnabledWithReads, Self::Disabled];

    /// The text of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::EnabledWithReads => "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
            Self::Disabled => "DISABLED",
        }
    }
}

/// Where a rule sends what it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The id within the rule.
    pub id: String,
    /// The bus or queue.
    pub arn: String,
    /// The role that EventBridge takes to send; a queue needs none.
    pub role_arn: Option<String>,
    /// The queue of the same cell that keeps what could not be sent.
    pub dead_letter_arn: Option<String>,
    /// Whether somebody gave it an input, an input transformer or a retry policy: none of ours has one, and the runtime reads whole events only.
    pub altered: bool,
}

/// A rule as it should be, with its only target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The name, unique on its bus.
    pub name: String,
    /// What a person reads in the console.
    pub description: String,
    /// The event pattern, JSON.
    pub pattern: String,
    /// Whether and what it carries.
    pub state: RuleState,
    /// Its only target.
    pub target: Target,
}

/// What a trigger or forwarder asks of its rules; the same in every cell.
#[derive(Debug, Clone, Copy)]
pub struct RuleRequest<'a> {
    /// Whose they are.
    pub owner: Owner<'a>,
    /// Their patterns, one for each rule.
    pub patterns: &'a [String],
    /// The state of every rule.
    pub state: RuleState,
}

/// The rules that a trigger or forwarder wants in a cell.
#[must_use]
pub fn cell_rules(hub: &Hub, request: RuleRequest<'_>, cell: &Cell, forward_dead_letter: bool) -> Vec<Rule> {
    let target = forward_target(hub, cell, forward_dead_letter);
    let rule = |(k, pattern): (usize, &String)| Rule {
        name: hub.rule_name(request.owner, k),
        description: format!("Trailwire: {} of hub {}", request.owner, hub.name()),
        pattern: pattern.clone(),
        state: request.state,
        target: target.clone(),
    };
    request.patterns.iter().enumerate().map(rule).collect()
}

/// The target of every rule that sends from a cell to the hub.
#[must_use]
pub fn forward_target(hub: &Hub, cell: &Cell, forward_dead_letter: bool) -> Target {
    Target {
        id: TARGET_ID.to_owned(),
        arn: hub.arn(),
        role_arn: Some(hub.forward_role_arn(&cell.account)),
        dead_letter_arn: forward_dead_letter.then(|| hub.queue_arn(cell, &hub.forward_dead_letter_queue_name())),
        altered: false,
    }
}

/// The rule on the hub's bus that fills the hub's queue.
#[must_use]
pub fn hub_rule(hub: &Hub) -> Rule {
    Rule {
        name: hub.hub_rule_name(),
        description: format!("Trailwire: everything that reaches hub {}", hub.name()),
        pattern: super::pattern::everything(),
        state: RuleState::EnabledWithReads,
        target: Target {
            id: TARGET_ID.to_owned(),
            arn: hub.queue_arn(hub.home(), &hub.queue_name()),
            role_arn: None,
            dead_letter_arn: Some(hub.queue_arn(hub.home(), &hub.dead_letter_queue_name())),
            altered: false,
        },
    }
}

/// What is known of the targets of a rule that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundTargets {
    /// Only whether the rule points at the wanted target's ARN.
    Points(bool),
    /// All of them.
    Read(Vec<Target>),
}

/// A rule that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRule {
    /// As AWS tells it.
    pub description: Option<String>,
    /// As AWS tells it.
    pub pattern: Option<String>,
    /// As AWS tells it.
    pub state: Option<String>,
    /// What is known of its targets.
    pub targets: FoundTargets,
}

/// The rules that are there, by name.
pub type Found = BTreeMap<String, FoundRule>;

/// One call. The order of steps matters within a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Makes the rule or replaces it whole; its target comes by another step.
    PutRule(Rule),
    /// Makes or replaces the target of a rule.
    PutTarget {
        /// The rule.
        rule: String,
        /// Its wanted target.
        target: Target,
    },
    /// Removes targets of a rule.
    RemoveTargets {
        /// The rule.
        rule: String,
        /// The ids of the targets.
        ids: Vec<String>,
    },
    /// Removes a rule whose targets are removed.
    DeleteRule {
        /// The rule.
        rule: String,
    },
}

impl Step {
    /// The rule that the step is about.
    #[must_use]
    pub fn rule(&self) -> &str {
        match self {
            Self::PutRule(rule) => &rule.name,
            Self::PutTarget { rule, .. } | Self::RemoveTargets { rule, .. } | Self::DeleteRule { rule } => rule,
        }
    }
}

/// The steps from what is there to what is wanted; none when nothing differs. `owns` tells which of the found rules are the caller's to remove.
pub fn difference(wanted: &[Rule], found: &Found, owns: impl Fn(&str) -> bool) -> Vec<Step> {
    let mut steps = Vec::new();
    for rule in order::without_gaps(wanted, found) {
        let there = found.get(&rule.name);
        if !there.is_some_and(|there| rule_faults(rule, there).is_empty()) {
            steps.push(Step::PutRule(rule.clone()));
        }
        let put = (!there.is_some_and(|there| has_target(rule, there)))
            .then(|| Step::PutTarget { rule: rule.name.clone(), target: rule.target.clone() });
        let mut foreign: Vec<String> = there.map(|there| foreign_targets(rule, there)).unwrap_or_default();
        let remove = |ids: Vec<String>| (!ids.is_empty()).then(|| Step::RemoveTargets { rule: rule.name.clone(), ids });
        if foreign.len() >= MOST_TARGETS {
            steps.extend(remove(vec![foreign.remove(0)]));
        }
        steps.extend(put);
        steps.extend(remove(foreign));
    }
    for (name, there) in found {
        if owns(name) && !wanted.iter().any(|rule| rule.name == *name) {
            steps.extend(removal(name, &there.targets));
        }
    }
    steps
}

/// Why a cell is not as wanted, in words; empty exactly when [`difference`] has no steps.
pub fn drift(wanted: &[Rule], found: &Found, owns: impl Fn(&str) -> bool) -> Vec<String> {
    let mut reasons = Vec::new();
    for rule in wanted {
        let Some(there) = found.get(&rule.name) else {
            reasons.push(format!("rule {} is missing", rule.name));
            continue;
        };
        reasons.extend(rule_faults(rule, there));
        if !has_target(rule, there) {
            reasons.push(format!("rule {} does not send to {}", rule.name, rule.target.arn));
        }
        reasons.extend(foreign_targets(rule, there).iter().map(|id| format!("rule {} has another target, {id}", rule.name)));
    }
    let surplus = found.keys().filter(|name| owns(name) && !wanted.iter().any(|rule| rule.name == **name));
    reasons.extend(surplus.map(|name| format!("rule {name} is not wanted")));
    reasons
}

fn rule_faults(rule: &Rule, there: &FoundRule) -> Vec<String> {
    let mut faults = Vec::new();
    if !there.pattern.as_deref().is_some_and(|pattern| same_document(pattern, &rule.pattern)) {
        faults.push(format!("rule {} has another event pattern", rule.name));
    }
    if there.state.as_deref() != Some(rule.state.as_str()) {
        let state = there.state.as_deref().unwrap_or("unknown");
        faults.push(format!("rule {} is in state {state}, not {}", rule.name, rule.state.as_str()));
    }
    if there.description.as_deref() != Some(&rule.description) {
        faults.push(format!("rule {} has another description", rule.name));
    }
    faults
}

fn has_target(rule: &Rule, there: &FoundRule) -> bool {
    match &there.targets {
        FoundTargets::Points(points) => *points,
        FoundTargets::Read(targets) => targets.contains(&rule.target),
    }
}

/// The ids of other targets, those last that carry to where ours does.
fn foreign_targets(rule: &Rule, there: &FoundRule) -> Vec<String> {
    match &there.targets {
        FoundTargets::Points(_) => Vec::new(),
        FoundTargets::Read(targets) => {
            let mut foreign: Vec<&Target> = targets.iter().filter(|target| target.id != rule.target.id).collect();
            foreign.sort_by_key(|target| target.arn == rule.target.arn);
            foreign.into_iter().map(|target| target.id.clone()).collect()
        }
    }
}

/// What removes a rule that is there, its targets first.
#[must_use]
pub fn removal(name: &str, there: &FoundTargets) -> Vec<Step> {
    let ids = match there {
        FoundTargets::Points(true) => vec![TARGET_ID.to_owned()],
        FoundTargets::Points(false) => Vec::new(),
        FoundTargets::Read(targets) => targets.iter().map(|target| target.id.clone()).collect(),
    };
    let mut steps = Vec::new();
    if !ids.is_empty() {
        steps.push(Step::RemoveTargets { rule: name.to_owned(), ids });
    }
    steps.push(Step::DeleteRule { rule: name.to_owned() });
    steps
}

/// What is there after a step that AWS accepted; `targets` of a rule that was only known to point or not stay known that far.
pub fn after(found: &mut Found, step: &Step) {
    match step {
        Step::PutRule(rule) => {
            let targets = found.remove(&rule.name).map_or_else(|| FoundTargets::Read(Vec::new()), |there| there.targets);
            let there = FoundRule {
                description: Some(rule.description.clone()),
                pattern: Some(rule.pattern.clone()),
                state: Some(rule.state.as_str().to_owned()),
                targets,
            };
            found.insert(rule.name.clone(), there);
        }
        Step::PutTarget { rule, target } => {
            if let Some(there) = found.get_mut(rule) {
                match &mut there.targets {
                    FoundTargets::Points(points) => *points = true,
                    FoundTargets::Read(targets) => {
                        targets.retain(|other| other.id != target.id);
                        targets.push(target.clone());
                    }
                }
            }
        }
        Step::RemoveTargets { rule, ids } => {
            if let Some(there) = found.get_mut(rule) {
                match &mut there.targets {
                    FoundTargets::Points(points) => *points = *points && !ids.iter().any(|id| id == TARGET_ID),
                    FoundTargets::Read(targets) => targets.retain(|target| !ids.contains(&target.id)),
                }
            }
        }
        Step::DeleteRule { rule } => {
            found.remove(rule);
        }
    }
}

#[cfg(test)]
mod tests;

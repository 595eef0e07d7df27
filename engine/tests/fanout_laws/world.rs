//! What AWS has in one cell, roles of the account included, and how it answers calls: it refuses what AWS refuses.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use trailwire_engine::fanout::names::{Cell, Hub};
use trailwire_engine::fanout::objects::{FoundRole, QueueStep, RoleStep};
use trailwire_engine::fanout::rules::{Found, FoundRule, FoundTargets, Step, Target};
use trailwire_engine::fanout::tags::Tags;

use crate::wanted::View;

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const REGION: &str = "us-east-1";

/// The hub whose laws are tested. Another one has objects in the same cell.
pub(crate) fn hub() -> &'static Hub {
    static HUB: LazyLock<Hub> = LazyLock::new(|| Hub::new("security", Cell::new(ACCOUNT, "eu-west-1")));
    &HUB
}

pub(crate) fn cell() -> Cell {
    Cell::new(ACCOUNT, REGION)
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) rules: BTreeMap<String, Rule>,
    pub(crate) queues: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) roles: BTreeMap<String, FoundRole>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) description: String,
    pub(crate) pattern: String,
    pub(crate) state: String,
    pub(crate) targets: Vec<Target>,
    pub(crate) tags: Tags,
}

impl Rule {
    /// Whether events get from here to the hub.
    pub(crate) fn carries(&self) -> bool {
        self.state != "DISABLED" && self.targets.iter().any(|target| target.arn == hub().arn() && !target.altered)
    }
}

/// Why AWS does not do it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// A rule that has targets is not removed.
    InUse,
    /// Anything that our steps may never meet.
    Wrong(String),
}

fn wrong(what: impl Into<String>) -> Result<(), Refused> {
    Err(Refused::Wrong(what.into()))
}

impl World {
    /// What the provider sees of our rules: a list, or each rule's targets too.
    pub(crate) fn see(&self, view: View) -> Found {
        let ours = self.rules.iter().filter(|(name, _)| name.starts_with(&hub().own_prefix()));
        let seen = ours.map(|(name, rule)| {
            let targets = match view {
                View::Listed => FoundTargets::Points(rule.targets.iter().any(|target| target.arn == hub().arn())),
                View::Deep => FoundTargets::Read(rule.targets.clone()),
            };
            let (description, pattern) = (Some(rule.description.clone()), Some(rule.pattern.clone()));
            (name.clone(), FoundRule { description, pattern, state: Some(rule.state.clone()), targets })
        });
        seen.collect()
    }

    /// Whether what is remembered of our rules is true. More may be known of some rules than of others.
    pub(crate) fn is_as_remembered(&self, found: &Found) -> bool {
        let (listed, deep) = (self.see(View::Listed), self.see(View::Deep));
        let is_true = |(name, rule): (&String, &FoundRule)| [&listed, &deep].iter().any(|there| there.get(name) == Some(rule));
        found.len() == deep.len() && found.iter().all(is_true)
    }

    /// All that the hub did not make.
    pub(crate) fn of_others(&self) -> World {
        let prefix = hub().own_prefix();
        let mut others = self.clone();
        others.rules.retain(|name, _| !name.starts_with(&prefix));
        others.queues.retain(|name, _| !name.starts_with(&prefix));
        others.roles.retain(|name, _| !name.starts_with(&prefix));
        others
    }

    pub(crate) fn rule_step(&mut self, step: &Step, tags: &Tags) -> Result<(), Refused> {
        match step {
            Step::PutRule(rule) => {
                if rule.name.len() > 64 || rule.pattern.chars().count() > 2_048 {
                    return wrong("a name or pattern that is too long");
                }
                let there = self.rules.entry(rule.name.clone());
                let there = there.or_insert_with(|| Rule {
                    description: String::new(),
                    pattern: String::new(),
                    state: String::new(),
                    targets: Vec::new(),
                    tags: tags.clone(),
                });
                there.description.clone_from(&rule.description);
                there.pattern.clone_from(&rule.pattern);
                rule.state.as_str().clone_into(&mut there.state);
            }
            Step::PutTarget { rule, target } => {
                let role = target.role_arn.as_deref().and_then(|arn| self.roles.get(arn.rsplit('/').next()?));
                if !role.and_then(|role| role.trust.as_deref()).is_some_and(|trust| trust.contains("events.amazonaws.com")) {
                    return wrong(format!("{:?} cannot be assumed by principal events.amazonaws.com", target.role_arn));
                }
                let Some(there) = self.rules.get_mut(rule) else { return wrong(format!("a target of {rule}, which is not there")) };
                there.targets.retain(|other| other.id != target.id);
                there.targets.push(target.clone());
                if there.targets.len() > 5 {
                    return wrong("more than five targets");
                }
            }
            Step::RemoveTargets { rule, ids } => {
                let Some(there) = self.rules.get_mut(rule) else { return wrong(format!("targets of {rule}, which is not there")) };
                there.targets.retain(|target| !ids.contains(&target.id));
            }
            Step::DeleteRule { rule } => {
                if self.rules.get(rule).is_some_and(|there| !there.targets.is_empty()) {
                    return Err(Refused::InUse);
                }
                self.rules.remove(rule);
            }
        }
        Ok(())
    }

    pub(crate) fn queue_step(&mut self, name: &str, step: &QueueStep) -> Result<(), Refused> {
        match step {
            QueueStep::Create(queue) => {
                if self.queues.insert(queue.name.clone(), queue.attributes.clone()).is_some() {
                    return wrong(format!("queue {} is there already", queue.name));
                }
            }
            QueueStep::SetAttributes(attributes) => match self.queues.get_mut(name) {
                Some(there) => there.extend(attributes.clone()),
                None => return wrong(format!("queue {name} is not there")),
            },
        }
        Ok(())
    }

    /// Removing what is not there is done.
    pub(crate) fn remove_queue(&mut self, name: &str) -> Result<(), Refused> {
        self.queues.remove(name);
        Ok(())
    }

    pub(crate) fn role_step(&mut self, name: &str, step: &RoleStep) -> Result<(), Refused> {
        if let RoleStep::Create(role) = step {
            let made = FoundRole { trust: Some(role.trust.clone()), boundary: role.boundary.clone(), policy: None };
            return if self.roles.insert(name.to_owned(), made).is_none() { Ok(()) } else { wrong("the role is there already") };
        }
        // Removing what is not there is done.
        let is_removal = matches!(step, RoleStep::Remove | RoleStep::RemovePolicy);
        let Some(there) = self.roles.get_mut(name) else { return if is_removal { Ok(()) } else { wrong("no such role") } };
        match step {
            RoleStep::ChangeTrust(trust) => there.trust = Some(trust.clone()),
            RoleStep::ChangeBoundary(boundary) => there.boundary.clone_from(boundary),
            RoleStep::PutPolicy(policy) => there.policy = Some(policy.clone()),
            RoleStep::RemovePolicy => there.policy = None,
            RoleStep::Remove if there.policy.is_some() => return wrong("must delete policies first"),
            RoleStep::Create(_) | RoleStep::Remove => {
                self.roles.remove(name);
            }
        }
        Ok(())
    }
}

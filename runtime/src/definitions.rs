//! The definitions in force: triggers, destinations and scope, at one revision. Pure; [`crate::hub`] and [`files`] read them.

mod check;
pub(crate) mod files;

use std::collections::{BTreeMap, BTreeSet};

use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::event::Event;
use trailwire_engine::matcher::{Outcome, Scope, TriggerSet};
use trailwire_engine::trigger::{Destination, Trigger};

/// A document that is not in force, and why.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refused {
    /// `trigger` or `destination`.
    pub(crate) kind: &'static str,
    /// Its name.
    pub(crate) name: String,
    /// One sentence for each fault.
    pub(crate) reasons: Vec<String>,
    /// Whether an earlier version of it is in force instead.
    pub(crate) earlier_kept: bool,
}

/// What was read: each definition by its name, good or bad.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    /// Triggers.
    pub(crate) triggers: BTreeMap<String, Result<Trigger, Vec<Diagnostic>>>,
    /// Destinations.
    pub(crate) destinations: BTreeMap<String, Result<Destination, Vec<Diagnostic>>>,
    /// Names that are claimed and have no document yet.
    pub(crate) claimed: BTreeSet<String>,
}

/// Triggers, destinations and scope at one revision.
#[derive(Debug)]
pub(crate) struct Definitions {
    /// The hub's revision; 0 where there is no hub.
    pub(crate) revision: u64,
    /// Documents that are not in force.
    pub(crate) refused: Vec<Refused>,
    set: TriggerSet,
    scope: Scope,
    triggers: BTreeMap<String, Trigger>,
    destinations: BTreeMap<String, Destination>,
    /// Every trigger there is, refused ones included.
    names: BTreeSet<String>,
}

/// What the triggers say of an event.
#[derive(Debug)]
pub(crate) struct Judged<'a> {
    /// The triggers that fire.
    pub(crate) fires: Vec<&'a Trigger>,
    /// Triggers whose expression ended in an error, with the error. Some of them may fire all the same.
    pub(crate) errors: Vec<(String, String)>,
}

impl Definitions {
    /// Puts definitions in force. A document with faults is refused; what `previous` has under its name stays in force.
    pub(crate) fn new(revision: u64, scope: Scope, documents: Documents, previous: Option<&Self>) -> Self {
        let mut refused = Vec::new();
        let names = documents.triggers.keys().chain(&documents.claimed).cloned().collect();
        let kept = |name: &str| previous.and_then(|previous| previous.triggers.get(name)).cloned();
        let mut triggers = in_force("trigger", documents.triggers, kept, &mut refused);
        let kept_destination = |name: &str| previous.and_then(|previous| previous.destinations.get(name)).cloned();
        let destinations = in_force("destination", documents.destinations, kept_destination, &mut refused);
        // The expressions are compiled here; one that does not compile is refused like any other fault.
        let (mut set, faults) = TriggerSet::new(triggers.values().cloned().collect());
        if !faults.is_empty() {
            for fault in faults {
                let earlier = kept(&fault.name);
                refused.push(Refused {
                    kind: "trigger",
                    reasons: sentences(&fault.diagnostics),
                    earlier_kept: earlier.is_some(),
                    name: fault.name.clone(),
                });
                match earlier {
                    Some(earlier) => triggers.insert(fault.name, earlier),
                    None => triggers.remove(&fault.name),
                };
            }
            set = TriggerSet::new(triggers.values().cloned().collect()).0;
        }
        Self { revision, refused, set, scope, triggers, destinations, names }
    }

    /// Judges an event by every trigger.
    pub(crate) fn judge(&self, event: &Event) -> Judged<'_> {
        let mut judged = Judged { fires: Vec::new(), errors: Vec::new() };
        for judgement in self.set.judge(event, &self.scope) {
            if let Outcome::Error(error) = &judgement.outcome {
                judged.errors.push((judgement.trigger.name.clone(), error.to_string()));
            }
            if judgement.fires() {
                judged.fires.push(judgement.trigger);
            }
        }
        judged
    }

    /// A destination by its name.
    pub(crate) fn destination(&self, name: &str) -> Option<&Destination> {
        self.destinations.get(name)
    }

    /// Every trigger there is, those included whose document is refused.
    pub(crate) fn trigger_names(&self) -> BTreeSet<String> {
        self.names.clone()
    }

    /// The scope of the hub.
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// How many triggers and destinations are in force.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.triggers.len(), self.destinations.len())
    }

    /// The triggers in force, by name.
    pub(crate) fn triggers(&self) -> impl Iterator<Item = &Trigger> {
        self.triggers.values()
    }
}

fn in_force<T>(
    kind: &'static str,
    documents: BTreeMap<String, Result<T, Vec<Diagnostic>>>,
    kept: impl Fn(&str) -> Option<T>,
    refused: &mut Vec<Refused>,
) -> BTreeMap<String, T> {
    let mut good = BTreeMap::new();
    for (name, document) in documents {
        let chosen = document.or_else(|diagnostics| {
            let earlier = kept(&name);
            refused.push(Refused { kind, name: name.clone(), reasons: sentences(&diagnostics), earlier_kept: earlier.is_some() });
            earlier.ok_or(())
        });
        if let Ok(chosen) = chosen {
            good.insert(name, chosen);
        }
    }
    good
}

/// Each error in one line, with the place it is about.
pub(crate) fn sentences(diagnostics: &[Diagnostic]) -> Vec<String> {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
    errors
        .map(|diagnostic| match diagnostic.path.is_empty() {
            true => format!("{}: {}", diagnostic.code, diagnostic.message),
            false => format!("{}: {} (in {})", diagnostic.code, diagnostic.message, diagnostic.path),
        })
        .collect()
}

//! The definitions in force: triggers, destinations and scope, at one revision. Pure; [`crate::hub`] and [`files`] read them.

pub(crate) mod check;
pub(crate) mod files;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::event::Event;
use trailwire_engine::fanout::table::HubRecord;
use trailwire_engine::matcher::{CompiledSet, Fired, Outcome, Scope, Scratch};
use trailwire_engine::trigger::{Destination, OnError, Trigger};

use crate::source::Received;

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
    /// The event names of triggers whose documents are bad, as far as they can be made out.
    pub(crate) event_names: BTreeMap<String, BTreeSet<String>>,
}

/// Triggers, destinations and scope at one revision.
#[derive(Debug)]
pub(crate) struct Definitions {
    /// The hub's revision; 0 where there is no hub.
    pub(crate) revision: u64,
    /// Larger than that of all definitions that were in force before. A revision is not where a hub was made anew, or its table restored.
    pub(crate) order: u64,
    /// Documents that are not in force.
    pub(crate) refused: Vec<Refused>,
    /// The hub; `None` where there is none.
    pub(crate) hub: Option<HubRecord>,
    set: CompiledSet,
    scope: Scope,
    triggers: BTreeMap<String, Arc<Trigger>>,
    destinations: BTreeMap<String, Destination>,
    /// Every trigger there is, refused ones included.
    names: BTreeSet<String>,
    /// Triggers of which no version is in force, and the event names that they are about; `None` where those are not known.
    blind: Vec<(String, Option<BTreeSet<String>>)>,
}

/// The triggers that do not run for each match, and what the journal has to know of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Restraints {
    /// The revision of the definitions.
    pub(crate) revision: u64,
    /// The enabled triggers with a threshold or `suppress`: their rule as text, and the threshold's window in milliseconds.
    pub(crate) enabled: BTreeMap<String, (String, Option<i64>)>,
    /// Every trigger there is.
    pub(crate) known: BTreeSet<String>,
}

impl Restraints {
    /// Whether both are the same but for the revision.
    pub(crate) fn say_the_same(&self, other: &Self) -> bool {
        (&self.enabled, &self.known) == (&other.enabled, &other.known)
    }
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
        let mut event_names = documents.event_names;
        let kept = |name: &str| previous.and_then(|previous| previous.triggers.get(name)).cloned();
        let read = documents.triggers.into_iter().map(|(name, document)| (name, document.map(Arc::new))).collect();
        let mut triggers = in_force("trigger", read, kept, &mut refused);
        let kept_destination = |name: &str| previous.and_then(|previous| previous.destinations.get(name)).cloned();
        let destinations = in_force("destination", documents.destinations, kept_destination, &mut refused);
        // The expressions are compiled here; one that does not compile is refused like any other fault.
        let (mut set, faults) = CompiledSet::new(triggers.values().cloned().collect());
        if !faults.is_empty() {
            for fault in faults {
                let earlier = kept(&fault.name);
                refused.push(Refused {
                    kind: "trigger",
                    reasons: sentences(&fault.diagnostics),
                    earlier_kept: earlier.is_some(),
                    name: fault.name.clone(),
                });
                let bad = match earlier {
                    Some(earlier) => triggers.insert(fault.name.clone(), earlier),
                    None => triggers.remove(&fault.name),
                };
                if let Some(bad) = bad.filter(|bad| !bad.any_event) {
                    event_names.insert(fault.name, bad.event_names.iter().cloned().collect());
                }
            }
            set = CompiledSet::new(triggers.values().cloned().collect()).0;
        }
        let lost = refused.iter().filter(|refused| refused.kind == "trigger" && !refused.earlier_kept);
        let blind = lost.map(|refused| (refused.name.clone(), event_names.remove(&refused.name))).collect();
        let order = previous.map_or(0, |previous| previous.order + 1).max(revision);
        Self { revision, order, refused, hub: None, set, scope, triggers, destinations, names, blind }
    }

    /// What [`Definitions::to_text`] gave: the last good version of every definition, for a process that starts while one of them is bad.
    /// What this version does not understand is left out.
    pub(crate) fn from_text(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let list = |name: &str| value.get(name).and_then(Value::as_array).into_iter().flatten();
        let mut documents = Documents::default();
        for trigger in list("triggers").filter_map(|trigger| Trigger::from_value(trigger).ok()) {
            documents.triggers.insert(trigger.name.clone(), Ok(trigger));
        }
        for destination in list("destinations").filter_map(|destination| Destination::from_value(destination).ok()) {
            documents.destinations.insert(destination.name.clone(), Ok(destination));
        }
        Self::new(0, Scope::default(), documents, None)
    }

    /// Every definition in force, as text. Documents hold no secrets.
    pub(crate) fn to_text(&self) -> String {
        let (triggers, destinations): (Vec<&Trigger>, Vec<_>) = (self.triggers().collect(), self.destinations.values().collect());
        serde_json::json!({"triggers": triggers, "destinations": destinations}).to_string()
    }

    /// A trigger that this event may be for and of which no version is in force.
    pub(crate) fn blind_to(&self, event: &Event) -> Option<&str> {
        let about = |names: &Option<BTreeSet<String>>| match (names, event.name()) {
            (Some(names), Some(name)) => names.contains(name),
            (Some(_), None) => false,
            (None, _) => true,
        };
        self.blind.iter().find(|(_, names)| about(names)).map(|(trigger, _)| trigger.as_str())
    }

    /// Judges an event by every trigger. The only place where the runtime does.
    pub(crate) fn judge(&self, received: &Received, scratch: &mut Scratch) -> Judged<'_> {
        let mut judged = Judged { fires: Vec::new(), errors: Vec::new() };
        for verdict in self.set.judge_event(received.event(), received.text(), &self.scope, scratch) {
            let Some(compiled) = self.set.triggers().get(verdict.trigger as usize) else { continue };
            let trigger = compiled.trigger();
            if verdict.fired == Fired::Error
                && let Outcome::Error(error) = compiled.judge(received.event(), &self.scope)
            {
                judged.errors.push((trigger.name.clone(), error.to_string()));
            }
            if verdict.fired == Fired::Match || trigger.on_error == OnError::Match {
                judged.fires.push(trigger);
            }
        }
        judged
    }

    /// A destination by its name.
    pub(crate) fn destination(&self, name: &str) -> Option<&Destination> {
        self.destinations.get(name)
    }

    /// The destinations in force, by name.
    pub(crate) fn destinations(&self) -> impl Iterator<Item = &Destination> {
        self.destinations.values()
    }

    /// Every trigger there is, those included whose document is refused.
    pub(crate) fn trigger_names(&self) -> BTreeSet<String> {
        self.names.clone()
    }

    /// Which of them do not run for each match.
    pub(crate) fn restraints(&self) -> Restraints {
        let restrained = self.triggers.values().filter(|trigger| trigger.enabled);
        let restrained = restrained.filter(|trigger| trigger.threshold.is_some() || trigger.suppress.is_some());
        let enabled = restrained.map(|trigger| {
            let rule = serde_json::json!([trigger.threshold, trigger.suppress]).to_string();
            let window =
                trigger.threshold.as_ref().map(|threshold| i64::try_from(threshold.window.duration.as_millis()).unwrap_or(i64::MAX));
            (trigger.name.clone(), (rule, window))
        });
        Restraints { revision: self.revision, enabled: enabled.collect(), known: self.names.clone() }
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
        self.triggers.values().map(Arc::as_ref)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn trigger(name: &str, event_name: &str) -> Trigger {
        Trigger::from_value(&json!({"name": name, "event_names": [event_name], "action": [{"send": [{"destination": "d"}]}]})).unwrap()
    }

    fn event(name: &str) -> Event {
        Event::from_value(json!({"eventName": name})).unwrap()
    }

    fn bad(names: &[(&str, Option<&str>)]) -> Documents {
        let mut documents = Documents::default();
        for (name, event_name) in names {
            documents.triggers.insert((*name).to_owned(), Err(vec![]));
            documents.event_names.extend(event_name.map(|event_name| ((*name).to_owned(), BTreeSet::from([event_name.to_owned()]))));
        }
        documents
    }

    #[test]
    fn the_last_good_version_survives_a_restart_as_text() {
        let mut documents = Documents::default();
        documents.triggers.insert("t".to_owned(), Ok(trigger("t", "E")));
        let hook = Destination::from_value(&json!({"name": "d", "webhook": [{"url": "https://example.com"}]})).unwrap();
        documents.destinations.insert("d".to_owned(), Ok(hook.clone()));
        let before = Definitions::new(7, Scope::default(), documents, None);
        let remembered = Definitions::from_text(&before.to_text());
        let mut documents = bad(&[("t", None)]);
        documents.destinations.insert("d".to_owned(), Err(vec![]));
        let after = Definitions::new(8, Scope::default(), documents, Some(&remembered));
        assert_eq!(after.judge(&event("E").into(), &mut Scratch::default()).fires, [&trigger("t", "E")]);
        assert_eq!(after.destination("d"), Some(&hook));
        assert!(after.refused.iter().all(|refused| refused.earlier_kept) && after.blind_to(&event("E")).is_none());
        // What is not understood is left out, and what is gone is not brought back.
        assert_eq!(Definitions::from_text("{oops").counts(), (0, 0));
        assert_eq!(Definitions::from_text(r#"{"triggers":[{"name":"x","later":1}]}"#).counts(), (0, 0));
        assert_eq!(Definitions::new(9, Scope::default(), Documents::default(), Some(&remembered)).counts(), (0, 0));
    }

    #[test]
    fn what_errs_is_told_and_fires_where_an_error_is_a_match() {
        let with = |name: &str, more: serde_json::Value| {
            let mut document = json!({"name": name, "event_names": ["E"], "action": [{"send": [{"destination": "d"}]}]});
            document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            (name.to_owned(), Ok(Trigger::from_value(&document).unwrap()))
        };
        let expression = "starts_with(detail.n, 'a')";
        let test = json!([{"name": "t", "event": "{}", "expect": false}]);
        let mut documents = Documents::default();
        documents.triggers.extend([
            with("all", json!({"test": test})),
            with("fires", json!({"match_expression": expression, "on_error": "match"})),
            with("no", json!({"match_expression": expression})),
            with("other", json!({"match_expression": "detail.n == `2`"})),
        ]);
        let definitions = Definitions::new(1, Scope::default(), documents, None);
        let event = Event::from_value(json!({"eventName": "E", "n": 1})).unwrap();
        for received in [event.clone().into(), Received::new(event, b"{oops".to_vec())] {
            let judged = definitions.judge(&received, &mut Scratch::default());
            assert_eq!(judged.fires.iter().map(|trigger| trigger.name.as_str()).collect::<Vec<_>>(), ["all", "fires"]);
            let errors: Vec<&str> = judged.errors.iter().map(|(trigger, _)| trigger.as_str()).collect();
            assert_eq!(errors, ["fires", "no"]);
            assert!(judged.errors.iter().all(|(_, error)| error.contains("starts_with")), "{:?}", judged.errors);
        }
        assert_eq!(definitions.triggers().next().unwrap().tests.len(), 1, "`trailwire test` runs them");
    }

    #[test]
    fn a_trigger_without_any_good_version_is_known_to_be_missing() {
        let definitions = Definitions::new(1, Scope::default(), bad(&[("known", Some("A")), ("unknown", None)]), None);
        assert_eq!((definitions.blind_to(&event("A")), definitions.blind_to(&event("B"))), (Some("known"), Some("unknown")));
        let definitions = Definitions::new(1, Scope::default(), bad(&[("known", Some("A"))]), None);
        assert_eq!((definitions.blind_to(&event("A")), definitions.blind_to(&event("B"))), (Some("known"), None));
        let mut documents = Documents::default();
        let mut uncompiled = trigger("t", "E");
        uncompiled.match_expression = Some("nosuch(@)".to_owned());
        documents.triggers.insert("t".to_owned(), Ok(uncompiled));
        let definitions = Definitions::new(1, Scope::default(), documents, None);
        assert_eq!((definitions.blind_to(&event("E")), definitions.blind_to(&event("F"))), (Some("t"), None));
    }
}

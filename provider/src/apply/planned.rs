//! The triggers and forwarders that this process has planned, for those that are planned after them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::fanout::names::Hub;
use trailwire_engine::fanout::set::Beside;
use trailwire_engine::trigger::Forwarder;

/// Triggers, by the hub's name and their own.
#[derive(Debug, Default)]
pub struct Planned(Mutex<HashMap<String, BTreeMap<String, Arc<Beside>>>>);

impl Planned {
    /// Keeps a trigger of a hub, given by name or ARN, and tells the first overlap with those that are kept. One that is planned again, as Terraform does
    /// where it replaces, takes its own place.
    pub fn set_beside(&self, hub: &str, trigger: Beside) -> Option<Diagnostic> {
        let hub = hub_name(hub);
        let (name, trigger) = (trigger.name().to_owned(), Arc::new(trigger));
        let others: Vec<Arc<Beside>> = {
            let mut planned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let planned = planned.entry(hub).or_default();
            planned.insert(name.clone(), Arc::clone(&trigger));
            planned.iter().filter(|(other, _)| **other != name).map(|(_, other)| Arc::clone(other)).collect()
        };
        others.iter().find_map(|other| trigger.overlap(other))
    }
}

/// Forwarders, by the hub's name and their own; nothing in place of one of which not all is known yet.
#[derive(Debug, Default)]
pub struct PlannedForwarders(Mutex<HashMap<(String, String), Option<Forwarder>>>);

impl PlannedForwarders {
    /// Keeps a forwarder of a hub, given by name or ARN. Terraform plans it before a trigger that refers to it.
    pub fn plan(&self, hub: &str, name: &str, forwarder: Option<Forwarder>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((hub_name(hub), name.to_owned()), forwarder);
    }

    /// What was planned; `None` when nothing of this name was.
    pub fn planned(&self, hub: &str, name: &str) -> Option<Option<Forwarder>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(hub_name(hub), name.to_owned())).cloned()
    }
}

/// What the queries of a hub's triggers may call, by the hub's name; nothing in place of what is not known yet.
#[derive(Debug, Default)]
pub struct PlannedQueries(Mutex<HashMap<String, Option<Vec<String>>>>);

impl PlannedQueries {
    /// Keeps what a hub of a name allows. Terraform plans it before a trigger that refers to it.
    pub fn plan(&self, hub: &str, operations: Option<Vec<String>>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(hub.to_owned(), operations);
    }

    /// What was planned of a hub, given by name or ARN; `None` when nothing was.
    pub fn planned(&self, hub: &str) -> Option<Option<Vec<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&hub_name(hub)).cloned()
    }
}

/// The name of a hub that is given by name or ARN.
fn hub_name(reference: &str) -> String {
    Hub::from_arn(reference).map_or_else(|| reference.to_owned(), |hub| hub.name().to_owned())
}

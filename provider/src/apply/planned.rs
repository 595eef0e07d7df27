//! The triggers that this process has planned, for those that are planned after them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::fanout::names::Hub;
use trailwire_engine::fanout::set::Beside;

/// By the hub's name and their own.
#[derive(Debug, Default)]
pub struct Planned(Mutex<HashMap<String, BTreeMap<String, Arc<Beside>>>>);

impl Planned {
    /// Keeps a trigger of a hub, given by name or ARN, and tells the first overlap with those that are kept. One that is planned again, as Terraform does
    /// where it replaces, takes its own place.
    pub fn set_beside(&self, hub: &str, trigger: Beside) -> Option<Diagnostic> {
        let named = Hub::from_arn(hub);
        let hub = named.as_ref().map_or(hub, Hub::name);
        let (name, trigger) = (trigger.name().to_owned(), Arc::new(trigger));
        let others: Vec<Arc<Beside>> = {
            let mut planned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let planned = planned.entry(hub.to_owned()).or_default();
            planned.insert(name.clone(), Arc::clone(&trigger));
            planned.iter().filter(|(other, _)| **other != name).map(|(_, other)| Arc::clone(other)).collect()
        };
        others.iter().find_map(|other| trigger.overlap(other))
    }
}

//! What the proxy knows of the world behind it, learnt from the calls that succeeded: enough to enforce limits that depend on what exists.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use super::identify::Call;

/// An (account, region) pair: everything here is regional.
type Cell = (String, String);

#[derive(Debug, Default)]
pub(super) struct Model {
    rules: HashMap<(Cell, String), BTreeMap<String, Rule>>,
    deleted_queues: HashMap<(Cell, String), Instant>,
    scheduled_secrets: HashSet<(Cell, String)>,
}

/// A rule of a bus.
#[derive(Debug, Default)]
pub(super) struct Rule {
    pub(super) targets: BTreeSet<String>,
    pub(super) has_wildcard: bool,
}

impl Model {
    /// The rules of a bus, by name.
    pub(super) fn rules(&mut self, call: &Call, bus: &str) -> &mut BTreeMap<String, Rule> {
        self.rules.entry((cell(call), bus.to_owned())).or_default()
    }

    pub(super) fn queue_was_deleted(&mut self, call: &Call, name: &str) {
        self.deleted_queues.insert((cell(call), name.to_owned()), Instant::now());
    }

    /// Whether a queue of the name was deleted less than `hold` ago.
    pub(super) fn is_queue_name_held(&self, call: &Call, name: &str, hold: Duration) -> bool {
        self.deleted_queues.get(&(cell(call), name.to_owned())).is_some_and(|deleted| deleted.elapsed() < hold)
    }

    pub(super) fn secret_was_scheduled(&mut self, call: &Call, name: &str) {
        self.scheduled_secrets.insert((cell(call), name.to_owned()));
    }

    pub(super) fn secret_is_free(&mut self, call: &Call, name: &str) {
        self.scheduled_secrets.remove(&(cell(call), name.to_owned()));
    }

    pub(super) fn is_secret_scheduled(&self, call: &Call, name: &str) -> bool {
        self.scheduled_secrets.contains(&(cell(call), name.to_owned()))
    }
}

fn cell(call: &Call) -> Cell {
    (call.account.clone(), call.region.clone())
}

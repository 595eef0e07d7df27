//! What an apply made of a hub, as opposed to what it found.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use trailwire_engine::fanout::names::Cell;

/// Something that a hub has beside its table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Thing {
    /// Its bus.
    Bus,
    /// The rule on its bus.
    Rule,
    /// Its alarms.
    Alarms,
    /// A part of its function.
    Function(Part),
    /// A queue, by cell and name.
    Queue(Cell, String),
    /// A role, by account and name.
    Role(String, String),
    /// The canary rule of a cell.
    Canary(Cell),
}

/// What belongs to a hub's function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Its role.
    Role,
    /// Its log group.
    Log,
    /// The function itself.
    Code,
    /// What invokes it every minute.
    Schedule,
    /// What feeds it.
    Mapping,
}

/// What was made. It is noted before the call: that of which the answer was lost counts, too.
#[derive(Debug, Default)]
pub(super) struct Made(Mutex<BTreeSet<Thing>>);

impl Made {
    /// Notes what is missing and is about to be made.
    pub(super) fn note(&self, thing: Thing) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(thing);
    }

    /// Whether this was made.
    pub(super) fn has(&self, thing: &Thing) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(thing)
    }
}

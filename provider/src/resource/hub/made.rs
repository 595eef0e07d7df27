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
    /// Its function, with the role that is made first.
    Function,
    /// A queue, by cell and name.
    Queue(Cell, String),
    /// The role of an account.
    Role(String),
    /// The canary rule of a cell.
    Canary(Cell),
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

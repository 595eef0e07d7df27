//! Whether the runtime does its work: what stands in the way, by name.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What can stand in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// It has not begun, or it is stopping.
    Runtime,
    /// The definitions can not be read: nothing is judged.
    Definitions,
    /// The queue can not be read.
    Queue,
    /// The journal takes nothing: nothing is accepted.
    Journal,
}

impl Part {
    fn word(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Definitions => "definitions",
            Self::Queue => "queue",
            Self::Journal => "journal",
        }
    }
}

/// What stands in the way of work now. A runtime that has not begun is not ready.
#[derive(Debug)]
pub(crate) struct Health(Mutex<BTreeMap<Part, String>>);

impl Default for Health {
    fn default() -> Self {
        Self(Mutex::new(BTreeMap::from([(Part::Runtime, "it has not begun".to_owned())])))
    }
}

impl Health {
    /// Says that a part does its work.
    pub(crate) fn works(&self, part: Part) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&part);
    }

    /// Says why a part does not.
    pub(crate) fn fails(&self, part: Part, reason: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(part, reason.to_owned());
    }

    /// Each part that does not do its work, and why; empty while the runtime is ready.
    pub(crate) fn faults(&self) -> BTreeMap<&'static str, String> {
        let faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.iter().map(|(part, reason)| (part.word(), reason.clone())).collect()
    }
}

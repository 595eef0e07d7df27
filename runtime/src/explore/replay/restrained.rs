//! Matches of triggers with `threshold` or `suppress`: which of them would have run.
//!
//! The rules are the runtime's ([`gate`]), and so is all that they remember. A trigger's clock is the latest time of its matches so far. Files do not
//! have their events in the order of their times, so matches wait for as long in event time as the runtime waits for late ones ([`LATE`]), and are
//! judged in the order of their times; what comes later still is late here, too.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use trailwire_engine::trigger::Trigger;

use super::Match;
use crate::core::gate::{self, Closing, Gate, WindowId};
use crate::core::run::{Occasion, Run};
use crate::core::window::{LATE, Window};
use crate::definitions::Definitions;

/// So many matches may wait. Of more the earliest are judged at once.
const WAITING: usize = 100_000;

/// What would have become of a match, in the words of the runtime's metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ran,
    /// A threshold or `suppress` did not let it run.
    HeldBack,
}

impl Outcome {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ran => "ran",
            Self::HeldBack => "held_back",
        }
    }
}

/// The triggers that do not run for each match, and their matches that wait, each as `T`.
pub(super) struct Restrained<T> {
    triggers: BTreeMap<String, Restraint>,
    /// By time, and by number where they are of the same time.
    waiting: BTreeMap<(Timestamp, u64), (String, Gate, T)>,
    number: u64,
    /// The latest time of all matches.
    latest: Timestamp,
}

impl<T> Restrained<T> {
    pub(super) fn of(definitions: &Definitions) -> Self {
        let restrained = definitions.restraints().enabled;
        let triggers = definitions.triggers().filter(|trigger| restrained.contains_key(&trigger.name));
        let triggers = triggers.map(|trigger| (trigger.name.clone(), Restraint::new(trigger))).collect();
        Self { triggers, waiting: BTreeMap::new(), number: 0, latest: Timestamp::UNIX_EPOCH }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.triggers.is_empty()
    }

    /// Lets a match wait. It is given back where its trigger runs for each.
    pub(super) fn wait(&mut self, matched: &Match, shown: T) -> Option<T> {
        let restraint = self.triggers.get(&matched.trigger);
        let Some(gate) = restraint.and_then(|restraint| gate::gate(&restraint.run.trigger, &matched.event)) else { return Some(shown) };
        let at = gate.at.unwrap_or(self.latest);
        self.latest = self.latest.max(at);
        self.waiting.insert((at, self.number), (matched.trigger.clone(), gate, shown));
        self.number += 1;
        None
    }

    /// Judges what has waited long enough, until `take` says no. Whether it did not.
    pub(super) fn go_on(&mut self, take: impl FnMut(T, Option<Outcome>) -> bool) -> bool {
        let ripe = self.latest.checked_sub(SignedDuration::from_millis(LATE)).unwrap_or(Timestamp::MIN);
        self.judge(ripe, WAITING, take)
    }

    /// Judges all that waits, until `take` says no.
    pub(super) fn end(mut self, take: impl FnMut(T, Option<Outcome>) -> bool) {
        self.judge(Timestamp::MAX, 0, take);
    }

    /// Judges what is not later than `ripe`, and what is more than `most`.
    fn judge(&mut self, ripe: Timestamp, most: usize, mut take: impl FnMut(T, Option<Outcome>) -> bool) -> bool {
        loop {
            let is_more = self.waiting.len() > most;
            let Some(first) = self.waiting.first_entry().filter(|first| is_more || first.key().0 <= ripe) else { return true };
            let ((at, _), (trigger, gate, shown)) = first.remove_entry();
            let outcome = self.triggers.get_mut(&trigger).map(|restraint| restraint.judge(&gate, at));
            if !take(shown, outcome) {
                return false;
            }
        }
    }
}

/// A trigger, and what is remembered of its matches.
struct Restraint {
    /// What the rules know of each match: the trigger, and when it was accepted. That is its clock.
    run: Arc<Run>,
    windows: BTreeMap<WindowId, Window>,
    /// When to look at a window again, as the runtime does.
    watches: BTreeMap<(Timestamp, u64), Arc<Run>>,
    number: u64,
}

impl Restraint {
    fn new(trigger: &Trigger) -> Self {
        let run = Run {
            trigger: trigger.clone(),
            event: serde_json::Value::Null,
            event_key: String::new(),
            assumed_by: Vec::new(),
            accepted: Timestamp::UNIX_EPOCH,
            occasion: Occasion::Event,
            results: BTreeMap::new(),
        };
        Self { run: Arc::new(run), windows: BTreeMap::new(), watches: BTreeMap::new(), number: 0 }
    }

    fn judge(&mut self, gate: &Gate, at: Timestamp) -> Outcome {
        let now = self.run.accepted.max(at);
        Arc::make_mut(&mut self.run).accepted = now;
        while let Some(due) = self.watches.first_entry().filter(|first| first.key().0 <= now) {
            let ((at, _), run) = due.remove_entry();
            if let Ok(Closing::Later(again)) = gate::close(&run, at, &mut self.windows) {
                self.watch(again, run);
            }
        }
        let Ok(decision) = gate::judge(gate, &self.run, &[], &mut self.windows);
        for (run, tasks) in decision.begins {
            tasks.iter().for_each(|task| self.watch(task.due, Arc::clone(&run)));
        }
        if decision.runs { Outcome::Ran } else { Outcome::HeldBack }
    }

    fn watch(&mut self, due: Timestamp, run: Arc<Run>) {
        self.watches.insert((due, self.number), run);
        self.number += 1;
    }
}

#[cfg(test)]
mod tests;

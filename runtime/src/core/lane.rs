//! One destination's deliveries: how many at once, and the circuit that opens when it does not answer.
//!
//! A circuit is closed as long as attempts succeed now and then. After [`OPEN_AFTER`] failures in a row it is open: nothing is tried
//! until a pause is over, then one attempt is. If that fails too, the pause doubles, up to [`LONGEST`]; if it succeeds, the circuit is closed. What waits
//! meanwhile counts no attempt.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::retry::CAP;
use super::run::{RunId, TaskId};

/// Deliveries under way at once to one destination.
pub(super) const WIDTH: usize = 8;
/// The same while its last attempt failed: enough to see it come back.
pub(super) const NARROW: usize = 2;
/// So many failures in a row open the circuit.
pub(super) const OPEN_AFTER: u32 = 5;
/// After so many in a row an invocation that is done with everything else does not wait for the next attempt.
const VAIN: u32 = 2;
/// The first pause; each further failure doubles it.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause: a destination that is back gets its messages within a minute.
const LONGEST: Duration = Duration::from_secs(60);

/// One destination's deliveries.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// What is not under way.
    pub(super) due: BTreeSet<(Timestamp, TaskId)>,
    /// The runs with a delivery under way: a run's deliveries to one destination are first tried in order.
    pub(super) busy: BTreeSet<RunId>,
    /// Failures since the last success; those of attempts that were under way when the circuit opened are not counted.
    failures: u32,
    /// Nothing is sent before: the destination asked for it, or the circuit is open.
    paused_until: Option<Timestamp>,
}

/// What an attempt changed about a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Its circuit is open now.
    Opened,
    /// It was open, and is closed now.
    Closed,
}

impl Lane {
    fn room(&self) -> usize {
        let width = match self.failures {
            0 => WIDTH,
            1..OPEN_AFTER => NARROW,
            _ => 1,
        };
        width.saturating_sub(self.busy.len())
    }

    pub(super) fn is_paused(&self, now: Timestamp) -> bool {
        self.paused_until.is_some_and(|until| now < until)
    }

    /// Whether its last attempt failed, or it asked for a pause.
    pub(super) fn is_closed(&self, now: Timestamp) -> bool {
        self.failures > 0 || self.is_paused(now)
    }

    /// Whether its last attempts failed: nobody needs to wait for the next one.
    pub(super) fn is_in_vain(&self) -> bool {
        self.failures >= VAIN
    }

    /// Whether nothing is here that the next delivery must know.
    pub(super) fn is_idle(&self) -> bool {
        self.due.is_empty() && self.busy.is_empty() && self.failures == 0 && self.paused_until.is_none()
    }

    /// Takes what may be tried now.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<TaskId> {
        let mut taken: Vec<(Timestamp, TaskId)> = Vec::new();
        let room = if self.is_paused(now) { 0 } else { self.room() };
        for entry in &self.due {
            if taken.len() == room || entry.0 > now {
                break;
            }
            if self.busy.insert(entry.1.run) {
                taken.push(entry.clone());
            }
        }
        for entry in &taken {
            self.due.remove(entry);
        }
        taken.into_iter().map(|(_, id)| id).collect()
    }

    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        let (first, _) = self.due.iter().find(|(_, id)| !self.busy.contains(&id.run)).filter(|_| self.room() > 0)?;
        Some(self.opens(*first))
    }

    /// When a delivery that is due then may be tried.
    pub(super) fn opens(&self, due: Timestamp) -> Timestamp {
        self.paused_until.map_or(due, |until| until.max(due))
    }

    /// Notes how an attempt went: whether it failed, and for how long the destination asked to be left alone.
    pub(super) fn note(&mut self, failed: bool, asked: Option<Duration>, now: Timestamp) -> Option<Turn> {
        let was_open = self.failures >= OPEN_AFTER;
        let waits_already = was_open && self.is_paused(now);
        self.failures = match failed {
            true if waits_already => self.failures,
            true => self.failures.saturating_add(1),
            false => 0,
        };
        let of_circuit = self
            .failures
            .checked_sub(OPEN_AFTER)
            .map(|more| FIRST.saturating_mul(1_u32.checked_shl(more).unwrap_or(u32::MAX)).min(LONGEST));
        // No answer may silence a destination for longer than the longest pause: somebody else may have given it.
        let pause = of_circuit.max(asked.map(|asked| asked.min(CAP))).and_then(|pause| SignedDuration::try_from(pause).ok());
        let until = pause.and_then(|pause| now.checked_add(pause).ok());
        self.paused_until = if waits_already && failed { self.paused_until.max(asked.and(until)) } else { until };
        match (was_open, self.failures >= OPEN_AFTER) {
            (false, true) => Some(Turn::Opened),
            (true, false) => Some(Turn::Closed),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_circuit_opens_probes_and_closes() {
        let mut lane = Lane::default();
        for failure in 1..OPEN_AFTER {
            assert_eq!((lane.note(true, None, at(0)), lane.is_paused(at(0)), lane.room()), (None, false, NARROW), "{failure}");
        }
        assert_eq!((lane.note(true, None, at(0)), lane.paused_until, lane.room()), (Some(Turn::Opened), Some(at(1)), 1));
        // What was under way when it opened says nothing new.
        assert_eq!((lane.note(true, None, at(0)), lane.paused_until), (None, Some(at(1))));
        let mut now = 1;
        for pause in [2, 4, 8, 16, 32, 60, 60, 60] {
            assert!(!lane.is_paused(at(now)));
            assert_eq!((lane.note(true, None, at(now)), lane.paused_until), (None, Some(at(now + pause))));
            now += pause;
        }
        assert_eq!((lane.note(false, None, at(now)), lane.paused_until, lane.room()), (Some(Turn::Closed), None, WIDTH));
        assert!(lane.is_idle() && !lane.is_closed(at(now)));
    }

    #[test]
    fn what_a_destination_asks_for_counts_where_it_is_more() {
        let mut lane = Lane::default();
        assert_eq!((lane.note(true, Some(Duration::from_secs(30)), at(0)), lane.paused_until), (None, Some(at(30))));
        for _ in 1..OPEN_AFTER {
            lane.note(true, Some(Duration::from_secs(30)), at(30));
        }
        assert_eq!((lane.failures, lane.paused_until), (OPEN_AFTER, Some(at(60))));
        // A later answer of an attempt that was under way may ask for more, never for less.
        lane.note(true, Some(Duration::from_secs(100)), at(31));
        lane.note(true, Some(Duration::from_secs(1)), at(32));
        assert_eq!((lane.failures, lane.paused_until), (OPEN_AFTER, Some(at(131))));
        lane.note(true, Some(Duration::MAX), at(131));
        assert_eq!(lane.paused_until, Some(at(131 + 900)));
        assert_eq!((lane.note(false, Some(Duration::from_secs(9)), at(1031)), lane.paused_until), (Some(Turn::Closed), Some(at(1040))));
    }

    #[test]
    fn failures_without_end_do_not_overflow() {
        let mut lane = Lane { failures: u32::MAX - 1, ..Lane::default() };
        for _ in 0..3 {
            lane.paused_until = None;
            lane.note(true, None, at(0));
            assert_eq!((lane.failures, lane.paused_until), (u32::MAX, Some(at(60))));
        }
    }
}

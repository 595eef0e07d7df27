//! How fast messages are sent to a receiver that counts them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One message in each interval on the long run, and a few at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    pub(super) every: Duration,
    pub(super) at_once: u32,
}

/// The paces of all destinations, by name: when each of them would be due had its messages come evenly.
#[derive(Debug, Default)]
pub(super) struct Paces(Mutex<BTreeMap<String, Instant>>);

impl Paces {
    /// Takes a place in the row and tells how long it is to be waited for. What waits is one of the few deliveries that the core has under
    /// way to one destination, so that the row is short.
    pub(super) fn wait(&self, destination: &str, pace: Pace, now: Instant) -> Duration {
        let mut due = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = due.entry(destination.to_owned()).or_insert(now);
        let mine = (*due).max(now);
        *due = mine + pace.every;
        let early = pace.every.saturating_mul(pace.at_once.saturating_sub(1));
        mine.duration_since(now).saturating_sub(early)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_go_at_once_and_the_others_evenly() {
        let (paces, start) = (Paces::default(), Instant::now());
        let pace = Pace { every: Duration::from_secs(1), at_once: 3 };
        let waits = |count: usize, after: u64| -> Vec<u64> {
            (0..count).map(|_| paces.wait("chat", pace, start + Duration::from_secs(after)).as_secs()).collect()
        };
        assert_eq!(waits(6, 0), [0, 0, 0, 1, 2, 3]);
        assert_eq!(waits(1, 2), [2]);
        assert_eq!(waits(4, 60), [0, 0, 0, 1]);
        assert_eq!(paces.wait("other", pace, start), Duration::ZERO);
    }
}

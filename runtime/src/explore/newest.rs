//! Some of many events, by their time, in bounded memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::Timestamp;
use trailwire_engine::event::Event;

/// Which end of time is wanted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum First {
    Newest,
    Oldest,
}

/// The first `limit` of the events that were added. Of events of one time, those that were added first stand first. An event that does not tell its
/// time stands behind all that do.
#[derive(Debug)]
pub(crate) struct Newest {
    first: First,
    limit: usize,
    kept: BinaryHeap<Kept>,
    added: u64,
}

/// What is largest is given up first.
#[derive(Debug)]
struct Kept {
    place: (bool, Reverse<Timestamp>, Timestamp, u64),
    event: Event,
}

impl Newest {
    pub(crate) fn new(first: First, limit: usize) -> Self {
        Self { first, limit, kept: BinaryHeap::new(), added: 0 }
    }

    pub(crate) fn add(&mut self, event: Event) {
        let time = event.time().and_then(|time| time.parse::<Timestamp>().ok());
        let known = time.unwrap_or_default();
        let (newest, oldest) = match self.first {
            First::Newest => (Reverse(known), Timestamp::default()),
            First::Oldest => (Reverse(Timestamp::default()), known),
        };
        let place = (time.is_none(), newest, oldest, self.added);
        self.added += 1;
        if self.kept.len() < self.limit {
            self.kept.push(Kept { place, event });
        } else if self.kept.peek().is_some_and(|last| place < last.place) {
            self.kept.pop();
            self.kept.push(Kept { place, event });
        }
    }

    /// How many were added.
    pub(crate) fn added(&self) -> u64 {
        self.added
    }

    /// What was kept, in order.
    pub(crate) fn into_events(self) -> impl Iterator<Item = Event> {
        self.kept.into_sorted_vec().into_iter().map(|kept| kept.event)
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Kept {}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kept {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place.cmp(&other.place)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_ones_are_kept_in_order() {
        let times = ["2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z", "soon", "2026-03-03T00:00:00Z", "2026-03-01T00:00:00Z"];
        for (first, limit, expected) in
            [(First::Newest, 2, &[3, 0][..]), (First::Newest, 9, &[3, 0, 1, 4, 2]), (First::Oldest, 3, &[1, 4, 0]), (First::Oldest, 0, &[])]
        {
            let mut newest = Newest::new(first, limit);
            for (number, time) in times.iter().enumerate() {
                newest.add(Event::from_value(json!({"eventTime": time, "number": number})).unwrap());
            }
            assert_eq!(newest.added(), 5);
            let found: Vec<_> = newest.into_events().map(|event| event.detail()["number"].as_u64().unwrap()).collect();
            assert_eq!(found, expected, "{first:?} {limit}");
        }
    }
}

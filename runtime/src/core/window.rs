//! What a trigger's `threshold` and `suppress` remember: one window for each group or key. Pure; [`super::gate`] asks them, the journal keeps
//! them.

use serde::{Deserialize, Serialize};

/// A rule of thresholds, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    /// So many events, at least one.
    pub(crate) count: usize,
    /// Within so many milliseconds.
    pub(crate) window: i64,
}

/// One window. All times are milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Window {
    /// A group of a threshold.
    Counted(Counted),
    /// A key of `suppress`.
    Silenced(Silenced),
    /// How many windows a trigger has.
    Census(Census),
}

impl Window {
    /// Whether it says nothing any more, so that its place may be taken.
    pub(super) fn is_stale(&self, now: i64) -> bool {
        match self {
            Self::Counted(counted) => counted.stale <= now && counted.alarm(now).is_none(),
            Self::Silenced(silenced) => silenced.until <= now && silenced.hidden == 0,
            Self::Census(_) => false,
        }
    }
}

/// For how long after its window an event of it may still come: CloudTrail delivers within about a quarter of an hour.
pub(crate) const LATE: i64 = 15 * 60 * 1000;

/// The events of one group, as far back as they matter.
///
/// The window slides over the events' own time and ends with the latest of them. While it holds enough events the condition holds; each
/// stretch of event time for which it holds without a break is one crossing, and a crossing fires once at most, however late and in whatever order
/// its events come. The alarm is the state that people see: it begins with a crossing, and is over when a whole window has passed, by the clock
/// or by the events' own time, without an event that keeps it up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counted {
    /// The group's value, for people.
    pub(crate) group: String,
    /// The latest events within two windows, in order, no more than twice what the rule counts: as much as it takes to tell whether what comes
    /// late belongs to the last crossing.
    times: Vec<i64>,
    /// Until when in event time the condition holds, once it did.
    holds_until: Option<i64>,
    alarm: Option<Alarm>,
    /// From when on nothing can come of what is remembered here.
    stale: i64,
}

/// The state `ALARM` of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Alarm {
    /// When it began.
    pub(crate) since: i64,
    /// When it is over unless something keeps it up.
    pub(crate) until: i64,
    /// The latest event that kept it up, by its own time.
    last: i64,
}

impl Counted {
    pub(super) fn new(group: String) -> Self {
        Self { group, times: Vec::new(), holds_until: None, alarm: None, stale: i64::MAX }
    }

    /// Counts an event that happened `at` and is known `now`. True when the group changes to `ALARM` by it.
    pub(super) fn add(&mut self, rule: Rule, at: i64, now: i64) -> bool {
        // A clock that runs ahead must not push everything else out of the window.
        let at = at.min(now);
        let latest = self.times.last().map_or(at, |latest| at.max(*latest));
        self.stale = latest.saturating_add(rule.window).saturating_add(LATE);
        if at <= latest.saturating_sub(rule.window) {
            return false;
        }
        self.times.insert(self.times.partition_point(|time| *time <= at), at);
        let old = self.times.partition_point(|time| *time <= latest.saturating_sub(2 * rule.window));
        self.times.drain(..old.max(self.times.len().saturating_sub(2 * rule.count)));
        let ended = |alarm: Alarm| alarm.until <= now || alarm.last.saturating_add(rule.window) <= latest;
        self.alarm = self.alarm.filter(|alarm| !ended(*alarm));
        // The last crossing may reach further by what came late.
        while let Some(further) = self.holds_until.and_then(|until| self.reaches(rule, until)) {
            self.holds_until = Some(further);
        }
        let Some(until) = self.reaches(rule, latest) else { return false };
        let goes_on = self.holds_until.is_some_and(|until| until > latest);
        self.holds_until = Some(until);
        let fires = self.alarm.is_none() && !goes_on;
        let since = self.alarm.map_or(now, |alarm| alarm.since);
        self.alarm = Some(Alarm { since, until: now.saturating_add(rule.window), last: latest });
        fires
    }

    /// Until when the condition holds at least, if it holds at this time: until the first of the events that it needs leaves the window.
    fn reaches(&self, rule: Rule, at: i64) -> Option<i64> {
        let first = self.times.partition_point(|time| *time <= at).checked_sub(rule.count)?;
        self.times.get(first).filter(|time| **time > at.saturating_sub(rule.window)).map(|time| time.saturating_add(rule.window))
    }

    /// The alarm, as long as it is not over.
    pub(crate) fn alarm(&self, now: i64) -> Option<Alarm> {
        self.alarm.filter(|alarm| now < alarm.until)
    }
}

/// What is hidden of one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Silenced {
    /// The key's value, for people.
    pub(crate) group: String,
    /// Until when nothing but the first runs.
    pub(crate) until: i64,
    /// How many were hidden and are not told yet.
    pub(crate) hidden: u64,
}

/// What becomes of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// It runs: the first of its window.
    Runs,
    /// It is counted, the first that is not told yet.
    FirstHidden,
    /// It is counted.
    Hidden,
}

impl Silenced {
    pub(super) fn new(group: String) -> Self {
        Self { group, until: i64::MIN, hidden: 0 }
    }

    /// A match comes. What was hidden by a window that is over is not forgotten: it is still to be told.
    pub(super) fn pass(&mut self, window: i64, now: i64) -> Passage {
        if self.until <= now {
            self.until = now.saturating_add(window);
            return Passage::Runs;
        }
        self.hidden = self.hidden.saturating_add(1);
        if self.hidden == 1 { Passage::FirstHidden } else { Passage::Hidden }
    }
}

/// How many windows a trigger has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Census {
    /// Windows that are kept.
    pub(crate) windows: u32,
    /// Events for whose group there was no place.
    pub(crate) overflow: u64,
    /// When it is worth a look whether there is a place again.
    pub(crate) look_again: i64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULE: Rule = Rule { count: 3, window: 100 };

    /// Feeds (event time, time of arrival) and gives the arrivals that fire.
    fn fired(rule: Rule, events: &[(i64, i64)]) -> Vec<usize> {
        let mut window = Counted::new(String::new());
        (0..events.len()).filter(|index| window.add(rule, events[*index].0, events[*index].1)).collect()
    }

    #[test]
    fn a_crossing_fires_once() {
        for (events, expected) in [
            (vec![(0, 0), (10, 10), (20, 20)], vec![2]),
            (vec![(0, 0), (10, 10)], vec![]),
            (vec![(0, 0), (10, 10), (100, 100)], vec![]),
            // It goes on for as long as it likes.
            ((0..40).map(|n| (n * 10, n * 10)).collect(), vec![2]),
            // Late, and in whatever order.
            (vec![(20, 20), (0, 21), (10, 22)], vec![2]),
            (vec![(0, 90), (10, 90), (20, 90), (5, 95), (15, 96)], vec![2]),
            // Too late: out of the window that ends with the latest.
            (vec![(200, 200), (150, 210), (100, 220), (90, 221)], vec![]),
            // Over by the clock, and then some that are late: it is the same crossing.
            (vec![(0, 0), (10, 10), (20, 20), (30, 500), (40, 501)], vec![2]),
            // Another one.
            (vec![(0, 0), (10, 10), (20, 20), (500, 500), (510, 510), (520, 520)], vec![2, 5]),
            // Over by the events' own time, whenever they come.
            (vec![(0, 900), (10, 900), (20, 900), (500, 901), (510, 901), (520, 901)], vec![2, 5]),
            // A break in the condition that is shorter than the alarm is no news.
            (vec![(0, 0), (1, 1), (90, 90), (110, 110), (111, 111)], vec![2]),
            // A clock that runs ahead counts as now.
            (vec![(9_999, 0), (1, 1), (2, 2), (3, 3)], vec![2]),
        ] {
            assert_eq!(fired(RULE, &events), expected, "{events:?}");
        }
        assert_eq!(fired(Rule { count: 1, window: 100 }, &[(0, 0), (50, 50), (400, 400)]), [0, 2]);
    }

    #[test]
    fn the_alarm_is_over_a_window_after_what_kept_it_up() {
        let mut window = Counted::new(String::new());
        for time in [0, 10, 20] {
            window.add(RULE, time, time + 5);
        }
        assert_eq!(window.alarm(124).map(|alarm| (alarm.since, alarm.until)), Some((25, 125)));
        assert!(window.alarm(125).is_none() && !Window::Counted(window.clone()).is_stale(125));
        window.add(RULE, 60, 100);
        assert_eq!(window.alarm(199).map(|alarm| (alarm.since, alarm.until)), Some((25, 200)));
        // Below the threshold nothing keeps it up.
        window.add(RULE, 199, 199);
        assert!(window.alarm(200).is_none());
        assert!(Window::Counted(window).is_stale(199 + 100 + LATE));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Against a plain reading of the definition, for events that come in their own order.
        #[test]
        fn in_order_it_fires_where_the_condition_begins_to_hold(
            gaps in prop::collection::vec(0i64..80, 0..60), count in 1usize..6,
        ) {
            let rule = Rule { count, window: 100 };
            let times: Vec<i64> = gaps.iter().scan(0, |time, gap| { *time += gap; Some(*time) }).collect();
            let events: Vec<(i64, i64)> = times.iter().map(|time| (*time, *time)).collect();
            let mut expected = Vec::new();
            let mut kept_up: Option<i64> = None;
            for (index, time) in times.iter().enumerate() {
                let holds = |at: i64| times[..=index].iter().filter(|one| **one > at - 100 && **one <= at).count() >= count;
                if holds(*time) {
                    if kept_up.is_none_or(|last| time - last >= 100 && (last..*time).any(|at| !holds(at))) {
                        expected.push(index);
                    }
                    kept_up = Some(*time);
                }
            }
            prop_assert_eq!(fired(rule, &events), expected);
        }

        /// Whatever order they come in: by what is known when it fires, the condition did not hold for a while since the last time; and what is
        /// remembered is bounded.
        #[test]
        fn no_crossing_fires_twice(events in prop::collection::vec((0i64..600, 0i64..40), 0..80), count in 1usize..5) {
            let rule = Rule { count, window: 100 };
            let mut window = Counted::new(String::new());
            let (mut now, mut latest) = (0, 0);
            let mut counted: Vec<i64> = Vec::new();
            let mut fired: Option<i64> = None;
            for (at, passed) in events {
                now = at.max(now + passed);
                latest = at.max(latest);
                counted.extend((at > latest - 100).then_some(at));
                if window.add(rule, at, now) {
                    let holds = |time: i64| counted.iter().filter(|one| **one > time - 100 && **one <= time).count() >= count;
                    prop_assert!(fired.is_none_or(|before| (before..=latest).any(|time| !holds(time))), "{:?} {} {:?}", fired, latest, counted);
                    fired = Some(latest);
                }
                prop_assert!(window.times.len() <= 2 * count);
            }
        }
    }
}

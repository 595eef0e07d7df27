//! A destination that is dead for an hour, and what that costs the others.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::*;
use super::world::{BEGIN, World, of};

const EVENTS: u32 = 1_800;
const EVERY: SignedDuration = SignedDuration::from_secs(2);
/// How long an attempt takes: at a destination that answers, and at one that does not.
const ANSWERED: SignedDuration = SignedDuration::from_millis(50);
const TIMED_OUT: SignedDuration = SignedDuration::from_secs(10);

/// An hour of events, each told to `good` and to `dead`.
struct Hour {
    world: World,
    dead_answers: bool,
    /// Attempts under way, by when they end.
    under_way: BTreeSet<(Timestamp, TaskId)>,
    /// How long after its acceptance each event was with `good`.
    good: Vec<SignedDuration>,
    /// Attempts at `dead`.
    tried: usize,
}

impl Hour {
    fn live(dead_answers: bool) -> Self {
        let trigger = json!({"name": "both", "event_names": ["E"], "action": [{"notify": [{"destinations": ["dead", "good"]}]}]});
        let mut hour = Self { world: World::new(of(&[trigger])), dead_answers, under_way: BTreeSet::new(), good: Vec::new(), tried: 0 };
        for number in 0..EVENTS {
            hour.pass_until(later(BEGIN, EVERY * i32::try_from(number).unwrap()));
            let event = json!({"source": "aws.x", "detail-type": "AWS API Call via CloudTrail", "account": "1", "region": "r",
                "detail": {"eventName": "E", "eventSource": "x.amazonaws.com", "eventID": number.to_string()}});
            let events = vec![Event::from_value(event).unwrap().into()];
            let definitions = Arc::clone(&hour.world.definitions);
            hour.step(Input::Batch { batch: u64::from(number), events, definitions });
        }
        hour.pass_until(later(BEGIN, SignedDuration::from_hours(1)));
        hour
    }

    /// Everything that happens up to a time, in its order.
    fn pass_until(&mut self, end: Timestamp) {
        loop {
            let ends = self.under_way.first().map(|(at, _)| *at);
            let wakes = self.world.core.next_wake();
            let Some(next) = ends.into_iter().chain(wakes).min().filter(|next| *next <= end) else { break };
            self.world.now = next.max(self.world.now);
            if ends != Some(next) {
                self.step(Input::Tick);
                continue;
            }
            let Some((_, task)) = self.under_way.pop_first() else { break };
            let is_dead = task.step == run::Step::Deliver("dead".to_owned());
            let attempt = if is_dead && !self.dead_answers {
                Attempt::Failed { reason: "no answer".to_owned(), retry_after: None }
            } else {
                Attempt::Delivered
            };
            if is_dead {
                self.tried += 1;
            } else {
                self.good.push(next.duration_since(self.world.journal.runs[&task.run].accepted));
            }
            self.step(Input::Tried { task, attempt });
        }
        self.world.now = end;
    }

    /// The journal writes at once, and what is asked for begins at once.
    fn step(&mut self, input: Input) {
        self.world.step(input);
        while !self.world.commits.is_empty() {
            self.world.happen(&super::Happening::Write);
        }
        for command in std::mem::take(&mut self.world.work) {
            let Command::Attempt { task } = command else { panic!("{command:?}") };
            let is_dead = task.id.step == run::Step::Deliver("dead".to_owned());
            let takes = if is_dead && !self.dead_answers { TIMED_OUT } else { ANSWERED };
            self.under_way.insert((later(self.world.now, takes), task.id));
        }
    }
}

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.saturating_add(by).unwrap()
}

#[test]
fn a_dead_destination_costs_the_others_nothing_for_an_hour() {
    let alive = Hour::live(true);
    assert_eq!((alive.good.len(), alive.tried), (EVENTS as usize, EVENTS as usize));
    let mut dead = Hour::live(false);
    assert_eq!(dead.good, alive.good);
    assert!(dead.good.iter().all(|took| *took == ANSWERED));
    // Ten seconds for each attempt and up to a minute between them.
    assert!((50..80).contains(&dead.tried), "{}", dead.tried);
    assert_eq!(dead.world.core.open_tasks(), EVENTS as usize);
    // When it is back, it gets everything.
    dead.dead_answers = true;
    dead.pass_until(later(dead.world.now, SignedDuration::from_mins(20)));
    assert_eq!((dead.world.core.open_tasks(), dead.world.journal.dead.len(), dead.world.journal.runs.len()), (0, 0, 0));
}

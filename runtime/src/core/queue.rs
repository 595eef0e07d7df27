//! What is due, and what may be worked on now: one lane for each destination, so that one that does not answer holds up nobody else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::lane::{Lane, Turn};
use super::retry::is_over;
use super::run::{RunId, Step, Task, TaskId};

/// Every task that is not done.
#[derive(Debug, Default)]
pub(super) struct Queue {
    tasks: BTreeMap<TaskId, Task>,
    /// Waits that are not over, and those whose run is being carried on.
    waits: BTreeSet<(Timestamp, TaskId)>,
    lanes: BTreeMap<String, Lane>,
}

impl Queue {
    /// Takes in a task. One of the same name that waits gives way to it; one that is under way stays.
    pub(super) fn add(&mut self, task: Task) {
        if let Some(known) = self.tasks.get(&task.id) {
            let entry = (known.due, known.id.clone());
            let waited = match task.id.step.lane() {
                None => self.waits.remove(&entry),
                Some(lane) => self.lanes.get_mut(&lane).is_some_and(|lane| lane.due.remove(&entry)),
            };
            if !waited {
                return;
            }
        }
        let entry = (task.due, task.id.clone());
        match task.id.step.lane() {
            None => self.waits.insert(entry),
            Some(lane) => self.lanes.entry(lane).or_default().due.insert(entry),
        };
        self.tasks.insert(task.id.clone(), task);
    }

    /// When the oldest delivery that is not done was due first.
    pub(super) fn oldest_delivery(&self) -> Option<Timestamp> {
        self.tasks.values().filter(|task| task.id.step != Step::Continue).map(|task| task.since).min()
    }

    /// Takes the waits that are over; each stays until it is settled.
    pub(super) fn take_waits(&mut self, now: Timestamp) -> Vec<Task> {
        let mut over = Vec::new();
        while let Some(entry) = self.waits.first().filter(|(due, _)| *due <= now).cloned() {
            self.waits.remove(&entry);
            over.extend(self.tasks.get(&entry.1).cloned());
        }
        over
    }

    /// Takes the deliveries that may be tried now; each stays until it is settled.
    pub(super) fn take_deliveries(&mut self, now: Timestamp) -> Vec<Task> {
        let ids: Vec<TaskId> = self.lanes.values_mut().flat_map(|lane| lane.take(now)).collect();
        ids.iter().filter_map(|id| self.tasks.get(id).cloned()).collect()
    }

    /// Takes the deliveries whose day is over and that need not be tried again: they were, or their destination does not take anything.
    /// They are settled.
    pub(super) fn take_expired(&mut self, now: Timestamp) -> Vec<Task> {
        let mut expired = Vec::new();
        for lane in self.lanes.values_mut() {
            let closed = lane.is_closed(now);
            let tasks = lane.due.iter().filter_map(|(_, id)| self.tasks.get(id));
            let over: Vec<Task> = tasks.filter(|task| is_over(task, now) && (closed || task.attempts > 0)).cloned().collect();
            for task in over {
                lane.due.remove(&(task.due, task.id.clone()));
                self.tasks.remove(&task.id);
                expired.push(task);
            }
        }
        expired
    }

    /// Ends the work on a task that was taken. `None` where it was dropped in the meantime.
    pub(super) fn settle(&mut self, id: &TaskId) -> Option<Task> {
        if let Some(lane) = id.step.lane().and_then(|lane| self.lanes.get_mut(&lane)) {
            lane.busy.remove(&id.run);
        }
        let task = self.tasks.remove(id);
        self.drop_empty_lane(id);
        task
    }

    /// Notes how an attempt went, for the destination's other deliveries.
    pub(super) fn note(&mut self, id: &TaskId, failed: bool, asked: Option<Duration>, now: Timestamp) -> Option<Turn> {
        self.lanes.get_mut(&id.step.lane()?)?.note(failed, asked, now)
    }

    /// Drops every task of a run.
    pub(super) fn remove_run(&mut self, run: RunId) {
        let first = TaskId { run, action: 0, step: Step::Continue };
        let ids: Vec<TaskId> = self.tasks.range(first..).map(|(id, _)| id.clone()).take_while(|id| id.run == run).collect();
        for id in ids {
            let Some(task) = self.tasks.remove(&id) else { continue };
            let entry = (task.due, id.clone());
            match id.step.lane() {
                None => drop(self.waits.remove(&entry)),
                Some(lane) => drop(self.lanes.get_mut(&lane).map(|lane| lane.due.remove(&entry))),
            }
            self.drop_empty_lane(&id);
        }
    }

    /// Every run that has a task here, and when the first of its tasks may be tried: not before its destination's pause is over.
    pub(super) fn runs(&self) -> BTreeMap<RunId, Timestamp> {
        let mut runs = BTreeMap::new();
        for (id, task) in &self.tasks {
            let lane = id.step.lane().and_then(|lane| self.lanes.get(&lane));
            let opens = lane.map_or(task.due, |lane| lane.opens(task.due));
            let first = runs.entry(id.run).or_insert(opens);
            *first = opens.min(*first);
        }
        runs
    }

    /// The runs with a delivery under way, and those that are being carried on after a wait.
    pub(super) fn busy_runs(&self) -> BTreeSet<RunId> {
        let carried_on = |(id, task): &(&TaskId, &Task)| id.step == Step::Continue && !self.waits.contains(&(task.due, (*id).clone()));
        let waits = self.tasks.iter().filter(carried_on).map(|(id, _)| id.run);
        self.lanes.values().flat_map(|lane| lane.busy.iter().copied()).chain(waits).collect()
    }

    /// The runs whose trigger is not among these.
    pub(super) fn runs_without(&self, triggers: &BTreeSet<String>) -> BTreeMap<RunId, String> {
        let gone = self.tasks.values().filter(|task| !triggers.contains(&task.trigger));
        gone.map(|task| (task.id.run, task.trigger.clone())).collect()
    }

    /// When there may be something to take, if nothing happens before.
    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        let waits = self.waits.first().map(|(due, _)| *due);
        self.lanes.values().filter_map(Lane::next_wake).chain(waits).min()
    }

    /// The same, but for destinations whose last attempts failed.
    pub(super) fn next_promising(&self) -> Option<Timestamp> {
        let waits = self.waits.first().map(|(due, _)| *due);
        self.lanes.values().filter(|lane| !lane.is_in_vain()).filter_map(Lane::next_wake).chain(waits).min()
    }

    /// The attempts under way at destinations whose last attempts failed.
    pub(super) fn in_vain(&self) -> usize {
        self.lanes.values().filter(|lane| lane.is_in_vain()).map(|lane| lane.busy.len()).sum()
    }

    /// The delivery or wait that is due first and not under way.
    pub(super) fn oldest_due(&self) -> Option<Timestamp> {
        let lanes = self.lanes.values().filter_map(|lane| lane.due.first());
        lanes.chain(self.waits.first()).map(|(due, _)| *due).min()
    }

    /// The deliveries and waits that are due and not under way, counted no further than `most`.
    pub(super) fn due(&self, now: Timestamp, most: usize) -> usize {
        self.due_in(|_| true, now, most)
    }

    /// The same, but for destinations that are left alone for a while or whose last attempts failed.
    pub(super) fn promising(&self, now: Timestamp, most: usize) -> usize {
        self.due_in(|lane| !lane.is_in_vain() && !lane.is_paused(now), now, most)
    }

    fn due_in(&self, counts: impl Fn(&Lane) -> bool, now: Timestamp, most: usize) -> usize {
        let lanes = self.lanes.values().filter(|lane| counts(lane)).map(|lane| &lane.due);
        let due = lanes.chain([&self.waits]).flat_map(|tasks| tasks.iter().take_while(|(due, _)| *due <= now));
        due.take(most).count()
    }

    pub(super) fn contains(&self, id: &TaskId) -> bool {
        self.tasks.contains_key(id)
    }

    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// A lane is kept as long as it has work, or remembers something that its next delivery must know.
    fn drop_empty_lane(&mut self, id: &TaskId) {
        if let Some(lane) = id.step.lane()
            && self.lanes.get(&lane).is_some_and(Lane::is_idle)
        {
            self.lanes.remove(&lane);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lane::{NARROW, OPEN_AFTER, WIDTH};
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn delivery(run: u8, action: u32, destination: &str, due: i64) -> Task {
        Task::new(RunId([run; 16]), "t", action, Step::Deliver(destination.to_owned()), at(due))
    }

    fn taken(queue: &mut Queue, now: i64) -> Vec<(u8, u32, String)> {
        let name = |task: Task| {
            let Step::Deliver(destination) = task.id.step else { panic!("a wait among deliveries") };
            (task.id.run.0[0], task.id.action, destination)
        };
        queue.take_deliveries(at(now)).into_iter().map(name).collect()
    }

    #[test]
    fn a_run_reaches_a_destination_in_order() {
        let mut queue = Queue::default();
        queue.add(delivery(1, 2, "a", 5));
        queue.add(delivery(1, 0, "a", 5));
        queue.add(delivery(1, 0, "b", 5));
        assert_eq!(taken(&mut queue, 4), []);
        assert_eq!(queue.next_wake(), Some(at(5)));
        assert_eq!(taken(&mut queue, 5), [(1, 0, "a".to_owned()), (1, 0, "b".to_owned())]);
        assert_eq!((taken(&mut queue, 5), queue.next_wake()), (vec![], None));
        assert!(queue.settle(&delivery(1, 0, "a", 5).id).is_some());
        assert_eq!(taken(&mut queue, 5), [(1, 2, "a".to_owned())]);
    }

    #[test]
    fn a_destination_that_fails_leaves_the_others_their_room() {
        let mut queue = Queue::default();
        (0..20).for_each(|run| queue.add(delivery(run, 0, "dead", 1)));
        (0..20).for_each(|run| queue.add(delivery(run, 0, "good", 1)));
        assert_eq!(taken(&mut queue, 1).len(), 2 * WIDTH);
        let fail = |queue: &mut Queue, run: u8, now: i64| {
            let turn = queue.note(&delivery(run, 0, "dead", 1).id, true, None, at(now));
            queue.settle(&delivery(run, 0, "dead", 1).id);
            turn
        };
        fail(&mut queue, 0, 1);
        assert_eq!(taken(&mut queue, 1), []);
        let turns: Vec<_> = (1..WIDTH as u8).filter_map(|run| Some((run, fail(&mut queue, run, 1)?))).collect();
        assert_eq!(turns, [(OPEN_AFTER as u8 - 1, Turn::Opened)]);
        assert_eq!((taken(&mut queue, 1).len(), queue.next_wake()), (0, Some(at(2))));
        assert_eq!(taken(&mut queue, 2), [(8, 0, "dead".to_owned())]);
        assert_eq!((fail(&mut queue, 8, 2), taken(&mut queue, 3)), (None, vec![]));
        assert_eq!(taken(&mut queue, 4), [(9, 0, "dead".to_owned())]);
        queue.note(&delivery(9, 0, "dead", 1).id, false, Some(Duration::from_secs(6)), at(4));
        queue.settle(&delivery(9, 0, "dead", 1).id);
        assert_eq!((taken(&mut queue, 9).len(), queue.next_wake()), (0, Some(at(10))));
        assert_eq!(taken(&mut queue, 10).len(), WIDTH);
        fail(&mut queue, 10, 10);
        (11..10 + WIDTH as u8).for_each(|run| drop(queue.settle(&delivery(run, 0, "dead", 1).id)));
        assert_eq!(taken(&mut queue, 10).len(), NARROW);
    }

    #[test]
    fn a_destination_that_failed_twice_is_nothing_to_wait_for() {
        let mut queue = Queue::default();
        (0..4).for_each(|run| queue.add(delivery(run, 0, "dead", 1)));
        queue.add(delivery(9, 0, "good", 3));
        assert_eq!(taken(&mut queue, 1).len(), 4);
        for (run, in_vain) in [(0, 0), (1, 2)] {
            queue.note(&delivery(run, 0, "dead", 1).id, true, None, at(1));
            queue.settle(&delivery(run, 0, "dead", 1).id);
            queue.add(delivery(run, 0, "dead", 2));
            assert_eq!((queue.in_vain(), queue.next_promising()), (in_vain, Some(at(3))));
            assert_eq!((queue.due(at(3), 9), queue.due(at(3), 1)), (2 + run as usize, 1));
            assert_eq!(queue.promising(at(3), 9), if run == 0 { 2 } else { 1 });
        }
        queue.note(&delivery(2, 0, "dead", 1).id, false, None, at(1));
        queue.settle(&delivery(2, 0, "dead", 1).id);
        assert_eq!((queue.in_vain(), queue.next_promising()), (0, Some(at(2))));
    }

    #[test]
    fn no_answer_silences_a_destination_for_long() {
        let mut queue = Queue::default();
        queue.add(delivery(1, 0, "a", 1));
        queue.add(delivery(2, 0, "a", 1));
        queue.add(delivery(3, 0, "b", 1));
        taken(&mut queue, 1);
        queue.settle(&delivery(2, 0, "a", 1).id);
        queue.add(delivery(2, 0, "a", 1));
        queue.note(&delivery(1, 0, "a", 1).id, true, Some(Duration::from_secs(100_000_000)), at(1));
        queue.settle(&delivery(1, 0, "a", 1).id);
        assert_eq!((taken(&mut queue, 900).len(), queue.next_wake()), (0, Some(at(901))));
        // Whoever goes on with its run need not look before, unless there is something else to do.
        assert_eq!(queue.runs(), BTreeMap::from([(RunId([2; 16]), at(901)), (RunId([3; 16]), at(1))]));
        queue.add(Task::new(RunId([2; 16]), "t", 1, Step::Continue, at(50)));
        assert_eq!(queue.runs().remove(&RunId([2; 16])), Some(at(50)));
        queue.remove_run(RunId([2; 16]));
        queue.add(delivery(2, 0, "a", 1));
        // A day later what was never tried is given up where the destination is closed, and tried where it is not.
        queue.settle(&delivery(3, 0, "b", 1).id);
        queue.add(delivery(3, 0, "b", 1));
        let day = 1 + 24 * 3600;
        assert_eq!(queue.take_expired(at(day)), []);
        assert_eq!(queue.take_expired(at(day + 1)), [delivery(2, 0, "a", 1)]);
        assert_eq!(taken(&mut queue, day + 1), [(3, 0, "b".to_owned())]);
    }

    #[test]
    fn a_task_that_is_told_again_is_one_task() {
        let mut queue = Queue::default();
        let wait = |due| Task::new(RunId([2; 16]), "t", 1, Step::Continue, at(due));
        for due in [5, 3, 4] {
            queue.add(delivery(1, 0, "a", due));
            queue.add(wait(due));
        }
        assert_eq!((queue.len(), taken(&mut queue, 3), queue.take_waits(at(3))), (2, vec![], vec![]));
        assert_eq!((taken(&mut queue, 4), queue.take_waits(at(4))), (vec![(1, 0, "a".to_owned())], vec![wait(4)]));
        // Under way: what is told of it now is old.
        queue.add(delivery(1, 0, "a", 1));
        queue.add(wait(1));
        assert_eq!((taken(&mut queue, 9), queue.take_waits(at(9)), queue.next_wake()), (vec![], vec![], None));
        assert!(queue.settle(&delivery(1, 0, "a", 4).id).is_some() && queue.settle(&wait(4).id).is_some());
        assert_eq!((queue.len(), queue.lanes.len(), taken(&mut queue, 9)), (0, 0, vec![]));
    }

    #[test]
    fn a_dropped_run_is_gone_even_while_it_is_worked_on() {
        let mut queue = Queue::default();
        queue.add(delivery(1, 0, "a", 1));
        queue.add(delivery(2, 0, "a", 1));
        queue.add(Task::new(RunId([1; 16]), "t", 1, Step::Continue, at(9)));
        assert_eq!(taken(&mut queue, 1).len(), 2);
        queue.remove_run(RunId([1; 16]));
        assert_eq!(queue.settle(&delivery(1, 0, "a", 1).id), None);
        assert!(queue.settle(&delivery(2, 0, "a", 1).id).is_some());
        assert_eq!((queue.len(), queue.next_wake(), queue.lanes.len()), (0, None, 0));
    }
}

//! The core: a step function, (state, now, input) -> commands. No I/O, no clock, no randomness: whoever drives it (the daemon here; a
//! test with a model journal) carries out the commands and feeds back what came of them.
//!
//! The rules that it keeps:
//!
//! - A batch is judged by the definitions that come with it, which were read after its events were received. Its matches become one
//!   commit of keys, runs and tasks; when the journal has that, and not before, the batch is acknowledged and the tasks may start. A batch
//!   without a match is acknowledged at once.
//! - The state here is only what the journal holds plus what is under way, so a process that dies at any point and starts again
//!   with [`Input::Restored`] loses nothing. An attempt whose outcome did not reach the journal is made again, with the same key.
//! - Nothing is begun before the journal has taken a first commit: it may be full, and what is delivered then would be delivered again at every start.
//! - A run keeps the trigger it started with. It ends with its last task; it is cancelled when its trigger is deleted.

pub(crate) mod gate;
mod lane;
mod lineage;
mod progress;
mod queue;
mod retry;
pub(crate) mod run;
pub(crate) mod window;

#[cfg(test)]
mod simulation;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use trailwire_engine::event::Event;
use trailwire_engine::matcher::Scratch;
use trailwire_engine::trigger::Trigger;

use crate::definitions::{Definitions, Restraints};
use crate::journal::{Applied, Change, KEY_DAYS};
use crate::source::Received;
use lane::Turn;
use lineage::Lineage;
use queue::Queue;
use run::{Appointment, Occasion, Run, RunId, Task, TaskId, event_key};

/// How often old keys are dropped.
const PRUNE_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// How often deliveries are looked for whose day is over.
const EXPIRE_EVERY: SignedDuration = SignedDuration::from_secs(60);
/// When a grave is looked for again where there was none.
const BURY_AGAIN: SignedDuration = SignedDuration::from_secs(60);

/// What happens to the core.
#[derive(Debug)]
pub(crate) enum Input {
    /// What the journal held when the process started.
    Restored(Vec<Task>),
    /// The definitions in force are these now.
    Definitions(Arc<Definitions>),
    /// Events were received, and after that these definitions were read.
    Batch { batch: u64, events: Vec<Received>, definitions: Arc<Definitions> },
    /// A delivery that was given up shall be made again.
    Redeliver { batch: u64, run: Arc<Run>, task: Task },
    /// The journal has a commit; what of it was applied.
    Committed { commit: u64, applied: Vec<Applied> },
    /// These tasks were found to be done: nobody else works on them. With the definitions as they were read after that, where they could be.
    Found { tasks: Vec<Task>, definitions: Option<Arc<Definitions>> },
    /// A task is somebody else's by now, or done.
    Lost(TaskId),
    /// An attempt at a delivery has ended.
    Tried { task: TaskId, attempt: Attempt },
    /// A query is answered: its run with the result.
    Answered { task: TaskId, run: Arc<Run> },
    /// A delivery that was given up has found its grave, or has not.
    Buried { task: TaskId, burial: Burial },
    /// The run of a wait that is over; `None` when the journal does not have it.
    Resumed { task: TaskId, run: Option<Arc<Run>> },
    /// Time has passed.
    Tick,
}

/// How an attempt at a delivery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The destination has taken it.
    Delivered,
    /// It may work later, at the earliest after what the destination asked for.
    Failed { reason: String, retry_after: Option<Duration> },
    /// It will never work.
    Final { reason: String },
}

/// Where a delivery that was given up has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Burial {
    /// Into the dead-letter queue of the hub.
    Queue,
    /// Nowhere yet: the journal shall keep it.
    Journal,
    /// Nowhere: the dead-letter queue did not take it. It is asked again.
    Failed,
}

/// What the driver has to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    /// Write to the journal, and answer [`Input::Committed`].
    Commit { commit: u64, changes: Vec<Change> },
    /// Tell the source that its batch is safe.
    Acknowledge { batch: u64, verdict: Verdict },
    /// Try a delivery or a query, and answer [`Input::Tried`], or [`Input::Answered`].
    Attempt { task: Task },
    /// Put a delivery among the dead letters, and answer [`Input::Buried`].
    Bury { task: Task, reason: String },
    /// Load the run of a wait that is over, and answer [`Input::Resumed`].
    Resume { task: TaskId },
    /// Tell people what happened.
    Note(Note),
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Verdict {
    /// Events for which at least one trigger fires.
    pub(crate) matched: u64,
    /// Events for which none does.
    pub(crate) unmatched: u64,
    /// Runs that were started; fewer than there are matches where a copy of the event was seen before.
    pub(crate) started: u64,
    /// Matches that were known already.
    pub(crate) repeated: u64,
    /// Matches that were counted by a threshold or `suppress`, and did not run.
    pub(crate) counted: u64,
    /// Expressions that ended in an error.
    pub(crate) errors: u64,
}

/// Something worth a line in the log.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Note {
    Started(Arc<Run>),
    /// A match that does not run: a copy of one that is known, or one that a threshold or `suppress` counts.
    NotRun {
        trigger: String,
        is_copy: bool,
    },
    Delivered {
        task: Task,
    },
    Answered {
        task: Task,
    },
    Retrying {
        task: Task,
        reason: String,
    },
    DeadLettered {
        task: Task,
        reason: String,
    },
    Cancelled {
        run: RunId,
        trigger: String,
    },
    ExpressionError {
        trigger: String,
        event_id: String,
        error: String,
    },
    /// A destination fails again and again and is left alone for a while, or answers again.
    Circuit {
        destination: String,
        open: bool,
    },
}

/// Work that goes on when the journal has a commit.
#[derive(Debug)]
struct Pending {
    changes: Vec<Change>,
    acknowledge: Option<(u64, Verdict)>,
}

/// The state.
#[derive(Debug, Default)]
pub(crate) struct Core {
    queue: Queue,
    /// The names of all triggers there are; nothing is cancelled before they are known.
    triggers: Option<BTreeSet<String>>,
    /// Runs whose trigger is gone.
    orphans: BTreeMap<RunId, String>,
    /// The place among all definitions of those that [`Core::triggers`] are of.
    order: u64,
    /// Deliveries that were given up and have no grave yet, with the reason, and when a grave is looked for again where there was none.
    burying: BTreeMap<TaskId, (Task, String, Option<Timestamp>)>,
    commits: BTreeMap<u64, Pending>,
    last_commit: u64,
    /// Whether the journal has taken a commit yet.
    has_committed: bool,
    last_prune: Option<Timestamp>,
    last_expiry: Option<Timestamp>,
    /// The restraints that the journal was told of last.
    restraints: Option<Restraints>,
    /// Those that it has to be told of.
    untold: Option<Restraints>,
    draining: bool,
    /// Sessions whose opening was seen.
    lineage: Lineage,
    /// What judging needs again and again.
    scratch: Scratch,
}

impl Core {
    /// From now on nothing is started; what is under way may end.
    pub(crate) fn drain(&mut self) {
        self.draining = true;
    }

    /// Takes an input and gives what has to be done about it.
    pub(crate) fn step(&mut self, now: Timestamp, input: Input) -> Vec<Command> {
        let mut commands = Vec::new();
        match input {
            Input::Restored(tasks) => tasks.into_iter().for_each(|task| self.enqueue(task)),
            Input::Definitions(definitions) => self.redefine(&definitions),
            Input::Redeliver { batch, run, task } => {
                self.commit(vec![Change::Redeliver { run, task }], Some((batch, Verdict::default())), &mut commands);
            }
            Input::Batch { batch, events, definitions } => self.judge(batch, &events, &definitions, now, &mut commands),
            Input::Committed { commit, applied } => self.committed(commit, applied, &mut commands),
            Input::Found { tasks, definitions } => self.found(tasks, definitions.as_deref()),
            Input::Lost(task) => {
                self.burying.remove(&task);
                self.queue.settle(&task);
            }
            Input::Tried { task, attempt } => self.tried(&task, attempt, now, &mut commands),
            Input::Answered { task, run } => self.answered(&task, run, now, &mut commands),
            Input::Buried { task, burial } => self.buried(&task, burial, now, &mut commands),
            Input::Resumed { task, run } => self.resumed(&task, run.as_ref(), now, &mut commands),
            Input::Tick => {
                self.prune(now, &mut commands);
                self.give_up_expired(now, &mut commands);
            }
        }
        self.tell_restraints(now, &mut commands);
        self.cancel_orphans(&mut commands);
        self.start_due(now, &mut commands);
        commands
    }

    /// Whether nothing is begun yet: a journal that takes no commit would forget what is delivered, at every start.
    fn is_held(&self) -> bool {
        self.draining || (!self.has_committed && !self.commits.is_empty())
    }

    /// When [`Input::Tick`] should come, if nothing else does before.
    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        if self.is_held() {
            return None;
        }
        let graves = self.burying.values().filter_map(|(_, _, again)| *again);
        graves.chain(self.queue.next_wake()).min()
    }

    /// The same, but for deliveries to destinations that failed when they were tried last.
    pub(crate) fn next_promising(&self) -> Option<Timestamp> {
        let graves = self.burying.values().filter_map(|(_, _, again)| *again);
        graves.chain(self.queue.next_promising()).min()
    }

    /// The attempts under way at such destinations: nobody needs to wait for them.
    pub(crate) fn in_vain(&self) -> usize {
        self.queue.in_vain()
    }

    /// Whether nothing is left to do: no commit under way, no delivery, no wait, no retry.
    pub(crate) fn is_idle(&self) -> bool {
        self.open_tasks() == 0 && self.commits.is_empty()
    }

    /// When the oldest delivery that is not done was due first.
    pub(crate) fn oldest_delivery(&self) -> Option<Timestamp> {
        self.queue.oldest_delivery()
    }

    /// Deliveries and waits that are not done.
    pub(crate) fn open_tasks(&self) -> usize {
        self.queue.len() + self.burying.len()
    }

    /// The deliveries and waits that are due and not under way, counted no further than `most`.
    pub(crate) fn due_tasks(&self, now: Timestamp, most: usize) -> usize {
        self.queue.due(now, most)
    }

    /// The same, but for deliveries to destinations that are left alone for a while or failed when they were tried last.
    pub(crate) fn promising_tasks(&self, now: Timestamp, most: usize) -> usize {
        self.queue.promising(now, most)
    }

    /// Since when the delivery is due that has been due for longest; `None` while none is.
    pub(crate) fn oldest_due(&self, now: Timestamp) -> Option<Timestamp> {
        self.queue.oldest_due().filter(|due| *due <= now)
    }

    /// Lets go of everything that is not under way, and gives the runs of which nothing is: somebody else may go on with them, when there is
    /// something to do again.
    pub(crate) fn let_go(&mut self) -> Vec<Appointment> {
        let mut busy = self.queue.busy_runs();
        busy.extend(self.burying.iter().filter(|(_, (_, _, again))| again.is_none()).map(|(id, _)| id.run));
        let mut runs = self.queue.runs();
        for (id, (_, _, again)) in &self.burying {
            let Some(again) = *again else { continue };
            let first = runs.entry(id.run).or_insert(again);
            *first = again.min(*first);
        }
        runs.retain(|run, _| !busy.contains(run));
        runs.keys().for_each(|run| self.queue.remove_run(*run));
        self.burying.retain(|id, _| !runs.contains_key(&id.run));
        runs.into_iter().map(|(run, at)| Appointment { run, at }).collect()
    }

    fn commit(&mut self, changes: Vec<Change>, acknowledge: Option<(u64, Verdict)>, commands: &mut Vec<Command>) {
        self.last_commit += 1;
        let commit = self.last_commit;
        commands.push(Command::Commit { commit, changes: changes.clone() });
        self.commits.insert(commit, Pending { changes, acknowledge });
    }

    /// What is known goes on as it does, and what a commit under way is about is known when that is over. A trigger that other definitions than those
    /// read now do not have may be newer than they are: its runs are not cancelled for it.
    fn found(&mut self, tasks: Vec<Task>, definitions: Option<&Definitions>) {
        definitions.filter(|definitions| definitions.order > self.order).into_iter().for_each(|definitions| self.redefine(definitions));
        for task in tasks {
            let mut changes = self.commits.values().flat_map(|pending| &pending.changes);
            if self.queue.contains(&task.id) || self.burying.contains_key(&task.id) || changes.any(|change| change.is_about(&task.id)) {
                continue;
            }
            match definitions {
                Some(_) => self.enqueue(task),
                None => self.queue.add(task),
            }
        }
    }

    fn enqueue(&mut self, task: Task) {
        if self.triggers.as_ref().is_some_and(|triggers| !triggers.contains(&task.trigger)) {
            self.orphans.insert(task.id.run, task.trigger.clone());
        }
        self.queue.add(task);
    }

    /// News may come late and out of order; older ones are none.
    fn redefine(&mut self, definitions: &Definitions) {
        if self.triggers.is_some() && definitions.order < self.order {
            return;
        }
        let triggers = definitions.trigger_names();
        self.orphans.extend(self.queue.runs_without(&triggers));
        let restraints = definitions.restraints();
        if self.restraints.as_ref().is_none_or(|told| !told.say_the_same(&restraints)) {
            self.untold = Some(restraints.clone());
            self.restraints = Some(restraints);
        }
        self.triggers = Some(triggers);
        self.order = definitions.order;
    }

    fn tell_restraints(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        if let Some(restraints) = self.untold.take() {
            self.commit(vec![Change::Enable { restraints, at: now }], None, commands);
        }
    }

    fn judge(&mut self, batch: u64, events: &[Received], definitions: &Definitions, now: Timestamp, commands: &mut Vec<Command>) {
        // A batch may overtake the news of the definitions that it comes with.
        if definitions.order > self.order {
            self.redefine(definitions);
        }
        let mut verdict = Verdict::default();
        let mut changes = Vec::new();
        // A batch has no order of its own.
        events.iter().for_each(|received| self.lineage.note(received.event()));
        for received in events {
            let event = received.event();
            let judged = definitions.judge(received, &mut self.scratch);
            for (trigger, error) in judged.errors {
                verdict.errors += 1;
                let event_id = event.event_id().unwrap_or_default().to_owned();
                commands.push(Command::Note(Note::ExpressionError { trigger, event_id, error }));
            }
            *(if judged.fires.is_empty() { &mut verdict.unmatched } else { &mut verdict.matched }) += 1;
            let assumed_by = if judged.fires.is_empty() { Vec::new() } else { self.lineage.of(event) };
            changes.extend(judged.fires.into_iter().map(|trigger| accept(trigger, event, &assumed_by, now)));
        }
        if changes.is_empty() {
            commands.push(Command::Acknowledge { batch, verdict });
        } else {
            self.commit(changes, Some((batch, verdict)), commands);
        }
    }

    fn committed(&mut self, commit: u64, applied: Vec<Applied>, commands: &mut Vec<Command>) {
        let Some(Pending { changes, mut acknowledge }) = self.commits.remove(&commit) else { return };
        self.has_committed = true;
        for (change, applied) in changes.into_iter().zip(applied) {
            match (change, applied) {
                (Change::Accept { run, .. }, Applied::Not) => {
                    commands.push(Command::Note(Note::NotRun { trigger: run.trigger.name.clone(), is_copy: true }));
                    acknowledge.iter_mut().for_each(|(_, verdict)| verdict.repeated += 1);
                }
                (_, Applied::Not) => {}
                (change, Applied::Counted(tasks)) => {
                    if let Change::Accept { run, .. } = change {
                        commands.push(Command::Note(Note::NotRun { trigger: run.trigger.name.clone(), is_copy: false }));
                    }
                    tasks.into_iter().for_each(|task| self.enqueue(task));
                    acknowledge.iter_mut().for_each(|(_, verdict)| verdict.counted += 1);
                }
                (change, Applied::Now(tasks)) => {
                    if let Change::Accept { run, .. } = change {
                        commands.push(Command::Note(Note::Started(run)));
                        acknowledge.iter_mut().for_each(|(_, verdict)| verdict.started += 1);
                    }
                    tasks.into_iter().for_each(|task| self.enqueue(task));
                }
            }
        }
        if let Some((batch, verdict)) = acknowledge {
            commands.push(Command::Acknowledge { batch, verdict });
        }
    }

    fn tried(&mut self, id: &TaskId, attempt: Attempt, now: Timestamp, commands: &mut Vec<Command>) {
        let asked = match &attempt {
            Attempt::Failed { retry_after, .. } => *retry_after,
            _ => None,
        };
        // A destination that refuses one delivery for good does answer: the others need not hold back.
        let turn = self.queue.note(id, matches!(attempt, Attempt::Failed { .. }), asked, now);
        commands.extend(turn.map(|turn| Command::Note(Note::Circuit { destination: id.step.text(), open: turn == Turn::Opened })));
        let Some(task) = self.queue.settle(id) else { return };
        match attempt {
            Attempt::Delivered => {
                commands.push(Command::Note(Note::Delivered { task }));
                self.commit(vec![Change::Finish { done: id.clone(), next: vec![] }], None, commands);
            }
            Attempt::Failed { reason, retry_after } => match retry::next(&task, now, retry_after) {
                Some(next) => self.postpone(next, reason, commands),
                None => self.bury(task, format!("given up after a day: {reason}"), commands),
            },
            Attempt::Final { reason } => self.bury(task, reason, commands),
        }
    }

    fn answered(&mut self, id: &TaskId, run: Arc<Run>, now: Timestamp, commands: &mut Vec<Command>) {
        let turn = self.queue.note(id, false, None, now);
        commands.extend(turn.map(|turn| Command::Note(Note::Circuit { destination: id.step.text(), open: turn == Turn::Opened })));
        let Some(task) = self.queue.settle(id) else { return };
        commands.push(Command::Note(Note::Answered { task }));
        let next = progress::tasks(&run.trigger, id.run, id.action.saturating_add(1), now);
        self.commit(vec![Change::Answer { done: id.clone(), run, next }], None, commands);
    }

    fn postpone(&mut self, next: Task, reason: String, commands: &mut Vec<Command>) {
        commands.push(Command::Note(Note::Retrying { task: next.clone(), reason }));
        self.commit(vec![Change::Postpone(next)], None, commands);
    }

    fn bury(&mut self, task: Task, reason: String, commands: &mut Vec<Command>) {
        commands.push(Command::Bury { task: task.clone(), reason: reason.clone() });
        self.burying.insert(task.id.clone(), (task, reason, None));
    }

    fn buried(&mut self, id: &TaskId, burial: Burial, now: Timestamp, commands: &mut Vec<Command>) {
        let Some((task, reason, again)) = self.burying.get_mut(id) else { return };
        if burial == Burial::Failed {
            *again = Some(now.saturating_add(BURY_AGAIN).unwrap_or(now));
            return;
        }
        let (task, reason, done) = (task.clone(), reason.clone(), id.clone());
        self.burying.remove(id);
        let change = match burial {
            Burial::Journal => Change::Bury { done, reason: reason.clone(), at: now },
            _ => Change::Finish { done, next: vec![] },
        };
        self.commit(vec![change], None, commands);
        commands.push(Command::Note(Note::DeadLettered { task, reason }));
    }

    fn resumed(&mut self, id: &TaskId, run: Option<&Arc<Run>>, now: Timestamp, commands: &mut Vec<Command>) {
        let Some(task) = self.queue.settle(id) else { return };
        match run {
            Some(run) if matches!(run.occasion, Occasion::Watch { .. }) => {
                self.commit(vec![Change::Close { done: id.clone(), run: Arc::clone(run), at: now }], None, commands);
            }
            Some(run) => {
                let next = progress::tasks(&run.trigger, id.run, id.action, now);
                self.commit(vec![Change::Finish { done: id.clone(), next }], None, commands);
            }
            None => self.bury(task, "its run can not be read".to_owned(), commands),
        }
    }

    fn give_up_expired(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        let is_fresh = |last: Timestamp| now.duration_since(last) < EXPIRE_EVERY;
        if self.draining || self.last_expiry.is_some_and(is_fresh) {
            return;
        }
        self.last_expiry = Some(now);
        for task in self.queue.take_expired(now) {
            self.bury(task, "given up after a day: the destination took nothing".to_owned(), commands);
        }
    }

    fn prune(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        let is_fresh = |last: Timestamp| now.duration_since(last) < PRUNE_EVERY;
        if self.last_prune.is_some_and(is_fresh) {
            return;
        }
        self.last_prune = Some(now);
        if let Ok(before) = now.checked_sub(SignedDuration::from_hours(24 * KEY_DAYS)) {
            self.commit(vec![Change::Prune(before)], None, commands);
        }
    }

    fn cancel_orphans(&mut self, commands: &mut Vec<Command>) {
        for (run, trigger) in std::mem::take(&mut self.orphans) {
            self.queue.remove_run(run);
            self.burying.retain(|id, _| id.run != run);
            self.commit(vec![Change::Cancel(run)], None, commands);
            commands.push(Command::Note(Note::Cancelled { run, trigger }));
        }
    }

    fn start_due(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        if self.is_held() {
            return;
        }
        commands.extend(self.queue.take_waits(now).into_iter().map(|task| Command::Resume { task: task.id }));
        commands.extend(self.queue.take_deliveries(now).into_iter().map(|task| Command::Attempt { task }));
        for (task, reason, again) in self.burying.values_mut().filter(|(_, _, again)| again.is_some_and(|again| again <= now)) {
            *again = None;
            commands.push(Command::Bury { task: task.clone(), reason: reason.clone() });
        }
    }
}

fn accept(trigger: &Trigger, event: &Event, assumed_by: &[String], now: Timestamp) -> Change {
    let (event_key, occasion) = (event_key(event), Occasion::Event);
    // Its tests were for the plan.
    let run = Run {
        trigger: Trigger { tests: Vec::new(), ..trigger.clone() },
        event: event.envelope().clone(),
        event_key,
        assumed_by: assumed_by.to_vec(),
        accepted: now,
        occasion,
        results: BTreeMap::new(),
    };
    let tasks = progress::tasks(trigger, run.id(), 0, now);
    Change::Accept { run: Arc::new(run), tasks, gate: gate::gate(trigger, event) }
}

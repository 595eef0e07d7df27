//! The daemon around the core: it feeds the core its inputs, carries out its commands on tasks of their own, and feeds back what came of
//! them. One task owns the core; nothing else touches its state.

mod invocation;
mod work;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::core::run::{Appointment, Run, Task};
use crate::core::{Attempt, Burial, Command, Core, Input, Verdict};
use crate::definitions::Definitions;
use crate::journal::{Journal, JournalError};
use crate::source::Received;
use crate::telemetry;
use crate::telemetry::health::Part;
use crate::telemetry::meters::Meters;
use invocation::Settling;
pub(crate) use work::{DeadLetters, Latest, Worker};

/// Messages that may wait for the core.
const QUEUE: usize = 1024;
/// The core is looked after at least this often.
const TICK: Duration = Duration::from_secs(5);
/// The same where it may end by itself.
const LOOK: Duration = Duration::from_millis(20);
/// How often work is looked for that nobody does.
const SWEEP: Duration = Duration::from_secs(10);
/// Deliveries and waits that are due here up to which more is taken over at once. Who took over more than it does within a lease would lose it to the
/// next who looks, and all that write would only hand work to and fro.
const SHARE: usize = 512;
/// What is taken over by one who has as much to do as that: the destination that holds it up may be another than that of the work which nobody does.
const LITTLE: usize = 32;
/// For what is under way to end when the process is asked to stop.
const DRAIN: Duration = Duration::from_secs(30);
/// Deliveries and waits beyond which sources are asked to hold back.
pub(crate) const FULL: usize = 200_000;

/// What comes to the driver.
enum Message {
    Batch {
        events: Vec<Received>,
        definitions: Arc<Definitions>,
        answer: oneshot::Sender<Verdict>,
    },
    Redeliver {
        run: Arc<Run>,
        task: Task,
        answer: oneshot::Sender<Verdict>,
    },
    Definitions(Arc<Definitions>),
    /// A bell rang.
    Rung(Appointment),
    /// What nobody works on is to be looked for.
    Sweep,
    /// An invocation waits until nothing is left that is due, or its time is over.
    Settle(Settling),
    /// A piece of work has ended and the core hears of it.
    Done(Input),
    /// A commit has failed: there is no going on.
    Broken(JournalError),
}

/// The way to a driver, for sources. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Intake {
    messages: mpsc::Sender<Message>,
    load: watch::Receiver<Load>,
    receivers: Receivers,
    meters: Arc<Meters>,
}

/// When each receiver last found its queue empty; `None` while it does not know.
type Receivers = Arc<Mutex<Vec<Option<Instant>>>>;

/// One receiver, of which the driver knows whether its queue is empty.
pub(crate) struct Receiver {
    receivers: Receivers,
    index: usize,
}

impl Receiver {
    /// The queue was asked and is empty.
    pub(crate) fn empty(&self) {
        self.set(Some(Instant::now()));
    }

    /// The queue holds something, or can not be read.
    pub(crate) fn unknown(&self) {
        self.set(None);
    }

    fn set(&self, found: Option<Instant>) {
        if let Some(state) = self.receivers.lock().unwrap_or_else(PoisonError::into_inner).get_mut(self.index) {
            *state = found;
        }
    }
}

/// The driver has ended; nothing more is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the runtime is stopping")]
pub(crate) struct Stopped;

impl Intake {
    /// Judges events by definitions that were read after the events were received. When this returns, what matched is durable and the
    /// source may acknowledge.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: the events were not accepted.
    pub(crate) async fn offer(&self, events: Vec<Received>, definitions: Arc<Definitions>) -> Result<Verdict, Stopped> {
        let (answer, answered) = oneshot::channel();
        self.messages.send(Message::Batch { events, definitions, answer }).await.map_err(|_| Stopped)?;
        answered.await.map_err(|_| Stopped)
    }

    /// Has a delivery made again that was given up. When this returns, it is durable and the source may acknowledge.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: it was not accepted.
    pub(crate) async fn redeliver(&self, run: Arc<Run>, task: Task) -> Result<(), Stopped> {
        let (answer, answered) = oneshot::channel();
        self.messages.send(Message::Redeliver { run, task, answer }).await.map_err(|_| Stopped)?;
        answered.await.map(drop).map_err(|_| Stopped)
    }

    /// Says that these definitions are in force now.
    pub(crate) async fn redefine(&self, definitions: Arc<Definitions>) {
        drop(self.messages.send(Message::Definitions(definitions)).await);
    }

    /// Says that a bell rang.
    pub(crate) async fn ring(&self, bell: Appointment) {
        drop(self.messages.send(Message::Rung(bell)).await);
    }

    /// Announces a receiver: the driver does not take itself for idle before it has found its queue empty.
    pub(crate) fn receiver(&self) -> Receiver {
        let mut receivers = self.receivers.lock().unwrap_or_else(PoisonError::into_inner);
        receivers.push(None);
        Receiver { receivers: Arc::clone(&self.receivers), index: receivers.len() - 1 }
    }

    /// What is counted, and whether the runtime is ready.
    pub(crate) fn meters(&self) -> &Arc<Meters> {
        &self.meters
    }

    /// Whether so much work is open that a source should hold back.
    pub(crate) fn is_full(&self) -> bool {
        self.load.borrow().open >= FULL
    }

    /// What is under way and was done, as it changes.
    pub(crate) fn load(&self) -> watch::Receiver<Load> {
        self.load.clone()
    }
}

/// What is under way and was done.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Load {
    /// Deliveries and waits that are not done.
    pub(crate) open: usize,
    /// Since when the delivery or wait is due that has been due for longest.
    pub(crate) oldest_due: Option<Timestamp>,
    pub(crate) totals: Totals,
}

/// When the driver ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// When it is told to stop.
    Stopped,
    /// When every source has ended and nothing is left to do, for as long as this.
    Idle(Duration),
    /// When it is told to stop. It does nothing but what invocations ask for: between them the process stands still.
    Invoked,
}

/// What was done in a lifetime.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) verdict: Verdict,
    pub(crate) delivered: u64,
    pub(crate) dead_lettered: u64,
}

/// The daemon's core and what it works with.
pub(crate) struct Driver<J> {
    core: Core,
    journal: Arc<J>,
    worker: Worker<J>,
    inbox: mpsc::Receiver<Message>,
    outbox: mpsc::UnboundedSender<Message>,
    done: mpsc::UnboundedReceiver<Message>,
    load: watch::Sender<Load>,
    answers: BTreeMap<u64, oneshot::Sender<Verdict>>,
    last_batch: u64,
    under_way: usize,
    last_work: Instant,
    /// `None` before the first.
    last_sweep: Option<Instant>,
    sweeping: Arc<Semaphore>,
    /// Whether the last sweep found something.
    found: Arc<AtomicBool>,
    totals: Totals,
    receivers: Receivers,
    meters: Arc<Meters>,
    settling: Option<Settling>,
}

impl<J: Journal> Driver<J> {
    /// Takes up what the journal holds.
    ///
    /// # Errors
    ///
    /// When the journal can not be read.
    pub(crate) async fn new(journal: Arc<J>, worker: Worker<J>, definitions: Arc<Definitions>) -> Result<(Self, Intake), JournalError> {
        let tasks = journal.tasks(FULL).await?;
        if !tasks.is_empty() {
            tracing::info!(tasks = tasks.len(), "going on with what the journal holds");
        }
        let restored = if journal.is_shared() { worker.found(tasks).await } else { Input::Restored(tasks) };
        Ok(Self::with(journal, worker, definitions, restored))
    }

    /// Begins with nothing: what the journal holds is found by bells and sweeps.
    pub(crate) fn fresh(journal: Arc<J>, worker: Worker<J>, definitions: Arc<Definitions>) -> (Self, Intake) {
        Self::with(journal, worker, definitions, Input::Restored(Vec::new()))
    }

    fn with(journal: Arc<J>, worker: Worker<J>, definitions: Arc<Definitions>, restored: Input) -> (Self, Intake) {
        let (messages, inbox) = mpsc::channel(QUEUE);
        let (outbox, done) = mpsc::unbounded_channel();
        let (load, watched) = watch::channel(Load::default());
        let mut driver = Self {
            core: Core::default(),
            journal,
            worker,
            inbox,
            outbox,
            done,
            load,
            answers: BTreeMap::new(),
            last_batch: 0,
            under_way: 0,
            last_work: Instant::now(),
            last_sweep: None,
            sweeping: Arc::new(Semaphore::new(1)),
            found: Arc::default(),
            totals: Totals::default(),
            receivers: Receivers::default(),
            meters: Arc::default(),
            settling: None,
        };
        driver.redefine(definitions);
        driver.step(restored);
        let (receivers, meters) = (Arc::clone(&driver.receivers), Arc::clone(&driver.meters));
        (driver, Intake { messages, load: watched, receivers, meters })
    }

    /// Works until it is stopped, or until there is nothing left to do. `sources_ended` is cancelled by whoever watches the sources.
    ///
    /// # Errors
    ///
    /// When the journal can not be written: nothing is acknowledged from then on, and the process should end.
    pub(crate) async fn run(
        mut self,
        until: Until,
        stop: CancellationToken,
        sources_ended: CancellationToken,
    ) -> Result<Totals, JournalError> {
        self.meters.health.works(Part::Runtime);
        self.step(Input::Tick);
        while !self.is_over(until, sources_ended.is_cancelled()) {
            if self.is_to_sweep(until) {
                self.sweep();
            }
            self.settle().await?;
            let wake = self.next_wake(until);
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(message) = self.done.recv() => self.take(message)?,
                Some(message) = self.inbox.recv() => self.take(message)?,
                () = tokio::time::sleep(wake) => self.step(Input::Tick),
            }
        }
        self.drain().await?;
        Ok(self.totals)
    }

    /// At the start and now and then, unless invocations say when; and as soon as what the last sweep found is nearly done, but not when the process is about
    /// to be frozen with it. What waits for a destination that is left alone counts here: of that no more is taken over than a share now and then.
    fn is_to_sweep(&self, until: Until) -> bool {
        let is_time = || self.last_sweep.is_none_or(|last| last.elapsed() >= SWEEP);
        let nearly_done = || self.core.due_tasks(Timestamp::now(), SHARE / 2) < SHARE / 2;
        let goes_on = || self.found.load(Ordering::Relaxed) && self.sweeping.available_permits() > 0 && nearly_done();
        match until {
            Until::Stopped | Until::Idle(_) => is_time() || goes_on(),
            Until::Invoked => self.settling.as_ref().is_some_and(|settling| !settling.left().is_zero()) && goes_on(),
        }
    }

    /// Looks for what nobody works on, where others may have left something and there is room for it. One look at a time: a journal that is slow is not asked
    /// more for it.
    fn sweep(&mut self) {
        self.last_sweep = Some(Instant::now());
        if !self.journal.is_shared() {
            return;
        }
        let Ok(turn) = Arc::clone(&self.sweeping).try_acquire_owned() else { return };
        // What waits for a destination that does not answer keeps nobody from other work.
        let share = SHARE.saturating_sub(self.core.promising_tasks(Timestamp::now(), SHARE)).max(LITTLE);
        let (worker, found, room) = (self.worker.clone(), Arc::clone(&self.found), share.min(FULL.saturating_sub(self.core.open_tasks())));
        found.store(false, Ordering::Relaxed);
        self.spawn(None, async move {
            let _turn = turn;
            let swept = worker.sweep(room).await?;
            found.store(matches!(&swept, Input::Found { tasks, .. } if !tasks.is_empty()), Ordering::Relaxed);
            Ok(swept)
        });
    }

    fn is_over(&self, until: Until, sources_ended: bool) -> bool {
        match until {
            Until::Stopped | Until::Invoked => false,
            Until::Idle(quiet) => sources_ended && self.is_quiet() && self.last_work.elapsed() >= quiet,
        }
    }

    /// Nothing is left to do, and every receiver has found its queue empty since there was.
    fn is_quiet(&self) -> bool {
        let receivers = self.receivers.lock().unwrap_or_else(PoisonError::into_inner);
        self.under_way == 0 && self.core.is_idle() && receivers.iter().all(|empty| empty.is_some_and(|empty| empty >= self.last_work))
    }

    /// Lets what is under way end, and starts nothing new. What is left stays in the journal.
    async fn drain(&mut self) -> Result<(), JournalError> {
        self.meters.health.fails(Part::Runtime, "it is stopping");
        self.inbox.close();
        self.core.drain();
        let deadline = tokio::time::Instant::now() + DRAIN;
        while self.under_way > 0 || !self.inbox.is_empty() {
            tokio::select! {
                biased;
                Some(message) = self.done.recv() => self.take(message)?,
                Some(message) = self.inbox.recv() => self.take(message)?,
                () = tokio::time::sleep_until(deadline) => {
                    tracing::warn!(under_way = self.under_way, "stopping with work under way; the journal has it");
                    break;
                }
            }
        }
        Ok(())
    }

    fn next_wake(&self, until: Until) -> Duration {
        let due = self.core.next_wake().map(|due| due.duration_since(Timestamp::now()));
        let due = due.map(|wait| Duration::try_from(wait).unwrap_or_default());
        // Timers may fire a little early; a millisecond more spares a second look.
        let due = due.map_or(TICK, |wait| wait.saturating_add(Duration::from_millis(1)).min(TICK));
        let due = self.settling.as_ref().map_or(due, |settling| due.min(settling.left()));
        if matches!(until, Until::Idle(_)) { due.min(LOOK) } else { due }
    }

    fn take(&mut self, message: Message) -> Result<(), JournalError> {
        match message {
            Message::Batch { events, definitions, answer } => {
                self.last_batch += 1;
                self.last_work = Instant::now();
                self.meters.received(events.iter().map(Received::event), Timestamp::now());
                self.answers.insert(self.last_batch, answer);
                self.step(Input::Batch { batch: self.last_batch, events, definitions });
            }
            Message::Redeliver { run, task, answer } => {
                self.last_batch += 1;
                self.last_work = Instant::now();
                self.answers.insert(self.last_batch, answer);
                self.step(Input::Redeliver { batch: self.last_batch, run, task });
            }
            Message::Definitions(definitions) => self.redefine(definitions),
            Message::Rung(bell) => {
                let worker = self.worker.clone();
                self.spawn(None, async move { worker.ring(bell).await });
            }
            Message::Sweep => self.sweep(),
            Message::Settle(settling) => {
                self.tell_age(Timestamp::now());
                self.settling = Some(settling);
            }
            Message::Done(input) => {
                self.under_way = self.under_way.saturating_sub(1);
                if !matches!(&input, Input::Found { tasks, .. } if tasks.is_empty()) {
                    self.last_work = Instant::now();
                }
                self.step(input);
            }
            Message::Broken(error) => return Err(error),
        }
        Ok(())
    }

    fn redefine(&mut self, definitions: Arc<Definitions>) {
        self.meters.defined(&definitions);
        self.worker.redefine(Arc::clone(&definitions));
        self.step(Input::Definitions(definitions));
    }

    fn step(&mut self, input: Input) {
        let now = Timestamp::now();
        if matches!(input, Input::Tick) {
            self.tell_age(now);
            match self.journal.fault() {
                Some(fault) => self.meters.health.fails(Part::Journal, &fault),
                None => self.meters.health.works(Part::Journal),
            }
        }
        for command in self.core.step(now, input) {
            self.carry_out(command, now);
        }
        self.meters.open(self.core.open_tasks());
        let (open, oldest_due) = (self.core.open_tasks(), self.core.oldest_due(now));
        self.load.send_replace(Load { open, oldest_due, totals: self.totals });
    }

    fn tell_age(&self, now: Timestamp) {
        let age = self.core.oldest_delivery().map(|since| now.duration_since(since));
        self.meters.oldest(age.and_then(|age| Duration::try_from(age).ok()));
    }

    fn carry_out(&mut self, command: Command, now: Timestamp) {
        match command {
            Command::Note(note) => {
                self.totals.count(&note);
                self.meters.note(&note, now);
                telemetry::note(&note);
            }
            Command::Acknowledge { batch, verdict } => {
                self.totals.add(verdict);
                self.meters.judged(verdict);
                // A source that has gone away hears nothing; its events come back as copies.
                self.answers.remove(&batch).map(|answer| answer.send(verdict));
            }
            Command::Commit { commit, changes } => {
                let (journal, meters) = (Arc::clone(&self.journal), Arc::clone(&self.meters));
                self.spawn(None, async move {
                    let begun = Instant::now();
                    let applied = journal.commit(changes).await?;
                    meters.committed(begun.elapsed());
                    Ok(Input::Committed { commit, applied })
                });
            }
            Command::Attempt { task } => {
                let worker = self.worker.clone();
                let reason = "a bug in this runtime stopped the attempt".to_owned();
                let failed = Input::Tried { task: task.id.clone(), attempt: Attempt::Failed { reason, retry_after: None } };
                self.spawn(Some(failed), async move { worker.attempt(task).await });
            }
            Command::Bury { task, reason } => {
                let worker = self.worker.clone();
                let failed = Input::Buried { task: task.id.clone(), burial: Burial::Journal };
                self.spawn(Some(failed), async move { worker.bury(task, reason).await });
            }
            Command::Resume { task } => {
                let worker = self.worker.clone();
                let failed = Input::Resumed { task: task.clone(), run: None };
                self.spawn(Some(failed), async move { worker.resume(task).await });
            }
        }
    }

    /// Does work beside the core. Should it panic, the core hears `failed` instead of its end; without one the process ends, as for any
    /// fault of the journal.
    fn spawn(&mut self, failed: Option<Input>, work: impl Future<Output = Result<Input, JournalError>> + Send + 'static) {
        self.under_way += 1;
        let outbox = self.outbox.clone();
        tokio::spawn(async move {
            let message = match (tokio::spawn(work).await, failed) {
                (Ok(Ok(input)), _) => Message::Done(input),
                (Ok(Err(error)), _) => Message::Broken(error),
                (Err(_), Some(failed)) => Message::Done(failed),
                (Err(error), None) => Message::Broken(JournalError::bug(&error)),
            };
            drop(outbox.send(message));
        });
    }
}

impl Totals {
    fn add(&mut self, verdict: Verdict) {
        self.verdict.matched += verdict.matched;
        self.verdict.unmatched += verdict.unmatched;
        self.verdict.started += verdict.started;
        self.verdict.repeated += verdict.repeated;
        self.verdict.counted += verdict.counted;
        self.verdict.errors += verdict.errors;
    }

    fn count(&mut self, note: &crate::core::Note) {
        match note {
            crate::core::Note::Delivered { .. } => self.delivered += 1,
            crate::core::Note::DeadLettered { .. } => self.dead_lettered += 1,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;

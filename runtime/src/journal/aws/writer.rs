//! The one task that writes. It takes whatever has come in since it last wrote, applies it to the rows as they are ([`super::desk`]), and writes those that it
//! changed as one transaction. A table that throttles or can not be reached makes it wait, and with it everybody who waits for a commit; nothing is lost by
//! it. What the table will never take is told from that, so that one order of that kind does not hold up all others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::future::join_all;
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::super::{Applied, Change};
use super::Bell;
use super::desk::{Desk, Done, Missing};
use super::kept;
use super::rows::{self, RunState, STATE};
use super::store::{Between, Item, Store, StoreError, Write};
use crate::core::run::{Appointment, RunId, Task, TaskId};

/// Orders that are looked at together.
pub(super) const GROUP: usize = 16;
/// What one transaction takes: AWS's limits, and a little less than its bytes.
pub(super) const WRITES: usize = 100;
const BYTES: usize = 3_500_000;
/// After a fault: the first and the longest pause.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// The same where somebody else has written what was read: several count into one window.
const TURNS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));
/// For how long AWS knows a transaction that it is told of again.
const TOKEN: Duration = Duration::from_secs(8 * 60);

#[derive(Debug, Clone)]
pub(super) enum Order {
    Change(Change),
    /// Take a run over.
    Claim(Claim),
    /// Give a run up until then.
    Release(Appointment),
}

impl Order {
    /// The run that it is about, where it is about one.
    fn run(&self) -> Option<RunId> {
        match self {
            Self::Change(change) => change.run(),
            Self::Claim(claim) => Some(claim.run()),
            Self::Release(until) => Some(until.run),
        }
    }
}

/// Why a run is to be taken over.
#[derive(Debug, Clone)]
pub(super) enum Claim {
    /// This task of it is to be done.
    Task(TaskId),
    /// A bell rang for it.
    Rung(Appointment),
    /// Its time has come.
    Due(RunId),
}

impl Claim {
    fn run(&self) -> RunId {
        match self {
            Self::Task(task) => task.run,
            Self::Rung(bell) => bell.run,
            Self::Due(run) => *run,
        }
    }

    fn task(&self) -> Option<&TaskId> {
        match self {
            Self::Task(task) => Some(task),
            Self::Rung(_) | Self::Due(_) => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    Applied(Applied),
    /// The tasks of a run that is ours now.
    Claimed(Option<Vec<Task>>),
}

/// What tells the time; tests have their own.
pub(super) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

pub(super) struct Writer {
    pub(super) store: Arc<dyn Store>,
    pub(super) me: String,
    pub(super) bell: Option<Arc<dyn Bell>>,
    pub(super) clock: Clock,
    /// The runs that are ours.
    pub(super) held: Mutex<BTreeMap<RunId, Held>>,
    /// Why the table takes no writes.
    pub(super) fault: Mutex<Option<String>>,
}

/// A run of ours, as it was written last.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) version: u64,
    pub(super) state: RunState,
    /// Whether all of its tasks were given to whoever works here. Others may have put tasks into it.
    pub(super) known: bool,
}

/// Why something was not written.
enum Unwritten {
    /// The rows are not as they were read.
    Changed,
    /// It will never be.
    Refused(String),
}

/// Writes until every sender is gone.
pub(super) async fn write_all(writer: Arc<Writer>, mut received: mpsc::Receiver<(Order, oneshot::Sender<Reply>)>) {
    let mut group = Vec::new();
    while received.recv_many(&mut group, GROUP).await > 0 {
        let (orders, answers): (Vec<_>, Vec<_>) = group.drain(..).unzip();
        let replies = writer.carry_out(&orders).await;
        answers.into_iter().zip(replies).for_each(|(answer, reply)| drop(answer.send(reply)));
    }
}

impl Writer {
    pub(super) fn held(&self) -> MutexGuard<'_, BTreeMap<RunId, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out orders in their sequence, as many in one transaction as it takes.
    async fn carry_out(&self, orders: &[Order]) -> Vec<Reply> {
        let mut replies = Vec::with_capacity(orders.len());
        let mut rest = orders;
        let mut many = orders.len();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(many.clamp(1, rest.len()));
            match self.write(now).await {
                Some(written) => {
                    replies.extend(written);
                    rest = later;
                }
                // More than a transaction takes.
                None => many = now.len() / 2,
            }
        }
        replies
    }

    /// Carries out orders by one transaction; `None` where it would be too large and they can be parted.
    async fn write(&self, orders: &[Order]) -> Option<Vec<Reply>> {
        let mut pause = TURNS.0;
        loop {
            let now = (self.clock)();
            let mut desk = Desk::new(&self.me, now.as_millisecond());
            let replies = self.apply(orders, &mut desk).await;
            let done = desk.done();
            let size: usize = done.writes.iter().map(Write::size).sum();
            if (done.writes.len() > WRITES || size > BYTES) && orders.len() > 1 {
                return None;
            }
            // A bell that rang early is set again. One that was set for another time is forgotten: there is one for the time that counts.
            let early = orders.iter().zip(&replies).filter_map(|(order, reply)| match (order, reply) {
                (Order::Claim(Claim::Rung(bell)), Reply::Claimed(None)) => Some(*bell).filter(|bell| desk.sleeps_until(*bell)),
                _ => None,
            });
            let early: Vec<Appointment> = early.collect();
            let Done { writes, runs } = done;
            let written = if writes.is_empty() { Ok(()) } else { self.transact(writes).await };
            match (written, orders) {
                (Ok(()), _) => {
                    self.take_note(runs, early, &given(orders, &replies));
                    return Some(replies);
                }
                // Somebody else has changed what was read: again, with that.
                (Err(Unwritten::Changed), _) => {
                    desk.runs().for_each(|run| drop(self.held().remove(run)));
                    take_turn(&mut pause).await;
                }
                (Err(Unwritten::Refused(reason)), [order]) => return Some(vec![self.give_up(order, &reason, now).await]),
                (Err(Unwritten::Refused(_)), _) => return None,
            }
        }
    }

    /// An order that the table takes in no way. What is there stays as it is, and is found again: nobody here works on it any more. What would begin is
    /// set aside.
    async fn give_up(&self, order: &Order, reason: &str, now: Timestamp) -> Reply {
        order.run().map(|run| self.held().remove(&run));
        match order {
            Order::Change(Change::Accept { run, .. } | Change::Redeliver { run, .. }) => {
                kept::set_aside(self, run, reason, now).await;
                let (trigger, event) = (&run.trigger.name, &run.event_key);
                tracing::error!(
                    trigger,
                    event,
                    reason,
                    "the hub's table refuses a run, which does not start; it is kept in the table, under {}",
                    rows::DEAD
                );
                Reply::Applied(Applied::Not)
            }
            Order::Change(change) => {
                let run = change.run().map(|run| run.to_string());
                tracing::error!(run, reason, "the hub's table refuses a change of a run, which stays as it is; it is tried again");
                Reply::Applied(Applied::Not)
            }
            Order::Claim(_) | Order::Release(_) => {
                tracing::error!(?order, reason, "the hub's table refuses that a run changes hands; it is tried again");
                Reply::Claimed(None)
            }
        }
    }

    async fn apply(&self, orders: &[Order], desk: &mut Desk) -> Vec<Reply> {
        let named: BTreeSet<RunId> = orders.iter().filter_map(Order::run).collect();
        let laid = join_all(named.into_iter().map(|run| async move { (run, self.held_or_read(run).await) })).await;
        laid.into_iter().for_each(|(run, found)| desk.lay_run(run, found));
        loop {
            let replies = orders.iter().map(|order| match order {
                Order::Change(change) => desk.apply(change).map(Reply::Applied),
                Order::Claim(claim) => {
                    let claimed = desk.claim(claim.run(), claim.task())?;
                    Ok(Reply::Claimed(claimed.map(|state| state.tasks(claim.run()))))
                }
                Order::Release(until) => desk.release(*until).map(|()| Reply::Claimed(None)),
            });
            match replies.collect::<Result<Vec<Reply>, Missing>>() {
                Ok(replies) => return replies,
                Err(missing) => {
                    desk.start_again();
                    self.lay(missing, desk).await;
                }
            }
        }
    }

    async fn lay(&self, missing: Missing, desk: &mut Desk) {
        match missing {
            Missing::Run(run) => desk.lay_run(run, self.held_or_read(run).await),
            Missing::Window(id) => {
                let item = self.get(&rows::windows_key(&id.trigger, id.kind), &RunId(id.group).to_string()).await;
                desk.lay_window(id, item.and_then(|item| Some((item.version, rows::read(&item.data)?))));
            }
            Missing::Windows(trigger, kind) => {
                for item in self.all(&rows::windows_key(&trigger, kind)).await {
                    let (Some(id), Some(window)) = (rows::window_id(&trigger, kind, &item.sk), rows::read(&item.data)) else { continue };
                    desk.lay_window(id, Some((item.version, window)));
                }
                desk.lay_all(&trigger, kind);
            }
        }
    }

    async fn held_or_read(&self, run: RunId) -> Option<(u64, RunState)> {
        let held = self.held().get(&run).map(|held| (held.version, held.state.clone()));
        match held {
            Some(held) => Some(held),
            None => self.state(run).await,
        }
    }

    pub(super) async fn state(&self, run: RunId) -> Option<(u64, RunState)> {
        let item = self.get(&rows::run_key(run), STATE).await?;
        Some((item.version, rows::read(&item.data)?))
    }

    /// What was written is known from now on, and what nobody works on has a bell; so has a run with tasks that nobody here knows of.
    fn take_note(&self, runs: Vec<(RunId, u64, RunState)>, early: Vec<Appointment>, given: &BTreeSet<TaskId>) {
        let mut bells = early;
        let mut held = self.held();
        for (run, version, state) in runs {
            let before = held.remove(&run).filter(|before| before.known);
            let was_known = |task: &TaskId| before.as_ref().is_some_and(|before| before.state.task(task).is_some());
            let known = state.tasks(run).iter().all(|task| given.contains(&task.id) || was_known(&task.id));
            let is_ours = state.owner == self.me;
            if is_ours {
                held.insert(run, Held { version, state: state.clone(), known });
            }
            let is_in_hand = is_ours && known;
            if !is_in_hand
                && !state.is_over()
                && let Ok(at) = Timestamp::from_millisecond(state.wake)
            {
                bells.push(Appointment { run, at });
            }
        }
        drop(held);
        if let Some(bell) = &self.bell {
            bells.into_iter().for_each(|at| bell.set(at));
        }
    }

    /// Writes what nobody else changes, however long it takes.
    pub(super) async fn keep(&self, writes: Vec<Write>) {
        let (mut pause, mut turn) = (PAUSES.0, TURNS.0);
        loop {
            match self.transact(writes.clone()).await {
                Ok(()) => return,
                Err(Unwritten::Changed) => take_turn(&mut turn).await,
                Err(Unwritten::Refused(reason)) => rest("written", &reason, &mut pause).await,
            }
        }
    }

    /// Writes, however long it takes.
    async fn transact(&self, writes: Vec<Write>) -> Result<(), Unwritten> {
        let mut token = [0; 16];
        // Without randomness a name is made of the time: it only has to differ from those of the last minutes.
        if getrandom::fill(&mut token).is_err() {
            token = u128::try_from(Timestamp::now().as_nanosecond()).unwrap_or_default().to_be_bytes();
        }
        let token = RunId(token).to_string();
        let (mut pause, begin) = (PAUSES.0, Instant::now());
        loop {
            let written = self.store.transact(writes.clone(), token.clone()).await;
            let fault = match &written {
                Err(StoreError::Unavailable(reason)) => Some(reason.clone()),
                _ => None,
            };
            *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
            match written {
                Ok(()) => return Ok(()),
                Err(StoreError::Conflict) => return Err(Unwritten::Changed),
                Err(StoreError::Refused(reason)) => return Err(Unwritten::Refused(reason)),
                Err(StoreError::Unavailable(_)) if begin.elapsed() > TOKEN => return Err(Unwritten::Changed),
                Err(StoreError::Unavailable(reason)) => rest("written", &reason, &mut pause).await,
            }
        }
    }

    async fn get(&self, pk: &str, sk: &str) -> Option<Item> {
        let mut pause = PAUSES.0;
        loop {
            match self.store.get(pk.to_owned(), sk.to_owned()).await {
                Ok(item) => return item,
                Err(error) => rest("read", &error.to_string(), &mut pause).await,
            }
        }
    }

    /// Every item of a hash key.
    pub(super) async fn all(&self, pk: &str) -> Vec<Item> {
        self.query(pk, Between::default(), usize::MAX).await
    }

    pub(super) async fn query(&self, pk: &str, between: Between, most: usize) -> Vec<Item> {
        let mut pause = PAUSES.0;
        loop {
            match self.store.query(pk.to_owned(), between.clone(), most).await {
                Ok(items) => return items,
                Err(error) => rest("read", &error.to_string(), &mut pause).await,
            }
        }
    }
}

/// The tasks that these replies give to whoever ordered them. Who asks for one task hears of no other.
fn given(orders: &[Order], replies: &[Reply]) -> BTreeSet<TaskId> {
    let mut given = BTreeSet::new();
    for (order, reply) in orders.iter().zip(replies) {
        match (order, reply) {
            (Order::Claim(Claim::Task(task)), Reply::Claimed(Some(_))) => drop(given.insert(task.clone())),
            (_, Reply::Claimed(Some(tasks)) | Reply::Applied(Applied::Now(tasks) | Applied::Counted(tasks))) => {
                given.extend(tasks.iter().map(|task| task.id.clone()));
            }
            _ => {}
        }
    }
    given
}

/// Says what is wrong, lets the pause pass, and makes the next one longer.
async fn rest(what: &str, reason: &str, pause: &mut Duration) {
    tracing::warn!(reason, "the journal in the hub's table can not be {what}; nothing is acknowledged meanwhile, trying again");
    tokio::time::sleep(about(*pause)).await;
    *pause = (*pause * 2).min(PAUSES.1);
}

/// Lets others write, longer each time.
async fn take_turn(pause: &mut Duration) {
    tokio::time::sleep(about(*pause)).await;
    *pause = (*pause * 2).min(TURNS.1);
}

/// Between half of it and all of it, so that those who were refused together do not come back together.
fn about(pause: Duration) -> Duration {
    let mut random = [0; 4];
    // Without randomness all wait for as long as they can.
    let share = getrandom::fill(&mut random).map_or(1.0, |()| f64::from(u32::from_be_bytes(random)) / f64::from(u32::MAX));
    pause.mul_f64(share.midpoint(1.0))
}

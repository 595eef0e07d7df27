//! The journal in AWS: the hub's table. Many runtimes share it, and the work.
//!
//! A run belongs to whoever works on it for the time of a lease; what is due later belongs to nobody, and whoever finds it when its time has come
//! takes it. Every write says what it was read as (optimistic, by version), so that of two runtimes that change the same run or window one begins
//! again with what the other wrote. When to look at a run is kept in an index that is written with it; a delayed message of the hub's queue is
//! only the alarm clock, and the sweep over the index finds what no clock rang for: after a crash, an outage, a lost message.
//!
//! One task writes. It takes whatever has come in since it last wrote, applies it to the rows as they are ([`desk`]), and writes those that it
//! changed as one transaction. A table that throttles or can not be reached makes it wait, and with it everybody who waits for a commit; nothing
//! is lost by it.

mod desk;
mod kept;
mod rows;
mod store;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, join_all};
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::{Applied, Change, Journal, JournalError, TriggerState, codec};
use crate::core::run::{Run, RunId, Task, TaskId};
use desk::{Desk, Done, Missing};
use rows::{RunState, STATE};
use store::{Store, StoreError, Write};
pub(crate) use table::DynamoTable;

/// Orders that may wait for the writer before a caller has to wait too.
const QUEUE: usize = 1024;
/// Orders that are looked at together.
const GROUP: usize = 16;
/// What one transaction takes: AWS's limits, and a little less than its bytes.
const WRITES: usize = 100;
const BYTES: usize = 3_500_000;
/// After a fault: the first and the longest pause.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// For how long AWS knows a transaction that it is told of again.
const TOKEN: Duration = Duration::from_secs(8 * 60);
/// What is left of a lease for work to begin on it: longer than any attempt.
const ENOUGH: i64 = 30_000;
/// Entries of the due index that are taken in one sweep, of each part of it.
const SWEEP: usize = 200;

/// Rings when a run is due.
pub(crate) trait Bell: Send + Sync {
    /// Sets it. It may ring early, twice or never.
    fn set(&self, run: RunId, at: Timestamp);
}

/// The journal of one runtime in a table.
pub(crate) struct Aws {
    desk: Arc<Writer>,
    orders: mpsc::Sender<(Order, oneshot::Sender<Reply>)>,
    /// Whether there was a sweep.
    swept: AtomicBool,
}

#[derive(Debug, Clone)]
enum Order {
    Change(Change),
    /// Take a run over, for one of its tasks or whatever it has.
    Claim(RunId, Option<TaskId>),
    /// Give a run up.
    Release(RunId),
}

#[derive(Debug, Clone, PartialEq)]
enum Reply {
    Applied(Applied),
    /// The tasks of a run that is ours now.
    Claimed(Option<Vec<Task>>),
}

/// What tells the time; tests have their own.
type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

struct Writer {
    store: Arc<dyn Store>,
    me: String,
    bell: Option<Arc<dyn Bell>>,
    clock: Clock,
    /// The runs that are ours, as they were written last.
    held: Mutex<BTreeMap<RunId, (u64, RunState)>>,
}

impl Aws {
    /// `me` names this runtime: the same name takes up at once what it left. No two may have it at a time.
    pub(crate) fn open(store: DynamoTable, me: &str, bell: Arc<dyn Bell>) -> Self {
        Self::new(Arc::new(store), me, Some(bell), Arc::new(Timestamp::now))
    }

    fn new(store: Arc<dyn Store>, me: &str, bell: Option<Arc<dyn Bell>>, clock: Clock) -> Self {
        let (orders, received) = mpsc::channel(QUEUE);
        let desk = Arc::new(Writer { store, me: me.to_owned(), bell, clock, held: Mutex::default() });
        tokio::spawn(write_all(Arc::clone(&desk), received));
        Self { desk, orders, swept: AtomicBool::new(false) }
    }

    async fn order(&self, orders: Vec<Order>) -> Result<Vec<Reply>, JournalError> {
        let gone = |_| JournalError::Broken { dir: "the hub's table".to_owned(), reason: "its writer has ended".to_owned() };
        let mut waiting = Vec::with_capacity(orders.len());
        for order in orders {
            let (answer, answered) = oneshot::channel();
            self.orders.send((order, answer)).await.map_err(|_| gone(()))?;
            waiting.push(answered);
        }
        join_all(waiting).await.into_iter().map(|answer| answer.map_err(|_| gone(()))).collect()
    }

    /// The tasks of the runs whose owner and place in the index are as wanted.
    async fn work_of(&self, wanted: impl Fn(&str, &str) -> bool) -> Vec<Task> {
        let mut open = Vec::new();
        for shard in rows::shards() {
            for item in self.desk.query(&shard, None, usize::MAX).await {
                let owner = String::from_utf8_lossy(&item.data);
                open.extend(rows::run_of(&item.sk).filter(|_| owner != rows::OVER && wanted(&owner, &item.sk)));
            }
        }
        let mut tasks = Vec::new();
        for some in open.chunks(GROUP) {
            let states = join_all(some.iter().map(|run| self.desk.state(*run))).await;
            for (run, (version, state)) in some.iter().zip(states).filter_map(|(run, state)| Some((run, state?))) {
                tasks.extend(state.tasks(*run));
                if state.owner == self.desk.me {
                    self.desk.held().entry(*run).or_insert((version, state));
                }
            }
        }
        tasks
    }

    async fn claim(&self, run: RunId, task: Option<TaskId>) -> Result<Option<Vec<Task>>, JournalError> {
        let replies = self.order(vec![Order::Claim(run, task)]).await?;
        Ok(replies.into_iter().find_map(|reply| match reply {
            Reply::Claimed(tasks) => tasks,
            Reply::Applied(_) => None,
        }))
    }
}

impl Journal for Aws {
    fn commit(&self, changes: Vec<Change>) -> BoxFuture<'_, Result<Vec<Applied>, JournalError>> {
        Box::pin(async move {
            for change in &changes {
                match change {
                    Change::Remember(text) => kept::remember(&self.desk, text).await,
                    Change::Enable { restraints, at } => kept::enable(&self.desk, restraints, *at).await,
                    _ => {}
                }
            }
            let replies = self.order(changes.into_iter().map(Order::Change).collect()).await?;
            let applied = |reply| match reply {
                Reply::Applied(applied) => applied,
                Reply::Claimed(_) => Applied::Not,
            };
            Ok(replies.into_iter().map(applied).collect())
        })
    }

    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<Arc<Run>>, JournalError>> {
        Box::pin(async move {
            let items = self.desk.query(&rows::run_key(id), None, usize::MAX).await;
            let is_over = |item: &store::Item| item.sk == STATE && rows::read(&item.data).is_some_and(|state: RunState| state.is_over());
            if items.iter().any(is_over) {
                return Ok(None);
            }
            let part = |sk: &str| sk.strip_prefix("body/")?.parse::<usize>().ok();
            let parts: BTreeMap<usize, Vec<u8>> = items.into_iter().filter_map(|item| Some((part(&item.sk)?, item.data))).collect();
            if parts.is_empty() {
                return Ok(None);
            }
            let run = rows::unpacked(&rows::ordered(parts)).and_then(|bytes| codec::read_run(&bytes));
            if run.is_none() {
                tracing::error!(run = %id, "what is written of a run can not be read");
            }
            Ok(run.map(Arc::new))
        })
    }

    fn remembered(&self) -> BoxFuture<'_, Result<Option<String>, JournalError>> {
        Box::pin(async { Ok(kept::remembered(&self.desk).await) })
    }

    fn states(&self, now: Timestamp) -> BoxFuture<'_, Result<Vec<TriggerState>, JournalError>> {
        Box::pin(async move { Ok(kept::states(&self.desk, now).await) })
    }

    fn states_every(&self) -> Duration {
        Duration::from_secs(30)
    }

    fn tasks(&self) -> BoxFuture<'_, Result<Vec<Task>, JournalError>> {
        Box::pin(async move {
            let (me, now) = (self.desk.me.clone(), rows::moment((self.desk.clock)().as_millisecond()));
            Ok(self.work_of(|owner, sk| owner.is_empty() || owner == me || sk < now.as_str()).await)
        })
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn hold<'a>(&'a self, task: &'a TaskId) -> BoxFuture<'a, Result<bool, JournalError>> {
        Box::pin(async move {
            let soon = (self.desk.clock)().as_millisecond().saturating_add(ENOUGH);
            let is_held = |(_, state): &(u64, RunState)| state.owner == self.desk.me && state.wake > soon && state.task(task).is_some();
            if self.desk.held().get(&task.run).is_some_and(is_held) {
                return Ok(true);
            }
            Ok(self.claim(task.run, Some(task.clone())).await?.is_some())
        })
    }

    fn ring(&self, run: RunId) -> BoxFuture<'_, Result<Vec<Task>, JournalError>> {
        Box::pin(async move { Ok(self.claim(run, None).await?.unwrap_or_default()) })
    }

    fn release(&self, runs: Vec<RunId>) -> BoxFuture<'_, Result<(), JournalError>> {
        Box::pin(async move { self.order(runs.into_iter().map(Order::Release).collect()).await.map(drop) })
    }

    fn sweep(&self) -> BoxFuture<'_, Result<Vec<Task>, JournalError>> {
        Box::pin(async move {
            let now = rows::moment((self.desk.clock)().as_millisecond());
            let mut due = Vec::new();
            for shard in rows::shards() {
                let items = self.desk.query(&shard, Some(now.clone()), SWEEP).await;
                // What this runtime has in hand waits for its turn: a lease that is over by then is renewed when it comes, or somebody else has it.
                let in_hand = |run: &RunId, owner: &[u8]| owner == self.desk.me.as_bytes() && self.desk.held().contains_key(run);
                let runs = items.iter().filter_map(|item| Some((rows::run_of(&item.sk)?, &item.data)));
                due.extend(runs.filter(|(run, owner)| !in_hand(run, owner)).map(|(run, _)| run));
            }
            let claims = due.into_iter().map(|run| Order::Claim(run, None)).collect();
            let replies = self.order(claims).await?;
            let tasks = |reply| match reply {
                Reply::Claimed(tasks) => tasks.unwrap_or_default(),
                Reply::Applied(_) => vec![],
            };
            let mut found: Vec<Task> = replies.into_iter().flat_map(tasks).collect();
            // What a process that was killed sent last may have been written after this one began to read.
            if !self.swept.swap(true, Ordering::Relaxed) {
                found.extend(self.work_of(|owner, _| owner == self.desk.me).await);
            }
            Ok(found)
        })
    }
}

/// Writes until every sender is gone.
async fn write_all(writer: Arc<Writer>, mut received: mpsc::Receiver<(Order, oneshot::Sender<Reply>)>) {
    let mut group = Vec::new();
    while received.recv_many(&mut group, GROUP).await > 0 {
        let (orders, answers): (Vec<_>, Vec<_>) = group.drain(..).unzip();
        let replies = writer.carry_out(&orders).await;
        answers.into_iter().zip(replies).for_each(|(answer, reply)| drop(answer.send(reply)));
    }
}

impl Writer {
    fn held(&self) -> std::sync::MutexGuard<'_, BTreeMap<RunId, (u64, RunState)>> {
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
        loop {
            let now = (self.clock)();
            let mut desk = Desk::new(&self.me, now.as_millisecond());
            let replies = self.apply(orders, &mut desk).await;
            let done = desk.done();
            let size: usize = done.writes.iter().map(Write::size).sum();
            if (done.writes.len() > WRITES || size > BYTES) && orders.len() > 1 {
                return None;
            }
            let wakes = orders.iter().zip(&replies).filter_map(|(order, reply)| match (order, reply) {
                (Order::Claim(run, None), Reply::Claimed(None)) => desk.asleep(*run),
                _ => None,
            });
            let wakes: Vec<(RunId, i64)> = wakes.collect();
            let Done { writes, runs } = done;
            if writes.is_empty() || self.transact(writes).await {
                self.take_note(runs, &wakes, now);
                return Some(replies);
            }
            // Somebody else has changed what was read: again, with that.
            let mut held = self.held();
            for (run, _, _) in &runs {
                held.remove(run);
            }
        }
    }

    async fn apply(&self, orders: &[Order], desk: &mut Desk) -> Vec<Reply> {
        let named = orders.iter().map(|order| match order {
            Order::Change(change) => change.run(),
            Order::Claim(run, _) | Order::Release(run) => Some(*run),
        });
        let named: std::collections::BTreeSet<RunId> = named.flatten().collect();
        let laid = join_all(named.into_iter().map(|run| async move { (run, self.held_or_read(run).await) })).await;
        laid.into_iter().for_each(|(run, found)| desk.lay_run(run, found));
        loop {
            let replies = orders.iter().map(|order| match order {
                Order::Change(change) => desk.apply(change).map(Reply::Applied),
                Order::Claim(run, task) => {
                    let claimed = desk.claim(*run, task.as_ref())?;
                    Ok(Reply::Claimed(claimed.map(|state| state.tasks(*run))))
                }
                Order::Release(run) => desk.release(*run).map(|()| Reply::Claimed(None)),
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
                for item in self.query(&rows::windows_key(&trigger, kind), None, usize::MAX).await {
                    let (Some(id), Some(window)) = (rows::window_id(&trigger, kind, &item.sk), rows::read(&item.data)) else { continue };
                    desk.lay_window(id, Some((item.version, window)));
                }
                desk.lay_all(&trigger, kind);
            }
        }
    }

    async fn held_or_read(&self, run: RunId) -> Option<(u64, RunState)> {
        let held = self.held().get(&run).cloned();
        match held {
            Some(held) => Some(held),
            None => self.state(run).await,
        }
    }

    async fn state(&self, run: RunId) -> Option<(u64, RunState)> {
        let item = self.get(&rows::run_key(run), STATE).await?;
        Some((item.version, rows::read(&item.data)?))
    }

    /// What was written is known from now on, and what nobody works on has a bell.
    fn take_note(&self, runs: Vec<(RunId, u64, RunState)>, asleep: &[(RunId, i64)], now: Timestamp) {
        let mut bells = asleep.to_vec();
        let mut held = self.held();
        for (run, version, state) in runs {
            if state.owner == self.me {
                held.insert(run, (version, state));
                continue;
            }
            held.remove(&run);
            if !state.is_over() {
                bells.push((run, state.wake));
            }
        }
        drop(held);
        for (run, wake) in bells {
            if let (Some(bell), Ok(at)) = (&self.bell, Timestamp::from_millisecond(wake)) {
                bell.set(run, at.max(now));
            }
        }
    }

    /// Writes, however long it takes; `false` where the rows are not as they were read.
    async fn transact(&self, writes: Vec<Write>) -> bool {
        let mut token = [0; 16];
        // Without randomness a name is made of the time: it only has to differ from those of the last minutes.
        if getrandom::fill(&mut token).is_err() {
            token = u128::try_from(Timestamp::now().as_nanosecond()).unwrap_or_default().to_be_bytes();
        }
        let token = RunId(token).to_string();
        let (mut pause, begin) = (PAUSES.0, Instant::now());
        loop {
            match self.store.transact(writes.clone(), token.clone()).await {
                Ok(()) => return true,
                Err(StoreError::Conflict) => return false,
                Err(StoreError::Unavailable(_)) if begin.elapsed() > TOKEN => return false,
                Err(StoreError::Unavailable(reason)) => rest("written", &reason, &mut pause).await,
            }
        }
    }

    async fn get(&self, pk: &str, sk: &str) -> Option<store::Item> {
        let mut pause = PAUSES.0;
        loop {
            match self.store.get(pk.to_owned(), sk.to_owned()).await {
                Ok(item) => return item,
                Err(error) => rest("read", &error.to_string(), &mut pause).await,
            }
        }
    }

    async fn query(&self, pk: &str, below: Option<String>, most: usize) -> Vec<store::Item> {
        let mut pause = PAUSES.0;
        loop {
            match self.store.query(pk.to_owned(), below.clone(), most).await {
                Ok(items) => return items,
                Err(error) => rest("read", &error.to_string(), &mut pause).await,
            }
        }
    }
}

/// Says what is wrong, lets the pause pass, and makes the next one longer.
async fn rest(what: &str, reason: &str, pause: &mut Duration) {
    tracing::warn!(reason, "the journal in the hub's table can not be {what}; nothing is acknowledged meanwhile, trying again");
    tokio::time::sleep(*pause).await;
    *pause = (*pause * 2).min(PAUSES.1);
}

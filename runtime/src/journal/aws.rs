//! The journal in AWS: the hub's table. Many runtimes share it, and the work.
//!
//! A run belongs to whoever works on it for the time of a lease; what is due later belongs to nobody, and whoever finds it when its time has come
//! takes it. Every write says what it was read as (optimistic, by version), so that of two runtimes that change the same run or window one begins
//! again with what the other wrote. When to look at a run is kept in an index that is written with it; a delayed message of the hub's queue is
//! only the alarm clock, and the sweep over the index finds what no clock rang for: after a crash, an outage, a lost message.
//!
//! One task writes ([`writer`]), everything that has come in as one transaction.

mod desk;
mod kept;
mod rows;
mod store;
mod table;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::codec::{self, DeadLetter};
use super::{Applied, Change, Journal, JournalError, TriggerState};
use crate::core::run::{Appointment, Run, RunId, Task, TaskId};
use crate::driver::FULL;
use rows::{RunState, STATE};
use store::{Between, Store};
pub(crate) use table::DynamoTable;
use writer::{Claim, Clock, GROUP, Held, Order, Reply, Writer, write_all};

/// Orders that may wait for the writer before a caller has to wait too.
const QUEUE: usize = 1024;
/// What is left of a lease for work to begin on it: longer than any attempt.
const ENOUGH: i64 = 30_000;
/// Entries of an index that are read at once. No more are forgotten in one sweep, of each part of the index.
const PAGE: usize = 200;
/// After so many milliseconds a transaction that was under way at the start is in the table, or never.
const SECOND_LOOK: i64 = 10_000;
/// Pages of the due index that one sweep looks at, of each part of it.
const PAGES: usize = 5;
/// What is due later and nobody's, that a runtime knows of from its start, of each part of the index: one that ends when it is idle waits for it. The rest
/// has its bells.
const LATER: usize = 2_500;

/// Whether a runtime that starts goes on with a run.
enum Wanted {
    Now,
    /// With some of those.
    Later,
    Not,
}

/// Rings when a run is due.
pub(crate) trait Bell: Send + Sync {
    /// Sets it. It may ring early, twice or never; a time that has passed is now.
    fn set(&self, bell: Appointment);
}

/// The journal of one runtime in a table.
pub(crate) struct Aws {
    desk: Arc<Writer>,
    orders: mpsc::Sender<(Order, oneshot::Sender<Reply>)>,
    /// When this runtime, which goes on with what bears its name, looks for that a second time, in milliseconds; 0 when it does not, or has.
    second_look: AtomicI64,
    /// Where the next sweep over a part of the due index goes on, where the last one did not come to its end.
    places: Mutex<BTreeMap<String, String>>,
}

impl Aws {
    /// `me` names this runtime: the same name takes up at once what it left. No two may have it at a time.
    pub(crate) fn open(store: DynamoTable, me: &str, bell: Arc<dyn Bell>) -> Self {
        Self::new(Arc::new(store), me, Some(bell), Arc::new(Timestamp::now))
    }

    fn new(store: Arc<dyn Store>, me: &str, bell: Option<Arc<dyn Bell>>, clock: Clock) -> Self {
        let (orders, received) = mpsc::channel(QUEUE);
        let desk = Arc::new(Writer { store, me: me.to_owned(), bell, clock, held: Mutex::default(), fault: Mutex::default() });
        tokio::spawn(write_all(Arc::clone(&desk), received));
        Self { desk, orders, second_look: AtomicI64::new(0), places: Mutex::default() }
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

    /// The tasks of runs by their entries in the index: of all that are wanted, and of so many in each part of it that are wanted later. No more
    /// than about `most`.
    async fn work_of(&self, most: usize, wanted: impl Fn(&store::Item) -> Wanted) -> Vec<Task> {
        let mut open = Vec::new();
        for shard in rows::due_shards() {
            let (mut between, mut later) = (Between::default(), 0);
            loop {
                let page = self.desk.query(&shard, between.clone(), PAGE).await;
                let mut is_wanted = |item: &store::Item| match wanted(item) {
                    Wanted::Now => true,
                    Wanted::Later => {
                        later += 1;
                        later <= LATER
                    }
                    Wanted::Not => false,
                };
                open.extend(page.iter().filter(|item| is_wanted(item)).filter_map(|item| rows::run_of(&item.sk)));
                between.after = page.last().filter(|_| page.len() == PAGE).map(|item| item.sk.clone());
                if between.after.is_none() || open.len() >= most {
                    break;
                }
            }
        }
        let mut tasks = Vec::new();
        for some in open.chunks(GROUP) {
            if tasks.len() >= most {
                break;
            }
            let states = join_all(some.iter().map(|run| self.desk.state(*run))).await;
            for (run, (version, state)) in some.iter().zip(states).filter_map(|(run, state)| Some((run, state?))) {
                tasks.extend(state.tasks(*run));
                if state.owner == self.desk.me {
                    self.desk.held().entry(*run).or_insert(Held { version, state, known: true });
                }
            }
        }
        tasks
    }

    /// The runs of a part of the due index whose time has come, a sweep's worth, and no more than `most`. What this runtime has in hand waits for its turn: a
    /// lease that is over by then is renewed when it comes, or somebody else has it. However much that is, the next sweep goes on behind it.
    async fn due(&self, shard: &str, now: &str, most: usize) -> Vec<RunId> {
        let (mut due, before) = (Vec::new(), Some(now.to_owned()));
        let mut after = self.places().remove(shard).filter(|after| after.as_str() < now);
        for _ in 0..PAGES {
            let page = self.desk.query(shard, Between { after, before: before.clone() }, PAGE).await;
            after = page.last().filter(|_| page.len() == PAGE).map(|item| item.sk.clone());
            let held = self.desk.held();
            let runs = page.iter().filter_map(|item| Some((rows::run_of(&item.sk)?, item)));
            for (run, item) in runs.filter(|(run, item)| !self.is_in_hand(&held, *run, item)) {
                if due.len() >= most {
                    break;
                }
                due.push(run);
                if due.len() == most {
                    after = Some(item.sk.clone());
                }
            }
            if after.is_none() || due.len() >= PAGE.min(most) {
                break;
            }
        }
        if let Some(after) = after {
            self.places().insert(shard.to_owned(), after);
        }
        due
    }

    /// Whether this runtime works on the run of an entry of the index, in the version that is known here: what others have made of it since is not.
    fn is_in_hand(&self, held: &BTreeMap<RunId, Held>, run: RunId, item: &store::Item) -> bool {
        item.data == self.desk.me.as_bytes() && held.get(&run).is_some_and(|held| held.known && held.version == item.version)
    }

    /// The runs of ours with tasks that nobody here knows of.
    fn unknown(&self) -> Vec<RunId> {
        self.desk.held().iter().filter(|(_, held)| !held.known).map(|(run, _)| *run).collect()
    }

    fn places(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn claim(&self, claim: Claim) -> Result<Option<Vec<Task>>, JournalError> {
        let replies = self.order(vec![Order::Claim(claim)]).await?;
        Ok(replies.into_iter().find_map(|reply| match reply {
            Reply::Claimed(tasks) => tasks,
            Reply::Applied(_) => None,
        }))
    }
}

/// The place, in a hub's table, of runs that the table did not take and of deliveries that no dead-letter queue did, and what is written of them.
///
/// # Errors
///
/// In words, where the table can not be read.
pub(crate) async fn dead_letters(table: &DynamoTable) -> Result<Vec<(String, DeadLetter)>, String> {
    kept::dead(table).await.map_err(|error| error.to_string())
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
            let items = self.desk.all(&rows::run_key(id)).await;
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

    fn fault(&self) -> Option<String> {
        self.desk.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn states_every(&self) -> Duration {
        Duration::from_secs(30)
    }

    fn tasks(&self, most: usize) -> BoxFuture<'_, Result<Vec<Task>, JournalError>> {
        Box::pin(async move {
            self.second_look.store((self.desk.clock)().as_millisecond().saturating_add(SECOND_LOOK), Ordering::Relaxed);
            // What others left is for the sweeps: whoever starts has its own to do first.
            let wanted = |item: &store::Item| match &*item.data {
                owner if owner == self.desk.me.as_bytes() => Wanted::Now,
                [] => Wanted::Later,
                _ => Wanted::Not,
            };
            Ok(self.work_of(most, wanted).await)
        })
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn hold<'a>(&'a self, task: &'a TaskId) -> BoxFuture<'a, Result<bool, JournalError>> {
        Box::pin(async move {
            let soon = (self.desk.clock)().as_millisecond().saturating_add(ENOUGH);
            let is_held = |Held { state, .. }: &Held| state.owner == self.desk.me && state.wake > soon && state.task(task).is_some();
            if self.desk.held().get(&task.run).is_some_and(is_held) {
                return Ok(true);
            }
            Ok(self.claim(Claim::Task(task.clone())).await?.is_some())
        })
    }

    fn ring(&self, bell: Appointment) -> BoxFuture<'_, Result<Vec<Task>, JournalError>> {
        Box::pin(async move { Ok(self.claim(Claim::Rung(bell)).await?.unwrap_or_default()) })
    }

    fn release(&self, runs: Vec<Appointment>) -> BoxFuture<'_, Result<(), JournalError>> {
        Box::pin(async move { self.order(runs.into_iter().map(Order::Release).collect()).await.map(drop) })
    }

    fn sweep(&self, most: usize) -> BoxFuture<'_, Result<Vec<Task>, JournalError>> {
        Box::pin(async move {
            let now = rows::moment((self.desk.clock)().as_millisecond());
            let mut due = self.unknown();
            // Each part of the index has its share of what is taken: one that always has something leaves the others theirs.
            let shards: Vec<String> = rows::due_shards().collect();
            for (index, shard) in shards.iter().enumerate() {
                let share = most.saturating_sub(due.len()).div_ceil(shards.len() - index);
                if share > 0 {
                    due.extend(self.due(shard, &now, share).await);
                }
            }
            // Keys whose days are over have an index and a measure of their own: however many they are, no run waits behind them.
            for shard in rows::over_shards() {
                let keys = self.desk.query(&shard, Between { after: None, before: Some(now.clone()) }, PAGE).await;
                due.extend(keys.iter().filter_map(|item| rows::run_of(&item.sk)));
            }
            let claims = due.into_iter().map(|run| Order::Claim(Claim::Due(run))).collect();
            let replies = self.order(claims).await?;
            let tasks = |reply| match reply {
                Reply::Claimed(tasks) => tasks.unwrap_or_default(),
                Reply::Applied(_) => vec![],
            };
            let mut found: Vec<Task> = replies.into_iter().flat_map(tasks).collect();
            // What a process of this name that was killed sent last may have been written after this one began to read.
            let second_look = self.second_look.load(Ordering::Relaxed);
            if second_look != 0 && (self.desk.clock)().as_millisecond() >= second_look {
                self.second_look.store(0, Ordering::Relaxed);
                let is_new = |item: &store::Item| {
                    let run = rows::run_of(&item.sk);
                    item.data == self.desk.me.as_bytes() && run.is_some_and(|run| !self.is_in_hand(&self.desk.held(), run, item))
                };
                let mine = |item: &store::Item| if is_new(item) { Wanted::Now } else { Wanted::Not };
                found.extend(self.work_of(FULL, mine).await);
            }
            Ok(found)
        })
    }
}

//! The tables of the file, and how each change touches them.

use redb::{Database, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _, Table, TableDefinition, WriteTransaction};

use super::super::codec::{self, DeadLetter};
use super::super::states::Enabled;
use super::super::{Applied, Change, KEY_DAYS};
use crate::core::gate::{self, Closing, Kind, WindowId, Windows};
use crate::core::run::{Run, RunId, Task, TaskId};
use crate::core::window::Window;
use crate::definitions::Restraints;

type Bytes = &'static [u8];

/// `format` => the format of the file; [`GROUP`] => the number of the group that was written last.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const GROUP: &str = "group";
/// Run => when it was accepted, in milliseconds: the keys by which copies are known.
const KEYS: TableDefinition<'_, Bytes, i64> = TableDefinition::new("keys");
/// (when accepted, run): the keys by age.
const AGES: TableDefinition<'_, (i64, Bytes), ()> = TableDefinition::new("key_ages");
/// Run => its JSON.
pub(super) const RUNS: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("runs");
/// Run, action, destination => a task's JSON: everything that is due, one row for each wait, delivery or retry.
pub(super) const TASKS: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("due");
/// A running number => what was given up, in JSON.
pub(super) const DEAD: TableDefinition<'_, u64, Bytes> = TableDefinition::new("dead");
/// Trigger, kind, group => what a threshold or `suppress` remembers, in JSON.
pub(super) const WINDOWS: TableDefinition<'_, Bytes, Bytes> = TableDefinition::new("windows");
/// Trigger => since when it counts, in JSON.
pub(super) const ENABLED: TableDefinition<'_, &str, Bytes> = TableDefinition::new("enabled");

/// Dead letters that are kept.
const MOST_DEAD: u64 = 10_000;

/// [`LAST_GOOD`] => the last good version of every definition.
pub(super) const DOCUMENTS: TableDefinition<'_, &str, &str> = TableDefinition::new("documents");
pub(super) const LAST_GOOD: &str = "last_good";

/// Makes the tables of a new file, and tells the format of the file.
pub(super) fn prepare(database: &Database, format: u64) -> Result<u64, redb::Error> {
    // A disk that is full does not keep what is there from being read.
    if is_prepared(database, format) {
        return Ok(format);
    }
    let transaction = database.begin_write()?;
    let found = {
        let mut meta = transaction.open_table(META)?;
        let found = meta.get("format")?.map(|format| format.value());
        if found.is_none() {
            meta.insert("format", format)?;
        }
        found.unwrap_or(format)
    };
    if found == format {
        drop(Tables::open(&transaction)?);
        transaction.commit()?;
    } else {
        transaction.abort()?;
    }
    Ok(found)
}

fn is_prepared(database: &Database, format: u64) -> bool {
    let look = || -> Result<bool, redb::Error> {
        let transaction = database.begin_read()?;
        let found = transaction.open_table(META)?.get("format")?.map(|format| format.value());
        transaction.open_table(KEYS)?;
        transaction.open_table(AGES)?;
        transaction.open_table(RUNS)?;
        transaction.open_table(TASKS)?;
        transaction.open_table(DEAD)?;
        transaction.open_table(DOCUMENTS)?;
        transaction.open_table(WINDOWS)?;
        transaction.open_table(ENABLED)?;
        Ok(found == Some(format))
    };
    look().unwrap_or(false)
}

/// Why a group was not written.
pub(super) struct Unwritten {
    pub(super) error: redb::Error,
    /// What it would have come to, where it may have been written all the same.
    pub(super) applied: Option<Vec<Vec<Applied>>>,
}

/// Writes a group of commits as one transaction, durable when this returns, by its number.
pub(super) fn write(database: &Database, number: u64, group: &[Vec<Change>]) -> Result<Vec<Vec<Applied>>, Unwritten> {
    let unwritten = |error| Unwritten { error, applied: None };
    let transaction = database.begin_write().map_err(|error| unwritten(error.into()))?;
    let applied = apply(&transaction, number, group).map_err(unwritten)?;
    match transaction.commit() {
        Ok(()) => Ok(applied),
        Err(error) => Err(Unwritten { error: error.into(), applied: Some(applied) }),
    }
}

fn apply(transaction: &WriteTransaction, number: u64, group: &[Vec<Change>]) -> Result<Vec<Vec<Applied>>, redb::Error> {
    transaction.open_table(META)?.insert(GROUP, number)?;
    let mut tables = Tables::open(transaction)?;
    group.iter().map(|changes| changes.iter().map(|change| tables.apply(change)).collect()).collect()
}

/// The number of the group that was written last; 0 before the first.
pub(super) fn last_group(database: &Database) -> Result<u64, redb::Error> {
    let meta = database.begin_read()?.open_table(META)?;
    Ok(meta.get(GROUP)?.map_or(0, |number| number.value()))
}

/// When a dead letter was given up.
#[derive(serde::Deserialize)]
struct Given {
    at: jiff::Timestamp,
}

struct Tables<'t> {
    keys: Table<'t, Bytes, i64>,
    ages: Table<'t, (i64, Bytes), ()>,
    runs: Table<'t, Bytes, Bytes>,
    tasks: Table<'t, Bytes, Bytes>,
    dead: Table<'t, u64, Bytes>,
    documents: Table<'t, &'static str, &'static str>,
    windows: Table<'t, Bytes, Bytes>,
    enabled: Table<'t, &'static str, Bytes>,
}

impl<'t> Tables<'t> {
    fn open(transaction: &'t WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Self {
            keys: transaction.open_table(KEYS)?,
            ages: transaction.open_table(AGES)?,
            runs: transaction.open_table(RUNS)?,
            tasks: transaction.open_table(TASKS)?,
            dead: transaction.open_table(DEAD)?,
            documents: transaction.open_table(DOCUMENTS)?,
            windows: transaction.open_table(WINDOWS)?,
            enabled: transaction.open_table(ENABLED)?,
        })
    }

    fn apply(&mut self, change: &Change) -> Result<Applied, redb::Error> {
        match change {
            Change::Accept { run, tasks, gate } => {
                if !self.is_new(run)? {
                    return Ok(Applied::Not);
                }
                let Some(gate) = gate else { return Ok(Applied::Now(self.begin(run, tasks)?)) };
                let decision = gate::judge(gate, run, tasks, self)?;
                let mut begun = Vec::new();
                for (run, tasks) in &decision.begins {
                    begun.extend(self.begin(run, tasks)?);
                }
                Ok(if decision.runs { Applied::Now(begun) } else { Applied::Counted(begun) })
            }
            Change::Finish { done, next } => self.finish(done, next),
            Change::Answer { done, run, next } => {
                if self.task(done)?.is_some() {
                    self.runs.insert(done.run.0.as_slice(), codec::run_value(run).as_slice())?;
                }
                self.finish(done, next)
            }
            Change::Close { done, run, at } => match self.task(done)? {
                None => Ok(Applied::Not),
                Some(task) => match gate::close(run, *at, self)? {
                    Closing::Nothing => self.finish(done, &[]),
                    Closing::Later(due) => self.finish(done, &[Task { due, ..task }]),
                    Closing::Tell(run, tasks) => {
                        self.runs.insert(done.run.0.as_slice(), codec::run_value(&run).as_slice())?;
                        self.finish(done, &tasks)
                    }
                },
            },
            Change::Redeliver { run, task } => self.redeliver(run, task),
            Change::Postpone(task) => self.postpone(task),
            Change::Bury { done, reason, at } => self.bury(done, reason, *at).map(Applied::of),
            Change::Cancel(run) => self.cancel(*run).map(Applied::of),
            Change::Prune(before) => self.prune(before.as_millisecond()).map(Applied::of),
            Change::Exhume(number) => Ok(Applied::of(self.dead.remove(number)?.is_some())),
            Change::Remember(text) => {
                self.documents.insert(LAST_GOOD, text.as_str())?;
                Ok(Applied::of(true))
            }
            Change::Enable { restraints, at } => self.enable(restraints, at.as_millisecond()).map(Applied::of),
        }
    }

    /// Notes the key of a run; `false` where it is known.
    fn is_new(&mut self, run: &Run) -> Result<bool, redb::Error> {
        let id = run.id();
        let key = id.0.as_slice();
        if self.keys.get(key)?.is_some() || self.runs.get(key)?.is_some() {
            return Ok(false);
        }
        let at = run.accepted.as_millisecond();
        self.keys.insert(key, at)?;
        self.ages.insert((at, key), ())?;
        Ok(true)
    }

    fn begin(&mut self, run: &Run, tasks: &[Task]) -> Result<Vec<Task>, redb::Error> {
        if !tasks.is_empty() {
            self.runs.insert(run.id().0.as_slice(), codec::run_value(run).as_slice())?;
        }
        self.put(tasks)?;
        Ok(tasks.to_vec())
    }

    fn task(&self, id: &TaskId) -> Result<Option<Task>, redb::Error> {
        let key = codec::task_key(id);
        Ok(self.tasks.get(key.as_slice())?.and_then(|value| codec::read_task(&key, value.value())))
    }

    fn put(&mut self, tasks: &[Task]) -> Result<(), redb::Error> {
        for task in tasks {
            self.tasks.insert(codec::task_key(&task.id).as_slice(), codec::task_value(task).as_slice())?;
        }
        Ok(())
    }

    fn finish(&mut self, done: &TaskId, next: &[Task]) -> Result<Applied, redb::Error> {
        if self.tasks.remove(codec::task_key(done).as_slice())?.is_none() {
            return Ok(Applied::Not);
        }
        self.put(next)?;
        self.end_run(done.run)?;
        Ok(Applied::Now(next.to_vec()))
    }

    fn redeliver(&mut self, run: &Run, task: &Task) -> Result<Applied, redb::Error> {
        if self.task(&task.id)?.is_some() {
            return Ok(Applied::Not);
        }
        let id = run.id();
        let begun = self.runs.get(id.0.as_slice())?.is_some();
        if !begun {
            self.runs.insert(id.0.as_slice(), codec::run_value(run).as_slice())?;
        }
        self.put(std::slice::from_ref(task))?;
        Ok(Applied::Now(vec![task.clone()]))
    }

    fn postpone(&mut self, task: &Task) -> Result<Applied, redb::Error> {
        if self.tasks.get(codec::task_key(&task.id).as_slice())?.is_none() {
            return Ok(Applied::Not);
        }
        self.put(std::slice::from_ref(task))?;
        Ok(Applied::Now(vec![task.clone()]))
    }

    fn bury(&mut self, done: &TaskId, reason: &str, at: jiff::Timestamp) -> Result<bool, redb::Error> {
        let key = codec::task_key(done);
        let Some(task) = self.tasks.remove(key.as_slice())?.and_then(|value| codec::read_task(&key, value.value())) else {
            return Ok(false);
        };
        let run = self.runs.get(done.run.0.as_slice())?.map(|value| value.value().to_vec());
        let read = run.as_deref().and_then(codec::read_run).map(|run| codec::RunRow::of(&run));
        let letter = DeadLetter {
            trigger: task.trigger,
            destination: done.step.lane(),
            action: done.action,
            attempts: task.attempts,
            reason: reason.to_owned(),
            at,
            raw: run.filter(|_| read.is_none()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            run: read,
        };
        let number = self.dead.last()?.map_or(0, |(number, _)| number.value().saturating_add(1));
        self.dead.insert(number, codec::to_json(&letter).as_slice())?;
        while self.dead.len()? > MOST_DEAD {
            self.dead.pop_first()?;
            tracing::error!(
                kept = MOST_DEAD,
                "the oldest dead letter is dropped: the journal keeps no more; see `trailwire dlq list --state`"
            );
        }
        self.end_run(done.run)?;
        Ok(true)
    }

    fn end_run(&mut self, run: RunId) -> Result<(), redb::Error> {
        let (first, last) = codec::task_range(run);
        let open = self.tasks.range(first.as_slice()..=last.as_slice())?.next().is_some();
        if !open {
            self.runs.remove(run.0.as_slice())?;
        }
        Ok(())
    }

    fn cancel(&mut self, run: RunId) -> Result<bool, redb::Error> {
        let (first, last) = codec::task_range(run);
        self.tasks.retain_in(first.as_slice()..=last.as_slice(), |_, _| false)?;
        Ok(self.runs.remove(run.0.as_slice())?.is_some())
    }

    fn prune(&mut self, before: i64) -> Result<bool, redb::Error> {
        let empty: &[u8] = &[];
        let old = self.ages.range((i64::MIN, empty)..(before, empty))?;
        let old: Vec<(i64, Vec<u8>)> =
            old.map(|row| row.map(|(age, _)| (age.value().0, age.value().1.to_vec()))).collect::<Result<_, _>>()?;
        for (at, key) in old {
            self.ages.remove((at, key.as_slice()))?;
            self.keys.remove(key.as_slice())?;
        }
        // They came in the order of their numbers.
        let is_old = |letter: &[u8]| serde_json::from_slice::<Given>(letter).is_ok_and(|given| given.at.as_millisecond() < before);
        let mut dropped = 0;
        while self.dead.first()?.is_some_and(|(_, letter)| is_old(letter.value())) {
            self.dead.pop_first()?;
            dropped += 1;
        }
        if dropped > 0 {
            tracing::warn!(dropped, days = KEY_DAYS, "dead letters are dropped: the journal keeps them for so many days");
        }
        Ok(true)
    }

    fn enable(&mut self, restraints: &Restraints, now: i64) -> Result<bool, redb::Error> {
        let is_known = |key: &[u8]| codec::read_window_id(key).is_some_and(|id| restraints.known.contains(&id.trigger));
        self.windows.retain(|key, _| is_known(key))?;
        self.enabled.retain(|trigger, _| restraints.enabled.contains_key(trigger))?;
        for (trigger, (rule, window)) in &restraints.enabled {
            let before = self.enabled.get(trigger.as_str())?.and_then(|row| serde_json::from_slice::<Enabled>(row.value()).ok());
            let since = before.filter(|before| before.rule == *rule).map_or(now, |before| before.since);
            let enabled = Enabled { rule: rule.clone(), window: *window, since };
            self.enabled.insert(trigger.as_str(), codec::to_json(&enabled).as_slice())?;
        }
        Ok(true)
    }
}

impl Windows for Tables<'_> {
    type Error = redb::Error;

    fn get(&mut self, id: &WindowId) -> Result<Option<Window>, redb::Error> {
        Ok(self.windows.get(codec::window_key(id).as_slice())?.and_then(|window| serde_json::from_slice(window.value()).ok()))
    }

    fn put(&mut self, id: &WindowId, window: Option<Window>) -> Result<(), redb::Error> {
        let key = codec::window_key(id);
        match window {
            Some(window) => self.windows.insert(key.as_slice(), codec::to_json(&window).as_slice())?,
            None => self.windows.remove(key.as_slice())?,
        };
        Ok(())
    }

    fn all(&mut self, trigger: &str, kind: Kind) -> Result<Vec<(WindowId, Window)>, redb::Error> {
        let first = codec::windows_of(trigger, kind);
        let last = [first.as_slice(), &[0xff; 17]].concat();
        let rows = self.windows.range(first.as_slice()..=last.as_slice())?;
        let rows = rows.map(|row| row.map(|(key, window)| read_window(key.value(), window.value())));
        Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }
}

/// `None` for what no version has written.
pub(super) fn read_window(key: &[u8], value: &[u8]) -> Option<(WindowId, Window)> {
    Some((codec::read_window_id(key)?, serde_json::from_slice(value).ok()?))
}

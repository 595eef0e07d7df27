//! The tables of the file, and how each change touches them.

use redb::{Database, ReadableTable as _, Table, TableDefinition, WriteTransaction};

use super::super::Change;
use super::super::codec::{self, DeadLetter};
use crate::core::run::{Run, RunId, Task, TaskId};

type Bytes = &'static [u8];

/// `format` => the format of the file.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
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

/// [`LAST_GOOD`] => the last good version of every definition.
pub(super) const DOCUMENTS: TableDefinition<'_, &str, &str> = TableDefinition::new("documents");
pub(super) const LAST_GOOD: &str = "last_good";

/// Makes the tables of a new file, and tells the format of the file.
pub(super) fn prepare(database: &Database, format: u64) -> Result<u64, redb::Error> {
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

/// Writes a group of commits as one transaction, durable when this returns.
pub(super) fn write(database: &Database, group: &[Vec<Change>]) -> Result<Vec<Vec<bool>>, redb::Error> {
    let transaction = database.begin_write()?;
    let mut applied = Vec::with_capacity(group.len());
    {
        let mut tables = Tables::open(&transaction)?;
        for changes in group {
            applied.push(changes.iter().map(|change| tables.apply(change)).collect::<Result<Vec<bool>, redb::Error>>()?);
        }
    }
    transaction.commit()?;
    Ok(applied)
}

struct Tables<'t> {
    keys: Table<'t, Bytes, i64>,
    ages: Table<'t, (i64, Bytes), ()>,
    runs: Table<'t, Bytes, Bytes>,
    tasks: Table<'t, Bytes, Bytes>,
    dead: Table<'t, u64, Bytes>,
    documents: Table<'t, &'static str, &'static str>,
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
        })
    }

    fn apply(&mut self, change: &Change) -> Result<bool, redb::Error> {
        match change {
            Change::Accept { run, tasks } => self.accept(run, tasks),
            Change::Finish { done, next } => self.finish(done, next),
            Change::Postpone(task) => self.postpone(task),
            Change::Bury { done, reason, at } => self.bury(done, reason, *at),
            Change::Cancel(run) => self.cancel(*run),
            Change::Prune(before) => self.prune(before.as_millisecond()),
            Change::Remember(text) => {
                self.documents.insert(LAST_GOOD, text.as_str())?;
                Ok(true)
            }
        }
    }

    fn accept(&mut self, run: &Run, tasks: &[Task]) -> Result<bool, redb::Error> {
        let id = run.id();
        let key = id.0.as_slice();
        if self.keys.get(key)?.is_some() || self.runs.get(key)?.is_some() {
            return Ok(false);
        }
        let at = run.accepted.as_millisecond();
        self.keys.insert(key, at)?;
        self.ages.insert((at, key), ())?;
        if !tasks.is_empty() {
            self.runs.insert(key, codec::run_value(run).as_slice())?;
        }
        self.put(tasks)?;
        Ok(true)
    }

    fn put(&mut self, tasks: &[Task]) -> Result<(), redb::Error> {
        for task in tasks {
            self.tasks.insert(codec::task_key(&task.id).as_slice(), codec::task_value(task).as_slice())?;
        }
        Ok(())
    }

    fn finish(&mut self, done: &TaskId, next: &[Task]) -> Result<bool, redb::Error> {
        let there = self.tasks.remove(codec::task_key(done).as_slice())?.is_some();
        if there {
            self.put(next)?;
            self.end_run(done.run)?;
        }
        Ok(there)
    }

    fn postpone(&mut self, task: &Task) -> Result<bool, redb::Error> {
        let there = self.tasks.get(codec::task_key(&task.id).as_slice())?.is_some();
        if there {
            self.put(std::slice::from_ref(task))?;
        }
        Ok(there)
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
            destination: match &done.step {
                crate::core::run::Step::Deliver(name) => Some(name.clone()),
                crate::core::run::Step::Continue => None,
            },
            action: done.action,
            attempts: task.attempts,
            reason: reason.to_owned(),
            at,
            raw: run.filter(|_| read.is_none()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            run: read,
        };
        let number = self.dead.last()?.map_or(0, |(number, _)| number.value().saturating_add(1));
        self.dead.insert(number, codec::to_json(&letter).as_slice())?;
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
        Ok(true)
    }
}

//! Events as Parquet, in the columns that Athena's CloudTrail table has and the layout that Hive has for partitions.
//!
//! [`columns`] is the one list of columns; the files' schema and the table's declaration ([`sql`]) are read off it. [`part`] writes one file. Events wait in memory until they are
//! enough for a file of their partition, or too many in all.

mod columns;
mod part;
pub(crate) mod sql;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use trailwire_engine::event::Event;
use trailwire_engine::fanout::names::{is_account_id, is_region_name};

/// Bytes of events, as JSON, that wait in all; in memory they are some times as large.
const WAITING: usize = 48 << 20;
/// Bytes of events that are enough for a file.
const ENOUGH: usize = 24 << 20;
/// What stands for an account, region or day that an event does not tell.
const UNKNOWN: &str = "unknown";

/// Where a row lies: account, region, day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Partition {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) day: String,
}

impl Partition {
    /// What an event says is anybody's text: only what is an account, a region and a day becomes the name of a folder.
    fn of(event: &Event) -> Self {
        let text = |found: Option<&str>, is: fn(&str) -> bool| found.filter(|found| is(found)).unwrap_or(UNKNOWN).to_owned();
        let is_day = |day: &str| day.len() == 10 && day.parse::<Date>().is_ok();
        Self {
            account: text(event.account(), is_account_id),
            region: text(event.region(), is_region_name),
            day: text(event.time().and_then(|time| time.get(..10)), is_day),
        }
    }

    fn folder(&self, root: &Path) -> PathBuf {
        root.join(format!("account={}", self.account)).join(format!("region={}", self.region)).join(format!("day={}", self.day))
    }
}

/// What was written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) rows: u64,
    pub(crate) files: u64,
    pub(crate) partitions: BTreeSet<Partition>,
}

/// Writes events below a folder.
#[derive(Debug)]
pub(crate) struct Export {
    root: PathBuf,
    waiting: BTreeMap<Partition, (usize, Vec<Event>)>,
    bytes: usize,
    written: Written,
}

impl Export {
    /// Begins in a folder that is empty or not there: files of an earlier export would be counted twice.
    ///
    /// # Errors
    ///
    /// In words.
    pub(crate) fn new(root: &Path) -> Result<Self, String> {
        let wrong = |error: std::io::Error| format!("{}: {error}", root.display());
        std::fs::create_dir_all(root).map_err(wrong)?;
        if std::fs::read_dir(root).map_err(wrong)?.next().is_some() {
            return Err(format!("{} is not empty: what lies there would be counted, too", root.display()));
        }
        Ok(Self { root: root.to_owned(), waiting: BTreeMap::new(), bytes: 0, written: Written::default() })
    }

    /// Takes an event.
    ///
    /// # Errors
    ///
    /// In words: a file can not be written.
    pub(crate) fn add(&mut self, event: Event) -> Result<(), String> {
        let size = event.envelope().to_string().len();
        let partition = Partition::of(&event);
        let (bytes, events) = self.waiting.entry(partition.clone()).or_default();
        *bytes += size;
        events.push(event);
        self.bytes += size;
        if *bytes >= ENOUGH {
            self.write(&partition)?;
        }
        while self.bytes >= WAITING {
            let largest = self.waiting.iter().max_by_key(|(_, (bytes, _))| *bytes).map(|(partition, _)| partition.clone());
            let Some(largest) = largest else { break };
            self.write(&largest)?;
        }
        Ok(())
    }

    fn write(&mut self, partition: &Partition) -> Result<(), String> {
        let Some((bytes, events)) = self.waiting.remove(partition) else { return Ok(()) };
        self.bytes -= bytes;
        let folder = partition.folder(&self.root);
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        self.written.files += 1;
        part::write(&folder, &format!("part-{:06}.parquet", self.written.files), &events)?;
        self.written.rows += u64::try_from(events.len()).unwrap_or_default();
        self.written.partitions.insert(partition.clone());
        Ok(())
    }

    /// Writes what waits.
    ///
    /// # Errors
    ///
    /// As [`Export::add`].
    pub(crate) fn end(mut self) -> Result<Written, String> {
        while let Some(partition) = self.waiting.keys().next().cloned() {
            self.write(&partition)?;
        }
        Ok(self.written)
    }
}

#[cfg(test)]
mod tests;

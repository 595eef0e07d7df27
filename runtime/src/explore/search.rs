//! Logs through a search: what is found, each event once, in the order of the files and their records.

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use memchr::memmem::Finder;
use trailwire_engine::event::Event;
use trailwire_engine::search::Query;
use trailwire_engine::shape::{Kinds, record};

use super::files::Selection;
use super::judge::{Judge, Room};
use super::log_file::LogFile;
use super::reading::{self, Turn};
use super::scan::{Sifted, scan};
use super::unpack;
use crate::core::run::{RunId, event_key};

/// What was read for a search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) files: u64,
    /// Records, repeated ones too.
    pub(crate) records: u64,
    /// Events that had been found already.
    pub(crate) repeated: u64,
    /// What could not be read or judged, each with its place.
    pub(crate) faults: Vec<String>,
    /// Fields of the search whose names occur nowhere.
    pub(crate) absent: Vec<String>,
}

/// So many events of a file are handed over at once.
const PART: usize = 4_096;

/// What came of one file, or of a part of it.
#[derive(Default)]
struct Read {
    /// Whether it is the last of the file.
    ends: bool,
    records: u64,
    found: Vec<(RunId, Event)>,
    faults: Vec<String>,
}

/// Searches files. Each event that is found is handed to `take` once, until it says no.
pub(crate) fn search(query: &Query, files: &[LogFile], selection: &Selection, mut take: impl FnMut(Event) -> bool) -> Totals {
    let judge = Judge::new(query);
    // Of the fields that CloudTrail has nobody need be told.
    let doubtful = |path: &String| record::kinds_at(&format!("detail.{path}")) == Kinds::ANY;
    let fields: Vec<Field> = query.fields().into_iter().filter(doubtful).map(Field::new).collect();
    let mut totals = Totals::default();
    let mut seen = HashSet::new();
    reading::each(
        files,
        || (Vec::new(), Room::default()),
        |file, (text, room), turn| read(&judge, &fields, selection, file, text, room, turn),
        |file, read| {
            totals.files += u64::from(read.as_ref().is_none_or(|read| read.ends));
            let Some(read) = read else {
                totals.faults.push(format!("{file}: a bug stopped the reading of this file"));
                return true;
            };
            totals.records += read.records;
            totals.faults.extend(read.faults.into_iter().map(|fault| format!("{file}: {fault}")));
            for (key, event) in read.found {
                if !seen.insert(key) {
                    totals.repeated += 1;
                } else if !take(event) {
                    return false;
                }
            }
            true
        },
    );
    totals.absent = fields.into_iter().filter(|field| !field.seen.load(Ordering::Relaxed)).map(|field| field.path).collect();
    if totals.records == 0 {
        totals.absent.clear();
    }
    totals
}

fn read(
    judge: &Judge,
    fields: &[Field],
    selection: &Selection,
    file: &LogFile,
    text: &mut Vec<u8>,
    room: &mut Room,
    turn: &Turn<'_, Read>,
) -> Read {
    let mut found = Vec::new();
    let wanted = Cell::new(true);
    let mut sift = |record: &[u8]| if wanted.get() { judge.sift(record, room) } else { Sifted::No };
    let scanned = scan(file, text, &|| turn.come(), &mut sift, &mut |event, sifted, scanned| {
        if !selection.holds(event.time(), event.account(), event.region()) {
            return;
        }
        let holds = if sifted == Sifted::Yes { Ok(true) } else { judge.holds(&event) };
        match holds {
            Ok(true) => found.push((RunId::new("", &event_key(&event)), event)),
            Ok(false) => {}
            Err(reason) => scanned.fault(&reason),
        }
        if found.len() >= PART {
            wanted.set(turn.hand(Read { found: std::mem::take(&mut found), ..Read::default() }));
        }
    });
    fields.iter().for_each(|field| field.look(text));
    unpack::release(text);
    Read { ends: true, records: scanned.records, found, faults: scanned.faults }
}

/// A field of the search, and whether a member of its name was seen.
struct Field {
    path: String,
    name: Finder<'static>,
    seen: AtomicBool,
}

impl Field {
    fn new(path: String) -> Self {
        let name = path.rsplit('.').next().unwrap_or(&path);
        Self { name: Finder::new(&format!("\"{name}\"")).into_owned(), path, seen: AtomicBool::new(false) }
    }

    fn look(&self, text: &[u8]) {
        if !self.seen.load(Ordering::Relaxed) && self.name.find(text).is_some() {
            self.seen.store(true, Ordering::Relaxed);
        }
    }
}

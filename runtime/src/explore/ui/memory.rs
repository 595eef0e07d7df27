//! Logs held in memory: the texts of the records as they were read, each event once, in the order of their times.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use trailwire_engine::event::Event;
use trailwire_engine::matcher::Scratch;

use super::columns::{Builder, Column, TRIGGER, texts, written};
use crate::core::run::{event_key, short_hash};
use crate::definitions::Definitions;
use crate::explore::column::Column as Field;
use crate::explore::files::Selection;
use crate::explore::log_file::LogFile;
use crate::explore::reading;
use crate::explore::scan::{Sifted, scan};
use crate::explore::unpack;
use crate::source::{self, Received};

/// Of the room for texts this part is for columns; those asked for first go, and are made again when they are needed again.
const FOR_COLUMNS: usize = 4;
/// So many different fields are known by name, more than CloudTrail has in any logs seen.
const PATHS: usize = 20_000;
/// Members below so many others are found in no list of fields. They can be searched all the same.
const DEEPEST_PATH: usize = 12;

/// A record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    pub(super) id: u128,
    /// Milliseconds; `None` where it tells no time.
    pub(super) time: Option<i64>,
    file: u32,
    start: usize,
    end: usize,
}

/// What was read, and what was not.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) files: usize,
    pub(crate) bytes: usize,
    /// Records that were there already.
    pub(crate) repeated: u64,
    /// Files that were not read because the room was used up.
    pub(crate) left: usize,
    pub(crate) faults: Vec<String>,
}

/// The records of some logs.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) told: Told,
    /// Every field that records have, and how many have it.
    pub(super) paths: BTreeMap<String, u64>,
    /// The triggers that fire for each record.
    pub(super) triggers: Arc<Column>,
    records: Vec<Record>,
    places: HashMap<u128, u32>,
    files: Vec<(LogFile, Vec<u8>)>,
    columns: Mutex<Vec<(String, Arc<Column>)>>,
    /// Bytes that the columns which are kept may take.
    room: usize,
}

/// What came of one file.
#[derive(Default)]
struct Loaded {
    text: Vec<u8>,
    records: Vec<(Record, Vec<String>)>,
    paths: BTreeMap<String, u64>,
    faults: Vec<String>,
}

impl Memory {
    /// Reads files until their texts are more than `most` bytes. Where there are definitions, each record is judged by them.
    pub(super) fn load(files: &[LogFile], selection: &Selection, definitions: Option<&Definitions>, most: usize) -> Self {
        let (mut memory, mut fired) = (Self { room: most / FOR_COLUMNS, ..Self::default() }, Vec::new());
        reading::each(
            files,
            || (Vec::new(), Scratch::default()),
            |file, (text, scratch), turn| read(file, selection, definitions, text, scratch, &|| turn.come()),
            |file, loaded| {
                let mut loaded = loaded
                    .unwrap_or_else(|| Loaded { faults: vec!["a bug stopped the reading of this file".to_owned()], ..Loaded::default() });
                if memory.told.bytes + loaded.text.len() > most {
                    return false;
                }
                memory.told.files += 1;
                memory.told.faults.extend(loaded.faults.drain(..).map(|fault| format!("{file}: {fault}")));
                let number = u32::try_from(memory.files.len()).unwrap_or(u32::MAX);
                let before = fired.len();
                for (record, triggers) in loaded.records {
                    if memory.places.insert(record.id, 0).is_none() {
                        fired.push((Record { file: number, ..record }, triggers));
                    } else {
                        memory.told.repeated += 1;
                    }
                }
                for (path, count) in loaded.paths {
                    if memory.paths.len() < PATHS || memory.paths.contains_key(&path) {
                        *memory.paths.entry(path).or_default() += count;
                    }
                }
                let text = if fired.len() > before { loaded.text } else { Vec::new() };
                memory.told.bytes += text.len();
                memory.files.push((file.to_owned(), text));
                true
            },
        );
        memory.told.left = files.len() - memory.told.files;
        fired.sort_by_key(|(record, _)| record.time);
        let mut triggers = Builder::default();
        for (row, (record, names)) in fired.into_iter().enumerate() {
            names.iter().for_each(|name| triggers.add(name));
            triggers.end_row();
            memory.places.insert(record.id, u32::try_from(row).unwrap_or(u32::MAX));
            memory.records.push(record);
        }
        memory.triggers = Arc::new(triggers.finish());
        memory
    }

    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.records.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn record(&self, row: u32) -> Option<&Record> {
        self.records.get(row as usize)
    }

    /// The time of a record in milliseconds; `None` where it tells none.
    pub(super) fn time(&self, row: u32) -> Option<i64> {
        self.record(row)?.time
    }

    /// The first and the last time that any record tells.
    pub(super) fn extent(&self) -> Option<(i64, i64)> {
        let first = self.records.iter().find_map(|record| record.time)?;
        Some((first, self.records.last()?.time?))
    }

    /// Where the record of this id is.
    pub(super) fn place(&self, id: &str) -> Option<u32> {
        self.places.get(&u128::from_str_radix(id, 16).ok().filter(|_| id.len() == 32)?).copied()
    }

    /// The JSON of a record: bare, or in its envelope.
    pub(super) fn text(&self, row: u32) -> &[u8] {
        let text = |record: &Record| self.files.get(record.file as usize)?.1.get(record.start..record.end);
        self.record(row).and_then(text).unwrap_or_default()
    }

    /// The file that a record was read from.
    pub(super) fn file(&self, row: u32) -> Option<&LogFile> {
        self.record(row).and_then(|record| self.files.get(record.file as usize)).map(|(file, _)| file)
    }

    /// The event of a record.
    pub(super) fn event(&self, row: u32) -> Option<Event> {
        source::event(serde_json::from_slice(self.text(row)).ok()?).ok()
    }

    /// Columns by their names, in this order. Those that are not there yet are made in one look at every record.
    pub(super) fn columns(&self, names: &[String]) -> Vec<Arc<Column>> {
        let kept = |name: &String| {
            let columns = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
            columns.iter().find(|(known, _)| known == name).map(|(_, column)| Arc::clone(column))
        };
        let missing: Vec<String> = names.iter().filter(|name| *name != TRIGGER && kept(name).is_none()).cloned().collect();
        let made = self.make(&missing);
        let mut columns = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        columns.extend(missing.iter().cloned().zip(made.iter().cloned()));
        let mut taken: usize = columns.iter().map(|(_, column)| column.bytes()).sum();
        columns.retain(|(_, column)| {
            let is_kept = taken <= self.room;
            taken -= if is_kept { 0 } else { column.bytes() };
            is_kept
        });
        drop(columns);
        let new = |name: &String| missing.iter().position(|missing| missing == name).and_then(|index| made.get(index)).cloned();
        let of = |name: &String| if name == TRIGGER { Some(Arc::clone(&self.triggers)) } else { new(name).or_else(|| kept(name)) };
        names.iter().map(|name| of(name).unwrap_or_default()).collect()
    }

    /// One column.
    pub(super) fn column(&self, name: &str) -> Arc<Column> {
        self.columns(&[name.to_owned()]).pop().unwrap_or_default()
    }

    fn make(&self, names: &[String]) -> Vec<Arc<Column>> {
        if names.is_empty() {
            return Vec::new();
        }
        let fields: Vec<Field> = names.iter().map(|name| Field::new(name)).collect();
        let parts = side_by_side(self.len(), |rows| {
            let mut builders: Vec<Builder> = fields.iter().map(|_| Builder::default()).collect();
            for row in rows {
                let event = self.event(row);
                for ((name, field), builder) in names.iter().zip(&fields).zip(&mut builders) {
                    if let Some(event) = &event {
                        texts(name, field, event, &mut |text| builder.add(text));
                    }
                    builder.end_row();
                }
            }
            builders.into_iter().map(Builder::finish).collect::<Vec<_>>()
        });
        let mut whole: Vec<Builder> = fields.iter().map(|_| Builder::default()).collect();
        for part in parts {
            part.iter().zip(&mut whole).for_each(|(column, builder)| builder.append(column));
        }
        whole.into_iter().map(|builder| Arc::new(builder.finish())).collect()
    }
}

/// Does `work` for all rows, in as many parts as there are processors, and gives what came of each part in their order.
pub(super) fn side_by_side<T: Send + Default>(rows: u32, work: impl Fn(Range<u32>) -> T + Sync) -> Vec<T> {
    let parts = u32::try_from(std::thread::available_parallelism().map_or(1, NonZeroUsize::get)).unwrap_or(1);
    let size = rows.div_ceil(parts).max(1);
    std::thread::scope(|scope| {
        let part = |number: u32| number.saturating_mul(size).min(rows)..number.saturating_add(1).saturating_mul(size).min(rows);
        let threads: Vec<_> = (0..parts)
            .map(|number| {
                let work = &work;
                scope.spawn(move || work(part(number)))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_default()).collect()
    })
}

fn read(
    file: &LogFile,
    selection: &Selection,
    definitions: Option<&Definitions>,
    text: &mut Vec<u8>,
    scratch: &mut Scratch,
    come: &dyn Fn() -> bool,
) -> Loaded {
    let mut loaded = Loaded::default();
    let scanned = scan(file, text, come, &mut |_| Sifted::Unsure, &mut |event, _, _| {
        if selection.holds(event.time(), event.account(), event.region()) {
            loaded.add(event, definitions, scratch);
        }
    });
    unpack::release(text);
    Loaded { faults: scanned.faults, ..loaded }
}

impl Loaded {
    fn add(&mut self, event: Event, definitions: Option<&Definitions>, scratch: &mut Scratch) {
        let start = self.text.len();
        let record = if event.is_completed() { event.detail() } else { event.envelope() };
        self.text.extend_from_slice(record.to_string().as_bytes());
        let time = event.time().and_then(|time| time.parse::<Timestamp>().ok()).map(Timestamp::as_millisecond);
        let id = u128::from_be_bytes(short_hash(&[event_key(&event).as_bytes()]));
        note_paths(event.detail(), &mut String::new(), 0, &mut self.paths);
        let fires = definitions.map_or_else(Vec::new, |definitions| {
            let judged = definitions.judge(&Received::from(event), scratch);
            judged.fires.iter().map(|trigger| trigger.name.clone()).collect()
        });
        self.records.push((Record { id, time, file: 0, start, end: self.text.len() }, fires));
    }
}

/// Counts the fields of a record that hold a text, a number or a truth value.
fn note_paths(value: &Value, path: &mut String, depth: usize, paths: &mut BTreeMap<String, u64>) {
    match value {
        Value::Object(members) if depth < DEEPEST_PATH => {
            for (member, value) in members {
                let Some(name) = written(member) else { continue };
                let length = path.len();
                if length > 0 {
                    path.push('.');
                }
                path.push_str(&name);
                note_paths(value, path, depth + 1, paths);
                path.truncate(length);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| note_paths(element, path, depth, paths)),
        Value::Object(_) | Value::Null => {}
        _ => match paths.get_mut(path.as_str()) {
            Some(count) => *count += 1,
            None => {
                if paths.len() < PATHS {
                    paths.insert(path.clone(), 1);
                }
            }
        },
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;
    use crate::explore::files::find;

    pub(in crate::explore::ui) fn record(id: &str, time: &str, name: &str) -> Value {
        json!({"eventName": name, "eventSource": "iam.amazonaws.com", "eventID": id, "eventTime": time, "awsRegion": "us-east-1",
            "recipientAccountId": "111122223333", "eventType": "AwsApiCall", "userIdentity": {"type": "IAMUser", "userName": "alice", "accessKeyId": "AKIA1"}})
    }

    pub(in crate::explore::ui) fn memory(texts: &[String], most: usize) -> Memory {
        let folder = tempfile::tempdir().unwrap();
        texts.iter().enumerate().for_each(|(number, text)| std::fs::write(folder.path().join(format!("{number}.json")), text).unwrap());
        let found = find(&[folder.path().to_owned()], &Selection::default());
        Memory::load(&found.files, &Selection::default(), None, most)
    }

    #[test]
    fn every_event_is_there_once_in_the_order_of_time() {
        let records = json!({"Records": [record("c", "2026-03-01T12:00:03Z", "C"), record("a", "2026-03-01T12:00:01Z", "A")]}).to_string();
        let envelope = json!({"version": "0", "detail": record("b", "2026-03-01T12:00:02.5Z", "B")}).to_string();
        let more = format!("{envelope}\n{}\n{{\"eventName\":\"X\"}}\nnothing\n", record("a", "2026-03-01T12:00:01Z", "A"));
        let memory = memory(&[records, more], usize::MAX);
        let names: Vec<_> = (0..memory.len()).map(|row| memory.column("eventName").text(row).unwrap()).collect();
        assert_eq!(names, ["X", "A", "B", "C"]);
        assert_eq!((memory.told.files, memory.told.repeated, memory.told.left), (2, 1, 0));
        assert!(
            memory.told.faults[0].ends_with("1.json: byte 0: neither an object nor an array") || memory.told.faults.len() == 1,
            "{:?}",
            memory.told
        );
        assert_eq!(memory.extent(), Some((1_772_366_401_000, 1_772_366_403_000)));
        let id = format!("{:032x}", memory.record(2).unwrap().id);
        assert_eq!(memory.place(&id), Some(2));
        assert_eq!(memory.event(2).unwrap().name(), Some("B"));
        for none in ["", "zz", "0", &"0".repeat(32), &"é".repeat(16)] {
            assert_eq!(memory.place(none), None, "{none}");
        }
        assert_eq!(memory.paths["userIdentity.userName"], 4);
        assert_eq!(memory.column("trigger").text(0), None);
    }

    #[test]
    fn columns_that_do_not_fit_are_made_again() {
        let records: Vec<Value> =
            (0..50).map(|number| record(&number.to_string(), "2026-03-01T12:00:00Z", &format!("Event{number}"))).collect();
        let text = json!({"Records": records}).to_string();
        let memory = memory(std::slice::from_ref(&text), text.len());
        let kept = || memory.columns.lock().unwrap().iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let names = ["eventName", "awsRegion", "eventID", "eventSource"].map(str::to_owned);
        for name in &names {
            assert_eq!(memory.column(name).text(7), memory.event(7).map(|event| event.detail()[name].as_str().unwrap().to_owned()));
        }
        let room = text.len() / FOR_COLUMNS;
        assert!(memory.columns(&names).iter().map(|column| column.bytes()).sum::<usize>() > room || kept().len() == names.len());
        let taken: usize = memory.columns.lock().unwrap().iter().map(|(_, column)| column.bytes()).sum();
        assert!(taken <= room, "{taken} {room} {:?}", kept());
        // What is larger than the room is made for who asks, and not kept.
        let small = Memory { room: 10, ..memory };
        assert_eq!(small.column("eventName").values.len(), 50);
        assert_eq!(*small.columns.lock().unwrap(), []);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let texts: Vec<String> = (0..5).map(|number| record(&number.to_string(), "2026-03-01T12:00:00Z", "A").to_string()).collect();
        let memory = memory(&texts, texts[0].len() * 3);
        assert_eq!((memory.len(), memory.told.files, memory.told.left), (3, 3, 2));
    }

    #[test]
    fn work_is_parted_without_gaps() {
        for rows in [0, 1, 2, 3, 7, 1000] {
            let all: Vec<u32> = side_by_side(rows, Iterator::collect::<Vec<u32>>).concat();
            assert_eq!(all, (0..rows).collect::<Vec<_>>());
        }
    }
}

//! Adds logs to an index.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use tantivy::directory::error::LockError;
use tantivy::{IndexReader, IndexWriter, ReloadPolicy, TantivyDocument, TantivyError};

use super::document::{Columns, Entry, Fields, RENEWED, VARIANT, hash};
use super::{files, in_order, said, share, unread};
use crate::explore::log_file::LogFile;
use crate::explore::reading;
use crate::explore::scan::{Sifted, scan};
use crate::explore::unpack;

/// What the writer keeps in memory before it writes.
const MEMORY: usize = 192 << 20;
/// More threads than this are of no use to it.
const THREADS: usize = 4;
/// So many events of a file, or of so many bytes, are handed over at once.
const PART: usize = 4_096;
const PART_BYTES: usize = 1 << 20;
/// So many files a thread may be ahead of the writer, which is what the others wait for.
const AHEAD: usize = 1;
/// Of so many bytes of events may not be known whether they are written: they wait for the writer.
const BYTES: usize = 128 << 20;

/// What was added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// Files that were read.
    pub(crate) files: u64,
    /// Files that had been read before.
    pub(crate) known: u64,
    /// Records of the files that were read.
    pub(crate) records: u64,
    /// Events that are in the index now and were not.
    pub(crate) added: u64,
    /// Events that are in the index.
    pub(crate) events: u64,
    /// What could not be read, each with its place. A file with such is read again the next time.
    pub(crate) faults: Vec<String>,
}

/// Adds files to the index in a folder. When `every` so many records were read, or [`BYTES`] of events, what came of them is made safe, and `told` hears
/// of it.
///
/// # Errors
///
/// In words, where the index can not be written. What was told of stays.
pub(crate) fn write(folder: &Path, logs: &[LogFile], every: u64, told: impl FnMut(&Written)) -> Result<Written, String> {
    let (index, fields) = files(folder)?;
    add(folder, (&index, &fields), logs, (every, BYTES), told)
}

/// What came of a file, or of a part of it.
#[derive(Default)]
struct Part {
    /// Whether it is the last of the file.
    ends: bool,
    records: u64,
    entries: Vec<Entry>,
    faults: Vec<String>,
}

pub(super) fn add(
    folder: &Path,
    (index, fields): (&tantivy::Index, &Fields),
    logs: &[LogFile],
    (every, bytes): (u64, usize),
    mut told: impl FnMut(&Written),
) -> Result<Written, String> {
    let threads = reading::threads(false).min(THREADS);
    let refused = |error| refused(folder, error);
    let mut writer: IndexWriter<TantivyDocument> = index.writer_with_num_threads(threads, MEMORY).map_err(refused)?;
    // What a process that was killed has left.
    writer.garbage_collect_files().wait().map_err(refused)?;
    let mut known = Known::of(index, fields).map_err(refused)?;
    let mut written = Written { events: known.events, ..Written::default() };
    let (mut taken, mut new) = (HashSet::new(), Vec::new());
    for file in logs {
        match file.version() {
            Ok((name, version)) => match hash(&version) {
                named if !taken.insert(named) => {}
                read if known.sources.contains(&read) => written.known += 1,
                _ => new.push((name, version, file.clone())),
            },
            Err(error) => written.faults.push(format!("{file}: {error}")),
        }
    }
    // Of copies of an event the first is kept.
    new.sort_by(|(a, ..), (b, ..)| in_order(a, b));
    let (names, files): (Vec<_>, Vec<_>) = new.into_iter().map(|(name, version, file)| ((name, version), file)).unzip();
    let columns = Columns::new();
    let (mut names, mut waiting, mut failed) = (names.into_iter().peekable(), (0, 0), None);
    reading::each_ahead(
        &files,
        AHEAD,
        Vec::new,
        |file, text, turn| {
            let mut part = Part::default();
            let (mut size, wanted) = (0, Cell::new(true));
            let mut sift = |_: &[u8]| if wanted.get() { Sifted::Unsure } else { Sifted::No };
            let scanned = scan(file, text, &|| turn.come(), &mut sift, &mut |event, _, scanned| {
                let entry = columns.entry(fields, &event, scanned.records);
                size += entry.size;
                part.entries.push(entry);
                if part.entries.len() >= PART || size >= PART_BYTES {
                    size = 0;
                    wanted.set(turn.hand(std::mem::take(&mut part)));
                }
            });
            unpack::release(text);
            Part { ends: true, records: scanned.records, faults: scanned.faults, ..part }
        },
        |file, part| {
            let Some(part) = part else {
                names.next();
                written.faults.push(format!("{file}: a bug stopped the reading of this file"));
                return true;
            };
            let Some((name, version)) = names.next_if(|_| part.ends).or_else(|| names.peek().cloned()) else { return false };
            let is_whole = part.ends && part.faults.is_empty();
            written.files += u64::from(part.ends);
            written.records += part.records;
            waiting.0 += part.records;
            waiting.1 += part.entries.iter().map(|entry| entry.size).sum::<usize>();
            written.faults.extend(part.faults.into_iter().map(|fault| format!("{file}: {fault}")));
            let done = known.add(&writer, fields, &name, part.entries).and_then(|added| {
                written.added += added;
                written.events += added;
                if is_whole {
                    let mut document = TantivyDocument::new();
                    document.add_text(fields.source, version);
                    if !known.names.insert(hash(&name)) {
                        document.add_u64(fields.kind, RENEWED);
                    }
                    writer.add_document(document)?;
                }
                if waiting.0 >= every || waiting.1 >= bytes {
                    writer.commit()?;
                    share(folder);
                    waiting = (0, 0);
                    told(&written);
                }
                Ok(())
            });
            failed = done.err();
            failed.is_none()
        },
    );
    let done = match failed {
        // Whoever adds to a writer that has failed is not told why it has.
        Some(error) => Err(writer.prepare_commit().map(drop).err().unwrap_or(error)),
        None => writer.commit().and_then(|_| writer.wait_merging_threads()),
    };
    share(folder);
    done.map_err(|error| {
        said(folder, format!("can not be written: {error}: what was told of is kept, and the next run goes on from there"))
    })?;
    Ok(written)
}

/// Why nothing could be added.
fn refused(folder: &Path, error: TantivyError) -> String {
    match error {
        TantivyError::LockFailure(LockError::LockBusy, _) => said(folder, "another process is writing this index"),
        TantivyError::LockFailure(LockError::IoError(error), _) => said(folder, format!("can not be written: {error}")),
        other => unread(folder, &other),
    }
}

/// What the index has.
#[derive(Default)]
struct Known {
    /// Hashes of files and their versions.
    sources: HashSet<u64>,
    /// Hashes of the names of files.
    names: HashSet<u64>,
    /// By the hash of an event's key that of what it says.
    contents: HashMap<u64, u64>,
    /// The same of those that say something else than the first of their key.
    variants: HashSet<(u64, u64)>,
    events: u64,
}

impl Known {
    fn of(index: &tantivy::Index, fields: &Fields) -> tantivy::Result<Self> {
        let mut known = Self::default();
        let reader: IndexReader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        for segment in reader.searcher().segment_readers() {
            let sources = segment.inverted_index(fields.source)?;
            let mut terms = sources.terms().stream()?;
            while terms.advance() {
                let version = String::from_utf8_lossy(terms.key());
                known.sources.insert(hash(&version));
                known.names.insert(hash(LogFile::name_of(&version)));
            }
            let columns = segment.fast_fields();
            let (keys, contents, kinds) = (columns.u64("event_key")?, columns.u64("content")?, columns.u64("kind")?);
            for document in 0..segment.max_doc() {
                let (Some(key), Some(content)) = (keys.first(document), contents.first(document)) else { continue };
                known.events += 1;
                if kinds.first(document) == Some(VARIANT) {
                    known.variants.insert((key, content));
                } else {
                    known.contents.insert(key, content);
                }
            }
        }
        Ok(known)
    }

    /// Adds the events that are not there; how many those are.
    fn add(&mut self, writer: &IndexWriter<TantivyDocument>, fields: &Fields, file: &str, entries: Vec<Entry>) -> tantivy::Result<u64> {
        let mut added = 0;
        for Entry { key, content, kind, mut document, .. } in entries {
            let kind = match self.contents.get(&key) {
                None => {
                    self.contents.insert(key, content);
                    kind
                }
                Some(known) if *known != content && self.variants.insert((key, content)) => VARIANT,
                Some(_) => continue,
            };
            for (field, number) in [(fields.key, key), (fields.content, content), (fields.kind, kind)] {
                document.add_u64(field, number);
            }
            document.add_text(fields.file, file);
            writer.add_document(document)?;
            added += 1;
        }
        Ok(added)
    }
}

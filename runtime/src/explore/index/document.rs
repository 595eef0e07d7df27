//! What an index keeps of an event: its JSON with the words of it, its time, and the columns that are counted and filtered without reading it.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tantivy::TantivyDocument;
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, NumericOptions, STORED, Schema, TextFieldIndexing, TextOptions};
use trailwire_engine::event::Event;

use crate::core::run::event_key;
use crate::explore::column::Column;

/// The name of what parts a record into words.
pub(super) const WORDS: &str = "words";

/// The columns: fields of a search that hold one text, and who it was.
pub(super) const COLUMNS: [&str; 11] = ["account", "actor", "error", "event", "identity", "ip", "key", "region", "role", "source", "user"];

/// A column's text has at most so many bytes; a longer one is read from the record.
const LONGEST: usize = 512;

/// Its columns tell whatever may be asked of them.
pub(super) const PLAIN: u64 = 0;
/// Its columns do not tell everything: it is read.
pub(super) const ODD: u64 = 1;
/// Another event of the index has its key and says something else: both are read.
pub(super) const VARIANT: u64 = 2;
/// It is no event but a file, of which another version was read before.
pub(super) const RENEWED: u64 = 3;

/// The fields of an index. Whoever changes what a field holds gives it another name: by the names an index of another version is known.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    /// The JSON of the record or envelope.
    pub(super) record: Field,
    /// Nanoseconds since 1970.
    pub(super) time: Field,
    /// The name of the file that it was read from.
    pub(super) file: Field,
    /// Its number among the records of the file.
    pub(super) at: Field,
    /// 64 bits of a hash of what makes copies of an event equal. Of two events that have them in common both are kept.
    pub(super) key: Field,
    /// 64 bits of a hash of all that it says.
    pub(super) content: Field,
    /// [`PLAIN`], [`ODD`] or [`VARIANT`]: every event has it. Of files those that are [`RENEWED`] do.
    pub(super) kind: Field,
    /// Those of [`COLUMNS`].
    pub(super) columns: [Field; COLUMNS.len()],
    /// A file that was read whole: where it lies and which version of it that was. Documents that have it are no events.
    pub(super) source: Field,
}

impl Fields {
    pub(super) fn new() -> (Schema, Self) {
        let mut schema = Schema::builder();
        let words = TextFieldIndexing::default().set_tokenizer(WORDS).set_index_option(IndexRecordOption::Basic).set_fieldnorms(false);
        let whole = TextFieldIndexing::default().set_tokenizer("raw").set_index_option(IndexRecordOption::Basic).set_fieldnorms(false);
        let column = || TextOptions::default().set_fast("raw");
        let number: NumericOptions = FAST.into();
        let fields = Self {
            record: schema.add_text_field("record", TextOptions::default().set_indexing_options(words) | STORED),
            time: schema.add_i64_field("time", number.clone()),
            file: schema.add_text_field("file", column()),
            at: schema.add_u64_field("at", number.clone()),
            key: schema.add_u64_field("event_key", number.clone()),
            content: schema.add_u64_field("content", number),
            kind: schema.add_u64_field("kind", FAST | INDEXED),
            columns: COLUMNS.map(|name| schema.add_text_field(name, column())),
            source: schema.add_text_field("log_file", TextOptions::default().set_indexing_options(whole)),
        };
        (schema.build(), fields)
    }
}

/// What is known of an event before it is added.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: u64,
    pub(super) content: u64,
    pub(super) kind: u64,
    /// Bytes of its JSON.
    pub(super) size: usize,
    pub(super) document: TantivyDocument,
}

/// What an event's columns are.
#[derive(Debug)]
pub(super) struct Columns([Column; COLUMNS.len()]);

impl Columns {
    pub(super) fn new() -> Self {
        Self(COLUMNS.map(Column::new))
    }

    /// The event as the index keeps it, all but the name of its file and what [`Entry`] tells.
    pub(super) fn entry(&self, fields: &Fields, event: &Event, at: u64) -> Entry {
        let mut document = TantivyDocument::new();
        let text = if event.is_completed() { event.detail() } else { event.envelope() }.to_string();
        let mut is_odd = !event.is_completed();
        match event.time().and_then(|time| Some((time, time.parse::<Timestamp>().ok()?))) {
            Some((written, time)) => {
                let nanoseconds = time.as_nanosecond();
                let within = nanoseconds.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
                is_odd |= nanoseconds != within || written != time.to_string();
                document.add_i64(fields.time, i64::try_from(within).unwrap_or_default());
            }
            None => is_odd = true,
        }
        for (column, field) in self.0.iter().zip(fields.columns) {
            is_odd |= column.is_other_than_text(event);
            match column.of(event) {
                Some(text) if text.len() > LONGEST => is_odd = true,
                Some(text) => document.add_text(field, text),
                None => {}
            }
        }
        document.add_u64(fields.at, at);
        let (key, content, size) = (hash(&event_key(event)), hash(&text), text.len());
        document.add_text(fields.record, text);
        Entry { key, content, kind: if is_odd { ODD } else { PLAIN }, size, document }
    }
}

/// The first 64 bits of a hash that nobody can steer.
pub(super) fn hash(text: &str) -> u64 {
    Sha256::digest(text.as_bytes()).first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

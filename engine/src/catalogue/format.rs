//! The bytes of the catalogue: what `tools/catalogue/encode.py` writes, read where it lies.
//!
//! `TWC1`, then sections, each with its length as four bytes before it (numbers are little-endian):
//!
//! | section | what |
//! | --- | --- |
//! | words | strings: the words that names are made of, those of most use first |
//! | verbs | two bytes each: the words that names most often begin with |
//! | classes | five bytes each: origin, event type, flags (reads, data event, recorded), binding and list of regions |
//! | regions | strings: lists of regions, parted by blanks |
//! | sources | strings, sorted: event sources without `.amazonaws.com` |
//! | source heads | eight bytes each: where its events begin (4), how many (2), the usual class of changes and of reads (1 each) |
//! | events | for each source its events, see below |
//! | aliases | strings, sorted: other names of sources; then two bytes each: which source |
//! | renames | strings: source, name of the API, name of the event, parted by blanks |
//!
//! Strings are their number (2), where each ends (2 each), and the texts.
//!
//! A name is a first word and the rest: `Create`, `FunctionUrlConfig`. The events of a source are groups of one rest with all first
//! words it is found with, sorted by the rest, in blocks of sixteen; the number of blocks (2) and where each begins (2 each) come
//! first. A group: a byte with the number of words shared with the rest before it (high four bits; none where a block begins) and
//! of words that follow; these words, one byte each below 245, else two; then first words, the last of them with the high bit set:
//! one of the verbs below 125, or 126 and the word in two bytes. Before a first word 125 says that only the list of IAM actions
//! has it, and 127 that its class follows in a byte; else its class is the usual one, that of reads for Describe, Get and List.

use std::sync::LazyLock;

use super::entry::{Entry, EventType, Origin, Regions};

static BYTES: &[u8] = include_bytes!("events.bin");

/// The catalogue that this program was built with.
pub(super) static DATA: LazyLock<Data> = LazyLock::new(|| read(BYTES).unwrap_or_default());

const MAGIC: &[u8] = b"TWC1";
const CLASS_BYTES: usize = 5;
const HEAD_BYTES: usize = 8;

/// The sections.
#[derive(Debug, Default)]
pub(super) struct Data {
    pub(super) words: Strings,
    verbs: &'static [u8],
    classes: &'static [u8],
    regions: Strings,
    pub(super) sources: Strings,
    heads: &'static [u8],
    events: &'static [u8],
    pub(super) aliases: Strings,
    alias_sources: &'static [u8],
    renames: Strings,
}

/// Where the events of a source lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    /// Its blocks, from where they begin.
    pub(super) places: &'static [u8],
    pub(super) body: &'static [u8],
    /// The classes of changes and of reads, where nothing else is said.
    pub(super) usual: [u8; 2],
}

/// What CloudTrail writes otherwise than the API.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rename {
    pub(super) source: &'static str,
    pub(super) api: &'static str,
    pub(super) event: &'static str,
}

/// `None` for bytes of another format. A test reads every entry, so what is committed is whole.
pub(super) fn read(bytes: &'static [u8]) -> Option<Data> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let mut section = || {
        let (length, after) = rest.split_at_checked(4)?;
        let length = u32::from_le_bytes(length.try_into().ok()?);
        let (section, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
        rest = after;
        Some(section)
    };
    Some(Data {
        words: Strings::read(section()?)?,
        verbs: section()?,
        classes: section()?,
        regions: Strings::read(section()?)?,
        sources: Strings::read(section()?)?,
        heads: section()?,
        events: section()?,
        aliases: Strings::read(section()?)?,
        alias_sources: section()?,
        renames: Strings::read(section()?)?,
    })
}

impl Data {
    pub(super) fn head(&self, source: usize) -> Option<Head> {
        let begin = self.begin(source)?;
        let end = self.begin(source + 1).unwrap_or(self.events.len());
        let head = self.heads.get(source * HEAD_BYTES..)?;
        let events = self.events.get(begin..end)?;
        let blocks = usize::from(number(events, 0)?);
        let (places, body) = events.get(2..)?.split_at_checked(blocks * 2)?;
        Some(Head { places, body, usual: [*head.get(6)?, *head.get(7)?] })
    }

    fn begin(&self, source: usize) -> Option<usize> {
        let bytes = self.heads.get(source * HEAD_BYTES..)?.get(..4)?;
        usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
    }

    /// How many events the heads say there are.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        (0..self.sources.len()).filter_map(|source| number(self.heads, source * HEAD_BYTES + 4)).map(usize::from).sum()
    }

    pub(super) fn verb(&self, code: usize) -> Option<&'static str> {
        self.words.get(usize::from(number(self.verbs, code * 2)?))
    }

    pub(super) fn alias(&self, alias: usize) -> Option<&'static str> {
        self.sources.get(usize::from(number(self.alias_sources, alias * 2)?))
    }

    pub(super) fn class(&self, class: u8) -> Option<Entry> {
        let begin = usize::from(class) * CLASS_BYTES;
        let &[origin, event_type, flags, binding, regions] = self.classes.get(begin..begin + CLASS_BYTES)? else { return None };
        Some(Entry {
            origin: Origin::of(origin)?,
            event_type: EventType::of(event_type)?,
            read_only: flags & 1 != 0,
            data_event: flags & 2 != 0,
            reaches_event_bridge: flags & 4 != 0,
            regions: Regions::of(binding, self.regions.get(usize::from(regions))?)?,
        })
    }
}

pub(super) fn renames() -> impl Iterator<Item = Rename> {
    (0..DATA.renames.len()).filter_map(|number| {
        let mut parts = DATA.renames.get(number)?.split(' ');
        Some(Rename { source: parts.next()?, api: parts.next()?, event: parts.next()? })
    })
}

/// Two bytes as a number.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

/// Texts by number.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Strings {
    ends: &'static [u8],
    text: &'static str,
}

impl Strings {
    fn read(bytes: &'static [u8]) -> Option<Self> {
        let count = usize::from(number(bytes, 0)?);
        let (ends, text) = bytes.get(2..)?.split_at_checked(count * 2)?;
        Some(Self { ends, text: std::str::from_utf8(text).ok()? })
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len() / 2
    }

    pub(super) fn get(&self, at: usize) -> Option<&'static str> {
        let begin = match at.checked_sub(1) {
            Some(before) => usize::from(number(self.ends, before * 2)?),
            None => 0,
        };
        self.text.get(begin..usize::from(number(self.ends, at * 2)?))
    }

    /// The number of a text, for those that are sorted.
    pub(super) fn find(&self, text: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.get(middle)?.cmp(text) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

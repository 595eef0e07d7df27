//! A search by an index: what may be found is read, and judged as the scan judges it.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use tantivy::schema::Value as _;
use tantivy::{DocAddress, SegmentReader, TantivyDocument};
use trailwire_engine::event::Event;
use trailwire_engine::search::Query;

use super::document::{RENEWED, VARIANT};
use super::narrow::{Narrow, texts};
use super::values::values;
use super::{Index, in_order, unread};
use crate::core::run::{RunId, event_key};
use crate::explore::files::Selection;
use crate::explore::judge::{Judge, Room};
use crate::explore::newest::First;
use crate::explore::reading;
use crate::explore::scan::Sifted;
use crate::explore::search::Totals;
use crate::source;

/// So many events are read by one thread at once.
const CHUNK: usize = 128;

/// In which order events are handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As the scan has them.
    Logs,
    /// By time, as [`crate::explore::newest`] has them.
    Time(First),
}

/// An event that may be found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) address: DocAddress,
    time: Option<i64>,
    /// Its file's place among the files, and its own in the file.
    place: (u32, u64),
}

/// What was judged together.
type Judged = tantivy::Result<(Vec<(RunId, Event)>, Vec<String>)>;

impl Index {
    /// Hands over each event that is found, in the order of the logs, until `take` says no.
    ///
    /// # Errors
    ///
    /// In words, where the index can not be read.
    pub(crate) fn search(&self, query: &Query, selection: &Selection, take: impl FnMut(Event) -> bool) -> Result<Totals, String> {
        self.find(query, selection, take).map_err(|error| self.unread(&error))
    }

    fn find(&self, query: &Query, selection: &Selection, take: impl FnMut(Event) -> bool) -> tantivy::Result<Totals> {
        let narrow = Narrow::new(self, query, selection)?;
        let mut addresses: Vec<DocAddress> = Vec::new();
        for (segment, documents) in self.each_segment(|number, segment| {
            let mut found = Vec::new();
            narrow.each(segment, |plain, odd| {
                found.extend_from_slice(plain);
                found.extend_from_slice(odd);
                Ok(())
            })?;
            Ok((number, found))
        })? {
            addresses.extend(documents.into_iter().map(|document| DocAddress::new(segment, document)));
        }
        let mut totals = self.totals()?;
        self.judged(&Judge::new(query), selection, self.candidates(addresses, Order::Logs)?, &mut totals, take)?;
        Ok(totals)
    }

    /// Reads and judges them, and hands over those that are found, each event once.
    pub(super) fn judged(
        &self,
        judge: &Judge,
        selection: &Selection,
        candidates: Vec<Candidate>,
        totals: &mut Totals,
        mut take: impl FnMut(Event) -> bool,
    ) -> tantivy::Result<()> {
        let chunks: Vec<&[Candidate]> = candidates.chunks(CHUNK).collect();
        let (mut seen, mut failed) = (HashSet::new(), None);
        reading::side_by_side(
            &chunks,
            reading::threads(false),
            Room::default,
            |chunk, room| self.judge(judge, selection, chunk, room),
            |_, judged| {
                let (found, faults) = match judged {
                    Some(Ok(judged)) => judged,
                    Some(Err(error)) => {
                        failed = Some(error);
                        return false;
                    }
                    None => {
                        totals.faults.push("a bug stopped the reading of a part of the index".to_owned());
                        return true;
                    }
                };
                totals.faults.extend(faults);
                found.into_iter().all(|(key, event)| !seen.insert(key) || take(event))
            },
        );
        failed.map_or(Ok(()), Err)
    }

    fn judge(&self, judge: &Judge, selection: &Selection, chunk: &[Candidate], room: &mut Room) -> Judged {
        let (mut found, mut faults) = (Vec::new(), Vec::new());
        for candidate in chunk {
            let text = self.text(candidate.address)?;
            let sifted = judge.sift(text.as_bytes(), room);
            if sifted == Sifted::No {
                continue;
            }
            let event = event(&text);
            let holds = event.and_then(|event| {
                let is_asked_for = selection.holds(event.time(), event.account(), event.region());
                Ok((is_asked_for && (sifted == Sifted::Yes || judge.holds(&event)?)).then_some(event))
            });
            match holds {
                Ok(Some(event)) => found.push((RunId::new("", &event_key(&event)), event)),
                Ok(None) => {}
                Err(reason) => faults.push(format!("{}: record {}: {reason}", self.file(candidate.address)?, candidate.place.1)),
            }
        }
        Ok((found, faults))
    }

    /// These events, in order.
    pub(super) fn candidates(&self, addresses: Vec<DocAddress>, order: Order) -> tantivy::Result<Vec<Candidate>> {
        let mut documents: Vec<Vec<u32>> = vec![Vec::new(); self.searcher.segment_readers().len()];
        for address in addresses {
            if let Some(of_segment) = usize::try_from(address.segment_ord).ok().and_then(|segment| documents.get_mut(segment)) {
                of_segment.push(address.doc_id);
            }
        }
        let mut files = HashMap::new();
        let mut names: Vec<(String, (u32, u64))> = Vec::new();
        let mut candidates = Vec::new();
        for (number, (segment, documents)) in (0_u32..).zip(self.searcher.segment_readers().iter().zip(&documents)) {
            let (of, times, at) = columns(segment)?;
            let Some(of) = of.filter(|_| !documents.is_empty()) else { continue };
            let numbers = values(of.ords(), documents);
            texts(&of, numbers.iter().flatten().copied().collect(), |file, name| names.push((name.to_owned(), (number, file))))?;
            let columns = numbers.into_iter().zip(values(&times, documents)).zip(values(&at, documents));
            candidates.extend(documents.iter().zip(columns).map(|(document, ((file, time), at))| {
                let address = DocAddress::new(number, *document);
                ((number, file.unwrap_or_default()), Candidate { address, time, place: (0, at.unwrap_or_default()) })
            }));
        }
        names.sort_by(|a, b| in_order(&a.0, &b.0));
        let (mut rank, mut last) = (0, None);
        for (name, file) in &names {
            rank += u32::from(last.is_some_and(|last| last != name));
            last = Some(name);
            files.insert(*file, rank);
        }
        let place = |(file, candidate): ((u32, u64), Candidate)| Candidate {
            place: (files.get(&file).copied().unwrap_or_default(), candidate.place.1),
            ..candidate
        };
        let mut candidates: Vec<Candidate> = candidates.into_iter().map(place).collect();
        let Order::Time(first) = order else {
            candidates.sort_unstable_by_key(|candidate| (candidate.place, candidate.address));
            return Ok(candidates);
        };
        // Of times beyond what the column can tell the event tells which is first.
        let mut beyond = HashMap::new();
        for one in candidates.iter().filter(|one| matches!(one.time, Some(i64::MIN | i64::MAX))) {
            beyond.insert(one.address, event(&self.text(one.address)?).ok().and_then(|event| nanoseconds(&event)));
        }
        let time = |one: &Candidate| beyond.get(&one.address).copied().flatten().or(one.time.map(i128::from));
        match first {
            First::Newest => candidates.sort_unstable_by_key(|one| (one.time.is_none(), Reverse(time(one)), one.place, one.address)),
            First::Oldest => candidates.sort_unstable_by_key(|one| (one.time.is_none(), time(one), one.place, one.address)),
        }
        Ok(candidates)
    }

    /// The JSON of an event.
    fn text(&self, address: DocAddress) -> tantivy::Result<String> {
        let document: TantivyDocument = self.searcher.doc(address)?;
        Ok(document.get_first(self.fields.record).and_then(|text| text.as_str()).unwrap_or_default().to_owned())
    }

    /// The name of the file that an event was read from.
    fn file(&self, address: DocAddress) -> tantivy::Result<String> {
        let mut name = String::new();
        if let Some(files) = columns(self.searcher.segment_reader(address.segment_ord))?.0
            && let Some(file) = files.ords().first(address.doc_id)
        {
            files.ord_to_str(file, &mut name)?;
        }
        Ok(name)
    }

    /// How many files and events the index has.
    pub(super) fn totals(&self) -> tantivy::Result<Totals> {
        let mut totals = Totals::default();
        for segment in self.searcher.segment_readers() {
            let sources = u64::try_from(segment.inverted_index(self.fields.source)?.terms().num_terms()).unwrap_or(u64::MAX);
            totals.files += sources;
            totals.records += u64::from(segment.num_docs()).saturating_sub(sources);
        }
        totals.files = totals.files.saturating_sub(self.of_kind(RENEWED)?);
        Ok(totals)
    }

    /// What is wrong with the index.
    pub(super) fn unread(&self, error: &tantivy::TantivyError) -> String {
        unread(&self.folder, error)
    }

    /// Whether there are events that have one key and say different things.
    pub(super) fn has_variants(&self) -> tantivy::Result<bool> {
        Ok(self.of_kind(VARIANT)? > 0)
    }

    fn of_kind(&self, kind: u64) -> tantivy::Result<u64> {
        self.searcher.doc_freq(&tantivy::Term::from_field_u64(self.fields.kind, kind))
    }
}

fn event(text: &str) -> Result<Event, String> {
    serde_json::from_str(text).map_err(|error| error.to_string()).and_then(source::event)
}

/// When it happened, in nanoseconds since 1970.
fn nanoseconds(event: &Event) -> Option<i128> {
    event.time()?.parse::<Timestamp>().ok().map(Timestamp::as_nanosecond)
}

type Places = (Option<tantivy::columnar::StrColumn>, tantivy::columnar::Column<i64>, tantivy::columnar::Column<u64>);

/// Where events of a segment were read, when they happened, and which records of their files they are.
fn columns(segment: &SegmentReader) -> tantivy::Result<Places> {
    let columns = segment.fast_fields();
    Ok((columns.str("file")?, columns.i64("time")?, columns.u64("at")?))
}

//! Counts that columns alone can answer: how many events there are of each kind, and in each hour or day.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use tantivy::columnar::{Column as Values, StrColumn};
use tantivy::{DocAddress, DocId, SegmentReader};
use trailwire_engine::search::Query;

use super::Index;
use super::document::{COLUMNS, VARIANT};
use super::narrow::{Narrow, texts};
use super::read::Order;
use super::values::values;
use crate::explore::column::Column;
use crate::explore::files::Selection;
use crate::explore::judge::Judge;
use crate::explore::search::Totals;

const HOUR: i64 = 3_600_000_000_000;

/// Events by the texts of some columns, the empty text where there is none.
pub(crate) type Counted = BTreeMap<Vec<String>, u64>;

impl Index {
    /// Counts what a search finds: all of it, and by each of these groups of columns; `None` where columns do not tell it.
    ///
    /// # Errors
    ///
    /// In words, where the index can not be read.
    pub(crate) fn counts(
        &self,
        query: &Query,
        selection: &Selection,
        groups: &[Vec<String>],
    ) -> Result<Option<(u64, Vec<Counted>, Totals)>, String> {
        self.count(query, selection, groups).map_err(|error| self.unread(&error))
    }

    fn count(&self, query: &Query, selection: &Selection, groups: &[Vec<String>]) -> tantivy::Result<Option<(u64, Vec<Counted>, Totals)>> {
        let narrow = Narrow::new(self, query, selection)?;
        if narrow.plan.is_none() || !groups.iter().flatten().all(|name| step(name).is_some() || COLUMNS.contains(&name.as_str())) {
            return Ok(None);
        }
        let variants = self.variants()?;
        let parts = self.each_segment(|number, segment| self.segment(&narrow, groups, &variants, number, segment))?;
        let (mut all, mut counted, mut unsure) = (0, vec![Counted::new(); groups.len()], Vec::new());
        for part in parts {
            let Some(part) = part else { return Ok(None) };
            all += part.all;
            unsure.extend(part.unsure);
            for (counted, group) in counted.iter_mut().zip(part.groups) {
                group.into_iter().for_each(|(texts, count)| *counted.entry(texts).or_default() += count);
            }
        }
        let columns: Vec<Vec<Column>> = groups.iter().map(|names| names.iter().map(|name| Column::new(name)).collect()).collect();
        let mut totals = self.totals()?;
        self.judged(&Judge::new(query), selection, self.candidates(unsure, Order::Logs)?, &mut totals, |event| {
            all += 1;
            for (counted, columns) in counted.iter_mut().zip(&columns) {
                *counted.entry(columns.iter().map(|column| column.of(&event).unwrap_or_default()).collect()).or_default() += 1;
            }
            true
        })?;
        Ok(Some((all, counted, totals)))
    }

    /// The keys that several events have.
    fn variants(&self) -> tantivy::Result<HashSet<u64>> {
        if !self.has_variants()? {
            return Ok(HashSet::new());
        }
        let found = self.each_segment(|_, segment| {
            let (kinds, keys) = (segment.fast_fields().u64("kind")?, segment.fast_fields().u64("event_key")?);
            Ok((0..segment.max_doc())
                .filter(|document| kinds.first(*document) == Some(VARIANT))
                .filter_map(|document| keys.first(document))
                .collect())
        })?;
        Ok(found.into_iter().collect::<Vec<Vec<u64>>>().concat().into_iter().collect())
    }

    fn segment(
        &self,
        narrow: &Narrow<'_>,
        groups: &[Vec<String>],
        variants: &HashSet<u64>,
        number: u32,
        segment: &SegmentReader,
    ) -> tantivy::Result<Option<Part>> {
        let mut tallies = Vec::new();
        for names in groups {
            let Some(tally) = Tally::new(names, segment)? else { return Ok(None) };
            tallies.push(tally);
        }
        let keys = segment.fast_fields().u64("event_key")?;
        let mut part = Part::default();
        let address = |document: &DocId| DocAddress::new(number, *document);
        narrow.each(segment, |plain, odd| {
            part.unsure.extend(odd.iter().map(address));
            let sure: Vec<DocId>;
            let plain = if variants.is_empty() {
                plain
            } else {
                let (unsure, rest): (Vec<DocId>, _) =
                    plain.iter().partition(|document| keys.first(**document).is_some_and(|key| variants.contains(&key)));
                part.unsure.extend(unsure.iter().map(address));
                sure = rest;
                &sure
            };
            part.all += u64::try_from(plain.len()).unwrap_or_default();
            tallies.iter_mut().for_each(|tally| tally.add(plain));
            Ok(())
        })?;
        for tally in tallies {
            part.groups.push(tally.end()?);
        }
        Ok(Some(part))
    }
}

/// What was counted in a segment, and the events that must be read.
#[derive(Default)]
struct Part {
    all: u64,
    groups: Vec<Counted>,
    unsure: Vec<DocAddress>,
}

/// How long a stretch of time is that a column of this name shows.
fn step(name: &str) -> Option<i64> {
    match name {
        "hour" => Some(HOUR),
        "day" => Some(24 * HOUR),
        _ => None,
    }
}

/// One column of a segment, as numbers from 1 on; 0 where there is nothing.
enum Dimension {
    Nothing,
    Texts(StrColumn),
    Times { column: Values<i64>, step: i64, first: i64, last: i64, length: usize },
}

impl Dimension {
    fn new(name: &str, segment: &SegmentReader) -> tantivy::Result<Self> {
        let Some(step) = step(name) else {
            return Ok(segment.fast_fields().str(name)?.map_or(Self::Nothing, Self::Texts));
        };
        let column = segment.fast_fields().i64("time")?;
        let (first, last) = (column.min_value().div_euclid(step), column.max_value().div_euclid(step));
        let length = if step == HOUR { "2026-03-01T12".len() } else { "2026-03-01".len() };
        Ok(Self::Times { column, step, first, last, length })
    }

    /// One more than its highest number.
    fn size(&self) -> u64 {
        match self {
            Self::Nothing => 1,
            Self::Texts(column) => u64::try_from(column.num_terms()).unwrap_or(u64::MAX - 1) + 1,
            Self::Times { first, last, .. } => last.abs_diff(*first) + 2,
        }
    }

    fn numbers(&self, documents: &[DocId]) -> Vec<u64> {
        match self {
            Self::Nothing => vec![0; documents.len()],
            Self::Texts(column) => {
                values(column.ords(), documents).into_iter().map(|number| number.map_or(0, |number| number + 1)).collect()
            }
            Self::Times { column, step, first, .. } => {
                let times = values(column, documents).into_iter();
                let number = |stretch: i64| stretch.abs_diff(*first) + 1;
                // To divide by what is known here takes a tenth of the time.
                match *step {
                    HOUR => times.map(|time| time.map_or(0, |time| number(time.div_euclid(HOUR)))).collect(),
                    step => times.map(|time| time.map_or(0, |time| number(time.div_euclid(step)))).collect(),
                }
            }
        }
    }

    /// What numbers stand for.
    fn texts(&self, numbers: impl Iterator<Item = u64>) -> tantivy::Result<HashMap<u64, String>> {
        let mut told = HashMap::new();
        match self {
            Self::Nothing => {}
            Self::Texts(column) => texts(column, numbers.filter_map(|number| number.checked_sub(1)).collect(), |number, text| {
                told.insert(number + 1, text.to_owned());
            })?,
            Self::Times { step, first, length, .. } => {
                for number in numbers.filter(|number| *number > 0) {
                    let start = (i128::from(*first) + i128::from(number) - 1) * i128::from(*step);
                    let text = Timestamp::from_nanosecond(start).map(|time| time.to_string()).unwrap_or_default();
                    told.insert(number, text.get(..*length).unwrap_or_default().to_owned());
                }
            }
        }
        Ok(told)
    }
}

/// Where a segment has no more groups than this, each has a place of its own.
const DENSE: u128 = 1 << 22;

/// Counts by several columns: the number of a group is made of their numbers.
struct Tally {
    dimensions: Vec<Dimension>,
    dense: Vec<u64>,
    sparse: HashMap<u128, u64>,
}

impl Tally {
    /// `None` where there are more groups than can be told apart.
    fn new(names: &[String], segment: &SegmentReader) -> tantivy::Result<Option<Self>> {
        let dimensions = names.iter().map(|name| Dimension::new(name, segment)).collect::<tantivy::Result<Vec<_>>>()?;
        let groups = dimensions.iter().try_fold(1_u128, |groups, dimension| groups.checked_mul(u128::from(dimension.size())));
        Ok(groups.map(|groups| {
            let dense = if groups <= DENSE { vec![0; usize::try_from(groups).unwrap_or_default()] } else { Vec::new() };
            Self { dimensions, dense, sparse: HashMap::new() }
        }))
    }

    fn add(&mut self, documents: &[DocId]) {
        if self.dense.is_empty() {
            let mut groups = vec![0_u128; documents.len()];
            for dimension in &self.dimensions {
                let size = u128::from(dimension.size());
                groups.iter_mut().zip(dimension.numbers(documents)).for_each(|(group, number)| *group = *group * size + u128::from(number));
            }
            groups.into_iter().for_each(|group| *self.sparse.entry(group).or_default() += 1);
            return;
        }
        let mut groups = vec![0_u64; documents.len()];
        for dimension in &self.dimensions {
            let size = dimension.size();
            groups.iter_mut().zip(dimension.numbers(documents)).for_each(|(group, number)| *group = *group * size + number);
        }
        for group in groups {
            if let Some(count) = usize::try_from(group).ok().and_then(|group| self.dense.get_mut(group)) {
                *count += 1;
            }
        }
    }

    fn end(self) -> tantivy::Result<Counted> {
        let dense = (0_u128..).zip(self.dense).filter(|(_, count)| *count > 0);
        let mut counts: Vec<(u128, u64, Vec<String>)> =
            dense.chain(self.sparse).map(|(group, count)| (group, count, Vec::with_capacity(self.dimensions.len()))).collect();
        for dimension in self.dimensions.iter().rev() {
            let size = u128::from(dimension.size());
            let number = |group: u128| u64::try_from(group % size).unwrap_or_default();
            let texts = dimension.texts(counts.iter().map(|(group, ..)| number(*group)))?;
            for (group, _, of) in &mut counts {
                of.push(texts.get(&number(*group)).cloned().unwrap_or_default());
                *group /= size;
            }
        }
        let mut counted = Counted::new();
        for (_, count, mut texts) in counts {
            texts.reverse();
            *counted.entry(texts).or_default() += count;
        }
        Ok(counted)
    }
}

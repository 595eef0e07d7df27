//! Which events of an index a search may find: those that have the words that it needs, as far as the columns tell.

use std::ops::Bound;

use jiff::Timestamp;
use tantivy::columnar::{Column as Values, StrColumn};
use tantivy::query::{AllQuery, BooleanQuery, EnableScoring, Query as Asks, RangeQuery, TermQuery, Weight};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, SegmentReader, Term};
use trailwire_engine::search::{Plan, Query};

use super::Index;
use super::document::{COLUMNS, PLAIN, RENEWED};
use super::tokens::{Asked, Word, asked};
use super::values::values;
use crate::explore::column::Column;
use crate::explore::files::Selection;

/// So many documents are looked at together.
const BLOCK: usize = 4_096;
/// So many texts of a column are looked up, in places all over its dictionary; whoever needs more reads it from its start to its end.
const LOOKUPS: usize = 2 * BLOCK;

/// What is asked of every segment.
pub(super) struct Narrow<'a> {
    words: Box<dyn Weight>,
    /// What columns tell of the search: all or nothing.
    pub(super) plan: Option<Plan>,
    selection: &'a Selection,
}

impl<'a> Narrow<'a> {
    pub(super) fn new(index: &Index, query: &Query, selection: &'a Selection) -> tantivy::Result<Self> {
        let paths = paths();
        let words = words(index, &asked(&query.need()));
        Ok(Self {
            words: words.weight(EnableScoring::disabled_from_searcher(&index.searcher))?,
            plan: query.plan(&paths.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>()),
            selection,
        })
    }

    /// Hands over the events of a segment that may be found, some at a time: those of which the columns tell all that they are asked, and those
    /// that must be read to know. Where there is a plan the first are found.
    pub(super) fn each(
        &self,
        segment: &SegmentReader,
        mut take: impl FnMut(&[DocId], &[DocId]) -> tantivy::Result<()>,
    ) -> tantivy::Result<()> {
        let mut filter = Filter::new(self, segment)?;
        let (mut block, mut done) = (Vec::with_capacity(BLOCK), Ok(()));
        let mut look = |block: &mut Vec<DocId>| {
            let (plain, odd) = filter.part(block)?;
            block.clear();
            take(&plain, &odd)
        };
        self.words.for_each_no_score(segment, &mut |documents| {
            block.extend_from_slice(documents);
            if block.len() >= BLOCK && done.is_ok() {
                done = look(&mut block);
            }
        })?;
        done?;
        look(&mut block)
    }
}

/// The columns that a plan may ask about: the path of each from the record down, and its name.
fn paths() -> Vec<(String, &'static str)> {
    COLUMNS.iter().filter_map(|name| Some((Column::new(name).path()?, *name))).collect()
}

/// What has the words that are asked for.
fn words(index: &Index, asked: &Asked) -> Box<dyn Asks> {
    let term = |word: &str| Term::from_field_text(index.fields.record, word);
    match asked {
        Asked::Nothing => Box::new(AllQuery),
        Asked::Word(Word::Whole(word)) => Box::new(TermQuery::new(term(word), IndexRecordOption::Basic)),
        // No letter or digit is behind `~`.
        Asked::Word(Word::Beginning(word)) => {
            Box::new(RangeQuery::new(Bound::Included(term(word)), Bound::Excluded(term(&format!("{word}~")))))
        }
        Asked::All(all) => Box::new(BooleanQuery::intersection(all.iter().map(|asked| words(index, asked)).collect())),
        Asked::Any(any) => Box::new(BooleanQuery::union(any.iter().map(|asked| words(index, asked)).collect())),
    }
}

/// The same for one segment.
struct Filter {
    kinds: Values<u64>,
    times: Values<i64>,
    from: Option<i64>,
    to: Option<i64>,
    check: Check,
}

impl Filter {
    fn new(narrow: &Narrow<'_>, segment: &SegmentReader) -> tantivy::Result<Self> {
        let columns = segment.fast_fields();
        let selection = narrow.selection;
        let mut all = vec![narrow.plan.as_ref().map_or(Ok(Check::All(Vec::new())), |plan| Check::of(plan, segment))?];
        for (name, set) in [("account", &selection.accounts), ("region", &selection.regions)] {
            if !set.is_empty() {
                let set = set.clone();
                all.push(Check::Text(Texts::new(segment, name, move |text| text.is_none_or(|text| set.contains(text)))?));
            }
        }
        let bound = |time: Option<Timestamp>| {
            time.map(|time| i64::try_from(time.as_nanosecond()).unwrap_or(if time > Timestamp::UNIX_EPOCH { i64::MAX } else { i64::MIN }))
        };
        Ok(Self {
            kinds: columns.u64("kind")?,
            times: columns.i64("time")?,
            from: bound(selection.from),
            to: bound(selection.to),
            check: Check::All(all),
        })
    }

    /// Of these documents the plain ones and the odd ones that may be found.
    fn part(&mut self, documents: &[DocId]) -> tantivy::Result<(Vec<DocId>, Vec<DocId>)> {
        let kinds = values(&self.kinds, documents);
        let mut holds = self.check.holds(documents)?;
        let mut is_in_time = vec![true; documents.len()];
        if self.from.is_some() || self.to.is_some() {
            for (holds, time) in is_in_time.iter_mut().zip(values(&self.times, documents)) {
                // An event far beyond what the column can tell is read.
                let holds_within = |time: i64| {
                    (time == i64::MIN || time == i64::MAX)
                        || self.from.is_none_or(|from| time >= from) && self.to.is_none_or(|to| time < to)
                };
                *holds = time.is_none_or(holds_within);
            }
        }
        narrow(&mut holds, &is_in_time);
        let (mut plain, mut odd) = (Vec::new(), Vec::new());
        for (((document, kind), holds), is_in_time) in documents.iter().zip(kinds).zip(holds).zip(is_in_time) {
            match kind {
                Some(PLAIN) if holds => plain.push(*document),
                Some(PLAIN | RENEWED) | None => {}
                Some(_) if is_in_time => odd.push(*document),
                Some(_) => {}
            }
        }
        Ok((plain, odd))
    }
}

/// A plan, ready to be asked of a segment.
enum Check {
    All(Vec<Check>),
    Any(Vec<Check>),
    Not(Box<Check>),
    Text(Texts),
}

impl Check {
    fn of(plan: &Plan, segment: &SegmentReader) -> tantivy::Result<Self> {
        let all = |plans: &[Plan]| plans.iter().map(|plan| Self::of(plan, segment)).collect::<tantivy::Result<Vec<_>>>();
        Ok(match plan {
            Plan::All(plans) => Self::All(all(plans)?),
            Plan::Any(plans) => Self::Any(all(plans)?),
            Plan::Not(plan) => Self::Not(Box::new(Self::of(plan, segment)?)),
            Plan::Test(test) => {
                let name = paths().into_iter().find(|(path, _)| *path == test.path).map_or("", |(_, name)| name);
                let test = test.clone();
                Self::Text(Texts::new(segment, name, move |text| test.holds(text))?)
            }
        })
    }

    /// For each document whether it holds.
    fn holds(&mut self, documents: &[DocId]) -> tantivy::Result<Vec<bool>> {
        Ok(match self {
            Self::All(all) => {
                let mut holds = vec![true; documents.len()];
                for check in all {
                    narrow(&mut holds, &check.holds(documents)?);
                }
                holds
            }
            Self::Any(any) => {
                let mut holds = vec![false; documents.len()];
                for check in any {
                    holds.iter_mut().zip(check.holds(documents)?).for_each(|(any, holds)| *any |= holds);
                }
                holds
            }
            Self::Not(check) => check.holds(documents)?.into_iter().map(|holds| !holds).collect(),
            Self::Text(texts) => texts.holds(documents)?,
        })
    }
}

fn narrow(all: &mut [bool], holds: &[bool]) {
    all.iter_mut().zip(holds).for_each(|(all, holds)| *all &= holds);
}

/// What is asked of a text, or of there being none.
type Test = dyn Fn(Option<&str>) -> bool;

/// A test of the texts of a column, asked once for each text that occurs.
struct Texts {
    column: Option<StrColumn>,
    test: Box<Test>,
    without: bool,
    /// What is known already.
    told: Vec<Option<bool>>,
    /// How often a text was looked up.
    asked: usize,
}

impl Texts {
    fn new(segment: &SegmentReader, name: &str, test: impl Fn(Option<&str>) -> bool + 'static) -> tantivy::Result<Self> {
        let column = segment.fast_fields().str(name)?;
        let count = column.as_ref().map_or(0, |column| column.num_terms());
        Ok(Self { column, without: test(None), test: Box::new(test), told: vec![None; count], asked: 0 })
    }

    fn told(&self, number: u64) -> Option<bool> {
        self.told.get(usize::try_from(number).ok()?).copied().flatten()
    }

    fn holds(&mut self, documents: &[DocId]) -> tantivy::Result<Vec<bool>> {
        let Some(column) = &self.column else { return Ok(vec![self.without; documents.len()]) };
        let numbers = values(column.ords(), documents);
        let unknown: Vec<u64> = numbers.iter().flatten().copied().filter(|number| self.told(*number).is_none()).collect();
        self.asked += unknown.len();
        if self.asked > LOOKUPS.min(self.told.len() / 4) {
            let mut stream = column.dictionary().stream()?;
            for place in &mut self.told {
                *place = Some(stream.advance() && std::str::from_utf8(stream.key()).is_ok_and(|text| (self.test)(Some(text))));
            }
        } else {
            let mut told = Vec::new();
            texts(column, unknown, |number, text| told.push((number, (self.test)(Some(text)))))?;
            for (number, holds) in told {
                if let Some(place) = usize::try_from(number).ok().and_then(|number| self.told.get_mut(number)) {
                    *place = Some(holds);
                }
            }
        }
        Ok(numbers.into_iter().map(|number| number.map_or(self.without, |number| self.told(number).unwrap_or_default())).collect())
    }
}

/// Hands over the texts that numbers of a column stand for, each once, in their order.
pub(super) fn texts(column: &StrColumn, mut numbers: Vec<u64>, mut take: impl FnMut(u64, &str)) -> tantivy::Result<()> {
    numbers.sort_unstable();
    numbers.dedup();
    let mut all = numbers.iter();
    column.dictionary().sorted_ords_to_term_cb(&numbers, |text| {
        if let (Some(number), Ok(text)) = (all.next(), std::str::from_utf8(text)) {
            take(*number, text);
        }
    })?;
    Ok(())
}

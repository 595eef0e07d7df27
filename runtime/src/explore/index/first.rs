//! The first events by time, without reading or sorting all of them.

use std::collections::BTreeMap;

use tantivy::{DocAddress, DocId};
use trailwire_engine::event::Event;
use trailwire_engine::search::Query;

use super::Index;
use super::narrow::Narrow;
use super::read::{Candidate, Order};
use super::values::values;
use crate::explore::files::Selection;
use crate::explore::judge::Judge;
use crate::explore::newest::First;
use crate::explore::search::Totals;

impl Index {
    /// Hands over the first events that are found by time, and gives how many are found in all; `None` where columns do not tell that.
    ///
    /// # Errors
    ///
    /// In words, where the index can not be read.
    pub(crate) fn first(
        &self,
        query: &Query,
        selection: &Selection,
        (first, limit): (First, usize),
        take: impl FnMut(Event) -> bool,
    ) -> Result<Option<(u64, Totals)>, String> {
        // Of an event's variants the one that the scan meets first is found, whatever its time.
        if self.has_variants().map_err(|error| self.unread(&error))? {
            return Ok(None);
        }
        let Some((all, _, totals)) = self.counts(query, selection, &[])? else { return Ok(None) };
        self.take_first(query, selection, (first, limit), take).map_err(|error| self.unread(&error))?;
        Ok(Some((all, totals)))
    }

    fn take_first(
        &self,
        query: &Query,
        selection: &Selection,
        (first, limit): (First, usize),
        mut take: impl FnMut(Event) -> bool,
    ) -> tantivy::Result<()> {
        let mut left = limit;
        if left == 0 {
            return Ok(());
        }
        let candidates = self.foremost(query, selection, (first, limit))?;
        // What can not be judged is told by whoever counts.
        self.judged(&Judge::new(query), selection, candidates, &mut Totals::default(), |event| {
            left -= 1;
            take(event) && left > 0
        })
    }

    /// The events that may be among the first so many: of the plain ones, which are found, no more than that, and all that are odd.
    fn foremost(&self, query: &Query, selection: &Selection, (first, limit): (First, usize)) -> tantivy::Result<Vec<Candidate>> {
        let narrow = Narrow::new(self, query, selection)?;
        let parts = self.each_segment(|number, segment| {
            let times = segment.fast_fields().i64("time")?;
            let address = |document: &DocId| DocAddress::new(number, *document);
            let (mut foremost, mut odd) = (Foremost::new(first, limit), Vec::new());
            narrow.each(segment, |plain, others| {
                odd.extend(others.iter().map(address));
                for (document, time) in plain.iter().zip(values(&times, plain)) {
                    match time {
                        Some(time) => foremost.add(time, address(document)),
                        None => odd.push(address(document)),
                    }
                }
                Ok(())
            })?;
            Ok((foremost, odd))
        })?;
        let (mut foremost, mut addresses) = (Foremost::new(first, limit), Vec::new());
        for (part, odd) in parts {
            addresses.extend(odd);
            part.kept.into_iter().for_each(|(rank, of_time)| foremost.take(rank, of_time));
        }
        addresses.extend(foremost.kept.into_values().flatten());
        self.candidates(addresses, Order::Time(first))
    }
}

/// The first so many by time. Of those that happened at the last time all are kept: the names of their files tell which come first.
struct Foremost {
    first: First,
    limit: usize,
    count: usize,
    /// By time, the first at the beginning.
    kept: BTreeMap<i64, Vec<DocAddress>>,
}

impl Foremost {
    fn new(first: First, limit: usize) -> Self {
        Self { first, limit, count: 0, kept: BTreeMap::new() }
    }

    fn is_behind(&self, rank: i64) -> bool {
        self.count >= self.limit && self.kept.last_key_value().is_some_and(|(last, _)| rank > *last)
    }

    fn add(&mut self, time: i64, address: DocAddress) {
        // The larger a number is, the smaller is its complement.
        let rank = if self.first == First::Newest { !time } else { time };
        if !self.is_behind(rank) {
            self.take(rank, vec![address]);
        }
    }

    fn take(&mut self, rank: i64, addresses: Vec<DocAddress>) {
        if self.is_behind(rank) {
            return;
        }
        self.count += addresses.len();
        self.kept.entry(rank).or_default().extend(addresses);
        while let Some(last) = self.kept.last_entry()
            && self.count - last.get().len() >= self.limit
        {
            self.count -= last.remove().len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_kept_than_are_asked_for() {
        for (first, expected) in [(First::Newest, vec![vec![9], vec![8], vec![5, 7]]), (First::Oldest, vec![vec![0], vec![1], vec![2, 3]])]
        {
            let mut foremost = Foremost::new(first, 3);
            for (document, time) in (0..).zip([i64::MIN, -3, -2, -2, 0, 7, 5, 7, 8, i64::MAX]) {
                foremost.add(time, DocAddress::new(0, document));
                assert!(foremost.count <= 4);
            }
            let kept: Vec<Vec<u32>> = foremost.kept.into_values().map(|kept| kept.iter().map(|kept| kept.doc_id).collect()).collect();
            assert_eq!(kept, expected);
        }
    }
}

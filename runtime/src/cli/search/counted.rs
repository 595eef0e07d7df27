//! What is found, counted.

use trailwire_engine::search::Query;

use super::output::{Counts, Out};
use super::place::Place;
use super::{SearchArguments, Unit};
use crate::cli::{Failure, print};
use crate::explore::files::{Found, Selection};
use crate::explore::search::Totals;

/// So many values of a field are told unless somebody says how many.
const FACETS: usize = 10;

/// Prints the counts that are asked for, and gives how many events were found; `None` where events are to be shown.
pub(super) fn counted(
    arguments: &SearchArguments,
    query: &Query,
    place: &Place,
    found: &Found,
    selection: &Selection,
) -> Result<Option<(u64, Totals)>, Failure> {
    let unit = match arguments.histogram {
        Some(Unit::Hour) => "hour",
        Some(Unit::Day) | None => "day",
    };
    let one = |name: &str| vec![name.to_owned()];
    let groups: Vec<Vec<String>> = if !arguments.facets.is_empty() {
        std::iter::once(one(unit)).chain(arguments.facets.iter().map(|name| one(name))).collect()
    } else if arguments.histogram.is_some() {
        vec![one(unit)]
    } else if !arguments.by.is_empty() {
        vec![arguments.by.clone()]
    } else if arguments.count {
        Vec::new()
    } else {
        return Ok(None);
    };
    let (matches, counts, totals) = count(query, place, found, selection, &groups)?;
    let by_time = arguments.histogram.is_some();
    if !arguments.facets.is_empty() {
        let mut out = Out::new(arguments.format, ["field", "value", "count"].map(str::to_owned).to_vec())?;
        for (index, (names, counts)) in groups.iter().zip(counts).enumerate() {
            let limit = if index == 0 { usize::MAX } else { arguments.limit.unwrap_or(FACETS) };
            let rows = counts.rows(index == 0).into_iter().take(limit);
            rows.map(|row| names.iter().cloned().map(Into::into).chain(row).collect()).try_for_each(|row| out.row(row))?;
        }
        out.end()?;
    } else if arguments.count {
        print(&matches.to_string())?;
    } else {
        counts.into_iter().try_for_each(|counts| counts.print(by_time, arguments.format, arguments.limit))?;
    }
    Ok(Some((matches, totals)))
}

/// Counts all that is found, and by each of the groups.
fn count(
    query: &Query,
    place: &Place,
    found: &Found,
    selection: &Selection,
    groups: &[Vec<String>],
) -> Result<(u64, Vec<Counts>, Totals), Failure> {
    let mut counts: Vec<Counts> = groups.iter().map(|names| Counts::new(names)).collect();
    if let Place::Index(index) = place
        && let Some((matches, counted, totals)) = index.counts(query, selection, groups).map_err(Failure::broken)?
    {
        counts.iter_mut().zip(counted).for_each(|(counts, counted)| counts.take(counted));
        return Ok((matches, counts, totals));
    }
    let mut matches = 0;
    let totals = place.search(query, found, selection, |event| {
        matches += 1;
        counts.iter_mut().for_each(|counts| counts.add(&event));
        true
    });
    Ok((matches, counts, totals.map_err(Failure::broken)?))
}

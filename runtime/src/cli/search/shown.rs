//! What is found, shown event by event.

use std::io::Write as _;

use trailwire_engine::event::Event;
use trailwire_engine::search::Query;

use super::output::{Out, object};
use super::place::Place;
use super::{Format, SearchArguments};
use crate::cli::{Failure, escaped, print};
use crate::explore::column::{Column, USUAL};
use crate::explore::files::{Found, Selection};
use crate::explore::newest::{First, Newest};
use crate::explore::search::Totals;

/// So many rows of a table are shown unless somebody says how many.
const SHOWN: usize = 100;

/// Prints the events that are found, and gives how many these are.
pub(super) fn shown(
    arguments: &SearchArguments,
    query: &Query,
    place: &Place,
    found: &Found,
    selection: &Selection,
) -> Result<(u64, Totals), Failure> {
    let names = if arguments.columns.is_empty() { USUAL.map(str::to_owned).to_vec() } else { arguments.columns.clone() };
    let columns: Vec<Column> = names.iter().map(|name| Column::new(name)).collect();
    let mut out = if arguments.format == Format::Json { None } else { Some(Out::new(arguments.format, names)?) };
    let whole = arguments.format == Format::Json && arguments.columns.is_empty();
    let mut failed = None;
    let mut show = |event: Event| {
        let shown = match &mut out {
            _ if whole => print(&escaped(&if event.is_completed() { event.detail() } else { event.envelope() }.to_string())),
            Some(out) => out.row(columns.iter().map(|column| column.of(&event).unwrap_or_default().into()).collect()),
            None => {
                print(&object(columns.iter().map(|column| (column.name(), column.of(&event).map_or(serde_json::Value::Null, Into::into)))))
            }
        };
        failed = shown.err();
        failed.is_none()
    };
    let usual = if arguments.format == Format::Table { SHOWN } else { usize::MAX };
    let limit = arguments.limit.unwrap_or(usual);
    let is_sorted = arguments.format == Format::Table || arguments.limit.is_some() || arguments.oldest;
    let first = if arguments.oldest { First::Oldest } else { First::Newest };
    let (matches, totals) = if is_sorted {
        sorted(query, place, found, selection, (first, limit), &mut show)
    } else {
        let mut matches = 0;
        let totals = place.search(query, found, selection, |event| {
            matches += 1;
            show(event)
        });
        totals.map(|totals| (matches, totals))
    }
    .map_err(Failure::broken)?;
    failed.map_or(Ok(()), Err)?;
    if let Some(out) = out {
        out.end()?;
    }
    if is_sorted && arguments.limit.is_none() && matches > u64::try_from(limit).unwrap_or(u64::MAX) {
        let first = if arguments.oldest { "oldest" } else { "newest" };
        drop(writeln!(std::io::stderr(), "the {first} {limit} of {matches} are shown: --limit shows more, --by and --histogram count all"));
    }
    Ok((matches, totals))
}

/// Hands over the first so many, and gives how many there are in all.
fn sorted(
    query: &Query,
    place: &Place,
    found: &Found,
    selection: &Selection,
    (first, limit): (First, usize),
    show: &mut dyn FnMut(Event) -> bool,
) -> Result<(u64, Totals), String> {
    if let Place::Index(index) = place
        && let Some(all) = index.first(query, selection, (first, limit), &mut *show)?
    {
        return Ok(all);
    }
    let mut newest = Newest::new(first, limit);
    let totals = place.search(query, found, selection, |event| {
        newest.add(event);
        true
    })?;
    let added = newest.added();
    newest.into_events().all(show);
    Ok((added, totals))
}

//! A search over the records in memory: rows, a histogram and facets.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use trailwire_engine::diagnostic::Diagnostic;

use super::columns::Column;
use super::histogram::histogram;
use super::memory::Memory;
use super::query;
use crate::explore::words;

/// Of a text in a row so many characters are sent; the event itself is sent whole.
const LONGEST_CELL: usize = 1_000;
/// So many texts of a list in a row are sent.
const MOST_IN_CELL: usize = 20;
/// So many rows are sent at once.
const MOST_ROWS: usize = 500;
/// So many texts of a facet are sent.
const MOST_VALUES: usize = 25;
/// The field that tells a call that failed.
const ERROR: &str = "error";

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Request {
    /// The search; empty for every event.
    pub(super) q: String,
    /// Events at or after this: a day, a time, or words such as `yesterday`.
    pub(super) from: String,
    /// Events before this.
    pub(super) to: String,
    /// Only events for which this trigger fires.
    pub(super) fired: String,
    pub(super) columns: Vec<String>,
    /// A column, or `time`; with `-` before it the other way round.
    pub(super) sort: String,
    pub(super) offset: usize,
    pub(super) limit: usize,
    pub(super) facets: Vec<String>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Refused {
    /// The search is wrong.
    Search(Vec<Diagnostic>),
    /// A time is none; what can be written.
    Time { text: String, help: String },
    /// No trigger can say it.
    Trigger(String),
}

/// Answers a search.
pub(super) fn find(memory: &Memory, searches: &Searches, request: &Request) -> Result<Value, Refused> {
    let times = Times::of(&request.from, &request.to)?;
    let hits = chosen(memory, searches, request, times)?;
    let [error, triggers] = [ERROR, super::columns::TRIGGER].map(|name| memory.column(name));
    let (facets, columns) = (memory.columns(&request.facets), memory.columns(&request.columns));
    let facets: Vec<Value> = request.facets.iter().zip(&facets).map(|(name, column)| facet(name, column, &hits)).collect();
    let rows: Vec<Value> = page(memory, request, &hits)
        .into_iter()
        .map(|row| {
            let record = memory.record(row);
            json!({
                "id": record.map(|record| format!("{:032x}", record.id)),
                "time": record.and_then(|record| record.time),
                "failed": !error.of(row).is_empty(),
                "fired": triggers.of(row).iter().map(|number| triggers.value(*number)).collect::<Vec<_>>(),
                "cells": columns.iter().map(|column| cell(column, row)).collect::<Vec<_>>(),
            })
        })
        .collect();
    let timed: Vec<(i64, bool, bool)> =
        hits.iter().filter_map(|row| Some((memory.time(*row)?, !error.of(*row).is_empty(), !triggers.of(*row).is_empty()))).collect();
    let Times(wanted) = times;
    Ok(json!({
        "total": hits.len(),
        "timeless": hits.len() - timed.len(),
        "times": wanted,
        "rows": rows,
        "histogram": histogram(&timed, wanted, memory.extent()),
        "facets": facets,
    }))
}

/// From when to when, in milliseconds; `None` for no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times([Option<i64>; 2]);

impl Times {
    /// Times in figures or in words, all reckoned from one moment; an empty text is no end.
    ///
    /// # Errors
    ///
    /// [`Refused::Time`].
    pub(super) fn of(from: &str, to: &str) -> Result<Self, Refused> {
        let now = Timestamp::now();
        Ok(Self([time(from, now)?, time(to, now)?]))
    }
}

/// The records that a search finds within these times.
pub(super) fn chosen(memory: &Memory, searches: &Searches, request: &Request, Times([from, to]): Times) -> Result<Vec<u32>, Refused> {
    let hits = searches.hits(memory, &request.q).map_err(Refused::Search)?;
    let is_before =
        |limit: Option<i64>| hits.partition_point(|row| limit.is_some_and(|limit| memory.time(*row).is_none_or(|time| time < limit)));
    let end = if to.is_some() { is_before(to) } else { hits.len() };
    let hits = hits.get(is_before(from)..end).unwrap_or_default();
    if request.fired.is_empty() {
        return Ok(hits.to_vec());
    }
    let triggers = memory.column(super::columns::TRIGGER);
    let Some(number) = triggers.number(&request.fired) else { return Ok(Vec::new()) };
    Ok(hits.iter().copied().filter(|row| triggers.of(*row).contains(&number)).collect())
}

/// Milliseconds of a time, in figures or in words; `None` for an empty text.
fn time(text: &str, now: Timestamp) -> Result<Option<i64>, Refused> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let time = words::moment(text, now).map_err(|help| Refused::Time { text: text.to_owned(), help })?;
    Ok(Some(time.as_millisecond()))
}

/// The rows that are shown.
fn page(memory: &Memory, request: &Request, hits: &[u32]) -> Vec<u32> {
    let limit = request.limit.min(MOST_ROWS);
    let (name, is_down) = request.sort.strip_prefix('-').map_or((request.sort.as_str(), false), |name| (name, true));
    if name.is_empty() || name == "time" {
        let part = |rows: &mut dyn Iterator<Item = &u32>| rows.skip(request.offset).take(limit).copied().collect();
        return if is_down || name.is_empty() { part(&mut hits.iter().rev()) } else { part(&mut hits.iter()) };
    }
    let column = memory.column(name);
    let ranks = ranks(&column);
    let rank = |row: u32| column.of(row).first().and_then(|number| ranks.get(*number as usize)).copied();
    // What has nothing here comes last, either way; of equals the latest comes first.
    let key = |row: &u32| {
        let rank = rank(*row);
        (rank.is_none(), rank.map(|rank| if is_down { u32::MAX - rank } else { rank }), u32::MAX - *row)
    };
    let mut rows = hits.to_vec();
    let end = request.offset.saturating_add(limit).min(rows.len());
    if end > 0 && end < rows.len() {
        rows.select_nth_unstable_by_key(end - 1, key);
    }
    rows.truncate(end);
    rows.sort_unstable_by_key(key);
    rows.split_off(request.offset.min(end))
}

/// The place of each text in the order of all: numbers as numbers, before all else.
fn ranks(column: &Column) -> Vec<u32> {
    let mut order: Vec<usize> = (0..column.values.len()).collect();
    let key = |index: &usize| {
        let text: &str = column.values.get(*index).map_or("", |value| value);
        let number = text.parse::<f64>().ok();
        (number.is_none(), number, text)
    };
    order.sort_by(|a, b| {
        let (a, b) = (key(a), key(b));
        a.0.cmp(&b.0).then_with(|| a.1.unwrap_or_default().total_cmp(&b.1.unwrap_or_default())).then_with(|| a.2.cmp(b.2))
    });
    let mut ranks = vec![0; order.len()];
    for (rank, index) in order.into_iter().enumerate() {
        if let Some(place) = ranks.get_mut(index) {
            *place = u32::try_from(rank).unwrap_or(u32::MAX);
        }
    }
    ranks
}

/// A text, a list of several, or the beginning of a long one as `cut`; null where there is none.
fn cell(column: &Column, row: u32) -> Value {
    let one = |number: &u32| {
        let text = column.value(*number);
        match text.char_indices().nth(LONGEST_CELL) {
            Some((end, _)) => json!({"cut": text.get(..end)}),
            None => json!(text),
        }
    };
    match column.of(row) {
        [] => Value::Null,
        [only] => one(only),
        several => {
            several.iter().take(MOST_IN_CELL).map(|number| column.value(*number).chars().take(LONGEST_CELL).collect::<String>()).collect()
        }
    }
}

/// The texts that most of the records have, with how many.
fn facet(name: &str, column: &Column, hits: &[u32]) -> Value {
    let mut counts = vec![0_u64; column.values.len()];
    let mut missing = 0_u64;
    for row in hits {
        let numbers = column.of(*row);
        missing += u64::from(numbers.is_empty());
        for (place, number) in numbers.iter().enumerate() {
            // A record that has a text twice is one record that has it.
            let is_first = numbers.iter().take(place).all(|before| before != number);
            if let Some(count) = counts.get_mut(*number as usize).filter(|_| is_first) {
                *count += 1;
            }
        }
    }
    let mut top: Vec<(u64, &str)> =
        counts.into_iter().zip(&column.values).filter(|(count, _)| *count > 0).map(|(count, value)| (count, &**value)).collect();
    let distinct = top.len();
    top.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    top.truncate(MOST_VALUES);
    let top: Vec<Value> = top.into_iter().map(|(count, value)| json!([value, count])).collect();
    json!({"field": name, "distinct": distinct, "missing": missing, "top": top})
}

/// The searches that were made last, and what they found.
#[derive(Debug, Default)]
pub(super) struct Searches(std::sync::Mutex<Vec<(String, Arc<Vec<u32>>)>>);

impl Searches {
    /// So many are kept.
    const KEPT: usize = 8;

    fn hits(&self, memory: &Memory, text: &str) -> Result<Arc<Vec<u32>>, Vec<Diagnostic>> {
        let lock = || self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, hits)) = lock().iter().find(|(known, _)| known == text) {
            return Ok(Arc::clone(hits));
        }
        let hits = Arc::new(query::hits(memory, text)?);
        let mut kept = lock();
        kept.truncate(Self::KEPT - 1);
        kept.insert(0, (text.to_owned(), Arc::clone(&hits)));
        Ok(hits)
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::tests::{memory, record};
    use super::*;

    fn sample() -> Memory {
        let names = ["CreateUser", "DeleteUser", "CreateUser", "ListUsers", "CreateUser"];
        let records = names.iter().enumerate().map(|(number, name)| {
            let mut record = record(&number.to_string(), &format!("2026-03-01T12:0{number}:00Z"), name);
            record["n"] = [json!(7), json!(30), json!(200), json!("x"), Value::Null][number].clone();
            if number == 1 {
                record["errorCode"] = json!("AccessDenied");
                record["resources"] = json!([{"type": "a"}, {"type": "b"}, {"type": "a"}]);
            }
            record
        });
        let records: Vec<Value> = records.collect();
        memory(&[json!({"Records": records}).to_string()], usize::MAX)
    }

    fn ask(request: Value) -> Value {
        let mut whole = json!({"limit": 10, "columns": ["eventID"]});
        whole.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
        find(&sample(), &Searches::default(), &serde_json::from_value(whole).unwrap()).unwrap()
    }

    fn ids(answer: &Value) -> Vec<&str> {
        answer["rows"].as_array().unwrap().iter().map(|row| row["cells"][0].as_str().unwrap()).collect()
    }

    #[test]
    fn rows_come_in_the_order_asked_for() {
        for (sort, expected) in [
            ("", "43210"),
            ("-time", "43210"),
            ("time", "01234"),
            ("n", "01234"),
            ("-n", "32104"),
            ("eventName", "42013"),
            ("-eventName", "31420"),
        ] {
            assert_eq!(ids(&ask(json!({"sort": sort}))).concat(), expected, "{sort}");
            let parts: Vec<String> = (0..4).map(|part| ids(&ask(json!({"sort": sort, "offset": part * 2, "limit": 2}))).concat()).collect();
            assert_eq!(parts.concat(), expected, "{sort} in parts");
        }
    }

    #[test]
    fn times_are_half_open() {
        let of = |from: &str, to: &str| ask(json!({"from": from, "to": to}))["total"].clone();
        assert_eq!(of("", ""), 5);
        assert_eq!(of("2026-03-01T12:01:00Z", "2026-03-01T12:03:00Z"), 2);
        assert_eq!(of("2026-03-01", "2026-03-02"), 5);
        assert_eq!(of("2026-03-02", ""), 0);
        assert_eq!(of("2026-03-02", "2026-03-01"), 0);
        let answer = ask(json!({"from": "2026-03-01T14:01:00+02:00", "to": "now"}));
        assert_eq!((&answer["total"], &answer["times"][0]), (&json!(4), &json!(1_772_366_460_000_i64)));
        assert!(answer["times"][1].as_i64().unwrap() > 1_772_366_460_000, "{answer}");
        assert_eq!(ask(json!({}))["times"], json!([null, null]));
        let wrong = Request { from: "soon".to_owned(), ..Request::default() };
        assert!(matches!(find(&sample(), &Searches::default(), &wrong), Err(Refused::Time { .. })));
    }

    #[test]
    fn facets_count_what_is_found() {
        let answer = ask(json!({"facets": ["eventName", "errorCode", "resources.type"], "from": "2026-03-01T12:01:00Z"}));
        let name =
            json!({"field": "eventName", "distinct": 3, "missing": 0, "top": [["CreateUser", 2], ["DeleteUser", 1], ["ListUsers", 1]]});
        let error = json!({"field": "errorCode", "distinct": 1, "missing": 3, "top": [["AccessDenied", 1]]});
        let several = json!({"field": "resources.type", "distinct": 2, "missing": 3, "top": [["a", 1], ["b", 1]]});
        assert_eq!(answer["facets"], json!([name, error, several]));
        assert_eq!(answer["rows"][3]["failed"], true);
        assert_eq!(answer["rows"][0]["failed"], false);
    }
}

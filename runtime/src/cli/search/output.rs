//! Rows as a table, JSON lines or CSV.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use jiff::{ToSpan as _, Unit};
use serde_json::{Map, Value, json};
use trailwire_engine::event::Event;

use super::Format;
use crate::cli::{Failure, escaped, logs, print};
use crate::explore::column::Column;

/// What is printed. A table is printed at its end, when its widths are known.
pub(in crate::cli) struct Out {
    format: Format,
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Out {
    pub(in crate::cli) fn new(format: Format, names: Vec<String>) -> Result<Self, Failure> {
        if format == Format::Csv {
            print(&csv_line(&names)?)?;
        }
        Ok(Self { format, names, rows: Vec::new() })
    }

    pub(in crate::cli) fn row(&mut self, row: Vec<Value>) -> Result<(), Failure> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match self.format {
            Format::Table => self.rows.push(row.iter().map(text).collect()),
            Format::Csv => print(&csv_line(&row.iter().map(text).collect::<Vec<_>>())?)?,
            Format::Json => print(&object(self.names.iter().map(String::as_str).zip(row)))?,
        }
        Ok(())
    }

    pub(in crate::cli) fn end(self) -> Result<(), Failure> {
        if self.format == Format::Table && !self.rows.is_empty() { logs::table(&self.names, &self.rows) } else { Ok(()) }
    }
}

/// A line of JSON.
pub(super) fn object<'n>(members: impl Iterator<Item = (&'n str, Value)>) -> String {
    let members: Map<String, Value> = members.map(|(name, value)| (name.to_owned(), value)).collect();
    // What a letter is written as changes nothing for who reads the JSON.
    escaped(&Value::from(members).to_string())
}

/// A line of CSV without its end. What a spreadsheet would take for a formula has a `'` before it.
///
/// Source: OWASP, "CSV Injection": cells that begin with `=`, `+`, `-`, `@`, tab, carriage return or line feed, or one of the signs in full width.
pub(crate) fn csv_line(cells: &[String]) -> Result<String, Failure> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    let is_formula = |cell: &str| cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let safe = |cell: &String| if is_formula(cell) { format!("'{}", escaped(cell)) } else { escaped(cell) };
    writer.write_record(cells.iter().map(safe)).map_err(Failure::broken)?;
    let line = writer.into_inner().map_err(Failure::broken)?;
    Ok(String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned())
}

/// Events counted by columns.
pub(in crate::cli) struct Counts {
    columns: Vec<Column>,
    counts: BTreeMap<Vec<String>, u64>,
}

impl Counts {
    pub(in crate::cli) fn new(names: &[String]) -> Self {
        Self { columns: names.iter().map(|name| Column::new(name)).collect(), counts: BTreeMap::new() }
    }

    pub(in crate::cli) fn add(&mut self, event: &Event) {
        let key = self.columns.iter().map(|column| column.of(event).unwrap_or_default()).collect();
        *self.counts.entry(key).or_default() += 1;
    }

    /// Prints the counts, the first `limit` of them ([`Counts::rows`]).
    pub(in crate::cli) fn print(self, by_time: bool, format: Format, limit: Option<usize>) -> Result<(), Failure> {
        let names = self.columns.iter().map(Column::name).chain(["count"]).map(str::to_owned).collect();
        let rows = self.rows(by_time);
        let mut out = Out::new(format, names)?;
        rows.into_iter().take(limit.unwrap_or(usize::MAX)).try_for_each(|row| out.row(row))?;
        out.end()
    }

    /// The same as were counted elsewhere.
    pub(super) fn take(&mut self, counts: BTreeMap<Vec<String>, u64>) {
        self.counts = counts;
    }

    /// By time, of one column of times, or the largest first.
    pub(super) fn rows(self, by_time: bool) -> Vec<Vec<Value>> {
        if by_time { self.by_time() } else { self.most_first() }
    }

    fn most_first(self) -> Vec<Vec<Value>> {
        let mut counts: Vec<_> = self.counts.into_iter().collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        counts.into_iter().map(|(key, count)| key.into_iter().map(Value::from).chain([json!(count)]).collect()).collect()
    }

    /// The counts of one column of times, with those between them in which nothing happened.
    fn by_time(self) -> Vec<Vec<Value>> {
        let mut rows: Vec<Vec<Value>> = Vec::new();
        let mut next = None;
        for (key, count) in self.counts {
            let time = key.concat();
            while let Some(empty) = next.take().filter(|next: &String| *next < time && rows.len() < MOST_EMPTY) {
                next = after(&empty);
                rows.push(vec![empty.into(), json!(0)]);
            }
            next = after(&time);
            rows.push(vec![time.into(), json!(count)]);
        }
        rows
    }
}

/// Where there are more rows than this, none are added.
const MOST_EMPTY: usize = 10_000;

/// The day behind a day, the hour behind an hour.
fn after(time: &str) -> Option<String> {
    let (whole, unit) = match time.len() {
        10 => (format!("{time}T00"), Unit::Day),
        _ => (time.to_owned(), Unit::Hour),
    };
    let start: DateTime = format!("{whole}:00:00").parse().ok()?;
    let step = if unit == Unit::Day { 1.day() } else { 1.hour() };
    start.checked_add(step).ok()?.to_string().get(..time.len()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_formula_is_a_text() {
        let cells = ["=1+1", "+a", "-a", "@a", "\ta", "a=1", "a,b", "say \"hi\"", "", "two\nlines", "＝1", "\u{1b}[2J"].map(str::to_owned);
        assert_eq!(csv_line(&cells).unwrap(), "'=1+1,'+a,'-a,'@a,'\ta,a=1,\"a,b\",\"say \"\"hi\"\"\",,\"two\nlines\",'＝1,\\u001b[2J");
    }

    #[test]
    fn counts() {
        let event = |name: &str, time: &str| Event::from_value(json!({"eventName": name, "eventTime": time})).unwrap();
        let events = [event("A", "2026-02-28T22:59:00Z"), event("B", "2026-03-01T01:00:00Z"), event("B", "2026-03-01T01:30:00Z")];
        let of = |names: &[&str]| {
            let mut counts = Counts::new(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
            events.iter().for_each(|event| counts.add(event));
            counts
        };
        assert_eq!(json!(of(&["event"]).most_first()), json!([["B", 2], ["A", 1]]));
        assert_eq!(json!(of(&["event", "day"]).most_first()), json!([["B", "2026-03-01", 2], ["A", "2026-02-28", 1]]));
        assert_eq!(json!(of(&["day"]).by_time()), json!([["2026-02-28", 1], ["2026-03-01", 2]]));
        let hours = json!([["2026-02-28T22", 1], ["2026-02-28T23", 0], ["2026-03-01T00", 0], ["2026-03-01T01", 2]]);
        assert_eq!(json!(of(&["hour"]).by_time()), hours);
    }
}

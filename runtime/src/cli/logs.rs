//! What the commands that read logs share: which events are asked for, and the last words.

use std::io::Write as _;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use trailwire_engine::fanout::names::{is_account_id, is_region_name};

use super::{Failure, escaped, print};
use crate::explore::files::{Found, Selection};
use crate::explore::search::Totals;
use crate::explore::words;

/// Which events are asked for.
#[derive(Debug, Clone, Args)]
pub(crate) struct Where {
    /// Events at or after this: `2026-03-01` (in UTC), `2026-03-01T12:00:00Z`, or words such as `yesterday` or `2 hours ago`. Files whose names say that
    /// they were delivered before are not opened.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,
    /// Events before this. Files whose names say that they were delivered more than a day later are not opened.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
    /// Events of the last so many minutes, hours, days or weeks: `90m`, `2h`, `7d`, `7 days`.
    #[arg(long, value_name = "LENGTH", value_parser = words::length, conflicts_with_all = ["from", "until"])]
    last: Option<SignedDuration>,
    /// Events of this account; may be given more than once, or with commas.
    #[arg(long = "account", value_name = "ID", value_delimiter = ',', value_parser = account)]
    pub(crate) accounts: Vec<String>,
    /// Events of this region; may be given more than once, or with commas.
    #[arg(long = "region", value_name = "REGION", value_delimiter = ',', value_parser = region)]
    pub(crate) regions: Vec<String>,
}

/// A day, a time, or words.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    words::moment(text, Timestamp::now())
}

fn account(text: &str) -> Result<String, String> {
    if is_account_id(text) { Ok(text.to_owned()) } else { Err("an account id is 12 digits".to_owned()) }
}

fn region(text: &str) -> Result<String, String> {
    if is_region_name(text) { Ok(text.to_owned()) } else { Err("a region is named like `us-east-1`".to_owned()) }
}

impl Where {
    /// The same as the logs know it.
    pub(crate) fn selection(&self) -> Selection {
        let last = self.last.and_then(|last| Timestamp::now().checked_sub(last).ok());
        Selection {
            from: self.from.or(last),
            to: self.until,
            accounts: self.accounts.iter().cloned().collect(),
            regions: self.regions.iter().cloned().collect(),
        }
    }
}

/// What was read.
pub(crate) struct Told<'t> {
    pub(crate) found: &'t Found,
    pub(crate) files: u64,
    pub(crate) records: u64,
    pub(crate) repeated: u64,
    pub(crate) faults: &'t [String],
    /// Warnings beside the faults, without the word.
    pub(crate) warnings: Vec<String>,
}

impl<'t> Told<'t> {
    /// What a search read.
    pub(crate) fn of(found: &'t Found, totals: &'t Totals) -> Self {
        let Totals { files, records, repeated, ref faults, .. } = *totals;
        Self { found, files, records, repeated, faults, warnings: Vec::new() }
    }
}

/// The last words, on standard error; an error where not everything could be read.
///
/// # Errors
///
/// [`Failure::Broken`] where there were faults, and where standard error is closed.
pub(crate) fn told(matches: u64, told: Told<'_>) -> Result<(), Failure> {
    let found = told.found;
    let mut lines: Vec<String> = found.faults.iter().chain(told.faults).chain(&told.warnings).map(|line| warning(line)).collect();
    let left_out = match found.left_out {
        0 => String::new(),
        1 => ", 1 file left out by its name".to_owned(),
        files => format!(", {files} files left out by their names"),
    };
    let (matches, records, files) =
        (count_of(matches, "match", "es"), count_of(told.records, "record", "s"), count_of(told.files, "file", "s"));
    lines.push(format!("{matches} in {records} of {files}; {} of repeated events{left_out}", told.repeated));
    let text = lines.iter().map(|line| escaped(line) + "\n").collect::<String>();
    std::io::stderr().write_all(text.as_bytes()).map_err(Failure::broken)?;
    match found.faults.len() + told.faults.len() {
        0 => Ok(()),
        faults => {
            let pieces = count_of(u64::try_from(faults).unwrap_or(u64::MAX), "piece", "s");
            Err(Failure::Broken(format!("{pieces} of the logs could not be read: what is told is without them")))
        }
    }
}

/// On one line, whatever is in the name of a file.
pub(super) fn warning(of: &str) -> String {
    format!("warning: {}", of.replace('\n', "\\n"))
}

/// `1 file`, `2 files`.
pub(super) fn count_of(count: u64, one: &str, ending: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { ending })
}

/// Prints a table for people. Of what others wrote every cell stays in its place.
///
/// # Errors
///
/// As [`print`].
pub(crate) fn table(names: &[String], rows: &[Vec<String>]) -> Result<(), Failure> {
    let names: Vec<String> = names.iter().map(|name| name.replace('_', " ").to_uppercase()).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| escaped(cell).replace(['\n', '\t'], " ")).collect()).collect();
    let lines: Vec<&Vec<String>> = std::iter::once(&names).chain(&rows).collect();
    let widths: Vec<usize> = (0..names.len())
        .map(|column| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    for line in lines {
        let cells =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell}{}", " ".repeat(width.saturating_sub(cell.chars().count()))));
        print(cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

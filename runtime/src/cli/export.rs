//! `trailwire export`: CloudTrail logs for the engines that people run already.

mod bulk;

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use trailwire_engine::search::Query;

use super::logs::{Told, Where, count_of as count, told};
use super::search::{parsed, warnings_of};
use super::{Failure, print};
use crate::explore::files::{self, Found, Selection};
use crate::explore::parquet::{Export, sql};
use crate::explore::search::{Totals, search};

/// Writes CloudTrail logs in a form that another engine reads: Parquet for DuckDB and Athena, or `_bulk` for OpenSearch, Elasticsearch and Quickwit.
///
/// Each event is written once, however often it is in the logs. Memory is bounded, whatever there is to write.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("form").required(true))]
pub(crate) struct ExportArguments {
    /// Log files, or folders of them, as for `trailwire replay`; `s3://BUCKET/PREFIX`, too.
    #[arg(required_unless_present = "template", value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    place: Where,
    /// Only what this search finds: `trailwire search` tells how one is written.
    #[arg(long, value_name = "SEARCH", default_value = "*", allow_hyphen_values = true)]
    query: String,
    /// Write Parquet files below this folder, which must be empty or not there: `account=…/region=…/day=…/part-….parquet`, with the columns of Athena's CloudTrail table. Prints the
    /// DuckDB command and the Athena table for them.
    #[arg(long, value_name = "FOLDER", group = "form")]
    parquet: Option<PathBuf>,
    #[command(flatten)]
    bulk: bulk::BulkArguments,
}

/// # Errors
///
/// [`Failure::Refused`] for a search, folder or address that can not be used; [`Failure::Broken`] where logs can not be read or what they hold not written.
pub(crate) fn run(arguments: &ExportArguments) -> Result<(), Failure> {
    if arguments.bulk.template {
        return print(&arguments.bulk.template_text());
    }
    warnings_of(&arguments.query)?;
    let query = parsed(&arguments.query)?;
    let selection = arguments.place.selection();
    let found = files::find(&arguments.paths, &selection);
    let logs = Logs { query: &query, selection: &selection, found: &found };
    match &arguments.parquet {
        Some(folder) => parquet(folder, &logs),
        None => bulk::run(&arguments.bulk, &logs),
    }
}

/// What is exported.
struct Logs<'l> {
    query: &'l Query,
    selection: &'l Selection,
    found: &'l Found,
}

impl Logs<'_> {
    /// Hands over each event once, until `take` fails.
    fn each(&self, mut take: impl FnMut(trailwire_engine::event::Event) -> Result<(), String>) -> Result<(u64, Totals), Failure> {
        let (mut matches, mut failed) = (0, None);
        let totals = search(self.query, &self.found.files, self.selection, |event| {
            matches += 1;
            failed = take(event).err();
            failed.is_none()
        });
        failed.map_or(Ok((matches, totals)), |reason| Err(Failure::Broken(reason)))
    }

    fn told(&self, matches: u64, totals: &Totals) -> Result<(), Failure> {
        told(matches, Told::of(self.found, totals))
    }
}

fn parquet(folder: &std::path::Path, logs: &Logs<'_>) -> Result<(), Failure> {
    let mut export = Export::new(folder).map_err(Failure::refused)?;
    let (matches, totals) = logs.each(|event| export.add(event))?;
    let written = export.end().map_err(Failure::broken)?;
    let line = format!("{} in {} below {}\n", count(written.rows, "row", "s"), count(written.files, "file", "s"), folder.display());
    std::io::stderr().write_all(line.as_bytes()).map_err(Failure::broken)?;
    if written.rows > 0 {
        let here = sql::duckdb(&folder.display().to_string());
        let there = sql::athena(&written.partitions);
        print(&format!("{here}\n\n-- In Athena, once the files are at s3://BUCKET/PREFIX/ (aws s3 sync):\n{there}"))?;
    }
    logs.told(matches, &totals)
}

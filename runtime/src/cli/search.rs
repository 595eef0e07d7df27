//! `trailwire search`: what happened, out of CloudTrail logs.

mod counted;
mod output;
mod place;
mod preset;
mod shown;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::search::Query;

use super::import::{Named, of_search};
use super::logs::{self, Where};
use super::{Failure, escaped, print};
use crate::explore::hints;
use crate::explore::index::Index;
pub(super) use output::Counts;
use place::Place;
pub(super) use preset::DENIED;

/// Searches CloudTrail logs: `trailwire search 'event:Create* -event:CreateLogStream' logs/`.
///
/// `field:term` asks for a field (`userIdentity.arn:*`, `error:AccessDenied,*Unauthorized*`, `ip:10.0.0.0/8`, `time:>=2026-03-01`), a term alone looks everywhere. `*` is a
/// wildcard, `-` and NOT negate, AND is understood, OR and parentheses group. Short names: account, actor, agent, error, event, id, identity, ip, key,
/// message, region, role, source, time, user. Each event is told once, however often it is in the logs.
#[derive(Debug, Args)]
pub(crate) struct SearchArguments {
    /// What to look for; `*` is everything.
    #[arg(allow_hyphen_values = true, default_value = "*")]
    query: String,
    /// Log files, or folders of them: `.json`, `.jsonl`, `.ndjson` or `.log`, with `.gz` or without. Digest files are passed over. `s3://BUCKET/PREFIX` is read with
    /// the credentials of the environment (s3:ListBucket, s3:GetObject); of a trail's folders only those of the accounts, regions and days asked for are listed.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Search the index in this folder, which `trailwire index` has made, and read no logs. It finds what reading the logs finds that are in it.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["paths", "as_trigger"])]
    index: Option<PathBuf>,
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    presets: preset::Presets,
    /// What is shown of an event: fields, short names, `day` or `hour`.
    #[arg(long, value_name = "FIELD", value_delimiter = ',', value_parser = named, conflicts_with_all = ["by", "count", "histogram", "facets"])]
    columns: Vec<String>,
    /// Tell how many there are and nothing else.
    #[arg(long, conflicts_with_all = ["by", "histogram", "facets"])]
    count: bool,
    /// Count by one field or several, the most first.
    #[arg(long, value_name = "FIELD", value_delimiter = ',', value_parser = named)]
    by: Vec<String>,
    /// An overview: count by day, or as `--histogram` says, and by each of these fields for itself, of each the ten values that are the most.
    #[arg(long, value_name = "FIELD", value_delimiter = ',', value_parser = named, conflicts_with = "by")]
    facets: Vec<String>,
    /// Count by time, the earliest first.
    #[arg(long, value_name = "UNIT", conflicts_with = "by")]
    histogram: Option<Unit>,
    /// The first so many. In a table without it, 100.
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    /// The oldest first, not the newest.
    #[arg(long)]
    oldest: bool,
    /// `table`: for people. `json`: the whole records, one a line. `csv`: what the table shows, safe to open in a spreadsheet. Without `--limit` and
    /// `--oldest`, json and csv come in the order of the logs.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
    /// Print the search as a trigger in HCL, and read no logs.
    #[arg(long, conflicts_with_all = ["columns", "by", "count", "histogram", "facets", "limit", "oldest"])]
    as_trigger: bool,
    /// The trigger's name.
    #[arg(long, value_name = "NAME", requires = "as_trigger", default_value = "search")]
    name: String,
    /// The trigger's hub, as it is written in HCL: `trailwire_hub.security.id`, or a text in quotes.
    #[arg(long, value_name = "EXPRESSION", requires = "as_trigger")]
    hub: Option<String>,
    /// The name of a destination of the trigger; may be given more than once.
    #[arg(long = "destination", value_name = "NAME", requires = "as_trigger")]
    destinations: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
    Csv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Unit {
    Hour,
    Day,
}

/// A field to show or to count by.
fn named(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("a field has a name".to_owned()),
        name => Ok(name.to_owned()),
    }
}

/// What is told of fields that no record of CloudTrail has, as a search for them would be told.
fn warn_of_fields(arguments: &SearchArguments) {
    for name in arguments.columns.iter().chain(&arguments.by).chain(&arguments.facets) {
        let (_, diagnostics) = Query::parse(&format!("{name}:*"));
        for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.code == Code::SEARCH_FIELD) {
            let meant = diagnostic.help.as_ref().filter(|help| help.starts_with("did you mean"));
            let help = meant.map_or(String::new(), |help| format!(": {help}"));
            drop(writeln!(std::io::stderr(), "{}", escaped(&logs::warning(&format!("{}{help}", diagnostic.message)))));
        }
    }
}

/// # Errors
///
/// [`Failure::Refused`] for a search that can not be read; [`Failure::Broken`] where logs can not, after what could was told.
pub(crate) fn run(arguments: &SearchArguments) -> Result<(), Failure> {
    // `trailwire search --denied logs/`: what is searched for is said by the preset.
    let reads_none = arguments.as_trigger || arguments.index.is_some();
    let alone = arguments.paths.is_empty() && !reads_none && Path::new(&arguments.query).exists();
    let (written, paths) = match alone {
        true if arguments.presets.any() => ("*", vec![PathBuf::from(&arguments.query)]),
        true => {
            let query = &arguments.query;
            return Err(Failure::refused(format!("the search stands before the logs: write trailwire search '*' {query}")));
        }
        false => (arguments.query.as_str(), arguments.paths.clone()),
    };
    if paths.is_empty() && !reads_none {
        return Err(Failure::refused("no logs are named: write trailwire search 'event:CreateUser' logs/"));
    }
    let warnings = warnings_of(written)?;
    warn_of_fields(arguments);
    let (query, told) = Query::parse(&arguments.presets.with(written));
    let Some(query) = query else { return Err(refused(&told)) };
    let selection = arguments.place.selection();
    if arguments.as_trigger {
        return as_trigger(arguments, &query);
    }
    let place = match &arguments.index {
        Some(folder) => Place::Index(Index::open(folder).map_err(Failure::refused)?),
        None => Place::Logs(paths),
    };
    let query = arguments.presets.follow(query, &place, &selection).map_err(Failure::refused)?;
    let found = place.found(&selection);
    let (matches, totals) = match counted::counted(arguments, &query, &place, &found, &selection)? {
        Some(counted) => counted,
        None => shown::shown(arguments, &query, &place, &found, &selection)?,
    };
    let mut hints = Vec::new();
    if !totals.absent.is_empty() {
        let known = hints::fields(&found.files);
        let is_told = |path: &str| {
            warnings.iter().any(|warning| warning.excerpt.as_ref().is_some_and(|excerpt| excerpt.span.of(&excerpt.text).ends_with(path)))
        };
        hints.extend(totals.absent.iter().filter(|path| !is_told(path)).map(|path| match hints::meant(path, &known) {
            Some(meant) => format!("no record has `{path}`: did you mean `{meant}`?"),
            None => format!("no record has `{path}`"),
        }));
    }
    place.told(matches, &found, &totals, hints)
}

/// What is told of a search beside what is found; refuses one that can not be read.
pub(super) fn warnings_of(written: &str) -> Result<Vec<Diagnostic>, Failure> {
    let (query, diagnostics) = Query::parse(written);
    if query.is_none() {
        return Err(refused(&diagnostics));
    }
    for diagnostic in &diagnostics {
        drop(writeln!(std::io::stderr(), "{}", escaped(&diagnostic.draw())));
    }
    Ok(diagnostics.into_iter().filter(|diagnostic| diagnostic.code == Code::SEARCH_FIELD).collect())
}

/// The search that a text is.
///
/// # Errors
///
/// [`Failure::Refused`], with all that is wrong with it.
pub(super) fn parsed(text: &str) -> Result<Query, Failure> {
    let (query, told) = Query::parse(text);
    query.ok_or_else(|| refused(&told))
}

fn refused(diagnostics: &[Diagnostic]) -> Failure {
    Failure::refused(diagnostics.iter().map(|diagnostic| escaped(&diagnostic.draw())).collect::<Vec<_>>().join("\n"))
}

fn as_trigger(arguments: &SearchArguments, query: &Query) -> Result<(), Failure> {
    let selection = arguments.place.selection();
    if selection.from.is_some() || selection.to.is_some() {
        drop(writeln!(std::io::stderr(), "note: a trigger judges events as they come: --from, --until and --last are left out"));
    }
    let named = Named { name: &arguments.name, hub: arguments.hub.as_deref(), destinations: &arguments.destinations };
    let place = (&arguments.place.accounts[..], &arguments.place.regions[..]);
    print(of_search(query, named, place).map_err(Failure::refused)?.trim_end())
}

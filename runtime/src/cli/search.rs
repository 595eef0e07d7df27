//! `trailwire search`: what happened, out of CloudTrail logs.

mod output;
mod preset;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::event::Event;
use trailwire_engine::search::Query;

use super::import::{Named, of_search};
use super::logs::{self, Told, Where};
use super::{Failure, escaped, print};
use crate::explore::column::{Column, USUAL};
use crate::explore::files::{self, Found, Selection};
use crate::explore::hints;
use crate::explore::newest::{First, Newest};
use crate::explore::search::{Totals, search};
pub(super) use output::{Counts, Out};

/// Searches CloudTrail logs: `trailwire search 'event:Create* -event:CreateLogStream' logs/`.
///
/// `field:term` asks for a field (`userIdentity.arn:*`, `error:AccessDenied,*Unauthorized*`, `ip:10.0.0.0/8`, `time:>=2026-03-01`), a term alone looks everywhere. `*` is a
/// wildcard, `-` and NOT negate, AND is understood, OR and parentheses group. Short names: account, actor, agent, error, event, id, identity, ip, key,
/// message, region, role, source, time, user. Each event is told once, however often it is in the logs.
#[derive(Debug, Args)]
pub(crate) struct SearchArguments {
    /// What to look for; `*` is everything.
    #[arg(allow_hyphen_values = true)]
    query: String,
    /// Log files, or folders of them: `.json`, `.jsonl`, `.ndjson` or `.log`, with `.gz` or without. Digest files are passed over. `s3://BUCKET/PREFIX` is read with
    /// the credentials of the environment (s3:ListBucket, s3:GetObject); of a trail's folders only those of the accounts, regions and days asked for are listed.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    presets: preset::Presets,
    /// What is shown of an event: fields, short names, `day` or `hour`.
    #[arg(long, value_name = "FIELD", value_delimiter = ',', conflicts_with_all = ["by", "count", "histogram"])]
    columns: Vec<String>,
    /// Tell how many there are and nothing else.
    #[arg(long, conflicts_with_all = ["by", "histogram"])]
    count: bool,
    /// Count by one field or several, the most first.
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    by: Vec<String>,
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
    #[arg(long, conflicts_with_all = ["columns", "by", "count", "histogram", "limit", "oldest"])]
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

/// So many rows of a table are shown unless somebody says how many.
const SHOWN: usize = 100;

/// # Errors
///
/// [`Failure::Refused`] for a search that can not be read; [`Failure::Broken`] where logs can not, after what could was told.
pub(crate) fn run(arguments: &SearchArguments) -> Result<(), Failure> {
    // `trailwire search --denied logs/`: what is searched for is said by the preset.
    let alone = arguments.paths.is_empty() && !arguments.as_trigger && Path::new(&arguments.query).exists();
    let (written, paths) = match alone {
        true if arguments.presets.any() => ("*", vec![PathBuf::from(&arguments.query)]),
        true => {
            let query = &arguments.query;
            return Err(Failure::refused(format!("the search stands before the logs: write trailwire search '*' {query}")));
        }
        false => (arguments.query.as_str(), arguments.paths.clone()),
    };
    if paths.is_empty() && !arguments.as_trigger {
        return Err(Failure::refused("no logs are named: write trailwire search 'event:CreateUser' logs/"));
    }
    let warnings = warnings_of(written)?;
    let (query, told) = Query::parse(&arguments.presets.with(written));
    let Some(query) = query else { return Err(refused(&told)) };
    let selection = arguments.place.selection();
    if arguments.as_trigger {
        return as_trigger(arguments, &query);
    }
    let found = files::find(&paths, &selection);
    let query = arguments.presets.follow(query, &paths, &selection).map_err(Failure::refused)?;
    let (matches, totals) = answer(arguments, &query, &found, &selection)?;
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
    let Totals { files, records, repeated, ref faults, .. } = totals;
    logs::told(matches, Told { found: &found, files, records, repeated, faults, warnings: hints })
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

/// Prints what is found, and gives how many that is.
fn answer(arguments: &SearchArguments, query: &Query, found: &Found, selection: &Selection) -> Result<(u64, Totals), Failure> {
    let mut matches = 0;
    let mut scan = |take: &mut dyn FnMut(Event) -> bool| {
        search(query, &found.files, selection, |event| {
            matches += 1;
            take(event)
        })
    };
    let totals = if arguments.count {
        let totals = scan(&mut |_| true);
        print(&matches.to_string())?;
        totals
    } else if arguments.histogram.is_some() || !arguments.by.is_empty() {
        let names = match arguments.histogram {
            Some(Unit::Day) => vec!["day".to_owned()],
            Some(Unit::Hour) => vec!["hour".to_owned()],
            None => arguments.by.clone(),
        };
        let mut counts = Counts::new(&names);
        let totals = scan(&mut |event| {
            counts.add(&event);
            true
        });
        let limit = arguments.limit.unwrap_or(usize::MAX);
        let rows = if arguments.histogram.is_some() { counts.by_time() } else { counts.most_first() };
        let mut out = Out::new(arguments.format, names.into_iter().chain(["count".to_owned()]).collect())?;
        rows.into_iter().take(limit).try_for_each(|row| out.row(row))?;
        out.end()?;
        totals
    } else {
        events(arguments, &mut scan)?
    };
    Ok((matches, totals))
}

/// Hands over what is found.
type Scan<'s> = dyn FnMut(&mut dyn FnMut(Event) -> bool) -> Totals + 's;

/// Prints the events.
fn events(arguments: &SearchArguments, scan: &mut Scan<'_>) -> Result<Totals, Failure> {
    let names = if arguments.columns.is_empty() { USUAL.map(str::to_owned).to_vec() } else { arguments.columns.clone() };
    let columns: Vec<Column> = names.iter().map(|name| Column::new(name)).collect();
    let mut out = if arguments.format == Format::Json { None } else { Some(Out::new(arguments.format, names)?) };
    let whole = arguments.format == Format::Json && arguments.columns.is_empty();
    let mut show = |event: &Event| match &mut out {
        _ if whole => print(&escaped(&if event.is_completed() { event.detail() } else { event.envelope() }.to_string())),
        Some(out) => out.row(columns.iter().map(|column| column.of(event).unwrap_or_default().into()).collect()),
        None => print(&output::object(
            columns.iter().map(|column| (column.name(), column.of(event).map_or(serde_json::Value::Null, Into::into))),
        )),
    };
    let is_sorted = arguments.format == Format::Table || arguments.limit.is_some() || arguments.oldest;
    if !is_sorted {
        let mut failed = None;
        let totals = scan(&mut |event| {
            failed = show(&event).err();
            failed.is_none()
        });
        if let Some(out) = out {
            out.end()?;
        }
        return failed.map_or(Ok(totals), Err);
    }
    let usual = if arguments.format == Format::Table { SHOWN } else { usize::MAX };
    let first = if arguments.oldest { First::Oldest } else { First::Newest };
    let limit = arguments.limit.unwrap_or(usual);
    let mut newest = Newest::new(first, limit);
    let totals = scan(&mut |event| {
        newest.add(event);
        true
    });
    let added = newest.added();
    newest.into_events().try_for_each(|event| show(&event))?;
    if let Some(out) = out {
        out.end()?;
    }
    if arguments.limit.is_none() && added > u64::try_from(limit).unwrap_or(u64::MAX) {
        let first = if arguments.oldest { "oldest" } else { "newest" };
        drop(writeln!(std::io::stderr(), "the {first} {limit} of {added} are shown: --limit shows more, --by and --histogram count all"));
    }
    Ok(totals)
}

//! `trailwire replay`: CloudTrail logs through triggers, to see what would have fired.

mod out;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Failure;
use super::logs::{self, Told, Where};
use super::run::http_token;
use crate::core::run::event_key;
use crate::definitions::{Definitions, files as documents};
use crate::explore::dispatch::{Dispatch, Target};
use crate::explore::files::{self, Found, Selection};
use crate::explore::replay::{Match, Outcome, Totals, outcomes, replay};
use out::{Format, Out, Row};

/// Reads CloudTrail logs and tells what would have fired. Nothing is sent to anybody, unless `--dispatch` asks for it.
///
/// An event counts once for a trigger, however often it is in the logs. Of a trigger with a `threshold` or `suppress` it is told which matches would have run
/// and which would have been held back, by the times of the events. A plan of a pull request in place of documents tells what its triggers would have done.
#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// Log files, or folders of them: `.json`, `.jsonl`, `.ndjson` or `.log`, with `.gz` or without. Digest files are passed over. `s3://BUCKET/PREFIX` is read with
    /// the credentials of the environment (s3:ListBucket, s3:GetObject); of a trail's folders only those of the accounts, regions and days asked for are listed.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A document, a directory of documents, or a plan as `terraform show -json` prints it.
    #[arg(long, value_name = "PATH")]
    definitions: PathBuf,
    /// Tell only which matches these definitions had and `--definitions` have not, or the other way round; `threshold` and `suppress` are not asked.
    #[arg(long, value_name = "OLD", conflicts_with = "by")]
    compare: Option<PathBuf>,
    #[command(flatten)]
    place: Where,
    /// Hand every event that matches to a runtime that is at work, by the queue of `--hub` or the HTTP source at `--to`. It judges them by its own
    /// definitions, and does not act again on what it has acted on within fifteen days: a gap can be filled without a second alert.
    #[arg(long, requires = "runtime", conflicts_with_all = ["compare", "by"])]
    dispatch: bool,
    /// The hub to dispatch to. AWS access and the home region come from the environment and profiles; it needs dynamodb:GetItem on the hub's table and
    /// sqs:SendMessage on its queue.
    #[arg(long, value_name = "NAME", value_parser = super::run::hub_name, group = "runtime", requires = "dispatch")]
    hub: Option<String>,
    /// The HTTP source to dispatch to, such as `http://127.0.0.1:8080`; its token is taken from TRAILWIRE_HTTP_TOKEN.
    #[arg(long, value_name = "URL", value_parser = http_url, group = "runtime", requires = "dispatch")]
    to: Option<String>,
    /// Count matches instead of telling each: by one field or several, the most first. Where a trigger has a `threshold` or `suppress`, `ran` is how many would
    /// have run.
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    by: Vec<Field>,
    /// `json`: a line for each, `{"trigger","event_id","event_name","event_time","account","region"}`, and `"outcome"`, `ran` or `held_back`, where the trigger has a
    /// `threshold` or `suppress`. `table`: for people.
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    format: Format,
}

/// What matches can be counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Field {
    Trigger,
    /// The day in UTC.
    Day,
    Actor,
    Account,
    Region,
    EventName,
}

impl Field {
    fn word(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Day => "day",
            Self::Actor => "actor",
            Self::Account => "account",
            Self::Region => "region",
            Self::EventName => "event_name",
        }
    }

    fn of(self, matched: &Match) -> String {
        let event = &matched.event;
        let text = |text: Option<&str>| text.unwrap_or("unknown").to_owned();
        match self {
            Self::Trigger => matched.trigger.clone(),
            Self::Day => text(event.time().and_then(|time| time.get(..10))),
            Self::Actor => matched.actor(),
            Self::Account => text(event.account()),
            Self::Region => text(event.region()),
            Self::EventName => text(event.name()),
        }
    }
}

/// # Errors
///
/// [`Failure::Refused`] for definitions that can not be read; [`Failure::Broken`] where logs can not, after what could was told.
pub(crate) fn run(arguments: &ReplayArguments) -> Result<(), Failure> {
    let definitions = documents::load_to_judge(&arguments.definitions).map_err(Failure::refused)?;
    let selection = arguments.place.selection();
    let mut found = files::find(&arguments.paths, &selection);
    let mut out = Out::new(arguments.format);
    let (matches, totals) = match &arguments.compare {
        Some(old) => {
            let old = documents::load_to_judge(old).map_err(Failure::refused)?;
            compare(&old, &definitions, &found, &selection, &mut out)
        }
        None if arguments.dispatch => dispatch(arguments, &definitions, &found, &selection, &mut out)?,
        None if arguments.by.is_empty() => tell(&definitions, &mut found, &selection, &mut out),
        None => count(&arguments.by, &definitions, &mut found, &selection, &mut out),
    };
    out.end()?;
    told(matches, &found, &totals)
}

fn http_url(text: &str) -> Result<String, String> {
    let is_http = reqwest::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if is_http { Ok(text.to_owned()) } else { Err("an address of HTTP begins with `http://` or `https://` and a host".to_owned()) }
}

/// Tells each match.
fn tell(definitions: &Definitions, found: &mut Found, selection: &Selection, out: &mut Out) -> (u64, Totals) {
    // A table has it in every line or in none.
    let usual = (out.format == Format::Table && is_restrained(definitions)).then_some(Outcome::Ran);
    let mut matches = 0;
    let totals = outcomes(definitions, &mut found.files, selection, row, |mut row, outcome| {
        matches += 1;
        row.extend(outcome.or(usual).map(|outcome| ("outcome", json!(outcome.as_str()))));
        out.row(row)
    });
    (matches, totals)
}

/// Whether a trigger does not run for each match.
fn is_restrained(definitions: &Definitions) -> bool {
    !definitions.restraints().enabled.is_empty()
}

/// What is told of a match, in this order.
fn row(matched: &Match) -> Row {
    let event = &matched.event;
    let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
    vec![
        ("trigger", json!(matched.trigger)),
        ("event_id", text(event.event_id())),
        ("event_name", text(event.name())),
        ("event_time", text(event.time())),
        ("account", text(event.account())),
        ("region", text(event.region())),
    ]
}

/// Tells each match and hands its event to the runtime. The logs are read on threads of their own, and wait for the runtime.
fn dispatch(
    arguments: &ReplayArguments,
    definitions: &Definitions,
    found: &Found,
    selection: &Selection,
    out: &mut Out,
) -> Result<(u64, Totals), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::broken)?;
    let target = match (&arguments.hub, &arguments.to) {
        (Some(hub), _) => runtime.block_on(Target::hub(hub)).map_err(Failure::refused)?,
        (None, to) => Target::http(to.as_deref().unwrap_or_default(), http_token()).map_err(Failure::broken)?,
    };
    let mut dispatch = Dispatch::new(target, Timestamp::now());
    let (mut matches, mut failed) = (0, None);
    let totals = replay(definitions, &found.files, selection, |matched| {
        matches += 1;
        let row = row(&matched);
        failed = runtime.block_on(dispatch.add(matched.event)).err();
        failed.is_none() && out.row(row)
    });
    if failed.is_none() {
        failed = runtime.block_on(dispatch.flush()).err();
    }
    let mut told = format!("{} events dispatched", dispatch.sent);
    if dispatch.old > 0 && failed.is_none() {
        told.push_str(&format!("; {} of them are older than 15 days, and the runtime may act on them a second time", dispatch.old));
    }
    std::io::stderr().write_all((told + "\n").as_bytes()).map_err(Failure::broken)?;
    match failed {
        Some(reason) => Err(Failure::broken(reason)),
        None => Ok((matches, totals)),
    }
}

fn count(by: &[Field], definitions: &Definitions, found: &mut Found, selection: &Selection, out: &mut Out) -> (u64, Totals) {
    // Matches, and those of them that would have run.
    let mut counts: BTreeMap<Vec<String>, (u64, u64)> = BTreeMap::new();
    let key = |matched: &Match| by.iter().map(|field| field.of(matched)).collect();
    let totals = outcomes(definitions, &mut found.files, selection, key, |key, outcome| {
        let (count, ran) = counts.entry(key).or_default();
        *count += 1;
        *ran += u64::from(outcome != Some(Outcome::HeldBack));
        true
    });
    let matches = counts.values().map(|(count, _)| count).sum();
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|(key, (count, _)), (other, (than, _))| than.cmp(count).then_with(|| key.cmp(other)));
    let is_restrained = is_restrained(definitions);
    for (key, (count, ran)) in counts {
        let key = by.iter().map(|field| field.word()).zip(key.into_iter().map(Value::from));
        let ran = is_restrained.then(|| ("ran", json!(ran)));
        if !out.row(key.chain([("count", json!(count))]).chain(ran).collect()) {
            break;
        }
    }
    (matches, totals)
}

/// Tells what only one of the two sets of definitions matches.
fn compare(old: &Definitions, new: &Definitions, found: &Found, selection: &Selection, out: &mut Out) -> (u64, Totals) {
    let of = |definitions| {
        let mut rows: BTreeMap<String, Row> = BTreeMap::new();
        let totals = replay(definitions, &found.files, selection, |matched| {
            let key = format!("{} {} {}", matched.event.time().unwrap_or_default(), matched.trigger, event_key(&matched.event));
            rows.insert(key, row(&matched));
            true
        });
        (rows, totals)
    };
    let (before, _) = of(old);
    let (after, totals) = of(new);
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut changes = 0;
    for key in all {
        let change = match (before.get(key), after.get(key)) {
            (None, Some(row)) => ("added", row),
            (Some(row), None) => ("removed", row),
            _ => continue,
        };
        changes += 1;
        if !out.row([vec![("change", json!(change.0))], change.1.clone()].concat()) {
            break;
        }
    }
    (changes, totals)
}

/// The last words, with the errors of the triggers.
fn told(matches: u64, found: &Found, totals: &Totals) -> Result<(), Failure> {
    let errors = totals.errors.iter();
    let warnings =
        errors.map(|(trigger, (count, error))| format!("the match of `{trigger}` ended in an error {count} times; the first: {error}"));
    let warnings = warnings.collect();
    let Totals { files, records, repeated, ref faults, .. } = *totals;
    logs::told(matches, Told { found, files, records, repeated, faults, warnings })
}

//! `trailwire events`: the catalogue of events.

use clap::Args;
use serde_json::{Value, json};
use trailwire_engine::catalogue::{self, Entry, Event, EventType, Origin, Regions};

use super::{Failure, print};

/// The width that a table keeps to: a line of a terminal that is not the smallest.
const WIDTH: usize = 100;

/// Lists the events that CloudTrail records, in its own spelling.
///
/// Without SOURCE: the event sources. With it: its events, and what is known of them: `read` for those that change nothing (a rule
/// carries them with `include_read_only = true`), `data` for data events (recorded where a trail's selectors ask for them), the
/// kind of events that are no calls of an API, and the regions of those that are recorded there only. `unsure` marks names that
/// only IAM's list of actions has: CloudTrail may never write them.
///
/// The list is made from the APIs that AWS publishes, from IAM's actions, and from the guides of the services. It is not complete:
/// AWS does not publish a whole one.
#[derive(Debug, Args)]
pub(crate) struct EventsArguments {
    /// An event source, such as `iam.amazonaws.com`.
    #[arg(value_name = "SOURCE")]
    source: Option<String>,
    /// Only names (or, without SOURCE, sources) that begin so. Case counts.
    #[arg(long, value_name = "P")]
    prefix: Option<String>,
    /// Only events that change nothing.
    #[arg(long, requires = "source")]
    read_only: bool,
    /// One line of JSON for each: `{"source","name","event_type","read_only","data_event","origin","regions","reaches_event_bridge"}`,
    /// or `{"source"}`.
    #[arg(long)]
    json: bool,
}

/// # Errors
///
/// [`Failure::Refused`] for a source that nobody knows.
pub(crate) fn run(arguments: &EventsArguments) -> Result<(), Failure> {
    let prefix = arguments.prefix.as_deref().unwrap_or_default();
    let Some(source) = &arguments.source else {
        let mut sources = catalogue::sources().filter(|source| source.starts_with(prefix));
        return sources.try_for_each(|source| print(&if arguments.json { json!({"source": source}).to_string() } else { source }));
    };
    let events = catalogue::events(source).ok_or_else(|| unknown(source))?;
    let mut wanted = events.iter().filter(|event| event.name.starts_with(prefix) && (event.entry.read_only || !arguments.read_only));
    if arguments.json {
        return wanted.try_for_each(|event| print(&as_json(source, event).to_string()));
    }
    let rows: Vec<(&str, String)> = wanted.map(|event| (event.name.as_str(), remarks(event.entry))).collect();
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    rows.iter().try_for_each(|(name, remarks)| print(&row(name, remarks, width)))
}

fn unknown(source: &str) -> Failure {
    let meant = catalogue::closest_source(source);
    let help = meant.map_or_else(|| "`trailwire events` lists all of them".to_owned(), |meant| format!("did you mean `{meant}`?"));
    Failure::refused(format!("there is no event source `{source}` in the catalogue\n  = help: {help}"))
}

/// The name and its remarks in two columns, or in two lines where that would be too wide.
fn row(name: &str, remarks: &str, width: usize) -> String {
    match (remarks.is_empty(), width + 2 + remarks.len() <= WIDTH) {
        (true, _) => name.to_owned(),
        (false, true) => format!("{name:width$}  {remarks}"),
        (false, false) => format!("{name}\n    {remarks}"),
    }
}

fn remarks(entry: Entry) -> String {
    let mut remarks = Vec::new();
    if entry.read_only {
        remarks.push("read".to_owned());
    }
    if entry.data_event {
        remarks.push("data".to_owned());
    }
    if entry.event_type != EventType::AwsApiCall {
        remarks.push(entry.event_type.to_string());
    }
    if entry.origin == Origin::Permission {
        remarks.push("unsure".to_owned());
    }
    if !entry.reaches_event_bridge {
        remarks.push("never recorded".to_owned());
    }
    match entry.regions {
        Regions::Anywhere => {}
        Regions::Only(_) => remarks.push(format!("in {}", regions(entry))),
        Regions::Often(_) => remarks.push(format!("often in {}", regions(entry))),
    }
    remarks.join(", ")
}

/// The regions of the partition `aws` alone: the others have their own, and none of them more than one.
fn regions(entry: Entry) -> String {
    let is_of_other_partition =
        |region: &&str| ["cn-", "us-gov-", "us-iso", "eu-iso", "eusc-"].iter().any(|other| region.starts_with(other));
    entry.regions.names().filter(|region| !is_of_other_partition(region)).collect::<Vec<_>>().join(" ")
}

fn as_json(source: &str, event: &Event) -> Value {
    let entry = event.entry;
    let origin = match entry.origin {
        Origin::Api => "api",
        Origin::Permission => "permission",
        Origin::Renamed => "renamed",
        Origin::Spelt => "spelt",
        Origin::Unlisted => "unlisted",
        Origin::Dated => "dated",
    };
    json!({
        "source": source,
        "name": event.name,
        "event_type": entry.event_type.to_string(),
        "read_only": entry.read_only,
        "data_event": entry.data_event,
        "origin": origin,
        "regions": matches!(entry.regions, Regions::Only(_)).then(|| entry.regions.names().collect::<Vec<_>>()),
        "reaches_event_bridge": entry.reaches_event_bridge,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_of_events() {
        for (source, name, expected) in [
            ("ec2", "RunInstances", ""),
            ("ec2", "DescribeInstances", "read"),
            ("s3", "GetObject", "read, data"),
            ("iam", "CreateUser", "in us-east-1"),
            ("iam", "PassRole", "unsure, in us-east-1"),
            ("signin", "ConsoleLogin", "AwsConsoleSignIn, often in us-east-1 us-east-2 eu-north-1 ap-southeast-2"),
            ("iotdata", "Publish", "never recorded"),
        ] {
            let entry = catalogue::lookup(&format!("{source}.amazonaws.com"), name).unwrap();
            assert_eq!(remarks(entry), expected, "{name}");
        }
    }

    #[test]
    fn rows_stay_within_a_line() {
        assert_eq!(row("A", "", 5), "A");
        assert_eq!(row("A", "read", 5), "A      read");
        let long = "x".repeat(96);
        assert_eq!(row("A", &long, 5), format!("A\n    {long}"));
    }
}

//! `trailwire report`: the questions that are asked of a trail again and again, as searches that count.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Failure;
use super::logs::{Told, Where, told};
use super::search::{Counts, DENIED, Format, parsed};
use crate::explore::files;
use crate::explore::search::search;

/// Counts what CloudTrail logs hold by one of the questions below, in one pass. Each is a search and the fields that it is counted by: `--show` prints them as a command to go
/// on from.
#[derive(Debug, Args)]
pub(crate) struct CannedArguments {
    /// The question.
    #[arg(value_name = "REPORT")]
    report: Report,
    /// Log files, or folders of them, as for `trailwire search`; `s3://BUCKET/PREFIX`, too.
    #[arg(required_unless_present = "show", value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    place: Where,
    /// The first so many lines.
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    /// `table`: for people. `json`: a line for each. `csv`: safe to open in a spreadsheet.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
    /// Print the search that the report is, and read no logs.
    #[arg(long)]
    show: bool,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Report {
    /// Calls by account, region and service: what is used where.
    Regions,
    /// Who called, and how often.
    Actors,
    /// Who was refused what.
    Denied,
    /// Which calls failed, and how.
    Errors,
    /// Who changed something, by event.
    Changes,
    /// Sign-ins to the console, by who, from where and whether it worked.
    Logins,
    /// What root did.
    Root,
    /// Access keys that were used, by whose they are and from where.
    Keys,
    /// Roles that were assumed, by whom.
    Roles,
    /// Events by source and name.
    Events,
    /// Addresses that calls came from, by who.
    Addresses,
    /// Calls by day; one without any is one to ask about.
    Days,
}

impl Report {
    /// The search, and the fields that it is counted by.
    fn parts(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Regions => ("*", &["account", "region", "source"]),
            Self::Actors => ("*", &["account", "actor"]),
            Self::Denied => (DENIED, &["actor", "event", "error"]),
            Self::Errors => ("error:*", &["source", "event", "error"]),
            Self::Changes => ("readOnly:false", &["actor", "source", "event"]),
            Self::Logins => ("event:ConsoleLogin", &["actor", "ip", "responseElements.ConsoleLogin", "additionalEventData.MFAUsed"]),
            Self::Root => ("userIdentity.type:Root", &["account", "source", "event", "ip"]),
            Self::Keys => ("key:*", &["key", "actor", "ip"]),
            Self::Roles => ("event:AssumeRole*", &["actor", "requestParameters.roleArn"]),
            Self::Events => ("*", &["source", "event"]),
            Self::Addresses => ("*", &["ip", "actor"]),
            Self::Days => ("*", &["day"]),
        }
    }
}

/// # Errors
///
/// [`Failure::Broken`] where logs can not be read, after what could was told.
pub(crate) fn run(arguments: &CannedArguments) -> Result<(), Failure> {
    let (text, fields) = arguments.report.parts();
    if arguments.show {
        let counted = if arguments.report == Report::Days { "--histogram day".to_owned() } else { format!("--by {}", fields.join(",")) };
        return super::print(&format!("trailwire search '{text}' PATH {counted}"));
    }
    let query = parsed(text)?;
    let names: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
    let selection = arguments.place.selection();
    let found = files::find(&arguments.paths, &selection);
    let mut counts = Counts::new(&names);
    let mut matches = 0;
    let totals = search(&query, &found.files, &selection, |event| {
        matches += 1;
        counts.add(&event);
        true
    });
    counts.print(arguments.report == Report::Days, arguments.format, arguments.limit)?;
    told(matches, Told::of(&found, &totals))
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailwire_engine::search::Query;

    #[test]
    fn every_report_is_a_search() {
        for report in Report::value_variants() {
            let (text, fields) = report.parts();
            let (query, told) = Query::parse(text);
            assert!(query.is_some() && told.is_empty(), "{text}: {told:?}");
            assert!(!fields.is_empty());
        }
    }
}

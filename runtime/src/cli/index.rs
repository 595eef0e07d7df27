//! `trailwire index`: logs in a form in which they are searched in a moment.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::logs::{count_of, warning};
use super::{Failure, escaped, print};
use crate::explore::files::{self, Selection};
use crate::explore::index::{Written, write};

/// Adds CloudTrail logs to an index, which `trailwire search --index` answers from in a moment, with the rows that reading the logs gives.
///
/// It pays where logs of more than a gigabyte or two are searched more than once. A file is read again only when its size or the time of its last change is
/// another (an object in S3 is written once: never); of an event that is in several files one is kept. What a line of the output tells of is safe, whatever
/// happens to the process: the next run goes on from there. What the index has it keeps when the logs are gone.
#[derive(Debug, Args)]
pub(crate) struct IndexArguments {
    /// Log files, folders of them, or `s3://BUCKET/PREFIX`, as for `trailwire search`.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The folder of the index, which has nothing else in it. It is made where there is none.
    #[arg(long, value_name = "FOLDER")]
    into: PathBuf,
    /// Make what was read safe after so many records, or 128 MB of events.
    #[arg(long, value_name = "RECORDS", default_value = "100000", value_parser = clap::value_parser!(u64).range(1..))]
    batch: u64,
    /// Tell what was done as a line of JSON: `{"files","known","records","added","events","faults"}`.
    #[arg(long)]
    json: bool,
}

/// # Errors
///
/// [`Failure::Broken`] where the index can not be written, or logs not be read, after what could was added.
pub(crate) fn run(arguments: &IndexArguments) -> Result<(), Failure> {
    let found = files::find(&arguments.paths, &Selection::default());
    let told = |written: &Written| {
        let files = count_of(written.files, "file", "s");
        drop(writeln!(std::io::stderr(), "{files} read: the index has {}", count_of(written.events, "event", "s")));
    };
    let written = write(&arguments.into, &found.files, arguments.batch, told).map_err(Failure::broken)?;
    let Written { files, known, records, added, events, .. } = written;
    let faults: Vec<&String> = found.faults.iter().chain(&written.faults).collect();
    let mut text: String = faults.iter().map(|fault| escaped(&warning(fault)) + "\n").collect();
    let (new, of) = (count_of(added, "event", "s"), count_of(records, "record", "s"));
    let (read, all) = (count_of(files, "file", "s"), count_of(events, "event", "s"));
    text.push_str(&format!("{new} added of {of} of {read}; {known} known before; the index has {all}\n"));
    std::io::stderr().write_all(text.as_bytes()).map_err(Failure::broken)?;
    if arguments.json {
        let whole = json!({"files": files, "known": known, "records": records, "added": added, "events": events, "faults": faults});
        print(&escaped(&whole.to_string()))?;
    }
    match u64::try_from(faults.len()).unwrap_or(u64::MAX) {
        0 => Ok(()),
        faults => {
            Err(Failure::Broken(format!("{} of the logs could not be read: the next run tries again", count_of(faults, "piece", "s"))))
        }
    }
}

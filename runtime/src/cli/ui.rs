//! `trailwire ui`: logs on a page.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use tokio::net::TcpListener;

use super::import::document_of_search;
use super::logs::{Where, count_of};
use super::run::stop_on_signal;
use super::{Failure, escaped, print};
use crate::definitions::files as documents;
use crate::explore::files;
use crate::explore::ui::{self, Logs};

/// Shows CloudTrail logs on a page that only this machine sees: searched, counted over time and by field, each event with who did it and how they came
/// to it.
///
/// The logs are read into memory once. The printed link holds a token; open it in a browser on this machine. From another machine: `ssh -L
/// 8000:127.0.0.1:PORT`, and the link with port 8000.
#[derive(Debug, Args)]
pub(crate) struct UiArguments {
    /// Log files, or folders of them: `.json`, `.jsonl`, `.ndjson` or `.log`, with `.gz` or without. Digest files are passed over. `s3://BUCKET/PREFIX` is read with
    /// the credentials of the environment (s3:ListBucket, s3:GetObject); of a trail's folders only those of the accounts, regions and days asked for are listed.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A document, a directory of documents, or a plan as `terraform show -json` prints it: the page shows for which events its triggers fire.
    #[arg(long, value_name = "PATH")]
    definitions: Option<PathBuf>,
    /// Where to listen: an address of this machine alone, and a port; 0 is any that is free.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    #[command(flatten)]
    place: Where,
    /// The most that the texts of the records may take of memory, in MiB; columns take up to a quarter of it more, and about 130 bytes an event what is told of each. Files that do not
    /// fit are told.
    #[arg(long, value_name = "MIB", default_value = "1024")]
    memory: usize,
}

/// # Errors
///
/// [`Failure::Refused`] for definitions or an address that can not be used; [`Failure::Broken`] where the page can not be served.
pub(crate) fn run(arguments: &UiArguments) -> Result<(), Failure> {
    if !arguments.listen.ip().is_loopback() {
        let reason = format!("`{}` can be reached from other machines: the page is for this one alone", arguments.listen);
        return Err(Failure::refused(format!("{reason}. Listen on 127.0.0.1, and reach it from elsewhere with `ssh -L`")));
    }
    let definitions = arguments.definitions.as_deref().map(documents::load_to_judge).transpose().map_err(Failure::refused)?;
    let selection = arguments.place.selection();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::broken)?;
    // An address that can not be had is told before anything is read.
    let listener = runtime.block_on(TcpListener::bind(arguments.listen));
    let listener = listener.map_err(|error| Failure::refused(format!("cannot listen on {}: {error}", arguments.listen)))?;
    let found = files::find(&arguments.paths, &selection);
    let logs = Logs::read(found, &selection, definitions.as_ref(), arguments.memory.saturating_mul(1 << 20), document_of_search);
    std::io::stderr().write_all((escaped(&told(&logs)) + "\n").as_bytes()).map_err(Failure::broken)?;
    let token = ui::new_token().map_err(Failure::broken)?;
    let address = listener.local_addr().map_err(Failure::broken)?;
    let done = runtime.block_on(async {
        let stop = stop_on_signal()?;
        print(&format!("http://{address}/#token={}", token.reveal()))?;
        tokio::select! {
            served = ui::serve(logs, listener, token) => served.map_err(Failure::broken),
            () = stop.cancelled() => Ok(()),
        }
    });
    // Nobody waits for a search that is under way.
    runtime.shutdown_background();
    done
}

/// What was read and what was not, in lines.
fn told(logs: &Logs) -> String {
    let told = logs.told();
    let mut lines: Vec<String> = told.faults.iter().map(|fault| format!("warning: {fault}")).collect();
    let files = |count: usize| count_of(count as u64, "file", "s");
    if told.left > 0 {
        let left = files(told.left);
        lines.push(format!(
            "warning: {left} not read, the room is used up: narrow what is read with --from, --until, --account or --region, or give more with --memory"
        ));
    }
    let (events, size) = (count_of(logs.len().into(), "event", "s"), told.bytes >> 20);
    lines.push(format!("{events} of {}, {size} MiB; {} of repeated events", files(told.files), told.repeated));
    lines.join("\n")
}

//! `trailwire run`: the daemon, at a hub or without AWS.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use trailwire_engine::fanout::names;
use trailwire_engine::trigger::duration;

use super::{Failure, input, print};
use crate::definitions::{Definitions, files};
use crate::destination::Sender;
use crate::driver::{Driver, Intake, Totals, Until, Worker};
use crate::hub::{Hub, QueueBell};
use crate::journal::Journal;
use crate::journal::aws::Aws;
use crate::journal::embedded::Embedded;
use crate::secrets::{SecretText, Secrets};
use crate::source::file::{self, Read};
use crate::source::{http, sqs};
use crate::status::{Keeper, Told};
use crate::telemetry::{self, page, traces};

/// The environment variable with the token of the HTTP source.
const TOKEN: &str = "TRAILWIRE_HTTP_TOKEN";

/// Receives events, judges them, and carries out the actions of the triggers that fire.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("place").required(true).args(["hub", "definitions"])))]
pub(crate) struct RunArguments {
    /// The hub whose queue and definitions are used. AWS access and the home region come from the environment and profiles,
    /// as for every AWS tool (AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL …).
    #[arg(long, value_name = "NAME", value_parser = hub_name)]
    hub: Option<String>,
    /// Without AWS: a document, a directory of documents, or a plan as `terraform show -json` prints it.
    #[arg(long, value_name = "PATH", requires = "source")]
    definitions: Option<PathBuf>,
    /// Without AWS: where events come from. `http://ADDRESS:PORT` listens for POST of an event or an array of events; a file
    /// or `-` holds JSON lines or CloudTrail log files, compressed or not, and ends the process when all its work is done.
    #[arg(long, value_name = "http://ADDR|FILE|-", requires = "definitions")]
    source: Option<String>,
    /// End when queue, deliveries, waits and retries have been empty for this long, such as `5s`.
    #[arg(long, value_name = "DURATION", value_parser = length)]
    until_idle: Option<Duration>,
    /// Serve metrics for Prometheus (`/metrics`), `/healthz` and `/readyz` here, such as `127.0.0.1:9464`. They take no token.
    #[arg(long, value_name = "ADDR:PORT", env = "TRAILWIRE_METRICS_ADDRESS")]
    metrics_address: Option<SocketAddr>,
    /// Where accepted work is kept.
    #[arg(long, value_name = "KIND", default_value = "embedded")]
    journal: JournalKind,
    /// The directory of the embedded journal.
    #[arg(long, value_name = "DIR", env = "TRAILWIRE_STATE_DIR", default_value = "trailwire-state")]
    state: PathBuf,
}

/// The kinds of journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum JournalKind {
    /// One file in the state directory, for one runtime.
    Embedded,
    /// The hub's table: as many runtimes as you like share the work. The state directory holds only the runtime's name.
    Aws,
}

pub(super) fn hub_name(text: &str) -> Result<String, String> {
    names::check_hub_name(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

pub(super) fn length(text: &str) -> Result<Duration, String> {
    duration::parse(text).map_err(|error| error.to_string())
}

/// # Errors
///
/// [`Failure::Refused`] for definitions, a hub, an address or a journal that can not be used; [`Failure::Broken`] when work failed later.
pub(crate) fn run(arguments: RunArguments) -> Result<(), Failure> {
    telemetry::start();
    telemetry::tell_of_panics();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::broken)?;
    let done = runtime.block_on(async {
        let stop = stop_on_signal()?;
        traces::start();
        let done = match &arguments.hub {
            Some(name) => at_hub(name, &arguments, stop).await,
            None => without_aws(&arguments, stop).await,
        };
        traces::flush().await;
        done
    });
    // A thread that waits for standard input can not be stopped.
    runtime.shutdown_background();
    done
}

/// A token that SIGTERM and SIGINT cancel. A second one ends the process at once, as usual.
pub(super) fn stop_on_signal() -> Result<CancellationToken, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::broken)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::broken)?;
    let stopping = stop.clone();
    tokio::spawn(async move {
        for round in 0.. {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if round > 0 {
                std::process::exit(1);
            }
            tracing::info!("stopping: what is under way is finished first");
            stopping.cancel();
        }
    });
    Ok(stop)
}

fn open_journal(arguments: &RunArguments) -> Result<Arc<Embedded>, Failure> {
    if arguments.journal == JournalKind::Aws {
        return Err(Failure::refused("`--journal aws` is the table of a hub: it needs `--hub`"));
    }
    Embedded::open(&arguments.state).map(Arc::new).map_err(Failure::refused)
}

async fn start<J: Journal>(
    journal: &Arc<J>,
    definitions: &Arc<Definitions>,
    secrets: Secrets,
    hub: Option<&Arc<Hub>>,
    arguments: &RunArguments,
) -> Result<(Driver<J>, Intake), Failure> {
    let sender = Sender::new(secrets).map_err(Failure::broken)?;
    let worker = match hub {
        Some(hub) => Worker::new(Arc::clone(journal), sender, Some(hub.clone())).reading(hub.clone()),
        None => Worker::new(Arc::clone(journal), sender, None),
    };
    let (driver, intake) = Driver::new(Arc::clone(journal), worker, Arc::clone(definitions)).await.map_err(Failure::broken)?;
    if let Some(wanted) = arguments.metrics_address {
        let served = page::serve(wanted, Arc::clone(intake.meters())).await;
        let address = served.map_err(|error| Failure::refused(format!("cannot listen on {wanted}: {error}")))?;
        tracing::info!(metrics = %address, "metrics are served");
    }
    Ok((driver, intake))
}

async fn without_aws(arguments: &RunArguments, stop: CancellationToken) -> Result<(), Failure> {
    let (Some(path), Some(source)) = (&arguments.definitions, &arguments.source) else {
        return Err(Failure::refused("`--definitions` and `--source` are needed, or `--hub`"));
    };
    let definitions = Arc::new(files::load(path).map_err(Failure::refused)?);
    let (triggers, destinations) = definitions.counts();
    match source.strip_prefix("http://") {
        Some(address) => {
            let (listener, token) = listen(address).await?;
            let journal = open_journal(arguments)?;
            let (driver, intake) = start(&journal, &definitions, Secrets::default(), None, arguments).await?;
            let status = Keeper::start(journal, intake.load(), &arguments.state, Told::default());
            let address = listener.local_addr().map_err(Failure::broken)?;
            tracing::info!(triggers, destinations, %address, "listening");
            let served = serve(listener, token, driver, intake, definitions, arguments, stop).await;
            status.end().await;
            served
        }
        None => {
            let input = input::open(source).map_err(|error| Failure::refused(format!("cannot read {source}: {error}")))?;
            let journal = open_journal(arguments)?;
            let (driver, intake) = start(&journal, &definitions, Secrets::default(), None, arguments).await?;
            let status = Keeper::start(Arc::clone(&journal), intake.load(), &arguments.state, Told::default());
            tracing::info!(triggers, destinations, source, "reading");
            let ended = CancellationToken::new();
            let feeding = tokio::spawn({
                let (ended, stop) = (ended.clone(), stop.clone());
                async move {
                    let read = tokio::select! {
                        read = file::feed(input, &intake, &definitions) => read.ok(),
                        () = stop.cancelled() => None,
                    };
                    ended.cancel();
                    read
                }
            });
            let totals = driver.run(Until::Idle(arguments.until_idle.unwrap_or_default()), stop, ended).await.map_err(Failure::broken)?;
            status.end().await;
            let read = feeding.await.map_err(Failure::broken)?;
            let dead = journal.dead_letters().await.map_err(Failure::broken)?;
            summary(read, totals, dead.len())
        }
    }
}

/// The token of the HTTP source, where there is one.
pub(super) fn http_token() -> Option<String> {
    std::env::var(TOKEN).ok().filter(|token| !token.is_empty())
}

async fn listen(address: &str) -> Result<(TcpListener, Option<SecretText>), Failure> {
    let address = address.trim_end_matches('/');
    let resolved: Vec<SocketAddr> = match tokio::net::lookup_host(address).await {
        Ok(resolved) => resolved.collect(),
        Err(error) => return Err(Failure::refused(format!("`{address}` is no address to listen on (HOST:PORT): {error}"))),
    };
    let token = http_token().map(|token| SecretText::new(&token));
    if token.is_none() && resolved.iter().any(http::needs_token) {
        return Err(Failure::refused(format!("`{address}` can be reached from other machines: set {TOKEN}, or listen on 127.0.0.1")));
    }
    let listener = TcpListener::bind(&resolved[..]).await;
    Ok((listener.map_err(|error| Failure::refused(format!("cannot listen on {address}: {error}")))?, token))
}

async fn serve(
    listener: TcpListener,
    token: Option<SecretText>,
    driver: Driver<Embedded>,
    intake: Intake,
    definitions: Arc<Definitions>,
    arguments: &RunArguments,
    stop: CancellationToken,
) -> Result<(), Failure> {
    // The listener stops first, then the driver: a request that was taken is answered.
    let driver_stop = CancellationToken::new();
    let serving = tokio::spawn({
        let (stop, driver_stop) = (stop.clone(), driver_stop.clone());
        async move {
            http::Http::new(intake, definitions, token).serve(listener, stop).await;
            driver_stop.cancel();
        }
    });
    let idle = CancellationToken::new();
    idle.cancel();
    let totals = driver.run(until(arguments), driver_stop, idle).await.map_err(Failure::broken)?;
    stop.cancel();
    serving.await.map_err(Failure::broken)?;
    ended(totals);
    Ok(())
}

async fn at_hub(name: &str, arguments: &RunArguments, stop: CancellationToken) -> Result<(), Failure> {
    let hub = Arc::new(Hub::connect(name, &arguments.state).await.map_err(Failure::refused)?);
    match arguments.journal {
        JournalKind::Embedded => work_at(hub, open_journal(arguments)?, arguments, stop).await,
        JournalKind::Aws => {
            let _name = own_name(&arguments.state)?;
            let journal = Aws::open(hub.journal_table(), hub.id(), Arc::new(QueueBell::new(Arc::clone(&hub))));
            work_at(hub, Arc::new(journal), arguments, stop).await
        }
    }
}

/// The state directory for this process alone, for as long as the file is open: two runtimes of one name would take each other's work for
/// their own.
fn own_name(state: &Path) -> Result<File, Failure> {
    let place = state.join("runtime.lock");
    let opened = File::create(&place).map_err(|error| Failure::refused(format!("cannot write {}: {error}", place.display())))?;
    match opened.try_lock() {
        Ok(()) => Ok(opened),
        Err(error) => Err(Failure::refused(format!(
            "the state directory {} is in use by another runtime ({error}): give each its own with `--state`",
            state.display()
        ))),
    }
}

async fn work_at<J: Journal>(hub: Arc<Hub>, journal: Arc<J>, arguments: &RunArguments, stop: CancellationToken) -> Result<(), Failure> {
    hub.definitions.remember_in(journal.clone()).await.map_err(Failure::broken)?;
    let definitions = hub.definitions.load().await.map_err(Failure::refused)?;
    let (driver, intake) = start(&journal, &definitions, hub.secrets(), Some(&hub), arguments).await?;
    let (triggers, destinations) = definitions.counts();
    tracing::info!(
        hub = hub.record.name,
        triggers,
        destinations,
        revision = definitions.revision,
        queue = hub.record.queue_url,
        "receiving"
    );
    let status = Keeper::start(Arc::clone(&journal), intake.load(), &arguments.state, Arc::clone(&hub.status));
    hub.definitions.watch(intake.clone());
    let last_beat = CancellationToken::new();
    let beating = tokio::spawn(Arc::clone(&hub).beat(last_beat.clone()));
    let driver_stop = CancellationToken::new();
    let mut receivers: JoinSet<()> = JoinSet::new();
    for _ in 0..sqs::RECEIVERS {
        receivers.spawn(sqs::receive(Arc::clone(&hub), intake.clone(), arguments.until_idle, stop.clone()));
    }
    drop(intake);
    let watching = tokio::spawn({
        let (stop, driver_stop) = (stop.clone(), driver_stop.clone());
        async move {
            let mut sound = true;
            while let Some(ended) = receivers.join_next().await {
                // Receivers end when they are told to; one that ends otherwise has met a bug, and half a runtime is worse than a restart.
                sound &= ended.is_ok() && stop.is_cancelled();
                stop.cancel();
            }
            driver_stop.cancel();
            sound
        }
    });
    let idle = CancellationToken::new();
    idle.cancel();
    let totals = driver.run(until(arguments), driver_stop, idle).await.map_err(Failure::broken)?;
    status.end().await;
    stop.cancel();
    last_beat.cancel();
    drop(beating.await);
    ended(totals);
    match watching.await {
        Ok(true) => Ok(()),
        _ => Err(Failure::broken("a receiver ended by itself: this is a bug")),
    }
}

fn until(arguments: &RunArguments) -> Until {
    arguments.until_idle.map_or(Until::Stopped, Until::Idle)
}

fn ended(totals: Totals) {
    let Totals { verdict, delivered, dead_lettered } = totals;
    tracing::info!(
        matched = verdict.matched,
        unmatched = verdict.unmatched,
        runs = verdict.started,
        repeated = verdict.repeated,
        counted = verdict.counted,
        errors = verdict.errors,
        delivered,
        dead_lettered,
        "ended"
    );
}

/// The last line of a run over a file: what became of everything that was read.
fn summary(read: Option<Read>, totals: Totals, dead: usize) -> Result<(), Failure> {
    ended(totals);
    let Some(read) = read else {
        return Err(Failure::broken("stopped before the end of the input"));
    };
    let verdict = totals.verdict;
    // Where no trigger counts there is nothing to say of it.
    let counted = if verdict.counted > 0 { format!(", counted {}", verdict.counted) } else { String::new() };
    print(&format!(
        "accepted {} = matched {} + unmatched {} + refused {}; runs {}, repeated {}{counted}, expression errors {}; delivered {}, dead letters {dead}",
        read.read, verdict.matched, verdict.unmatched, read.refused, verdict.started, verdict.repeated, verdict.errors, totals.delivered,
    ))
}

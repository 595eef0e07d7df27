//! The runtime as a Lambda function: the same core, driver and journal as the daemon's, fed by batches of the hub's queue.
//!
//! An invocation judges its batch by definitions that are read in it, keeps what matched in the hub's table, works until nothing is left that is due or its
//! time is over (it waits for no destination that failed when it was tried last), and answers with the messages that are not safe; those alone go back to the queue. What is due later rides on delayed messages of the
//! queue and is found by the sweep, for which a schedule invokes the function once a minute. Between invocations the process stands still, and may be gone.

mod api;
mod payload;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::timeout_at;
use tokio_util::sync::CancellationToken;

use crate::cli;
use crate::destination::Sender;
use crate::driver::{Driver, Intake, Totals, Until, Worker};
use crate::hub::{Hub, QueueBell};
use crate::journal::aws::Aws;
use crate::journal::{Journal as _, JournalError};
use crate::source::sqs::judge::{Delivered, Fate, judge};
use crate::telemetry::{self, emf, traces};
use crate::{secrets, status};
use api::{Api, Fault, Invocation};
use payload::{Payload, failures};

/// The environment variable with the hub's name.
const HUB: &str = "TRAILWIRE_HUB";
/// What is left of an invocation's time when work on it ends; no more than a quarter of it. The rest is for giving back what is left, and the answer.
const MARGIN: Duration = Duration::from_secs(3);
/// How often a sign of life is left.
const SIGN: Duration = Duration::from_secs(30);

/// Whether this process was started by Lambda.
pub(crate) fn is_here() -> bool {
    std::env::var_os(api::ADDRESS).is_some() && std::env::args_os().len() == 1
}

/// Serves invocations until the environment ends.
pub(crate) fn main() -> ExitCode {
    let begun = Instant::now();
    telemetry::start();
    telemetry::tell_of_panics();
    let served = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(serve(begun)),
        Err(error) => Err(error.to_string()),
    };
    match served {
        Ok(never) => match never {},
        Err(reason) => {
            tracing::error!(reason, "the function ends");
            ExitCode::FAILURE
        }
    }
}

async fn serve(begun: Instant) -> Result<std::convert::Infallible, String> {
    let address = std::env::var(api::ADDRESS).map_err(|error| format!("{}: {error}", api::ADDRESS))?;
    let api = Api::new(&address).map_err(|error| error.to_string())?;
    traces::start();
    let mut function = match Function::start(begun).await {
        Ok(function) => function,
        Err(fault) => {
            api.refuse(&fault).await?;
            return Err(fault.message);
        }
    };
    loop {
        let invocation = api.next().await?;
        let answer = function.carry_out(&invocation).await;
        if let Err(fault) = &answer {
            tracing::error!(request = invocation.id, reason = fault.message, "the invocation failed");
        }
        api.answer(&invocation.id, answer).await?;
        // A journal that can not be used ends the driver: the next environment begins anew.
        if function.driver.is_finished() {
            return Err("the runtime has ended".to_owned());
        }
    }
}

/// The function in this environment.
struct Function {
    hub: Arc<Hub>,
    bell: Arc<QueueBell>,
    journal: Arc<Aws>,
    intake: Intake,
    driver: JoinHandle<Result<Totals, JournalError>>,
    /// From the start of the process until now, in the first invocation.
    init: Option<Duration>,
    last_sign: Option<Instant>,
    /// The triggers that its metrics have named so far.
    named: BTreeSet<String>,
}

impl Function {
    async fn start(begun: Instant) -> Result<Self, Fault> {
        let fault = |reason: String| Fault::new("Trailwire.Start", reason);
        let name = std::env::var(HUB).map_err(|_| fault(format!("{HUB} is not set: it names the hub")))?;
        let hub = Hub::connect_in_lambda(&name).await.map_err(|error| fault(error.to_string()))?;
        let hub = Arc::new(hub);
        let bell = Arc::new(QueueBell::new(Arc::clone(&hub)));
        let ring: Arc<QueueBell> = Arc::clone(&bell);
        let journal = Arc::new(Aws::open(hub.journal_table(), hub.id(), ring));
        hub.definitions.remember_in(journal.clone()).await.map_err(|error| fault(error.to_string()))?;
        let definitions = hub.definitions.load().await.map_err(|error| fault(error.to_string()))?;
        let secrets: secrets::Secrets = hub.secrets();
        let sender = Sender::new(secrets).map_err(|error| fault(error.to_string()))?;
        let worker = Worker::new(Arc::clone(&journal), sender, Some(hub.clone())).reading(hub.clone());
        let (driver, intake) = Driver::fresh(Arc::clone(&journal), worker, definitions);
        hub.definitions.watch(intake.clone());
        let driver = tokio::spawn(driver.run(Until::Invoked, CancellationToken::new(), CancellationToken::new()));
        let init = begun.elapsed();
        tracing::info!(hub = name, init_ms = u64::try_from(init.as_millis()).unwrap_or(u64::MAX), "ready");
        Ok(Self { hub, bell, journal, intake, driver, init: Some(init), last_sign: None, named: BTreeSet::new() })
    }

    async fn carry_out(&mut self, invocation: &Invocation) -> Result<Value, Fault> {
        let payload = payload::read(&invocation.payload).map_err(|reason| Fault::new("Trailwire.UnknownEvent", reason))?;
        let before = self.intake.load().borrow().totals;
        let now = Timestamp::now();
        let left = Duration::try_from(invocation.deadline.duration_since(now)).unwrap_or_default();
        let (begun, margin) = (tokio::time::Instant::now(), MARGIN.min(left / 4));
        let (until, last) = (begun + left.saturating_sub(margin), begun + left.saturating_sub(margin / 3));
        let is_sweep = payload == Payload::Sweep;
        let returned = match payload {
            Payload::Batch(messages) => self.batch(messages, until).await,
            Payload::Sweep => {
                self.intake.sweep().await;
                Vec::new()
            }
        };
        let rest = async {
            // A driver that has ended is seen by whoever answers.
            let _ = self.intake.settle(until).await;
            self.bell.is_set().await;
            traces::flush().await;
            if is_sweep || self.last_sign.is_none_or(|last| last.elapsed() >= SIGN) {
                self.last_sign = Some(Instant::now());
                self.tell().await;
            }
        };
        if timeout_at(last, rest).await.is_err() {
            tracing::warn!("the invocation's time is over with work under way; the journal has it");
        }
        let after = self.intake.load().borrow().totals;
        let done = emf::Done {
            hub: &self.hub.record.name,
            request: &invocation.id,
            at: now,
            before,
            after,
            lag: self.intake.meters().take_longest_lag(),
            age: self.intake.meters().take_longest_age(),
            returned: returned.len(),
            init: self.init.take(),
        };
        let of_triggers = emf::lines_of_triggers(&done, self.intake.meters().take_of_triggers(), &mut self.named);
        std::iter::once(emf::line(&done)).chain(of_triggers).for_each(|line| drop(cli::print(&line)));
        Ok(if is_sweep { json!({}) } else { failures(&returned) })
    }

    /// Judges a batch and gives the ids of the messages that are not safe.
    async fn batch(&self, messages: Vec<Delivered>, until: tokio::time::Instant) -> Vec<String> {
        let ids: Vec<String> = messages.iter().map(|message| message.id.clone()).collect();
        let mut safe = Vec::new();
        let judged = async {
            // Read after the messages were received: an event is never judged by older definitions than those that let it through.
            let definitions = self.hub.definitions.load().await.map_err(|error| error.to_string())?;
            judge(&self.hub, &self.intake, definitions, messages, &mut safe).await
        };
        let reason = match timeout_at(until, judged).await {
            Ok(Ok(Fate::Done)) => None,
            Ok(Ok(Fate::Stopping)) => Some("the runtime has ended".to_owned()),
            Ok(Err(reason)) => Some(reason),
            Err(_) => Some("the invocation's time is over".to_owned()),
        };
        if let Some(reason) = reason {
            tracing::error!(reason, returned = ids.len() - safe.len(), "messages go back to the queue");
        }
        ids.into_iter().filter(|id| !safe.contains(id)).collect()
    }

    /// Tells of itself, as the daemon does twice a minute.
    async fn tell(&self) {
        let now = Timestamp::now();
        match self.journal.states(now).await {
            Ok(states) => self.hub.tell(status::text(*self.intake.load().borrow(), states, now)),
            Err(error) => tracing::warn!(reason = error.to_string(), "the states of triggers can not be read"),
        }
        self.hub.leave_sign().await;
    }
}

//! Attempts at one call: pacing, the limit on calls under way, full jitter between attempts, and the user's interrupt.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use trailwire_engine::fanout::names::Cell;
use trailwire_engine::fanout::table::LEASE_SECONDS;

use super::Cloud;
use super::call::{Call, Reply};
use super::error::{CloudError, CloudResult, Kind};
use crate::config::RetryMode;

/// Attempts after the first, unless the provider block says otherwise.
const RETRIES: u32 = 12;
/// Attempts after the first at an endpoint that cannot be reached: it is named soon.
const UNREACHABLE_RETRIES: u32 = 2;
/// How long a call that is under way may go on after an interrupt, so that its outcome is known.
const GRACE: Duration = Duration::from_secs(1);
/// How long calls may still be begun after an interrupt where something must be left in order. The user waits for both: less than 5 seconds.
pub(super) const LAST_CALLS: Duration = Duration::from_secs(2);

/// How long everything takes that is waited for; shorter in tests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// The longest wait before the second attempt; doubled with every further one.
    base: Duration,
    /// The longest wait of all.
    cap: Duration,
    /// What was made in IAM is seen everywhere after seconds, at the latest after this.
    propagation: Duration,
    /// A queue's name is free again 60 seconds after its removal; how long that is waited for.
    queue_name: Duration,
    /// How long the name of a secret that was removed is waited for: AWS promises no time.
    pub(crate) secret_name: Duration,
    /// How often it is looked whether something has happened that takes seconds.
    pub(crate) poll: Duration,
    /// How long a new role is given to be known in every region before events are sent by it.
    pub(crate) role: Duration,
    /// How long a claim that does not change must be watched before it may be adopted; it is renewed four times as often.
    pub(crate) lease: Duration,
}

/// Shortens or lengthens the lease of a claim, in seconds; everybody who applies to a hub must agree on it.
const LEASE_VARIABLE: &str = "TRAILWIRE_LEASE_SECONDS";
/// How long to wait after making a role, in seconds. A stand that knows roles at once needs no wait.
const ROLE_VARIABLE: &str = "TRAILWIRE_ROLE_WAIT_SECONDS";

impl Timing {
    /// The real times, save for what the environment says otherwise.
    pub(crate) fn from_environment() -> Self {
        let seconds = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok()).map(Duration::from_secs);
        Self {
            base: Duration::from_millis(100),
            cap: Duration::from_secs(10),
            propagation: Duration::from_secs(120),
            queue_name: Duration::from_secs(75),
            secret_name: Duration::from_secs(75),
            poll: Duration::from_secs(2),
            role: seconds(ROLE_VARIABLE).unwrap_or(Duration::from_secs(8)),
            lease: seconds(LEASE_VARIABLE).unwrap_or(Duration::from_secs(LEASE_SECONDS)).max(Duration::from_secs(1)),
        }
    }

    /// A thousand times faster, save for what only bounds a wait.
    #[cfg(test)]
    pub(crate) fn fast() -> Self {
        Self {
            base: Duration::from_micros(100),
            cap: Duration::from_millis(10),
            propagation: Duration::from_secs(10),
            queue_name: Duration::from_secs(10),
            secret_name: Duration::from_secs(10),
            poll: Duration::from_millis(2),
            role: Duration::from_millis(8),
            lease: Duration::from_millis(200),
        }
    }
}

impl Cloud {
    /// Makes a call, again and again where that can help.
    pub(super) async fn attempts(&self, cell: &Cell, call: Call, stop: &CancellationToken) -> CloudResult<Reply> {
        let begin = Instant::now();
        let operation = call.operation();
        let mut failures = 0_u32;
        let mut answer_lost = false;
        loop {
            let error = match self.attempt(cell, call.clone(), stop).await {
                Ok(reply) => return Ok(reply),
                Err(error) if error.kind == Kind::Exists && answer_lost && call.makes_once() => return Ok(Reply::Done),
                Err(error) => error,
            };
            answer_lost |= matches!(error.kind, Kind::Unreachable | Kind::Transient);
            failures = failures.saturating_add(1);
            if error.kind == Kind::Throttled {
                self.pace.throttled(cell, operation);
            }
            let Some(most) = self.backoff(error.kind, failures, begin.elapsed()) else { return Err(error) };
            let wait = jitter(most);
            tracing::debug!(%cell, operation, code = %error.code, attempt = failures, wait_ms = wait.as_millis(), "an AWS call is tried again");
            if sleep(wait, stop).await.is_err() {
                return Err(interrupted(cell, operation, &format!("the call was about to be tried again after {}", error.cause())));
            }
        }
    }

    async fn attempt(&self, cell: &Cell, call: Call, stop: &CancellationToken) -> CloudResult<Reply> {
        let operation = call.operation();
        let not_begun = || interrupted(cell, operation, "the call was not made");
        // First the wait for a token, then the place among the calls under way: a slow API holds up nothing else.
        sleep(self.pace.take(cell, operation, Instant::now()), stop).await.map_err(|()| not_begun())?;
        let permit = tokio::select! {
            biased;
            () = stop.cancelled() => return Err(not_begun()),
            permit = self.under_way.acquire() => permit,
        };
        let outcome = tokio::select! {
            biased;
            outcome = self.door.call(cell, call) => outcome,
            () = grace(stop) => Err(interrupted(cell, operation, "the answer was not waited for")),
        };
        drop(permit);
        match &outcome {
            Ok(_) => tracing::trace!(%cell, operation, "called AWS"),
            Err(error) => tracing::debug!(%cell, operation, code = %error.code, request_id = ?error.request_id, "an AWS call failed"),
        }
        outcome
    }

    /// The longest wait before the next attempt; `None` when there is none.
    fn backoff(&self, kind: Kind, failures: u32, elapsed: Duration) -> Option<Duration> {
        let retries = self.config.max_retries.unwrap_or(RETRIES);
        let timing = &self.timing;
        let doubled = timing.base.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(16)));
        let exponential = doubled.min(timing.cap);
        let adaptive = if self.config.retry_mode == RetryMode::Adaptive { exponential.saturating_mul(2) } else { exponential };
        match kind {
            Kind::Throttled if failures <= retries => Some(adaptive),
            Kind::Transient if failures <= retries => Some(exponential),
            Kind::Unreachable if failures <= retries.min(UNREACHABLE_RETRIES) => Some(exponential),
            Kind::Propagating if elapsed < timing.propagation => Some(timing.poll),
            Kind::QueueDeletedRecently if elapsed < timing.queue_name => Some(timing.poll.saturating_mul(2)),
            _ => None,
        }
    }
}

fn interrupted(cell: &Cell, operation: &'static str, what: &str) -> CloudError {
    CloudError { operation, ..CloudError::ours(Kind::Interrupted, cell, what) }
}

/// Waits, unless the user interrupts.
pub(crate) async fn sleep(duration: Duration, stop: &CancellationToken) -> Result<(), ()> {
    if stop.is_cancelled() {
        return Err(());
    }
    if duration.is_zero() {
        return Ok(());
    }
    tokio::select! {
        () = tokio::time::sleep(duration) => Ok(()),
        () = stop.cancelled() => Err(()),
    }
}

async fn grace(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(GRACE).await;
}

/// Anything from nothing to `most`.
fn jitter(most: Duration) -> Duration {
    let mut bytes = [0_u8; 4];
    if getrandom::fill(&mut bytes).is_err() {
        return most;
    }
    most.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests;

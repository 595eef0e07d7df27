//! Attempts at one call: pacing, the limit on calls under way, full jitter between attempts, and the user's interrupt.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use trailwire_engine::fanout::names::Cell;

use super::Cloud;
use super::call::{Call, Reply};
use super::error::{CloudError, CloudResult, Kind};
use crate::config::RetryMode;

/// Attempts after the first, unless the provider block says otherwise.
const RETRIES: u32 = 12;
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
    /// How often it is looked whether something has happened that takes seconds.
    pub(crate) poll: Duration,
    /// How long a new role is given to be known in every region before rules use it.
    pub(crate) role: Duration,
    /// How often a lease is renewed.
    pub(crate) renewal: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(100),
            cap: Duration::from_secs(10),
            propagation: Duration::from_secs(120),
            queue_name: Duration::from_secs(75),
            poll: Duration::from_secs(2),
            role: Duration::from_secs(8),
            renewal: Duration::from_secs(15),
        }
    }
}

#[cfg(test)]
impl Timing {
    /// A thousand times faster.
    pub(crate) fn fast() -> Self {
        let slow = Self::default();
        Self {
            base: slow.base / 1000,
            cap: slow.cap / 1000,
            propagation: slow.propagation / 1000,
            queue_name: slow.queue_name / 1000,
            poll: slow.poll / 1000,
            role: slow.role / 1000,
            renewal: slow.renewal / 1000,
        }
    }
}

/// Attempts after the first at an endpoint that cannot be reached: it is named soon.
const UNREACHABLE_RETRIES: u32 = 2;
/// How long a call that is under way may go on after an interrupt, so that its outcome is known.
const GRACE: Duration = Duration::from_secs(3);

impl Cloud {
    /// Makes a call, again and again where that can help.
    pub(super) async fn attempts(&self, cell: &Cell, call: Call, stop: &CancellationToken) -> CloudResult<Reply> {
        let begin = Instant::now();
        let operation = call.operation();
        let mut failures = 0_u32;
        loop {
            let error = match self.attempt(cell, call.clone(), stop).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
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
        let permit = tokio::select! {
            biased;
            () = stop.cancelled() => return Err(not_begun()),
            permit = self.under_way.acquire() => permit,
        };
        sleep(self.pace.take(cell, operation, Instant::now()), stop).await.map_err(|()| not_begun())?;
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

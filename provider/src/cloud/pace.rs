//! How fast calls may follow each other: a token bucket for each account, region and API, so that a wide fan-out meets as few throttles as it can.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use trailwire_engine::fanout::names::Cell;

/// The buckets of a process.
#[derive(Debug, Default)]
pub(super) struct Pace {
    buckets: Mutex<HashMap<(Cell, &'static str), Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    /// Tokens at `at`; negative when calls already wait for theirs.
    tokens: f64,
    at: Instant,
    per_second: f64,
}

/// What AWS grants by default, for each API of an account in a region; `None` where it is far more than we ask for.
fn limit(operation: &str) -> Option<f64> {
    let (service, name) = operation.split_once(':')?;
    match (service, name) {
        ("events", _) => Some(50.0),
        ("iam", "GetRole" | "GetRolePolicy" | "ListRolePolicies" | "ListRoleTags") => Some(20.0),
        ("iam", _) => Some(10.0),
        ("secretsmanager", _) => Some(50.0),
        ("account", _) => Some(5.0),
        ("cloudtrail", _) => Some(10.0),
        ("cloudwatch", _) => Some(3.0),
        ("lambda", _) => Some(10.0),
        ("logs", _) => Some(5.0),
        ("dynamodb", "CreateTable" | "DeleteTable") => Some(10.0),
        _ => None,
    }
}

impl Pace {
    /// Takes a token and says how long to wait for it.
    pub(super) fn take(&self, cell: &Cell, operation: &'static str, now: Instant) -> Duration {
        let Some(per_second) = limit(operation) else { return Duration::ZERO };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry((cell.clone(), operation)).or_insert_with(|| Bucket { tokens: per_second, at: now, per_second });
        let gained = now.saturating_duration_since(bucket.at).as_secs_f64() * bucket.per_second;
        bucket.tokens = (bucket.tokens + gained).min(bucket.per_second) - 1.0;
        bucket.at = now;
        Duration::from_secs_f64((-bucket.tokens / bucket.per_second).max(0.0))
    }

    /// Empties a bucket after AWS throttled a call: the others of the same API slow down too.
    pub(super) fn throttled(&self, cell: &Cell, operation: &'static str) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(&(cell.clone(), operation)) {
            bucket.tokens = bucket.tokens.min(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_the_rest_is_paced() {
        let pace = Pace::default();
        let cell = Cell::new("111122223333", "eu-west-1");
        let now = Instant::now();
        let waits: Vec<Duration> = (0..100).map(|_| pace.take(&cell, "events:PutRule", now)).collect();
        assert!(waits.iter().take(50).all(Duration::is_zero));
        assert_eq!(waits[99], Duration::from_secs(1));
        assert_eq!(pace.take(&Cell::new("111122223333", "eu-west-2"), "events:PutRule", now), Duration::ZERO);
        assert_eq!(pace.take(&cell, "events:PutTargets", now), Duration::ZERO);
        assert_eq!(pace.take(&cell, "sqs:CreateQueue", now), Duration::ZERO);
        assert_eq!(pace.take(&cell, "events:PutRule", now + Duration::from_secs(2)), Duration::ZERO);
    }

    #[test]
    fn a_throttle_empties_the_bucket() {
        let pace = Pace::default();
        let cell = Cell::new("111122223333", "eu-west-1");
        let now = Instant::now();
        assert_eq!(pace.take(&cell, "events:PutRule", now), Duration::ZERO);
        pace.throttled(&cell, "events:PutRule");
        assert_eq!(pace.take(&cell, "events:PutRule", now), Duration::from_millis(20));
    }
}

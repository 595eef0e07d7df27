//! When a delivery that failed is tried again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::run::{Task, short_hash};

const BASE: Duration = Duration::from_secs(1);
/// The longest pause between two attempts, unless a destination asks for more.
pub(crate) const CAP: Duration = Duration::from_secs(15 * 60);
/// For how long a delivery is tried before it becomes a dead letter.
pub(crate) const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// The task's next attempt, or `None` when a day of attempts is over.
///
/// Full jitter: a time between now and a bound that starts at a second and doubles up to a quarter of an hour. What a destination
/// asks for (`Retry-After`) is honoured as the least. The jitter is a hash of task and attempt, so that this stays a function of
/// its arguments.
pub(crate) fn next(task: &Task, now: Timestamp, asked: Option<Duration>) -> Option<Task> {
    let bound = BASE.saturating_mul(1u32.checked_shl(task.attempts).unwrap_or(u32::MAX)).min(CAP);
    let wait = bound.mul_f64(fraction(task)).max(asked.unwrap_or_default());
    let due = now.saturating_add(SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MAX);
    // However long a destination asks to wait, there is one more attempt before the day is over.
    let due = due.min(last(task));
    (now < last(task)).then(|| Task { due, attempts: task.attempts.saturating_add(1), ..task.clone() })
}

/// Whether the day of attempts is over.
pub(crate) fn is_over(task: &Task, now: Timestamp) -> bool {
    now > last(task)
}

fn last(task: &Task) -> Timestamp {
    task.since.saturating_add(PATIENCE).unwrap_or(task.since)
}

/// Evenly spread over [0, 1), the same for the same task and attempt.
fn fraction(task: &Task) -> f64 {
    let hash = short_hash(&[task.id.idempotency_key().as_bytes(), &task.attempts.to_be_bytes()]);
    let bits = hash.iter().take(4).fold(0u32, |bits, byte| (bits << 8) | u32::from(*byte));
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::super::run::{RunId, Step};
    use super::*;

    fn task(attempts: u32, run: u8) -> Task {
        let start = Timestamp::from_second(1_000_000).unwrap();
        Task { attempts, ..Task::new(RunId([run; 16]), "t", 0, Step::Deliver("d".to_owned()), start) }
    }

    #[test]
    fn the_bound_doubles_up_to_a_quarter_of_an_hour() {
        for (attempts, bound) in [(0, 1.0), (1, 2.0), (5, 32.0), (9, 512.0), (10, 900.0), (31, 900.0), (32, 900.0), (400, 900.0)] {
            let waits: Vec<f64> = (0..200)
                .map(|run| {
                    let task = task(attempts, run);
                    next(&task, task.due, None).unwrap().due.duration_since(task.due).as_secs_f64()
                })
                .collect();
            assert!(waits.iter().all(|wait| (0.0..=bound).contains(wait)), "{attempts}: {waits:?}");
            let mean = waits.iter().sum::<f64>() / 200.0;
            assert!((0.35 * bound..0.65 * bound).contains(&mean), "{attempts}: mean {mean} of {bound}");
        }
    }

    #[test]
    fn what_a_destination_asks_for_is_the_least() {
        let task = task(0, 1);
        let next = next(&task, task.due, Some(Duration::from_secs(30))).unwrap();
        assert_eq!((next.due.duration_since(task.due).as_secs(), next.attempts), (30, 1));
    }

    #[test]
    fn after_a_day_it_is_over() {
        let task = task(100, 1);
        let late = task.since.saturating_add(PATIENCE).unwrap();
        let second = SignedDuration::from_secs(1);
        assert_eq!(next(&task, late, None), None);
        assert!(!is_over(&task, late) && is_over(&task, late.saturating_add(second).unwrap()));
        // The last attempt is made at the end of the day, whatever the destination asks for.
        for asked in [Duration::from_secs(90_000), Duration::from_secs(100_000_000), Duration::MAX] {
            assert_eq!(next(&task, task.since, Some(asked)).unwrap().due, late, "{asked:?}");
        }
        assert!(next(&task, task.since, Some(Duration::from_secs(80_000))).unwrap().due < late);
    }
}

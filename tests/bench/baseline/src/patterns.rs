//! Crate `quamina` on the event patterns of the triggers. It knows no `$or`, and a pattern says less than its expression, so it has
//! less to do than the others; patterns that it refuses are left out, and told.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Trigger, now};

/// The patterns that it took.
pub struct Patterns(Result<quamina::Quamina<u32>, String>);

impl Patterns {
    pub fn of(triggers: &[Trigger]) -> Self {
        let add_all = || {
            let mut all = quamina::Quamina::new();
            let (mut taken, mut refused) = (0, 0);
            for (number, trigger) in triggers.iter().enumerate() {
                for pattern in &trigger.patterns {
                    match all.add_pattern(u32::try_from(number).expect("a small number"), pattern) {
                        Ok(()) => taken += 1,
                        Err(_) => refused += 1,
                    }
                }
            }
            eprintln!("  quamina takes {taken} of {} patterns", taken + refused);
            all
        };
        Self(without_panic(add_all))
    }

    /// Every event through all patterns. Some sets make it panic while it matches.
    pub fn pass(&self, events: &[Vec<u8>]) -> Result<(u64, usize), String> {
        let patterns = self.0.as_ref().map_err(Clone::clone)?;
        without_panic(|| {
            let start = now();
            let matches = events.iter().map(|event| patterns.matches_for_event(event).map_or(0, |matches| matches.len())).sum();
            (now() - start, matches)
        })
    }
}

fn without_panic<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        format!("it panics: {}", text.unwrap_or("no reason given").lines().next().unwrap_or_default())
    })
}

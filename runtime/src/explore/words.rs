//! Times as people write them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The moment that a text means: `2026-03-01T12:00:00Z`, a day (`2026-03-01`, `today`, `yesterday`: its beginning in UTC), `now`, or how long ago
/// it was (`2 hours ago`, `last 7 days`, `7d`).
///
/// # Errors
///
/// What can be written.
pub(crate) fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let day = |date: Date| date.to_zoned(TimeZone::UTC).map(|midnight| midnight.timestamp());
    let today = now.to_zoned(TimeZone::UTC).date();
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let found = match text.to_ascii_lowercase().as_str() {
        "now" => Some(now),
        "today" => day(today).ok(),
        "yesterday" => today.yesterday().and_then(day).ok(),
        _ => text.parse::<Date>().and_then(day).ok().or_else(|| now.checked_sub(length(text).ok()?).ok()),
    };
    found.ok_or_else(|| {
        "write a day such as 2026-03-01, a time such as 2026-03-01T12:00:00Z, or words such as `yesterday` or `2 hours ago`".to_owned()
    })
}

/// A length of time: `90m`, `2h`, `7d`, `2 hours`, `last 7 days`, `day`.
///
/// # Errors
///
/// What can be written.
pub(crate) fn length(text: &str) -> Result<SignedDuration, String> {
    let wrong = || "write a length of time such as 90m, 2h, 7d, 4w, or `7 days`".to_owned();
    let lower = text.trim().to_ascii_lowercase();
    let bare = lower.strip_prefix("last ").unwrap_or(&lower);
    let bare = bare.strip_suffix(" ago").unwrap_or(bare).trim();
    let digits = bare.len() - bare.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let (count, unit) = bare.split_at_checked(digits).unwrap_or_default();
    let unit = unit.trim();
    let count: i64 = match count {
        // `last day`, but not `d`.
        "" if unit.len() > 1 => 1,
        count => count.parse().map_err(|_| wrong())?,
    };
    let seconds = match unit {
        "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 7 * 86_400,
        _ => return Err(wrong()),
    };
    // What is longer than time itself is no length that a log has.
    count.checked_mul(seconds).filter(|seconds| *seconds < 1_000_000_000_000).map(SignedDuration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let now: Timestamp = "2026-03-02T12:30:00Z".parse().unwrap();
        for (text, expected) in [
            ("now", "2026-03-02T12:30:00Z"),
            ("today", "2026-03-02T00:00:00Z"),
            ("Yesterday", "2026-03-01T00:00:00Z"),
            ("2026-03-01", "2026-03-01T00:00:00Z"),
            ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
            ("2026-03-01T12:00:00+02:00", "2026-03-01T10:00:00Z"),
            ("2h", "2026-03-02T10:30:00Z"),
            ("2 hours ago", "2026-03-02T10:30:00Z"),
            ("last 7 days", "2026-02-23T12:30:00Z"),
            ("last week", "2026-02-23T12:30:00Z"),
            ("90m", "2026-03-02T11:00:00Z"),
        ] {
            assert_eq!(moment(text, now).map(|time| time.to_string()).as_deref(), Ok(expected), "{text}");
        }
        for text in ["", "soon", "2026-13-01", "d", "7", "-2h", "2 fortnights", "99999999999999999999d", "9223372036854775807w", "last"] {
            assert!(moment(text, now).is_err(), "{text}");
        }
    }
}

//! Lengths of time as users write them: `90s`, `10m`, `1h30m`, `2d`.

use std::time::Duration;

/// Why a text is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a length of time; write whole numbers with d, h, m or s, such as `90s`, `10m` or `1h30m`")]
pub struct InvalidDuration(String);

/// Reads a length of time: one or more whole numbers, each with its unit (`d`, `h`, `m`, `s`), largest unit first, each unit
/// at most once.
///
/// # Errors
/// [`InvalidDuration`] for anything else: an empty text, a number without unit, a fraction, a sign, an overflow.
///
/// ```
/// use std::time::Duration;
/// use trailwire_engine::trigger::duration::parse;
/// assert_eq!(parse("1h30m")?, Duration::from_secs(5_400));
/// assert!(parse("10").is_err());
/// # Ok::<(), trailwire_engine::trigger::duration::InvalidDuration>(())
/// ```
pub fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    seconds(text).map(Duration::from_secs).ok_or_else(|| InvalidDuration(text.to_owned()))
}

fn seconds(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut largest_allowed = u64::MAX;
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        let unit = match rest.as_bytes().get(digits)? {
            b'd' => 86_400,
            b'h' => 3_600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        if unit >= largest_allowed {
            return None;
        }
        largest_allowed = unit;
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = rest.get(digits + 1..)?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_and_bad() {
        for (text, expected) in [
            ("1s", Some(1)),
            ("90s", Some(90)),
            ("10m", Some(600)),
            ("1d2h3m4s", Some(93_784)),
            ("0s", Some(0)),
            ("", None),
            ("10", None),
            ("m", None),
            ("1.5h", None),
            ("-1s", None),
            ("1m1h", None),
            ("1m1m", None),
            ("10M", None),
            ("10 m", None),
            ("99999999999999999999s", None),
            ("999999999999999999d", None),
            ("1é", None),
        ] {
            assert_eq!(parse(text).ok().map(|duration| duration.as_secs()), expected, "{text}");
        }
    }
}

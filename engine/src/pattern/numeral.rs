//! Numbers as EventBridge compares them: as doubles, and only those that a double holds exactly as written.

use crate::value::{Number, float, integer};

/// Whether EventBridge compares the number as one. Others are only equal to themselves, as text.
///
/// A number is comparable if the shortest text of its double is the number: every integer up to 2^53 is, 2^53 + 1 is not.
///
/// ```
/// use trailwire_engine::pattern::is_comparable;
/// assert!(is_comparable(&9_007_199_254_740_992_i64.into()));
/// assert!(!is_comparable(&9_007_199_254_740_993_i64.into()));
/// ```
#[must_use]
pub fn is_comparable(number: &Number) -> bool {
    // What was read as a double is its double: the text is gone.
    integer(number).is_none_or(|whole| {
        let digits = whole.unsigned_abs().to_string();
        let shortest = format!("{:e}", float(number).abs());
        let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
        let mantissa = mantissa.replace('.', "");
        whole == 0 || exponent.parse() == Ok(digits.len() - 1) && mantissa.trim_end_matches('0') == digits.trim_end_matches('0')
    })
}

/// The double by which the number is compared.
pub(super) fn comparable(number: &Number) -> Option<f64> {
    is_comparable(number).then(|| float(number))
}

/// Whether two numbers are equal, as EventBridge sees it.
pub(super) fn equal(a: &Number, b: &Number) -> bool {
    match (comparable(a), comparable(b)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a.to_string() == b.to_string(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_double_holds() {
        for (text, expected) in [
            ("0", true),
            ("-5", true),
            ("1000", true),
            ("0.1", true),
            ("9007199254740992", true),
            ("9007199254740993", false),
            ("9007199254740994", true),
            ("10000000000000000000", true),
            ("18446744073709551615", false),
            ("1e300", true),
        ] {
            let number: Number = serde_json::from_str(text).unwrap();
            assert_eq!(is_comparable(&number), expected, "{text}");
        }
    }
}

//! Numbers as they stand in an event.

/// Whether a text is a number that JSON's grammar and a double take.
pub(super) fn is_number(text: &[u8]) -> bool {
    small_integer(text).is_some() || serde_json::from_slice::<crate::value::Number>(text).is_ok()
}

/// A number of at most 18 digits without fraction and exponent.
pub(super) fn small_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 || (digits.len() > 1 && digits.first() == Some(&b'0')) {
        return None;
    }
    let mut value = 0_i64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(digit - b'0');
    }
    Some(if negative { -value } else { value })
}

//! Numbers kept exactly, as decimal digits and a power of ten.

use std::fmt;
use std::str::FromStr;

/// More digits than Terraform's own 512-bit numbers can carry need; longer text is refused rather than rounded.
const MAX_DIGITS: usize = 2_000;
/// Terraform refuses larger exponents too.
const MAX_EXPONENT: i64 = 1_000_000;
/// Numbers are written without an exponent while that needs at most this many zeros.
const MAX_PLAIN_ZEROS: i64 = 400;

/// A decimal number, exact: `0.1` stays `0.1`. Equal numbers are equal whatever text they came from (`1.50` is `1.5`, `-0` is `0`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number {
    negative: bool,
    /// Significant digits without leading or trailing zeros; empty for zero.
    digits: String,
    /// The number is `0.digits` times ten to this power; 0 for zero.
    point: i64,
}

/// Text that is no number, or one too long or too large to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number that Terraform can hold")]
pub struct InvalidNumber;

impl Number {
    /// A number from a binary float, with its exact decimal value (which is often longer than what a person would write).
    ///
    /// # Errors
    /// [`InvalidNumber`] for infinities and NaN.
    pub fn from_f64(value: f64) -> Result<Number, InvalidNumber> {
        if !value.is_finite() {
            return Err(InvalidNumber);
        }
        // 1,074 decimals hold the smallest subnormal exactly, so nothing is rounded.
        format!("{value:.1074}").parse()
    }

    /// The number when it is whole and fits.
    pub fn as_i64(&self) -> Option<i64> {
        if self.is_whole() && self.point <= 19 { self.to_string().parse().ok() } else { None }
    }

    /// The number when it is whole, not negative and fits.
    pub fn as_u64(&self) -> Option<u64> {
        if self.is_whole() && self.point <= 20 { self.to_string().parse().ok() } else { None }
    }

    /// The number as a binary float when that loses nothing.
    pub fn as_exact_f64(&self) -> Option<f64> {
        let value: f64 = self.to_string().parse().ok()?;
        (Number::from_f64(value).as_ref() == Ok(self)).then_some(value)
    }

    fn is_whole(&self) -> bool {
        i64::try_from(self.digits.len()).is_ok_and(|length| length <= self.point) || self.digits.is_empty()
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Number {
        canonical(value < 0, &value.unsigned_abs().to_string(), "", 0).unwrap_or(ZERO)
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Number {
        canonical(false, &value.to_string(), "", 0).unwrap_or(ZERO)
    }
}

const ZERO: Number = Number { negative: false, digits: String::new(), point: 0 };

impl FromStr for Number {
    type Err = InvalidNumber;

    /// Reads `[-+]digits[.digits][e[-+]digits]`.
    fn from_str(text: &str) -> Result<Number, InvalidNumber> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse().map_err(|_| InvalidNumber)?),
            None => (unsigned, 0_i64),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
        if !all_digits || mantissa.is_empty() || mantissa == "." || exponent.unsigned_abs() > MAX_EXPONENT.unsigned_abs() {
            return Err(InvalidNumber);
        }
        canonical(negative, whole, fraction, exponent)
    }
}

/// One form for every number: no zeros at either end, zero without a sign.
fn canonical(negative: bool, whole: &str, fraction: &str, exponent: i64) -> Result<Number, InvalidNumber> {
    let whole = whole.trim_start_matches('0');
    let all = format!("{whole}{fraction}");
    let leading = all.len() - all.trim_start_matches('0').len();
    let digits = all.trim_matches('0');
    if digits.is_empty() {
        return Ok(ZERO);
    }
    let (whole, leading) = (i64::try_from(whole.len()), i64::try_from(leading));
    let (Ok(whole), Ok(leading), true) = (whole, leading, digits.len() <= MAX_DIGITS) else { return Err(InvalidNumber) };
    Ok(Number { negative, digits: digits.to_owned(), point: whole - leading + exponent })
}

/// Decimal text that reads back as the same number; with an exponent only when it would need hundreds of zeros.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        if self.negative {
            f.write_str("-")?;
        }
        if self.digits.is_empty() {
            f.write_str("0")
        } else if self.point > length + MAX_PLAIN_ZEROS || self.point < -MAX_PLAIN_ZEROS {
            write!(f, "0.{}e{}", self.digits, self.point)
        } else if self.point <= 0 {
            write!(f, "0.{}{}", zeros(-self.point), self.digits)
        } else {
            let (whole, fraction) = self.digits.split_at(usize::try_from(self.point.min(length)).unwrap_or(0));
            let tail = if fraction.is_empty() { zeros(self.point - length) } else { format!(".{fraction}") };
            write!(f, "{whole}{tail}")
        }
    }
}

fn zeros(count: i64) -> String {
    "0".repeat(usize::try_from(count).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_kept_exactly_in_one_form() {
        for (text, written) in [
            ("0.1", "0.1"),
            ("1.50", "1.5"),
            ("-0", "0"),
            ("007", "7"),
            ("1e3", "1000"),
            ("12.5e-3", "0.0125"),
            ("100", "100"),
            (".5", "0.5"),
            ("5.", "5"),
            ("123456789012345678901234567890.5", "123456789012345678901234567890.5"),
            ("1e999", "0.1e1000"),
        ] {
            let number: Number = text.parse().expect(text);
            assert_eq!(number.to_string(), written);
            assert_eq!(number.to_string().parse(), Ok(number));
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "1e-9223372036854775808",
            "1e9223372036854775807",
            "",
            "-",
            ".",
            "1e",
            "1e9999999999",
            "0x10",
            "1 ",
            "Inf",
            "NaN",
            "1.2.3",
            "--1",
            "1e+-1",
        ] {
            assert_eq!(text.parse::<Number>(), Err(InvalidNumber), "{text:?}");
        }
    }

    #[test]
    fn integers_and_floats_convert_only_when_nothing_is_lost() {
        for value in [0, 1, -1, i64::MAX, i64::MIN] {
            assert_eq!(Number::from(value).as_i64(), Some(value));
        }
        assert_eq!(Number::from(u64::MAX).as_u64(), Some(u64::MAX));
        assert_eq!(Number::from(u64::MAX).as_i64(), None);
        let tenth: Number = "0.1".parse().unwrap();
        assert_eq!(tenth.as_exact_f64(), None);
        for value in [0.5, 2.5, 2f64.powi(-60), f64::MAX, f64::MIN_POSITIVE, 5e-324, -1e22] {
            assert_eq!(Number::from_f64(value).unwrap().as_exact_f64(), Some(value));
        }
        assert!(Number::from_f64(f64::NAN).is_err());
    }
}

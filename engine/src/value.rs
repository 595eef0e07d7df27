//! JSON values and the exact rules by which they are compared, ordered and taken for true.
//!
//! Members keep the order of the document; of repeated members the last counts (compared after unescaping). Integers are
//! exact in 64 bits (`i64` and `u64`); other numbers are IEEE 754 doubles.

use std::cmp::Ordering;

pub use serde_json::{Map, Number, Value};

/// The JMESPath name of a value's type: `null`, `boolean`, `number`, `string`, `array` or `object`.
#[must_use]
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// JMESPath's truth, which holds inside an expression (`!`, `&&`, `||`, filters): false for null, `false`, `""`, `[]` and `{}`.
/// The number 0 is true.
///
/// Source: <https://jmespath.org/specification.html#or-expressions>
#[must_use]
pub fn is_true_inside(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

/// The truth of a verdict, which is JavaScript's: false for null, `false`, `""` and 0. `[]` and `{}` are true.
#[must_use]
pub fn is_true_verdict(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64().is_none_or(|float| float != 0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// Deep equality. Types must agree, save that an integer equals a float of the same mathematical value (`5 == 5.0`).
/// The order of an object's members does not matter.
#[must_use]
pub fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare_numbers(a, b) == Ordering::Equal,
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| equal(a, b))),
        _ => a == b,
    }
}

/// The order of two values: of two strings by code point, of two numbers mathematically; `None` for any other pair.
#[must_use]
pub fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        // The order of UTF-8 bytes is the order of code points.
        (Value::String(a), Value::String(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        (Value::Number(a), Value::Number(b)) => Some(compare_numbers(a, b)),
        _ => None,
    }
}

/// The mathematical order of two numbers, whichever way each is stored.
#[must_use]
pub fn compare_numbers(a: &Number, b: &Number) -> Ordering {
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(a), None) => compare_integer_float(a, float(b)),
        (None, Some(b)) => compare_integer_float(b, float(a)).reverse(),
        (None, None) => float(a).total_cmp_finite(float(b)),
    }
}

/// An integer of 64 bits as such; `None` for a float, even one without a fraction.
#[must_use]
pub fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

/// The number as a double (rounded where it is a large integer).
#[must_use]
pub fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or(0.0)
}

/// A double as a JSON number: an integer where it is one exactly and below 2^53, else the double; null where it is not finite.
#[must_use]
pub fn from_float(float: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if float.fract() == 0.0 && float.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        return Value::from(float as i64);
    }
    Number::from_f64(float).map_or(Value::Null, Value::Number)
}

/// A 128-bit integer as a JSON number: exact where it fits 64 bits, else the nearest double.
#[must_use]
pub fn from_integer(integer: i128) -> Value {
    if let Ok(integer) = i64::try_from(integer) {
        Value::from(integer)
    } else if let Ok(integer) = u64::try_from(integer) {
        Value::from(integer)
    } else {
        #[expect(clippy::cast_precision_loss, reason = "beyond 64 bits a number is a double")]
        Number::from_f64(integer as f64).map_or(Value::Null, Value::Number)
    }
}

trait FiniteOrder {
    fn total_cmp_finite(self, other: Self) -> Ordering;
}

impl FiniteOrder for f64 {
    /// The order of two finite doubles, -0.0 and 0.0 being equal. (JSON has no others.)
    fn total_cmp_finite(self, other: Self) -> Ordering {
        self.partial_cmp(&other).unwrap_or(Ordering::Equal)
    }
}

fn compare_integer_float(integer: i128, float: f64) -> Ordering {
    // Every 64-bit integer lies within ±2^64, and within ±2^65 a double's whole part fits an i128.
    const BOUND: f64 = 36_893_488_147_419_103_232.0;
    if float >= BOUND {
        return Ordering::Less;
    }
    if float <= -BOUND {
        return Ordering::Greater;
    }
    #[expect(clippy::cast_possible_truncation, reason = "within ±2^65")]
    let whole = float.trunc() as i128;
    integer.cmp(&whole).then_with(|| 0.0_f64.total_cmp_finite(float.fract()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn equality_is_deep_typed_and_mathematical() {
        for (a, b, expected) in [
            (json!(5), json!(5.0), true),
            (json!(-0.0), json!(0), true),
            (json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992.0), false),
            (json!(u64::MAX), json!(18_446_744_073_709_551_616.0), false),
            (json!("1"), json!(1), false),
            (json!([1, {"a": 2}]), json!([1.0, {"a": 2.0}]), true),
            (json!({"a": 1, "b": 2}), json!({"b": 2, "a": 1}), true),
            (json!({"a": 1}), json!({"a": 1, "b": null}), false),
            (json!(null), json!(false), false),
        ] {
            assert_eq!(equal(&a, &b), expected, "{a} == {b}");
            assert_eq!(equal(&b, &a), expected, "{b} == {a}");
        }
    }

    #[test]
    fn order() {
        for (a, b, expected) in [
            (json!("a"), json!("b"), Some(Ordering::Less)),
            (json!("\u{ff5e}"), json!("\u{1f600}"), Some(Ordering::Less)),
            (json!(1), json!(1.5), Some(Ordering::Less)),
            (json!(-1), json!(-1.5), Some(Ordering::Greater)),
            (json!(u64::MAX), json!(1e300), Some(Ordering::Less)),
            (json!(i64::MIN), json!(-1e300), Some(Ordering::Greater)),
            (json!("1"), json!(1), None),
            (json!(null), json!(null), None),
        ] {
            assert_eq!(compare(&a, &b), expected, "{a} {b}");
            assert_eq!(compare(&b, &a), expected.map(Ordering::reverse), "{b} {a}");
        }
    }

    #[test]
    fn truth_differs_by_place() {
        for (value, inside, verdict) in [
            (json!(null), false, false),
            (json!(false), false, false),
            (json!(""), false, false),
            (json!(" "), true, true),
            (json!(0), true, false),
            (json!(-0.0), true, false),
            (json!(1), true, true),
            (json!([]), false, true),
            (json!({}), false, true),
            (json!([0]), true, true),
        ] {
            assert_eq!(is_true_inside(&value), inside, "inside {value}");
            assert_eq!(is_true_verdict(&value), verdict, "verdict {value}");
        }
    }

    #[test]
    fn of_repeated_members_the_last_counts() {
        let value: Value = serde_json::from_str(r#"{"a":1,"b":2,"\u0061":3}"#).unwrap();
        assert_eq!(value, json!({"a": 3, "b": 2}));
    }
}

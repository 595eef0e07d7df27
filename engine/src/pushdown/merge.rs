//! Two lists of tests of one field as one list.

use crate::pattern::{Bound, Excluded, Range, Scalar, Test};
use crate::shape::Schema;
use crate::value::Value;

use super::condition::FieldTests;

/// What became of two lists that must both hold.
#[derive(Debug, PartialEq)]
pub(super) enum Merged {
    /// One list says both.
    Both(Vec<Test>),
    /// A list that says both, and lets some more through.
    Wider(Vec<Test>),
    /// No leaf satisfies both.
    Never,
    /// There is no such list.
    Neither,
}

/// One list of tests for what satisfies both lists.
///
/// Only lists that speak of the same leaf can be merged: an array can satisfy `["a"]` with one element and `["b"]` with another,
/// and a user's pattern can see a leaf at the path that the expression does not see.
pub(super) fn merge(a: &FieldTests, b: &FieldTests, schema: Schema) -> Merged {
    let path: Vec<&str> = a.path.iter().map(String::as_str).collect();
    if a.in_array || b.in_array {
        return if a.in_array && a.tests == b.tests { Merged::Both(a.tests.clone()) } else { Merged::Neither };
    }
    if a.own != b.own && !schema.tells_absence(&path) {
        return Merged::Neither;
    }
    let filtered = |from: &FieldTests, by: &FieldTests| -> Option<Vec<Test>> {
        let tokens = from.tests.iter().all(|test| token(test).is_some());
        (from.single && tokens)
            .then(|| from.tests.iter().filter(|test| token(test).is_some_and(|token| token.fits(&by.tests))).cloned().collect())
    };
    let merged = filtered(a, b)
        .or_else(|| filtered(b, a))
        .or_else(|| if a.single && b.single { exclusions(a, b).or_else(|| ranges(a, b)) } else { None });
    match merged {
        Some(tests) if tests.is_empty() => Merged::Never,
        Some(tests) => Merged::Both(tests),
        None if a.single && a.tests == every_string() => strings_of(&b.tests),
        None if b.single && b.tests == every_string() => strings_of(&a.tests),
        None if a.tests == b.tests => Merged::Both(a.tests.clone()),
        None => Merged::Neither,
    }
}

fn every_string() -> [Test; 1] {
    [Test::Prefix(String::new())]
}

/// What is left of tests where the leaf is a string.
fn strings_of(tests: &[Test]) -> Merged {
    let for_others = |test: &Test| {
        matches!(test, Test::Exists(false) | Test::Numeric(_) | Test::Equals(Scalar::Null | Scalar::Bool(_) | Scalar::Number(_)))
    };
    let tests: Vec<Test> = tests.iter().filter(|test| !for_others(test)).cloned().collect();
    let for_all = |test: &Test| matches!(test, Test::AnythingBut(_) | Test::Exists(true));
    match tests.as_slice() {
        [] => Merged::Never,
        some if some.iter().any(for_all) => Merged::Wider(tests),
        _ => Merged::Both(tests),
    }
}

/// A single leaf, or none.
enum Token {
    Missing,
    Leaf(Value),
}

fn token(test: &Test) -> Option<Token> {
    match test {
        Test::Exists(false) => Some(Token::Missing),
        Test::Equals(scalar) => Some(Token::Leaf(match scalar {
            Scalar::Null => Value::Null,
            Scalar::Bool(truth) => Value::Bool(*truth),
            Scalar::Number(number) => Value::Number(number.clone()),
            Scalar::String(text) => Value::String(text.clone()),
        })),
        _ => None,
    }
}

impl Token {
    fn fits(&self, tests: &[Test]) -> bool {
        match self {
            Self::Missing => tests.contains(&Test::Exists(false)),
            Self::Leaf(leaf) => tests.iter().any(|test| *test != Test::Exists(false) && test.fits(leaf)),
        }
    }
}

/// Two lists, each an `anything-but` of one kind beside single values.
fn exclusions(a: &FieldTests, b: &FieldTests) -> Option<Vec<Test>> {
    let (excluded_a, tokens_a) = exclusion(a)?;
    let (excluded_b, tokens_b) = exclusion(b)?;
    let excluded = match (excluded_a, excluded_b) {
        (Excluded::Strings(a), Excluded::Strings(b)) => Excluded::Strings(joined(a, b)),
        (Excluded::Prefixes(a), Excluded::Prefixes(b)) => Excluded::Prefixes(joined(a, b)),
        (Excluded::Suffixes(a), Excluded::Suffixes(b)) => Excluded::Suffixes(joined(a, b)),
        (Excluded::IgnoringCase(a), Excluded::IgnoringCase(b)) => Excluded::IgnoringCase(joined(a, b)),
        (Excluded::Wildcards(a), Excluded::Wildcards(b)) => Excluded::Wildcards(joined(a, b)),
        _ => return None,
    };
    let mut tests = vec![Test::AnythingBut(excluded)];
    for (from, by) in [(tokens_a, b), (tokens_b, a)] {
        for test in from {
            if token(test).is_some_and(|token| token.fits(&by.tests)) && !tests.contains(test) {
                tests.push(test.clone());
            }
        }
    }
    Some(tests)
}

fn exclusion(field: &FieldTests) -> Option<(&Excluded, Vec<&Test>)> {
    let mut excluded = None;
    let mut tokens = Vec::new();
    for test in &field.tests {
        match test {
            Test::AnythingBut(found) if excluded.is_none() => excluded = Some(found),
            test if token(test).is_some() => tokens.push(test),
            _ => return None,
        }
    }
    Some((excluded?, tokens))
}

fn joined(a: &[String], b: &[String]) -> Vec<String> {
    let mut all = a.to_vec();
    all.extend(b.iter().filter(|text| !a.contains(text)).cloned());
    all
}

/// A lower end and an upper one.
fn ranges(a: &FieldTests, b: &FieldTests) -> Option<Vec<Test>> {
    let ([Test::Numeric(a)], [Test::Numeric(b)]) = (a.tests.as_slice(), b.tests.as_slice()) else { return None };
    let (Range::Between { bottom: bottom_a, top: top_a }, Range::Between { bottom: bottom_b, top: top_b }) = (a, b) else { return None };
    let bottom = match (bottom_a, bottom_b) {
        (Some(end), None) | (None, Some(end)) => end,
        _ => return None,
    };
    let top = match (top_a, top_b) {
        (Some(end), None) | (None, Some(end)) => end,
        _ => return None,
    };
    let (low, high) = (bottom.0.as_f64()?, top.0.as_f64()?);
    if low < high {
        return Some(vec![Test::Numeric(Range::Between { bottom: Some(bottom.clone()), top: Some(top.clone()) })]);
    }
    let both = low <= high && bottom.1 == Bound::Included && top.1 == Bound::Included;
    Some(if both { vec![Test::Equals(Scalar::Number(bottom.0.clone()))] } else { Vec::new() })
}

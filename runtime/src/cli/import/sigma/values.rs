//! One value of a Sigma detection as a test of a field.

use serde_json::Value;
use trailwire_engine::expr::{Comparator, Expr, compile_regex};
use trailwire_engine::shape::{Kinds, Schema, kinds};

use super::super::carried::{call, compare, equal, literal, not, or, text_of};
use super::super::custodian::escaped;
use super::fields::{self, Subject};

/// How a field is compared, after its modifiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum How {
    /// The whole value, `*` and `?` standing for anything.
    Is,
    Contains,
    StartsWith,
    EndsWith,
    /// A regular expression with these flags.
    Regex(String),
    Cidr,
    Exists,
    FieldRef,
    Number(Comparator),
}

/// A part of a text with wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// `*`
    Any,
    /// `?`
    One,
}

/// The test of `subject` for one value. `exact` where case counts.
pub(super) fn test(subject: Expr, how: &How, value: &Value, exact: bool) -> Result<Expr, String> {
    let text = || value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match (how, value) {
        (How::Is, Value::Null) => Ok(equal(subject, Value::Null)),
        // A boolean is one in some fields and a text in others; so is a number.
        (How::Is, Value::Bool(_) | Value::Number(_)) => Ok(either(subject, value.clone(), Value::from(text()))),
        (How::Is, Value::String(word)) if word == "true" || word == "false" => {
            Ok(either(subject, Value::from(word.as_str()), Value::from(word == "true")))
        }
        (How::Is | How::Contains | How::StartsWith | How::EndsWith, Value::String(_) | Value::Bool(_) | Value::Number(_)) => {
            let mut parts = parts(&text());
            if matches!(how, How::Contains | How::EndsWith) {
                parts.insert(0, Part::Any);
            }
            if matches!(how, How::Contains | How::StartsWith) {
                parts.push(Part::Any);
            }
            parts.dedup_by(|next, last| *next == Part::Any && *last == Part::Any);
            Ok(wild(subject, &parts, exact))
        }
        (How::Regex(flags), Value::String(regex)) => {
            let regex = if flags.is_empty() { regex.clone() } else { format!("(?{flags}){regex}") };
            compile_regex(&regex).map_err(|reason| format!("`{regex}` is no regular expression of RE2's: {reason}"))?;
            Ok(call("matches", vec![text_of(subject), literal(regex)]))
        }
        (How::Cidr, Value::String(network)) => Ok(call("cidr_contains", vec![literal(network.as_str()), text_of(subject)])),
        (How::Exists, Value::Bool(true)) => Ok(compare(subject, Comparator::NotEqual, literal(Value::Null))),
        (How::Exists, Value::Bool(false)) => Ok(equal(subject, Value::Null)),
        (How::FieldRef, Value::String(field)) => match fields::subject(field) {
            Subject::One(other) => Ok(super::super::carried::and(subject.clone(), compare(subject, Comparator::Equal, other))),
            Subject::Each(_) => Err(format!("`fieldref` to `{field}`, an array")),
        },
        (How::Number(comparator), Value::Number(_)) => {
            Ok(compare(call("to_number", vec![text_of(subject)]), *comparator, literal(value.clone())))
        }
        _ => Err(format!("the value `{}`", text())),
    }
}

/// Whether the subject is one of two values, those left out that a field of the record never has for their type.
fn either(subject: Expr, first: Value, second: Value) -> Expr {
    let kinds = kinds(&subject, Schema::CloudTrail);
    match (kinds.has(Kinds::of(&first)), kinds.has(Kinds::of(&second))) {
        (true, false) => equal(subject, first),
        (false, true) => equal(subject, second),
        _ => or(equal(subject.clone(), first), equal(subject, second)),
    }
}

/// Reads wildcards: `\*`, `\?` and `\\` are the characters; a backslash before anything else is one.
fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut word = String::new();
    let mut rest = text.chars().peekable();
    let mut wild = |word: &mut String, part: Part| {
        if !word.is_empty() {
            parts.push(Part::Text(std::mem::take(word)));
        }
        parts.push(part);
    };
    while let Some(character) = rest.next() {
        match character {
            '\\' => match rest.next_if(|next| matches!(next, '*' | '?' | '\\')) {
                Some(escaped) => word.push(escaped),
                None => word.push('\\'),
            },
            '*' => wild(&mut word, Part::Any),
            '?' => wild(&mut word, Part::One),
            other => word.push(other),
        }
    }
    if !word.is_empty() {
        parts.push(Part::Text(word));
    }
    parts
}

fn wild(subject: Expr, parts: &[Part], exact: bool) -> Expr {
    let is_letterless = |text: &str| !text.chars().any(char::is_alphabetic);
    // Without case both sides are in lower case; where there are no letters that is not needed.
    let sides = |subject: Expr, text: &str| match exact || is_letterless(text) {
        true => (subject, literal(text)),
        false => (call("lower", vec![subject]), literal(text.to_ascii_lowercase())),
    };
    let with = |function: &str, text: &str| {
        let (subject, text) = sides(text_of(subject.clone()), text);
        call(function, vec![subject, text])
    };
    match parts {
        [] => equal(subject, ""),
        [Part::Text(text)] if exact || is_letterless(text) => equal(subject, text.as_str()),
        [Part::Text(text)] => {
            let (subject, text) = sides(text_of(subject), text);
            compare(subject, Comparator::Equal, text)
        }
        [Part::Any] => not(equal(subject, Value::Null)),
        [Part::Any, Part::Text(text)] => with("ends_with", text),
        [Part::Text(text), Part::Any] => with("starts_with", text),
        // In the text of an object a quote of an inner text has a backslash before it.
        [Part::Any, Part::Text(text), Part::Any] if text.contains('"') => {
            or(with("contains", text), with("contains", &text.replace('"', "\\\"")))
        }
        [Part::Any, Part::Text(text), Part::Any] => with("contains", text),
        parts => {
            let inside: String = parts
                .iter()
                .map(|part| match part {
                    Part::Any => ".*".to_owned(),
                    Part::One => ".".to_owned(),
                    Part::Text(text) => {
                        text.chars().map(|character| if character == '"' { "\\\\?\"".to_owned() } else { escaped(character) }).collect()
                    }
                })
                .collect();
            let flags = if exact { "s" } else { "is" };
            call("matches", vec![text_of(subject), literal(format!("(?{flags})^{inside}$"))])
        }
    }
}

//! Custodian's filters on the event (`type: event`), and `and`, `or`, `not` of them. Every other filter is about the resource.
//!
//! Source of the meanings: Cloud Custodian, c7n/filters/core.py.

use serde_json::Value;
use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::expr::{Comparator, Expr, compile_regex};
use trailwire_engine::lang::jmespath;

use super::super::carried::{Carried, and, call, compare, equal, list, literal, not, or, text_of};
use super::kind;

/// A filter as far as an event can answer it; what it cannot is added to the notes.
pub(super) fn carried(filter: &Value, notes: &mut Vec<String>) -> Carried {
    let mut parts = |filters: &Value| match filters {
        Value::Array(filters) => filters.iter().map(|filter| carried(filter, notes)).collect(),
        one => vec![carried(one, notes)],
    };
    match filter.as_object().and_then(|members| members.iter().next()) {
        Some((name, filters)) if name == "and" => Carried::all(parts(filters)),
        Some((name, filters)) if name == "or" => Carried::any(parts(filters)),
        Some((name, filters)) if name == "not" => Carried::all(parts(filters)).not(),
        _ if filter.get("type").and_then(Value::as_str) == Some("event") => match event(filter) {
            Ok(expr) => Carried::whole(expr),
            Err(reason) => {
                notes.push(format!("a filter on the event: {reason}"));
                Carried::nothing()
            }
        },
        _ => {
            notes.push(format!("the filter {}, which is about the resource", kind(filter)));
            Carried::nothing()
        }
    }
}

fn event(filter: &Value) -> Result<Expr, String> {
    let text = |name: &str| filter.get(name).and_then(Value::as_str);
    let key = text("key").ok_or("it has no `key`")?;
    let (subject, faults) = jmespath::parse(key);
    let subject = match subject {
        Some(subject) if !faults.iter().any(Diagnostic::is_error) => subject,
        _ => return Err(format!("its key `{key}` can not be read")),
    };
    if let Some(from) = ["value_from", "value_path", "value_regex"].into_iter().find(|name| filter.get(name).is_some()) {
        return Err(format!("`{from}` takes its value from elsewhere"));
    }
    let value = filter.get("value").ok_or("it has no `value`")?;
    match value.as_str() {
        Some("absent") => return Ok(equal(subject, Value::Null)),
        Some("present") => return Ok(compare(subject, Comparator::NotEqual, literal(Value::Null))),
        Some("not-null") => return Ok(subject),
        Some("empty") => return Ok(not(subject)),
        _ => {}
    }
    let op = text("op").unwrap_or("eq");
    match text("value_type") {
        None => tested(subject, op, value),
        Some("normalize") => tested(call("lower", vec![text_of(subject)]), op, value),
        Some("integer") => tested(call("to_number", vec![text_of(subject)]), op, value),
        Some("size") => tested(call("length", vec![or(subject, literal(Value::Array(Vec::new())))]), op, value),
        Some("swap") => swapped(subject, op, value),
        Some(other) => Err(format!("`value_type: {other}`")),
    }
}

fn tested(subject: Expr, op: &str, value: &Value) -> Result<Expr, String> {
    let comparator = match op {
        "eq" | "equal" => Some(Comparator::Equal),
        "ne" | "not-equal" => Some(Comparator::NotEqual),
        "gt" | "greater-than" => Some(Comparator::Greater),
        "ge" | "gte" => Some(Comparator::GreaterOrEqual),
        "lt" | "less-than" => Some(Comparator::Less),
        "le" | "lte" => Some(Comparator::LessOrEqual),
        _ => None,
    };
    if let Some(comparator) = comparator {
        return Ok(compare(subject, comparator, literal(value.clone())));
    }
    let text = || value.as_str().map(str::to_owned).ok_or_else(|| format!("`op: {op}` of what is no text"));
    match op {
        "in" => within(subject, value),
        "ni" | "not-in" => within(subject, value).map(not),
        "contains" => Ok(holds(subject, value)),
        "intersect" => {
            let values = value.as_array().ok_or("`op: intersect` of what is no list")?;
            let any = Carried::any(values.iter().map(|value| Carried::whole(holds(subject.clone(), value))).collect());
            any.expr.ok_or_else(|| "`op: intersect` of an empty list".to_owned())
        }
        // Python's `match` begins at the beginning and ends anywhere.
        "regex" => matched(subject, &format!("(?i)^(?:{})", text()?)),
        "regex-case" => matched(subject, &format!("^(?:{})", text()?)),
        "glob" => matched(subject, &format!("(?s)^{}$", glob(&text()?))),
        other => Err(format!("`op: {other}`")),
    }
}

/// `value_type: swap`: what is asked is whether the field has the value.
fn swapped(subject: Expr, op: &str, value: &Value) -> Result<Expr, String> {
    match op {
        "in" => Ok(holds(subject, value)),
        "ni" | "not-in" => Ok(not(holds(subject, value))),
        "eq" | "equal" | "ne" | "not-equal" => tested(subject, op, value),
        other => Err(format!("`op: {other}` with `value_type: swap`")),
    }
}

/// Whether the field is one of the values, or a part of the text.
fn within(subject: Expr, value: &Value) -> Result<Expr, String> {
    match value {
        Value::Array(values) => Ok(call("contains", vec![list(values.iter().cloned()), subject])),
        Value::String(text) => Ok(call("contains", vec![literal(text.as_str()), subject])),
        _ => Err("`op: in` of what is neither a list nor a text".to_owned()),
    }
}

/// Whether the field, a list or a text, has the value in it; false where there is no field.
fn holds(subject: Expr, value: &Value) -> Expr {
    and(subject.clone(), call("contains", vec![subject, literal(value.clone())]))
}

fn matched(subject: Expr, regex: &str) -> Result<Expr, String> {
    compile_regex(regex).map_err(|reason| format!("its regular expression is none of RE2's: {reason}"))?;
    Ok(and(subject.clone(), call("matches", vec![call("to_string", vec![subject]), literal(regex)])))
}

/// A shell's pattern as a regular expression: `*`, `?` and `[…]`.
fn glob(pattern: &str) -> String {
    let mut regex = String::new();
    for character in pattern.chars() {
        match character {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' | ']' | '-' => regex.push(character),
            '!' if regex.ends_with('[') => regex.push('^'),
            other => regex.push_str(&escaped(other)),
        }
    }
    regex
}

/// A character that means itself in a regular expression.
pub(in crate::cli::import) fn escaped(character: char) -> String {
    if r"\.+*?()|[]{}^$#&-~".contains(character) { format!("\\{character}") } else { character.to_string() }
}

//! The named parts of a Sigma detection: maps, lists of maps, keywords.

use serde_json::Value;
use trailwire_engine::expr::{Comparator, Expr};

use super::super::carried::{Carried, call, current, first_where, list, literal, member, text_of};
use super::fields::{Subject, is_exact, subject};
use super::values::{How, test};

/// A part of the detection. What cannot be said is added to the notes.
pub(super) fn carried(part: &Value, notes: &mut Vec<String>) -> Carried {
    match part {
        Value::Object(fields) => Carried::all(fields.iter().map(|(field, value)| item(field, value, notes)).collect()),
        Value::Array(elements) => Carried::any(elements.iter().map(|element| carried(element, notes)).collect()),
        // A word without a field is looked for in the whole record.
        Value::String(word) => {
            let text = call("lower", vec![call("to_string", vec![member(None, "detail")])]);
            Carried::whole(call("contains", vec![text, literal(word.to_lowercase())]))
        }
        other => {
            notes.push(format!("`{other}` in the detection"));
            Carried::nothing()
        }
    }
}

/// `field|modifier|…: value`
fn item(item: &str, value: &Value, notes: &mut Vec<String>) -> Carried {
    let mut words = item.split('|');
    let field = words.next().unwrap_or_default();
    let modifiers = match Modifiers::read(words) {
        Ok(modifiers) => modifiers,
        Err(unknown) => {
            notes.push(format!("`{item}`: the modifier `{unknown}` (it fires more often than the rule)"));
            return Carried::nothing();
        }
    };
    let values: Vec<&Value> = match value {
        Value::Array(values) => values.iter().collect(),
        one => vec![one],
    };
    match tests(field, &modifiers, &values) {
        Ok(tests) if modifiers.negated => tests.not(),
        Ok(tests) => tests,
        Err(reason) => {
            notes.push(format!("`{item}`: {reason} (it fires more often than the rule)"));
            Carried::nothing()
        }
    }
}

fn tests(field: &str, modifiers: &Modifiers, values: &[&Value]) -> Result<Carried, String> {
    let exact = modifiers.cased || is_exact(field);
    let (source, of) = match subject(field) {
        Subject::One(expr) => (None, expr),
        Subject::Each(expr) => (Some(expr), current()),
    };
    let in_source = |expr: Expr| match &source {
        Some(source) => first_where(source.clone(), expr),
        None => expr,
    };
    if let (Some(texts), false, true) = (plain(values), modifiers.all, exact && modifiers.how == How::Is && values.len() > 1) {
        return Ok(Carried::whole(in_source(call("contains", vec![list(texts), of]))));
    }
    if let (Some(texts), false, true) = (plain(values), modifiers.all, modifiers.how == How::Is && values.len() > 1) {
        let lower = texts.into_iter().map(|text| Value::from(text.as_str().unwrap_or_default().to_ascii_lowercase()));
        return Ok(Carried::whole(in_source(call("contains", vec![list(lower), call("lower", vec![text_of(of)])]))));
    }
    let tests: Result<Vec<Carried>, String> =
        values.iter().map(|value| test(of.clone(), &modifiers.how, value, exact).map(&in_source).map(Carried::whole)).collect();
    Ok(if modifiers.all { Carried::all(tests?) } else { Carried::any(tests?) })
}

/// The values, if each is a text without wildcards that is no boolean's.
fn plain(values: &[&Value]) -> Option<Vec<Value>> {
    let is_plain =
        |value: &&&Value| value.as_str().is_some_and(|text| !text.contains(['*', '?', '\\']) && !matches!(text, "" | "true" | "false"));
    values.iter().all(|value| is_plain(&value)).then(|| values.iter().map(|value| (*value).clone()).collect())
}

/// What stands behind a field's name.
struct Modifiers {
    how: How,
    all: bool,
    cased: bool,
    negated: bool,
}

impl Modifiers {
    fn read<'a>(words: impl Iterator<Item = &'a str>) -> Result<Self, &'a str> {
        let mut modifiers = Self { how: How::Is, all: false, cased: false, negated: false };
        for word in words {
            let how = match word {
                "contains" => How::Contains,
                "startswith" => How::StartsWith,
                "endswith" => How::EndsWith,
                "re" => How::Regex(String::new()),
                "cidr" => How::Cidr,
                "exists" => How::Exists,
                "fieldref" => How::FieldRef,
                "lt" => How::Number(Comparator::Less),
                "lte" => How::Number(Comparator::LessOrEqual),
                "gt" => How::Number(Comparator::Greater),
                "gte" => How::Number(Comparator::GreaterOrEqual),
                "all" => {
                    modifiers.all = true;
                    continue;
                }
                "cased" => {
                    modifiers.cased = true;
                    continue;
                }
                "neq" => {
                    modifiers.negated = true;
                    continue;
                }
                _ => match (&mut modifiers.how, word) {
                    (How::Regex(flags), "i" | "m" | "s") => {
                        flags.push_str(word);
                        continue;
                    }
                    _ => return Err(word),
                },
            };
            // Two that say how to compare contradict each other.
            if modifiers.how != How::Is {
                return Err(word);
            }
            modifiers.how = how;
        }
        Ok(modifiers)
    }
}

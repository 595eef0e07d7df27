//! Words that were meant as values: `"Root"` and `Root` are fields in JMESPath, and so are `true` and `null`.

use super::reading::Reading;
use crate::diagnostic::{Code, Diagnostic};
use crate::eval::functions::{self, Takes};
use crate::expr::{Expr, Kind};
use crate::shape::{Kinds, record};
use crate::value::Value;

/// Words that are values in other languages, and what JMESPath writes.
const CONSTANTS: [(&str, &str); 9] = [
    ("true", "true"),
    ("false", "false"),
    ("null", "null"),
    ("True", "true"),
    ("False", "false"),
    ("None", "null"),
    ("nil", "null"),
    ("undefined", "null"),
    ("NULL", "null"),
];

/// Texts that were meant as null.
pub(super) const NULLS: [&str; 5] = ["null", "NULL", "None", "nil", "undefined"];

pub(super) fn check(reading: &Reading<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for node in &reading.places.nodes {
        match &node.expr.kind {
            Kind::Comparison(_, left, right) => {
                for (operand, other, side) in [(&**left, &**right, Side::First), (&**right, &**left, Side::Second)] {
                    found.extend(word(reading, operand, side.unless(is_literal(other))));
                    found.extend(null(reading, operand, other));
                }
            }
            Kind::Call(call) => {
                let Some(signature) = functions::find(&call.name) else { continue };
                for (index, argument) in call.arguments.iter().enumerate() {
                    let wants_text = matches!(signature.parameter(index), Some(Takes::String)) || (call.name == "contains" && index == 1);
                    let other = call.arguments.iter().enumerate().any(|(at, other)| at != index && !is_literal(other));
                    let side = if index == 0 { Side::First } else { Side::Second };
                    found.extend(word(reading, argument, side.unless(!wants_text || !other)));
                }
            }
            Kind::And(operands) | Kind::Or(operands) if reading.is_jmespath() => {
                found.extend(operands.iter().filter_map(|operand| word(reading, operand, Side::None)));
            }
            _ => {}
        }
    }
    found
}

/// Where a value was wanted, if it was: what is asked of a field mostly stands second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    None,
    First,
    Second,
}

impl Side {
    fn unless(self, not: bool) -> Self {
        if not { Self::None } else { self }
    }
}

/// A name that stands alone and is none of an event's.
fn word(reading: &Reading<'_>, operand: &Expr, side: Side) -> Option<Diagnostic> {
    let Kind::Field { name, quoted } = &operand.kind else { return None };
    let place = reading.places.value(operand);
    let current = place.and_then(|place| place.path.strip_suffix(name.as_str())).map(|parent| parent.trim_end_matches('.'));
    let members = current.and_then(record::members);
    if members.as_ref().is_some_and(|members| members.contains(&name.as_str())) {
        return None;
    }
    let written = reading.quoted(operand.span);
    if !quoted && let Some((_, constant)) = CONSTANTS.iter().find(|(word, _)| word == name) {
        let message = format!("`{written}` is a field here, which no event has");
        let help = format!("a value that is no text is written in backticks: `{constant}`");
        // A field that no event has is null, so that this one means what it says.
        let is_null = *constant == "null";
        let span = operand.span;
        let told =
            if is_null { reading.warning(Code::BARE_CONSTANT, span, message) } else { reading.error(Code::BARE_CONSTANT, span, message) };
        return Some(told.help(help));
    }
    // Of an object of which nothing is known the first of two names is one of its members.
    if side == Side::None || (side == Side::First && members.is_none()) {
        return None;
    }
    let at_top = current == Some("");
    // A field of the record was forgotten to be looked for in it, or is spelt wrong: that is told elsewhere.
    let is_field = !quoted && (record::field_of_name(name).is_some() || members.is_none());
    if is_field {
        return None;
    }
    let text = format!("'{}'", name.replace('\'', "\\'"));
    let (code, message) = if *quoted {
        (Code::QUOTED_TEXT, format!("`{written}` in double quotes is a field, not a text"))
    } else {
        (Code::BARE_TEXT, format!("`{written}` is a field here, which no event has"))
    };
    let diagnostic = if at_top { reading.error(code, operand.span, message) } else { reading.warning(code, operand.span, message) };
    Some(diagnostic.help(format!("a text is written in single quotes: {text}")))
}

/// A text that was meant as null.
fn null(reading: &Reading<'_>, operand: &Expr, other: &Expr) -> Option<Diagnostic> {
    let Kind::Literal(Value::String(text)) = &operand.kind else { return None };
    let place = reading.places.value(other)?;
    if !NULLS.contains(&text.as_str()) || !place.kinds().has(Kinds::STRING) {
        return None;
    }
    let written = reading.quoted(operand.span);
    let message = format!("`{written}` is a text, not a missing value");
    let help = if reading.is_jmespath() {
        "a field that is missing or null equals `null`, in backticks".to_owned()
    } else {
        let field = reading.shown(&place.path);
        format!("write {field} NOT EXISTS where it is missing, {field} IS NULL where it is there and null")
    };
    Some(reading.warning(Code::QUOTED_NULL, operand.span, message).help(help))
}

fn is_literal(expr: &Expr) -> bool {
    matches!(expr.kind, Kind::Literal(_))
}

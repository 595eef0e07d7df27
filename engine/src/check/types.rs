//! Values of a type that a field never has, texts that it never has, and functions that are given what they cannot take.

use super::reading::{Reading, kinds_in_words};
use crate::diagnostic::{Code, Diagnostic};
use crate::eval::functions::{self, Takes};
use crate::expr::{Call, Comparator, Expr, Kind};
use crate::shape::Kinds;
use crate::shape::record::{self, Texts};
use crate::text::{Span, nearest};
use crate::value::Value;

pub(super) fn check(reading: &Reading<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for node in &reading.places.nodes {
        match &node.expr.kind {
            Kind::Comparison(comparator, left, right) => {
                if reading.is_jmespath() {
                    found.extend(comparison(reading, *comparator, left, right, node.expr.span));
                }
                for (field, value) in [(left, right), (right, left)] {
                    if let (Some(place), Kind::Literal(Value::String(text))) = (reading.places.value(field), &value.kind) {
                        found.extend(unknown_text(reading, &place.path, text, value.span).filter(|_| !place.projected));
                    }
                }
            }
            Kind::Call(call) if reading.is_jmespath() => {
                found.extend(arguments(reading, call));
                found.extend(swapped(reading, call, node.expr.span).or_else(|| contains(reading, call, node.expr.span)));
                found.extend(listed(reading, call));
            }
            _ => {}
        }
    }
    found
}

fn comparison(reading: &Reading<'_>, comparator: Comparator, left: &Expr, right: &Expr, span: Span) -> Option<Diagnostic> {
    let (left_kinds, right_kinds) = (reading.places.kinds(left), reading.places.kinds(right));
    let is_equality = matches!(comparator, Comparator::Equal | Comparator::NotEqual);
    let (field, literal) = match (&left.kind, &right.kind) {
        (Kind::Literal(_), _) => (right, left),
        _ => (left, right),
    };
    if is_equality {
        // Two fields that are both missing are equal.
        let Kind::Literal(value) = &literal.kind else { return None };
        if matches!(field.kind, Kind::Literal(_)) || left_kinds.has(right_kinds) {
            return None;
        }
        let field_kinds = reading.places.kinds(field);
        // A step that leads nowhere is told as such.
        if field_kinds == Kinds::NULL {
            return None;
        }
        let verdict = if comparator == Comparator::Equal { "are never equal" } else { "always differ" };
        let message = format!(
            "`{}` is {}, and `{}` is {}: they {verdict}",
            reading.quoted(field.span),
            kinds_in_words(field_kinds),
            unticked(&reading.quoted(literal.span)),
            kinds_in_words(Kinds::of(value)),
        );
        let diagnostic = reading.error(Code::NEVER_OF_TYPE, span, message);
        let field = reading.written(field.span);
        return Some(match as_kind(value, field_kinds) {
            Some(written) => diagnostic.help(format!("write {field} {comparator} {written}")),
            None if field_kinds.has(Kinds::ARRAY) => {
                diagnostic.help(format!("ask for an element: contains({field}, …), or {field}[? … ] | [0]"))
            }
            None if field_kinds.has(Kinds::OBJECT) => diagnostic.help("compare one of its members"),
            None => diagnostic.help("compare it with a value of its type"),
        });
    }
    let comparable = Kinds::NUMBER.with(Kinds::STRING);
    if left_kinds.and(right_kinds).has(comparable) || left_kinds == Kinds::NULL || right_kinds == Kinds::NULL && !is_null(right) {
        return None;
    }
    let message = format!(
        "`{comparator}` between {} and {} is never true",
        kinds_in_words(left_kinds.without(Kinds::NULL)),
        kinds_in_words(right_kinds.without(Kinds::NULL))
    );
    let diagnostic = reading.error(Code::NEVER_ORDERED, span, message);
    let written = match &literal.kind {
        Kind::Literal(value) => as_kind(value, reading.places.kinds(field).and(comparable)),
        _ => None,
    };
    Some(match written {
        Some(written) if std::ptr::eq(field, left) => {
            diagnostic.help(format!("write {} {comparator} {written}", reading.written(field.span)))
        }
        _ => diagnostic.help("it orders two numbers, or two texts"),
    })
}

/// A backtick literal without its backticks, which stand around it in a message anyway.
fn unticked(text: &str) -> &str {
    text.strip_prefix('`').and_then(|text| text.strip_suffix('`')).unwrap_or(text)
}

/// The value of another type that is meant by a value, as JMESPath writes it.
fn as_kind(value: &Value, kinds: Kinds) -> Option<String> {
    match value {
        Value::Bool(_) | Value::Number(_) if kinds.has(Kinds::STRING) => Some(format!("'{value}'")),
        Value::String(text) if text == "null" && kinds.has(Kinds::NULL) => Some("`null`".to_owned()),
        Value::String(text) => {
            let meant: Value = serde_json::from_str(&text.to_ascii_lowercase()).ok()?;
            (meant.is_boolean() || meant.is_number()).then_some(()).filter(|()| kinds.has(Kinds::of(&meant))).map(|()| format!("`{meant}`"))
        }
        _ => None,
    }
}

/// An argument that is never of a type that the function takes.
fn arguments(reading: &Reading<'_>, call: &Call) -> Vec<Diagnostic> {
    let Some(signature) = functions::find(&call.name) else { return Vec::new() };
    let arguments = call.arguments.iter().enumerate();
    arguments
        .filter(|(_, argument)| !matches!(argument.kind, Kind::Literal(_) | Kind::Reference(_)))
        .filter_map(|(index, argument)| {
            let takes = signature.parameter(index)?;
            let kinds = reading.places.kinds(argument);
            if kinds.has(accepted(takes)) {
                return None;
            }
            let message = format!(
                "`{}` wants {} here, and `{}` is {}",
                call.name,
                takes.words(),
                reading.quoted(argument.span),
                kinds_in_words(kinds)
            );
            let diagnostic = reading.error(Code::FIELD_ARGUMENT, argument.span, message);
            Some(match takes {
                Takes::String if kinds.has(Kinds::BOOLEAN) => {
                    diagnostic.help(format!("compare it: {} == `true`", reading.written(argument.span)))
                }
                Takes::String if kinds.has(Kinds::ARRAY) => diagnostic.help("take one element, or look with `contains`"),
                _ => diagnostic.help("it is an error for every event"),
            })
        })
        .collect()
}

fn accepted(takes: Takes) -> Kinds {
    match takes {
        Takes::Any => Kinds::ANY,
        Takes::String => Kinds::STRING,
        Takes::Number => Kinds::NUMBER,
        Takes::Object => Kinds::OBJECT,
        Takes::Array | Takes::Numbers | Takes::Strings | Takes::NumbersOrStrings => Kinds::ARRAY,
        Takes::StringOrArray => Kinds::STRING.with(Kinds::ARRAY),
        Takes::StringArrayOrObject => Kinds::STRING.with(Kinds::ARRAY).with(Kinds::OBJECT),
        Takes::Reference => Kinds::NOTHING,
    }
}

/// `contains('S3Console', detail.userAgent)`: what is searched stands first.
fn swapped(reading: &Reading<'_>, call: &Call, span: Span) -> Option<Diagnostic> {
    let [first, second] = call.arguments.as_slice() else { return None };
    let is_text = matches!(first.kind, Kind::Literal(Value::String(_)));
    if !matches!(call.name.as_str(), "contains" | "starts_with" | "ends_with") || !is_text || reading.places.value(second).is_none() {
        return None;
    }
    let message = format!("`{}` looks for its second argument in its first, which is the text `{}`", call.name, reading.quoted(first.span));
    let (first, second) = (reading.written(first.span), reading.written(second.span));
    let help = format!("did you mean `{}({second}, {first})`?", call.name);
    Some(reading.warning(Code::SWAPPED_ARGUMENTS, span, message).help(help))
}

/// `contains` of a text and something that never stands in one.
fn contains(reading: &Reading<'_>, call: &Call, span: Span) -> Option<Diagnostic> {
    let [first, second] = call.arguments.as_slice() else { return None };
    let (within, wanted) = (reading.places.kinds(first).without(Kinds::NULL), reading.places.kinds(second));
    if call.name != "contains" || within != Kinds::STRING || wanted.has(Kinds::STRING) {
        return None;
    }
    let message = format!("`{}` is a string, in which {} never stands", reading.quoted(first.span), kinds_in_words(wanted));
    let diagnostic = reading.error(Code::NEVER_CONTAINS, span, message);
    Some(match &second.kind {
        Kind::Literal(value @ (Value::Bool(_) | Value::Number(_))) => {
            diagnostic.help(format!("write contains({}, '{value}')", reading.written(first.span)))
        }
        _ if wanted.has(Kinds::ARRAY) => {
            diagnostic.help(format!("one of several: contains({}, {})", reading.written(second.span), reading.written(first.span)))
        }
        _ => diagnostic,
    })
}

/// The texts of ``contains(`["a", "b"]`, field)`` and `contains(['a', 'b'], field)`.
fn listed(reading: &Reading<'_>, call: &Call) -> Vec<Diagnostic> {
    let [list, field] = call.arguments.as_slice() else { return Vec::new() };
    let Some(place) = reading.places.value(field).filter(|place| call.name == "contains" && !place.projected) else { return Vec::new() };
    let texts: Vec<(&str, Span)> = match &list.kind {
        Kind::Literal(Value::Array(values)) => values.iter().filter_map(|value| Some((value.as_str()?, list.span))).collect(),
        Kind::MultiSelectList(elements) => elements
            .iter()
            .filter_map(|element| match &element.kind {
                Kind::Literal(Value::String(text)) => Some((text.as_str(), element.span)),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    texts.into_iter().filter_map(|(text, span)| unknown_text(reading, &place.path, text, span)).collect()
}

/// A text that the field never has.
pub(super) fn unknown_text(reading: &Reading<'_>, path: &str, text: &str, span: Span) -> Option<Diagnostic> {
    let texts = record::texts(path).filter(|texts| !texts.hold(text))?;
    let text_shown = if text.is_empty() { "empty".to_owned() } else { format!("`{text}`") };
    let message = format!("`{}` is never {text_shown}", reading.shown(path));
    // Of events of CloudTrail EventBridge's source is certain; what CloudTrail writes may grow.
    let is_certain = path == "source";
    let diagnostic =
        if is_certain { reading.error(Code::UNKNOWN_TEXT, span, message) } else { reading.warning(Code::UNKNOWN_TEXT, span, message) };
    Some(match texts {
        Texts::OneOf(known) => match nearest(text, known.iter().copied()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help(format!("it is one of {}", known.join(", "))),
        },
        Texts::Form(_, words, _) => diagnostic.help(format!("it is {words}")),
    })
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr.kind, Kind::Literal(Value::Null))
}

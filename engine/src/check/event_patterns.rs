//! Fields of an event pattern that no event has, and tests that no value of their field passes.

use super::fields;
use super::place::Place;
use super::reading::{Reading, kinds_in_words};
use super::texts::NULLS;
use super::types::unknown_text;
use crate::diagnostic::{Code, Diagnostic};
use crate::pattern::{Asks, FieldTest, TestedField, tested};
use crate::shape::Kinds;
use crate::value::Value;

pub(super) fn check(reading: &Reading<'_>) -> Vec<Diagnostic> {
    tested(reading.text).iter().flat_map(|field| check_field(reading, field)).collect()
}

fn check_field(reading: &Reading<'_>, field: &TestedField) -> Vec<Diagnostic> {
    let mut place = Place::envelope();
    // Names on the way are joined by dots, so one with dots in it is several.
    let steps = field.names.iter().flat_map(|(name, span)| name.split('.').map(move |name| (name, *span)));
    for (name, span) in steps {
        // Arrays are walked through.
        let within = if is_array(&place) { place.element() } else { Some(place) };
        let Some(within) = within else { return Vec::new() };
        if let Some(diagnostic) = fields::member(reading, &within, name, span) {
            return vec![diagnostic];
        }
        let Some(member) = within.member(name) else { return Vec::new() };
        place = member;
    }
    let leaf = if is_array(&place) { place.element() } else { Some(place) };
    let Some(leaf) = leaf else { return Vec::new() };
    let mut found: Vec<Diagnostic> = field.tests.iter().filter_map(|test| check_test(reading, &leaf, test)).collect();
    for (index, test) in field.tests.iter().enumerate() {
        if field.tests.iter().take(index).any(|before| before.span.of(reading.text) == test.span.of(reading.text)) {
            let message = format!("`{}` stands twice", reading.quoted(test.span));
            found.push(reading.warning(Code::REPEATED, test.span, message).help("leave one of them out"));
        }
    }
    found
}

fn is_array(place: &Place) -> bool {
    place.kinds().within(Kinds::ARRAY.with(Kinds::NULL)) && place.kinds().has(Kinds::ARRAY)
}

fn check_test(reading: &Reading<'_>, place: &Place, test: &FieldTest) -> Option<Diagnostic> {
    let kinds = place.kinds();
    let leaves = Kinds::ANY.without(Kinds::ARRAY).without(Kinds::OBJECT);
    let wanted = match &test.asks {
        Asks::Value(value) => Kinds::of(value),
        Asks::String => Kinds::STRING,
        Asks::Number => Kinds::NUMBER,
        Asks::Other | Asks::Exists(true) => leaves.without(Kinds::NULL),
        Asks::Exists(false) => return None,
    };
    if kinds.has(wanted) {
        let Asks::Value(Value::String(text)) = &test.asks else { return None };
        if NULLS.contains(&text.as_str()) {
            let message = format!("`{}` is a text, not a missing value", reading.quoted(test.span));
            let help = "write {\"exists\": false} where it is missing, null without quotes where it is there and null";
            return Some(reading.warning(Code::QUOTED_NULL, test.span, message).help(help));
        }
        return unknown_text(reading, &place.path, text, test.span);
    }
    let field = reading.shown(&place.path);
    if matches!(test.asks, Asks::Other | Asks::Exists(true)) {
        let message = format!("`{}` holds only where `{field}` is null: an object is no leaf", reading.quoted(test.span));
        return Some(reading.warning(Code::NEVER_OF_TYPE, test.span, message).help("test one of its members"));
    }
    let message = format!("`{}` holds for no event: `{field}` is {}", reading.quoted(test.span), kinds_in_words(kinds));
    let help = match &test.asks {
        _ if kinds.has(Kinds::OBJECT) => "test one of its members".to_owned(),
        _ if kinds.has(Kinds::BOOLEAN) => "write true or false, without quotes".to_owned(),
        Asks::Value(value) => format!("write \"{value}\""),
        _ => "texts have no ranges: use `prefix`, or list the values".to_owned(),
    };
    Some(reading.error(Code::NEVER_OF_TYPE, test.span, message).help(help))
}

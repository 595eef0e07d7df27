//! Tests of a filter pattern that no event passes, because the field is never of a type that the test looks at.
//!
//! A filter pattern is lowered to an expression with guards; what was one test there is one node here, and all that was made for it
//! has its place.

use super::place::Place;
use super::reading::{Reading, kinds_in_words};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, Kind};
use crate::shape::Kinds;
use crate::value::Value;

pub(super) fn check(reading: &Reading<'_>) -> Vec<Diagnostic> {
    let mut tests = Vec::new();
    collect(reading.expr, &mut tests);
    tests.into_iter().filter_map(|test| never(reading, test)).collect()
}

/// The tests as they were written, in order.
fn collect<'e>(expr: &'e Expr, tests: &mut Vec<&'e Expr>) {
    match &expr.kind {
        Kind::And(operands) | Kind::Or(operands) if operands.iter().all(|operand| operand.span != expr.span) => {
            operands.iter().for_each(|operand| collect(operand, tests));
        }
        _ => tests.push(expr),
    }
}

fn never(reading: &Reading<'_>, test: &Expr) -> Option<Diagnostic> {
    let place = tested(reading, test)?;
    let kinds = place.kinds();
    let looked_at = looked_at(reading, test, place);
    // A step that leads nowhere is told as such.
    if looked_at == Kinds::NOTHING || kinds == Kinds::NULL || kinds.has(looked_at) {
        return None;
    }
    let field = reading.shown(&place.path);
    let message = format!("`{}` holds for no event: `{field}` is {}", reading.quoted(test.span), kinds_in_words(kinds));
    Some(reading.error(Code::NEVER_OF_TYPE, test.span, message).help(help(&field, kinds)))
}

fn help(field: &str, kinds: Kinds) -> String {
    if kinds.has(Kinds::BOOLEAN) {
        format!("write {field} IS TRUE or {field} IS FALSE")
    } else if kinds.has(Kinds::OBJECT) {
        format!("test one of its members, or whether it is there: {field} IS NULL")
    } else if kinds.has(Kinds::ARRAY) {
        format!("test its elements: {field}[*]")
    } else {
        format!("compare it with a text: {field} = \"…\"")
    }
}

/// The field of a test: of the places that are walked through the longest.
fn tested<'r>(reading: &'r Reading<'_>, test: &Expr) -> Option<&'r Place> {
    let mut longest: Option<&Place> = None;
    test.walk(&mut |node| {
        if let Some(place) = reading.places.value(node)
            && longest.is_none_or(|longest| longest.path.len() < place.path.len())
        {
            longest = Some(place);
        }
    });
    longest.filter(|place| !place.projected)
}

/// The types for which the test can hold.
fn looked_at(reading: &Reading<'_>, test: &Expr, place: &Place) -> Kinds {
    let mut kinds = Kinds::NOTHING;
    test.walk(&mut |node| {
        let Kind::Comparison(_, left, right) = &node.kind else { return };
        let Kind::Literal(value) = &right.kind else { return };
        let is_field = |expr: &Expr| reading.places.value(expr) == Some(place);
        match &left.kind {
            Kind::Call(call) if call.name == "type" && call.arguments.first().is_some_and(is_field) => {
                kinds = kinds.with(named(value));
            }
            _ if is_field(left) && value.is_null() => kinds = Kinds::ANY,
            _ if is_field(left) => kinds = kinds.with(Kinds::of(value)),
            _ => {}
        }
    });
    kinds
}

fn named(name: &Value) -> Kinds {
    match name.as_str() {
        Some("string") => Kinds::STRING,
        Some("number") => Kinds::NUMBER,
        _ => Kinds::NOTHING,
    }
}

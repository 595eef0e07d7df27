//! Atoms: questions about the value of one field.

use super::path;
use crate::expr::{Comparator, Expr, Kind, Network, Prepared};
use crate::value::Value;

/// A question about what one field, or a default for it, is.
#[derive(Debug, Clone, PartialEq)]
pub struct Atom<'e> {
    /// Whose value is asked for.
    pub operand: Operand<'e>,
    /// What is asked.
    pub question: Question<'e>,
}

/// A field and what is done to its value before the question.
#[derive(Debug, Clone, PartialEq)]
pub struct Operand<'e> {
    /// The member names from `@` down; at least one.
    pub path: Vec<&'e str>,
    /// From the field outward.
    pub steps: Vec<Step<'e>>,
}

/// Something done to a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step<'e> {
    /// `… || literal`
    OrElse(&'e Value),
    /// `not_null(…, literal)`
    NotNull(&'e Value),
    /// `lower(…)`
    Lower,
    /// `upper(…)`
    Upper,
    /// `type(…)`
    Type,
}

/// What is asked of the value.
#[derive(Debug, Clone, PartialEq)]
pub enum Question<'e> {
    /// Itself: is it true?
    Truth,
    /// `… == literal`, or the literal first with the comparison turned round.
    Compared(Comparator, &'e Value),
    /// `starts_with(…, 'text')`
    StartsWith(&'e str),
    /// `ends_with(…, 'text')`
    EndsWith(&'e str),
    /// `contains(…, literal)`
    Contains(&'e Value),
    /// ``contains(`[…]`, …)``
    OneOf(&'e [Value]),
    /// `cidr_contains('…', …)`
    InNetwork(Network, &'e str),
    /// `matches(…, '…')`
    Matches,
}

/// The atom that an expression is.
#[must_use]
pub fn atom(expr: &Expr) -> Option<Atom<'_>> {
    question(expr).or_else(|| operand(expr).map(|operand| Atom { operand, question: Question::Truth }))
}

fn question(expr: &Expr) -> Option<Atom<'_>> {
    match &expr.kind {
        Kind::Comparison(comparator, left, right) => match (literal(left), literal(right)) {
            (None, Some(value)) => Some(Atom { operand: operand(left)?, question: Question::Compared(*comparator, value) }),
            (Some(value), None) => Some(Atom { operand: operand(right)?, question: Question::Compared(turned(*comparator), value) }),
            _ => None,
        },
        Kind::Call(call) => {
            let [first, second] = call.arguments.as_slice() else { return None };
            let text = || literal(second).and_then(Value::as_str);
            let (subject, question) = match call.name.as_str() {
                "starts_with" => (first, Question::StartsWith(text()?)),
                "ends_with" => (first, Question::EndsWith(text()?)),
                "contains" => match (literal(first), literal(second)) {
                    (Some(Value::Array(values)), None) => (second, Question::OneOf(values)),
                    (None, Some(value)) => (first, Question::Contains(value)),
                    _ => return None,
                },
                "cidr_contains" => match &call.prepared {
                    Some(Prepared::Network(network)) => (second, Question::InNetwork(*network, literal(first)?.as_str()?)),
                    _ => return None,
                },
                "matches" => (first, Question::Matches),
                _ => return None,
            };
            Some(Atom { operand: operand(subject)?, question })
        }
        _ => None,
    }
}

fn operand(expr: &Expr) -> Option<Operand<'_>> {
    if let Some(path) = path(expr) {
        return Some(Operand { path, steps: Vec::new() });
    }
    let (inner, step) = match &expr.kind {
        Kind::Or(operands) => match operands.as_slice() {
            [inner, default] => (inner, Step::OrElse(literal(default)?)),
            _ => return None,
        },
        Kind::Call(call) => match (call.name.as_str(), call.arguments.as_slice()) {
            ("not_null", [inner, default]) => (inner, Step::NotNull(literal(default)?)),
            ("lower", [inner]) => (inner, Step::Lower),
            ("upper", [inner]) => (inner, Step::Upper),
            ("type", [inner]) => (inner, Step::Type),
            _ => return None,
        },
        _ => return None,
    };
    let mut operand = operand(inner)?;
    operand.steps.push(step);
    Some(operand)
}

fn literal(expr: &Expr) -> Option<&Value> {
    match &expr.kind {
        Kind::Literal(value) => Some(value),
        _ => None,
    }
}

fn turned(comparator: Comparator) -> Comparator {
    match comparator {
        Comparator::Less => Comparator::Greater,
        Comparator::LessOrEqual => Comparator::GreaterOrEqual,
        Comparator::Greater => Comparator::Less,
        Comparator::GreaterOrEqual => Comparator::LessOrEqual,
        same => same,
    }
}

//! Atoms: questions about the value of one field.

use super::path;
use crate::expr::{Comparator, Expr, Kind, Network, Over, Prepared};
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
    /// Whether it is walked through objects alone.
    pub walk: Walk,
    /// From the field outward.
    pub steps: Vec<Step<'e>>,
}

/// How a value is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// Through objects alone: the value is that of the field.
    Objects,
    /// Through an element of an array, too (`a[0].b`): the value is one of those at the path.
    Element,
    /// By a projection (`a[].b`): the value is an array of some of those at the path, or null.
    Projection,
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
        return Some(Operand { path, walk: Walk::Objects, steps: Vec::new() });
    }
    if let Some((path, walk)) = walked(expr).filter(|(path, _)| !path.is_empty()) {
        return Some(Operand { path, walk, steps: Vec::new() });
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

/// The member names on the way, whichever elements of arrays are taken.
fn walked(expr: &Expr) -> Option<(Vec<&str>, Walk)> {
    match &expr.kind {
        Kind::Current => Some((Vec::new(), Walk::Objects)),
        Kind::Field { name, .. } => Some((vec![name], Walk::Objects)),
        Kind::Index(_) => Some((Vec::new(), Walk::Element)),
        Kind::Slice(_) => Some((Vec::new(), Walk::Projection)),
        Kind::Flatten(inner) => Some((walked(inner)?.0, Walk::Projection)),
        Kind::Sub(left, right) => {
            let (mut path, left) = walked(left)?;
            let (rest, right) = walked(right)?;
            path.extend(rest);
            let walk = match (left, right) {
                // The index is one into the projected array.
                (Walk::Projection, Walk::Element) => Walk::Element,
                (Walk::Projection, Walk::Objects) => return None,
                (Walk::Objects, right) => right,
                (Walk::Element, Walk::Objects) => Walk::Element,
                (_, right) => right,
            };
            Some((path, walk))
        }
        Kind::Projection { over: Over::Elements | Over::Filter(_), source, each } => {
            let (mut path, _) = walked(source)?;
            path.extend(walked(each)?.0);
            Some((path, Walk::Projection))
        }
        _ => None,
    }
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

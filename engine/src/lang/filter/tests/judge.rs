//! A second judge: walks the record and asks, with no thought for speed or for JMESPath.

use std::cmp::Ordering;

use crate::lang::filter::tree::{Check, Node, NodeKind, Operand, OperandKind, Order, Step};
use crate::value::{Value, compare, equal};

pub(super) fn holds(node: &Node, envelope: &Value) -> bool {
    match &node.kind {
        NodeKind::And(operands) => operands.iter().all(|operand| holds(operand, envelope)),
        NodeKind::Or(operands) => operands.iter().any(|operand| holds(operand, envelope)),
        NodeKind::Test(selector, Check::NotExists) => !test(envelope.get("detail"), &selector.steps, &Check::Exists),
        NodeKind::Test(selector, check) => test(envelope.get("detail"), &selector.steps, check),
    }
}

fn test(value: Option<&Value>, steps: &[Step], check: &Check) -> bool {
    let Some(value) = value else { return false };
    let Some((step, rest)) = steps.split_first() else { return single(value, check) };
    match (step, value) {
        (Step::Member(name), Value::Object(members)) => test(members.get(name), rest, check),
        (Step::Index(index), Value::Array(elements)) => test(elements.get(*index as usize), rest, check),
        (Step::AnyElement, Value::Array(elements)) => elements.iter().any(|element| test(Some(element), rest, check)),
        (Step::AnyMember, Value::Object(members)) => members.values().any(|member| test(Some(member), rest, check)),
        _ => false,
    }
}

fn single(value: &Value, check: &Check) -> bool {
    match check {
        Check::Exists => true,
        Check::NotExists => false,
        Check::IsNull => value.is_null(),
        Check::IsTrue => *value == Value::Bool(true),
        Check::IsFalse => *value == Value::Bool(false),
        Check::Equal(operand) => is_comparable(value) && equals(value, operand),
        Check::NotEqual(operand) => is_comparable(value) && !equals(value, operand),
        Check::Ordered(order, number, _) => compare(value, &Value::Number(number.clone())).is_some_and(|found| match order {
            Order::Less => found == Ordering::Less,
            Order::LessOrEqual => found != Ordering::Greater,
            Order::Greater => found == Ordering::Greater,
            Order::GreaterOrEqual => found != Ordering::Less,
        }),
    }
}

fn is_comparable(value: &Value) -> bool {
    value.is_string() || value.is_number()
}

fn equals(value: &Value, operand: &Operand) -> bool {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match &operand.kind {
        OperandKind::Number(number, _) if value.is_number() => equal(value, &Value::Number(number.clone())),
        OperandKind::Number(_, written) => text == *written,
        OperandKind::Text(pieces) => fits(&text, pieces),
        OperandKind::Regex(regex) => regex.is_match(&text),
    }
}

/// Whether a text is the pieces with anything between them: tries every place.
fn fits(text: &str, pieces: &[String]) -> bool {
    match pieces {
        [] => false,
        [last] => text == last,
        [first, rest @ ..] => text.strip_prefix(first.as_str()).is_some_and(|text| {
            let mut places = text.char_indices().map(|(place, _)| place).chain([text.len()]);
            places.any(|place| text.get(place..).is_some_and(|text| fits(text, rest)))
        }),
    }
}

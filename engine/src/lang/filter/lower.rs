//! From the tree of a filter pattern to the one tree.
//!
//! Every test becomes an expression that is `true`, `false` or null and never errs: functions stand behind a test of the type
//! that they take. Cheap tests stand first, and a comparison with a text stays a plain `==`, which is what can be pushed down.

use super::tree::{Check, Node, NodeKind, Operand, OperandKind, Order, Selector, Step};
use crate::expr::{Comparator, Expr, Kind, is_identifier};
use crate::lang::build::{self, Build};
use crate::text::Span;
use crate::value::{Number, Value};

/// The expression that means the same on the envelope.
pub(super) fn lower(node: &Node) -> Expr {
    match &node.kind {
        NodeKind::And(operands) => Expr::new(Kind::And(operands.iter().map(lower).collect()), node.span),
        NodeKind::Or(operands) => Expr::new(Kind::Or(operands.iter().map(lower).collect()), node.span),
        NodeKind::Test(selector, check) => {
            let place = Place { steps: &selector.steps, is_record: true };
            Test { build: Build::new(node.span), selector, check }.lower(place)
        }
    }
}

/// A way down from the record, or from the element that a wildcard looks at.
#[derive(Clone, Copy)]
struct Place<'a> {
    steps: &'a [Step],
    is_record: bool,
}

impl Place<'_> {
    fn expr(self, span: Span) -> Expr {
        path(self.steps, self.is_record, span)
    }
}

struct Test<'a> {
    build: Build,
    selector: &'a Selector,
    check: &'a Check,
}

impl Test<'_> {
    /// Whether the check holds at a place, or at any of the places where there are wildcards.
    fn lower(&self, place: Place<'_>) -> Expr {
        let wildcard = place.steps.iter().position(|step| matches!(step, Step::AnyElement | Step::AnyMember));
        let Some(wildcard) = wildcard else { return self.lower_single(place) };
        if *self.check == Check::NotExists {
            let exists = Test { check: &Check::Exists, build: self.build, selector: self.selector };
            return self.build.not(exists.lower(place));
        }
        let (before, rest) = place.steps.split_at(wildcard);
        let walked = Place { steps: before, ..place }.expr(self.selector.span);
        let rest = Place { steps: rest.get(1..).unwrap_or_default(), is_record: false };
        let holds = self.lower(rest);
        let build = self.build;
        match place.steps.get(wildcard) {
            Some(Step::AnyMember) => {
                let values = build.call("values", vec![walked.clone()]);
                build.and(vec![build.is_type(&walked, "object"), build.any(holds, values)])
            }
            _ => build.and(vec![build.is_type(&walked, "array"), build.any(holds, walked)]),
        }
    }

    fn lower_single(&self, place: Place<'_>) -> Expr {
        let build = self.build;
        let value = place.expr(self.selector.span);
        match self.check {
            Check::Equal(operand) => self.equal(&value, operand),
            Check::NotEqual(operand) => self.not_equal(&value, operand),
            Check::Ordered(order, number, span) => {
                let comparator = match order {
                    Order::Less => Comparator::Less,
                    Order::LessOrEqual => Comparator::LessOrEqual,
                    Order::Greater => Comparator::Greater,
                    Order::GreaterOrEqual => Comparator::GreaterOrEqual,
                };
                build.compare(comparator, &value, build::literal(number.clone(), *span))
            }
            Check::IsTrue => build.equals(&value, true),
            Check::IsFalse => build.equals(&value, false),
            Check::IsNull => build.and([vec![build.equals(&value, Value::Null)], self.present(place)].concat()),
            Check::NotExists => build.and(vec![build.equals(&value, Value::Null), build.not(build.and(self.present(place)))]),
            Check::Exists if place.steps.is_empty() => build.literal(true),
            Check::Exists => build.or(vec![build.differs(&value, Value::Null), build.and(self.present(place))]),
        }
    }

    /// What holds where there is a value, be it null; nothing need hold for an element that a wildcard looks at.
    fn present(&self, place: Place<'_>) -> Vec<Expr> {
        let build = self.build;
        let Some((last, parents)) = place.steps.split_last() else { return Vec::new() };
        let parent = Place { steps: parents, ..place }.expr(self.selector.span);
        match last {
            Step::Member(name) => {
                let keys = build.call("keys", vec![parent.clone()]);
                vec![build.is_type(&parent, "object"), build.call("contains", vec![keys, build.literal(name.as_str())])]
            }
            Step::Index(index) => {
                let length = build.call("length", vec![parent.clone()]);
                vec![build.is_type(&parent, "array"), build.compare(Comparator::Greater, &length, build.literal(*index))]
            }
            // Wildcards were taken apart before.
            Step::AnyElement | Step::AnyMember => vec![build.literal(false)],
        }
    }

    // --- equality

    fn equal(&self, value: &Expr, operand: &Operand) -> Expr {
        let build = self.build;
        let text = |text: &str| build.compare(Comparator::Equal, value, build::literal(text, operand.span));
        let number = |number: &Number| build.compare(Comparator::Equal, value, build::literal(number.clone(), operand.span));
        match &operand.kind {
            OperandKind::Number(value, written) => build.or(vec![number(value), text(written)]),
            OperandKind::Text(pieces) => match pieces.as_slice() {
                [exact] => match as_number(exact) {
                    None => text(exact),
                    Some(same) => {
                        let written = build.compare(Comparator::Equal, &build.to_string(value), build.literal(exact.as_str()));
                        build.or(vec![text(exact), build.and(vec![number(&same), written])])
                    }
                },
                pieces if is_anything(pieces) => self.is_comparable(value),
                pieces => {
                    let as_text = build.and(vec![build.is_type(value, "string"), build.glob(value, pieces)]);
                    if !can_be_number(pieces) {
                        return as_text;
                    }
                    let as_number = build.and(vec![build.is_type(value, "number"), build.glob(&build.to_string(value), pieces)]);
                    build.or(vec![as_text, as_number])
                }
            },
            OperandKind::Regex(regex) => build.and(vec![self.is_comparable(value), build.matches(&build.to_string(value), regex)]),
        }
    }

    /// Not the negation of [`Self::equal`]: it asks for a string or a number, too.
    fn not_equal(&self, value: &Expr, operand: &Operand) -> Expr {
        let build = self.build;
        let differs = |literal: Expr| build.compare(Comparator::NotEqual, value, literal);
        match &operand.kind {
            OperandKind::Number(number, written) => build.and(vec![
                self.is_comparable(value),
                differs(build::literal(number.clone(), operand.span)),
                differs(build::literal(written.as_str(), operand.span)),
            ]),
            OperandKind::Text(pieces) => match pieces.as_slice() {
                [exact] if as_number(exact).is_none() => {
                    build.and(vec![self.is_comparable(value), differs(build::literal(exact.as_str(), operand.span))])
                }
                [exact] => {
                    let differs = build.compare(Comparator::NotEqual, &build.to_string(value), build.literal(exact.as_str()));
                    build.and(vec![self.is_comparable(value), differs])
                }
                pieces if is_anything(pieces) => build.literal(false),
                pieces => {
                    let number = build.is_type(value, "number");
                    let as_text = build.and(vec![build.is_type(value, "string"), build.not(build.glob(value, pieces))]);
                    if !can_be_number(pieces) {
                        return build.or(vec![as_text, number]);
                    }
                    let as_number = build.and(vec![number, build.not(build.glob(&build.to_string(value), pieces))]);
                    build.or(vec![as_text, as_number])
                }
            },
            OperandKind::Regex(regex) => {
                build.and(vec![self.is_comparable(value), build.not(build.matches(&build.to_string(value), regex))])
            }
        }
    }

    /// A string or a number.
    fn is_comparable(&self, value: &Expr) -> Expr {
        self.build.or(vec![self.build.is_type(value, "string"), self.build.is_type(value, "number")])
    }
}

/// Wildcards and nothing else.
fn is_anything(pieces: &[String]) -> bool {
    pieces.iter().all(String::is_empty)
}

/// The number whose JSON text this is.
fn as_number(text: &str) -> Option<Number> {
    serde_json::from_str::<Number>(text).ok().filter(|number| number.to_string() == text)
}

/// Whether some number's JSON text could fit the pieces: it has digits, at most one point, one `e` and two minuses.
fn can_be_number(pieces: &[String]) -> bool {
    let count = |wanted: char| pieces.iter().flat_map(|piece| piece.chars()).filter(|c| *c == wanted).count();
    let digits = |piece: &String| piece.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | '-' | '+'));
    pieces.iter().all(digits) && count('.') <= 1 && count('e') <= 1 && count('-') + count('+') <= 2
}

/// The way down from the record or from the current value: `detail.a[0].b`.
fn path(steps: &[Step], is_record: bool, span: Span) -> Expr {
    let node = |kind: Kind| Expr::new(kind, span);
    let join = |left: Expr, right: Expr| node(Kind::Sub(Box::new(left), Box::new(right)));
    let field = |name: &str| node(Kind::Field { name: name.to_owned(), quoted: !is_identifier(name) });
    // `a.b[0]` is parsed as `a` then `b[0]`: an index joins the name before it.
    let mut left: Option<Expr> = None;
    let mut right: Option<Expr> = is_record.then(|| field("detail"));
    for step in steps {
        match step {
            Step::Member(name) => {
                left = match (left, right) {
                    (Some(left), Some(right)) => Some(join(left, right)),
                    (left, right) => left.or(right),
                };
                right = Some(field(name));
            }
            Step::Index(index) => {
                let source = right.unwrap_or_else(|| node(Kind::Current));
                right = Some(join(source, node(Kind::Index(i64::from(*index)))));
            }
            Step::AnyElement | Step::AnyMember => {}
        }
    }
    match (left, right) {
        (Some(left), Some(right)) => join(left, right),
        (left, right) => left.or(right).unwrap_or_else(|| node(Kind::Current)),
    }
}

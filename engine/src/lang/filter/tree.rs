//! The tree of a filter pattern, as it was written.

use std::sync::Arc;

use crate::text::Span;
use crate::value::Number;

/// A condition and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) span: Span,
}

/// What a condition is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NodeKind {
    /// `a && b && …`, two or more.
    And(Vec<Node>),
    /// `a || b || …`, two or more.
    Or(Vec<Node>),
    /// A test of what a selector points to.
    Test(Selector, Check),
}

/// `$.a[0].b`
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selector {
    /// At least one.
    pub(super) steps: Vec<Step>,
    pub(super) span: Span,
}

/// One step down from the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// `.name`, `['name']`
    Member(String),
    /// `[0]`
    Index(u32),
    /// `[*]`
    AnyElement,
    /// `.*`
    AnyMember,
}

/// What is asked of the value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Check {
    Equal(Operand),
    NotEqual(Operand),
    /// `<`, `<=`, `>`, `>=`
    Ordered(Order, Number, Span),
    IsNull,
    IsTrue,
    IsFalse,
    Exists,
    NotExists,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What a value is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operand {
    pub(super) kind: OperandKind,
    pub(super) span: Span,
}

/// What stands on the right of a comparison.
#[derive(Debug, Clone)]
pub(super) enum OperandKind {
    /// A bare number, and its text as written.
    Number(Number, String),
    /// A text; the pieces between its wildcards, so one piece is a text without wildcards.
    Text(Vec<String>),
    /// `%…%`: the expression, ready.
    Regex(Arc<regex::Regex>),
}

impl PartialEq for OperandKind {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a, a_text), Self::Number(b, b_text)) => a == b && a_text == b_text,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Regex(a), Self::Regex(b)) => a.as_str() == b.as_str(),
            _ => false,
        }
    }
}

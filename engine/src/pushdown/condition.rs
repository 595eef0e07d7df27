//! Conditions: what a pattern can say, before it is put together.

use std::sync::Arc;

use crate::pattern::{Pattern, Test};

/// Something that holds for every event for which a part of the expression comes out as wanted.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) kind: Kind,
    /// Whether it holds for no other event.
    pub(super) exact: bool,
    /// Why not, or why it says nothing.
    pub(super) why: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Says nothing.
    Always,
    /// Holds for no event.
    Never,
    /// Tests of one field.
    Field(FieldTests),
    /// All of them hold.
    All(Vec<Condition>),
    /// One of them holds.
    Any(Vec<Condition>),
    /// A user's own pattern.
    Whole(Arc<Pattern>),
}

/// Tests of one field, any of which holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FieldTests {
    pub(super) path: Vec<String>,
    pub(super) tests: Vec<Test>,
    /// Whether the field's value is then no array and no object, so that it is one leaf or none: then two lists of tests of
    /// the field speak of the same leaf.
    pub(super) single: bool,
    /// Whether they stand in a user's own pattern.
    pub(super) own: bool,
    /// Whether the leaf stands in an array: then it cannot hold beside one of another element of the array.
    pub(super) in_array: bool,
}

impl Condition {
    pub(super) fn always() -> Self {
        Self { kind: Kind::Always, exact: true, why: None }
    }

    pub(super) fn never() -> Self {
        Self { kind: Kind::Never, exact: true, why: None }
    }

    /// Nothing can be said, and why.
    pub(super) fn unsaid(why: impl Into<String>) -> Self {
        Self { kind: Kind::Always, exact: false, why: Some(why.into()) }
    }

    pub(super) fn field(field: FieldTests, exact: bool) -> Self {
        let why = "the pattern keeps some events more";
        Self { kind: Kind::Field(field), exact, why: (!exact).then(|| why.to_owned()) }
    }

    pub(super) fn all(conditions: Vec<Self>) -> Self {
        let (exact, why) = together(&conditions);
        Self { kind: Kind::All(conditions), exact, why }
    }

    pub(super) fn any(conditions: Vec<Self>) -> Self {
        let (exact, why) = together(&conditions);
        Self { kind: Kind::Any(conditions), exact, why }
    }

    /// The same, but for some events more.
    pub(super) fn inexact(mut self, why: &str) -> Self {
        self.exact = false;
        self.why.get_or_insert_with(|| why.to_owned());
        self
    }
}

fn together(conditions: &[Condition]) -> (bool, Option<String>) {
    (conditions.iter().all(|condition| condition.exact), conditions.iter().find_map(|condition| condition.why.clone()))
}

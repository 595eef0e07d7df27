//! The tree of a search, as it was written.

use std::fmt;

use crate::expr::Network;
use crate::text::Span;

/// A condition and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) span: Span,
}

/// What a condition is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NodeKind {
    /// All of them, two or more.
    And(Vec<Node>),
    /// Any of them, two or more.
    Or(Vec<Node>),
    /// The opposite.
    Not(Box<Node>),
    /// A test of a field.
    Field(Field, Check),
    /// A text that stands somewhere in the record.
    Text(Glob),
}

impl Node {
    /// Every field that is tested.
    pub(super) fn fields<'n>(&'n self, visit: &mut dyn FnMut(&'n Field)) {
        match &self.kind {
            NodeKind::And(nodes) | NodeKind::Or(nodes) => nodes.iter().for_each(|node| node.fields(visit)),
            NodeKind::Not(node) => node.fields(visit),
            NodeKind::Field(field, _) => visit(field),
            NodeKind::Text(_) => {}
        }
    }
}

/// A field as written: the places in the record that it means. Any of them will do.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub(super) places: Vec<Place>,
    pub(super) span: Span,
}

/// A place in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The member names from the record down; for [`Form::Envelope`], from the envelope.
    pub(super) path: Vec<String>,
    pub(super) form: Form,
}

/// What is known of the value at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A text, or nothing.
    Text,
    /// A text of which the part behind the last of this character counts.
    Tail(char),
    /// True or false, or nothing.
    Flag,
    /// An object or array that is searched as text.
    Whole,
    /// Anything; arrays may stand on the way from this member on.
    Any {
        /// How many of the path's members lead through objects.
        objects: usize,
    },
    /// A text of the envelope.
    Envelope,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.path.join("."))
    }
}

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Check {
    /// It is this text.
    Is(Glob),
    /// It is an address in this network, or the text of the network.
    In(Network, String),
    /// It is there.
    Exists,
    /// It lies between these; one of them is there.
    Range(Option<Bound>, Option<Bound>),
}

/// A text with wildcards: the pieces between them. One piece is a text without any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob(pub(super) Vec<String>);

impl Glob {
    /// The text, if there are no wildcards in it.
    pub(super) fn exact(&self) -> Option<&str> {
        match self.0.as_slice() {
            [exact] => Some(exact),
            _ => None,
        }
    }

    /// Whether it is wildcards and nothing else.
    pub(super) fn is_anything(&self) -> bool {
        self.0.len() > 1 && self.0.iter().all(String::is_empty)
    }
}

/// An end of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) text: String,
    pub(super) inclusive: bool,
}

//! Nodes of the one tree, made in the shapes that a JMESPath parser makes, for what is lowered to it.

use std::sync::Arc;

use crate::expr::{Call, Comparator, Expr, Kind, Network, Over, Prepared, compile_regex, is_identifier};
use crate::text::Span;
use crate::value::Value;

/// Makes nodes that stand for one test and have its place.
#[derive(Clone, Copy)]
pub(crate) struct Build {
    span: Span,
}

impl Build {
    pub(crate) fn new(span: Span) -> Self {
        Self { span }
    }

    fn node(self, kind: Kind) -> Expr {
        Expr::new(kind, self.span)
    }

    pub(crate) fn literal(self, value: impl Into<Value>) -> Expr {
        literal(value, self.span)
    }

    pub(crate) fn compare(self, comparator: Comparator, left: &Expr, right: Expr) -> Expr {
        self.node(Kind::Comparison(comparator, Box::new(left.clone()), Box::new(right)))
    }

    pub(crate) fn equals(self, left: &Expr, value: impl Into<Value>) -> Expr {
        self.compare(Comparator::Equal, left, self.literal(value))
    }

    pub(crate) fn differs(self, left: &Expr, value: impl Into<Value>) -> Expr {
        self.compare(Comparator::NotEqual, left, self.literal(value))
    }

    /// All of them; chains within are laid open.
    pub(crate) fn and(self, operands: Vec<Expr>) -> Expr {
        self.chain(operands, Kind::And, |kind| match kind {
            Kind::And(inner) => Ok(inner),
            other => Err(other),
        })
    }

    /// Any of them; chains within are laid open.
    pub(crate) fn or(self, operands: Vec<Expr>) -> Expr {
        self.chain(operands, Kind::Or, |kind| match kind {
            Kind::Or(inner) => Ok(inner),
            other => Err(other),
        })
    }

    fn chain(self, operands: Vec<Expr>, kind: fn(Vec<Expr>) -> Kind, open: fn(Kind) -> Result<Vec<Expr>, Kind>) -> Expr {
        let mut flat = Vec::with_capacity(operands.len());
        for Expr { kind, span } in operands {
            match open(kind) {
                Ok(inner) => flat.extend(inner),
                Err(kind) => flat.push(Expr::new(kind, span)),
            }
        }
        match flat.pop() {
            Some(only) if flat.is_empty() => only,
            last => {
                flat.extend(last);
                self.node(kind(flat))
            }
        }
    }

    pub(crate) fn not(self, operand: Expr) -> Expr {
        self.node(Kind::Not(Box::new(operand)))
    }

    pub(crate) fn call(self, name: &str, arguments: Vec<Expr>) -> Expr {
        self.prepared(name, arguments, None)
    }

    fn prepared(self, name: &str, arguments: Vec<Expr>, prepared: Option<Prepared>) -> Expr {
        self.node(Kind::Call(Call { name: name.to_owned(), name_span: self.span, arguments, prepared }))
    }

    pub(crate) fn is_type(self, value: &Expr, name: &str) -> Expr {
        self.equals(&self.call("type", vec![value.clone()]), name)
    }

    /// The member of a value; of the current value where there is none.
    pub(crate) fn member(self, of: Option<Expr>, name: &str) -> Expr {
        let field = self.node(Kind::Field { name: name.to_owned(), quoted: !is_identifier(name) });
        match of {
            Some(of) => self.node(Kind::Sub(Box::new(of), Box::new(field))),
            None => field,
        }
    }

    /// `[a]`
    pub(crate) fn list(self, elements: Vec<Expr>) -> Expr {
        self.node(Kind::MultiSelectList(elements))
    }

    /// `source[].each`: arrays among the elements are laid open, and what has no `each` is left out.
    pub(crate) fn flattened(self, source: Expr, each: Option<Expr>) -> Expr {
        let source = Box::new(self.node(Kind::Flatten(Box::new(source))));
        let each = Box::new(each.unwrap_or_else(|| self.current()));
        self.node(Kind::Projection { over: Over::Elements, source, each })
    }

    /// `@`
    pub(crate) fn current(self) -> Expr {
        self.node(Kind::Current)
    }

    /// `cidr_contains('network', subject)`; false for a text that is no address.
    pub(crate) fn lies_in(self, subject: &Expr, network: Network, text: &str) -> Expr {
        self.prepared("cidr_contains", vec![self.literal(text), subject.clone()], Some(Prepared::Network(network)))
    }

    pub(crate) fn to_string(self, value: &Expr) -> Expr {
        self.call("to_string", vec![value.clone()])
    }

    /// Whether `holds` is true for any element.
    pub(crate) fn any(self, holds: Expr, elements: Expr) -> Expr {
        let mapped = self.call("map", vec![self.node(Kind::Reference(Box::new(holds))), elements]);
        self.call("contains", vec![mapped, self.literal(true)])
    }

    pub(crate) fn matches(self, subject: &Expr, regex: &Arc<regex::Regex>) -> Expr {
        let arguments = vec![subject.clone(), self.literal(regex.as_str())];
        self.prepared("matches", arguments, Some(Prepared::Regex(Arc::clone(regex))))
    }

    /// Whether a string fits the pieces, of which there are two or more, with any characters between them.
    pub(crate) fn glob(self, subject: &Expr, pieces: &[String]) -> Expr {
        let two = |name: &str, text: &str| self.call(name, vec![subject.clone(), self.literal(text)]);
        match pieces {
            [start, end] if end.is_empty() => two("starts_with", start),
            [start, end] if start.is_empty() => two("ends_with", end),
            [start, middle, end] if start.is_empty() && end.is_empty() => two("contains", middle),
            [start, end] => {
                // The two must not overlap.
                let least = start.chars().count() + end.chars().count();
                let length = self.call("length", vec![subject.clone()]);
                let is_long = self.compare(Comparator::GreaterOrEqual, &length, self.literal(least));
                self.and(vec![two("starts_with", start), two("ends_with", end), is_long])
            }
            pieces => {
                let pieces: Vec<String> = pieces.iter().map(|piece| regex::escape(piece)).collect();
                // A text of at most two kilobytes with its wildcards is always within bounds.
                compile_regex(&format!("(?s)^{}$", pieces.join(".*")))
                    .map_or_else(|_| self.literal(false), |regex| self.matches(subject, &regex))
            }
        }
    }
}

pub(crate) fn literal(value: impl Into<Value>, span: Span) -> Expr {
    Expr::new(Kind::Literal(value.into()), span)
}

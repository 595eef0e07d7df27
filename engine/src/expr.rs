//! The one tree that every match language becomes. It is JMESPath's, with the place of each node in the text.

mod print;

pub use print::is_identifier;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::pattern::Pattern;
use crate::text::Span;
use crate::value::Value;

/// A node of the tree and where it stands in the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: Kind,
    /// From its first byte to the byte after its last.
    pub span: Span,
}

/// What a node is. "The current value" is what the surrounding expression hands down: the whole envelope at the top.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `@`, the current value. Also stands where the grammar leaves something out (the left of a leading `[0]`).
    Current,
    /// A literal: `` `json` `` or `'raw'`.
    Literal(Value),
    /// A member of the current value; null where that is no object or has no such member.
    Field {
        /// The member's name, unescaped.
        name: String,
        /// Whether it stood in double quotes.
        quoted: bool,
    },
    /// An element of the current array, from the end if negative; null where there is none.
    Index(i64),
    /// `[start:stop:step]` of the current array; null where that is no array. An error where `step` is 0.
    Slice(Slice),
    /// The right side, with the left side's value as current value.
    Sub(Box<Expr>, Box<Expr>),
    /// As [`Kind::Sub`], but it ends projections: the right side sees the whole array.
    Pipe(Box<Expr>, Box<Expr>),
    /// For each element (or member) of the source, the value of `each`, nulls left out.
    Projection {
        /// Which elements.
        over: Over,
        /// What is walked.
        source: Box<Expr>,
        /// Evaluated for each.
        each: Box<Expr>,
    },
    /// `[]`: the elements of the inner array, inner arrays laid open one level; null where it is no array.
    Flatten(Box<Expr>),
    /// `[a, b]`: an array; null where the current value is null.
    MultiSelectList(Vec<Expr>),
    /// `{a: b}`: an object; null where the current value is null.
    MultiSelectHash(Vec<(String, Expr)>),
    /// `!a`, by JMESPath's truth.
    Not(Box<Expr>),
    /// `a && b && …`: the first operand that is false, else the last. Two or more.
    And(Vec<Expr>),
    /// `a || b || …`: the first operand that is true, else the last. Two or more.
    Or(Vec<Expr>),
    /// `a == b` and the like.
    Comparison(Comparator, Box<Expr>, Box<Expr>),
    /// `name(arguments)`.
    Call(Call),
    /// `&a`, an expression handed to a function.
    Reference(Box<Expr>),
    /// An EventBridge pattern: true where the current value satisfies it, else false. JMESPath has no words for it.
    Pattern(Arc<Pattern>),
}

/// What a projection walks.
#[derive(Debug, Clone, PartialEq)]
pub enum Over {
    /// `[*]`, a slice or `[]`: the elements of an array.
    Elements,
    /// `*`: the values of an object's members, in document order.
    Members,
    /// `[?condition]`: the elements of an array for which the condition is true inside.
    Filter(Box<Expr>),
}

/// The three parts of a slice, each as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// The first index; `None` is the beginning in the direction of `step`.
    pub start: Option<i64>,
    /// The index after the last.
    pub stop: Option<i64>,
    /// 1 where it is left out.
    pub step: i64,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A function call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The function's name as written.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// The arguments in order.
    pub arguments: Vec<Expr>,
    /// What was made of a literal argument once, so that no event pays for it.
    pub prepared: Option<Prepared>,
}

/// A literal argument in its ready form.
#[derive(Debug, Clone)]
pub enum Prepared {
    /// The regular expression of `matches`.
    Regex(Arc<regex::Regex>),
    /// The network of `cidr_contains`.
    Network(Network),
}

/// The largest compiled regular expression, in bytes.
const LARGEST_REGEX: usize = 1 << 20;

/// Compiles a regular expression within bounds: linear time, and at most a megabyte of program.
///
/// # Errors
/// Why it cannot be compiled, in a few words.
pub fn compile_regex(text: &str) -> Result<Arc<regex::Regex>, String> {
    regex::RegexBuilder::new(text).size_limit(LARGEST_REGEX).build().map(Arc::new).map_err(|error| {
        let reason = error.to_string();
        reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
    })
}

/// An IP network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// Its address, host bits cleared, as a 128-bit number (an IPv4 address in its low 32 bits).
    pub address: u128,
    /// The mask of the same width.
    pub mask: u128,
    /// Whether it is an IPv4 network.
    pub v4: bool,
}

impl Network {
    /// Reads `address/length`, or an address alone. Bits beyond the length are ignored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.parse().ok()?;
        let (bits, width, v4) = match address {
            IpAddr::V4(address) => (u128::from(address.to_bits()), 32, true),
            IpAddr::V6(address) => (address.to_bits(), 128, false),
        };
        let length = match length {
            None => width,
            Some(length) if length.len() <= 3 && length.bytes().all(|byte| byte.is_ascii_digit()) => {
                length.parse().ok().filter(|length| *length <= width)?
            }
            Some(_) => return None,
        };
        let all = if v4 { u128::from(u32::MAX) } else { u128::MAX };
        let mask = if length == 0 { 0 } else { (all << (width - length)) & all };
        Some(Self { address: bits & mask, mask, v4 })
    }
}

impl PartialEq for Prepared {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Regex(a), Self::Regex(b)) => a.as_str() == b.as_str(),
            (Self::Network(a), Self::Network(b)) => a == b,
            _ => false,
        }
    }
}

impl Expr {
    /// A node at a place.
    #[must_use]
    pub fn new(kind: Kind, span: Span) -> Self {
        Self { kind, span }
    }

    /// The nodes right under this one, in the order of the text.
    #[must_use]
    pub fn children(&self) -> Vec<&Self> {
        match &self.kind {
            Kind::Current | Kind::Literal(_) | Kind::Field { .. } | Kind::Index(_) | Kind::Slice(_) | Kind::Pattern(_) => Vec::new(),
            Kind::Sub(left, right) | Kind::Pipe(left, right) | Kind::Comparison(_, left, right) => vec![left, right],
            Kind::Projection { over: Over::Filter(condition), source, each } => vec![source, condition, each],
            Kind::Projection { source, each, .. } => vec![source, each],
            Kind::Flatten(inner) | Kind::Not(inner) | Kind::Reference(inner) => vec![inner],
            Kind::MultiSelectList(elements) => elements.iter().collect(),
            Kind::MultiSelectHash(members) => members.iter().map(|(_, value)| value).collect(),
            Kind::And(operands) | Kind::Or(operands) => operands.iter().collect(),
            Kind::Call(call) => call.arguments.iter().collect(),
        }
    }

    /// The same tree with no places in it: equal for equal trees, wherever they stood.
    pub(crate) fn without_places(&self) -> Self {
        let mut copy = self.clone();
        copy.forget_places();
        copy
    }

    fn forget_places(&mut self) {
        let nowhere = Span::new(0, 0);
        self.span = nowhere;
        let all = |exprs: &mut [Self]| exprs.iter_mut().for_each(Self::forget_places);
        match &mut self.kind {
            Kind::Current | Kind::Literal(_) | Kind::Field { .. } | Kind::Index(_) | Kind::Slice(_) | Kind::Pattern(_) => {}
            Kind::Sub(left, right) | Kind::Pipe(left, right) | Kind::Comparison(_, left, right) => {
                left.forget_places();
                right.forget_places();
            }
            Kind::Projection { over, source, each } => {
                if let Over::Filter(condition) = over {
                    condition.forget_places();
                }
                source.forget_places();
                each.forget_places();
            }
            Kind::Flatten(inner) | Kind::Not(inner) | Kind::Reference(inner) => inner.forget_places(),
            Kind::MultiSelectHash(members) => members.iter_mut().for_each(|(_, value)| value.forget_places()),
            Kind::MultiSelectList(exprs) | Kind::And(exprs) | Kind::Or(exprs) => all(exprs),
            Kind::Call(call) => {
                call.name_span = nowhere;
                all(&mut call.arguments);
            }
        }
    }

    /// Every node, each before those under it.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }
}

impl fmt::Display for Comparator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        for (text, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.1.2.3/8", "10.0.0.1", "::1"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.2"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::/0", "::1", "1.2.3.4"),
        ] {
            let network = Network::parse(text).unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{text} {inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{text} {outside}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/-1", "x/8", "10.0.0.0/+8", "10.0.0.0/0008"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}

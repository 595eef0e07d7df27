//! From an expression's tree to predicates and what joins them.

use std::collections::HashMap;

use memchr::memmem::Finder;

use super::atom::{Atom, MOST_STEPS_APART, Sub, Test, Truth};
use super::fields::{FieldId, Fields};
use super::reads::{paths, plain};
use super::sequence::Sequence;
use crate::eval::{MOST_STEPS, search_counted};
use crate::expr::{Call, Comparator, Expr, Kind, Prepared};
use crate::value::Value;

/// A predicate's number.
pub(super) type AtomId = u32;

/// What joins predicates: a tree whose value is that of the expression, as far as truth goes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// The same for every event.
    Always(Truth),
    /// An error for every event.
    Fails,
    Atom(AtomId),
    Not(Box<Node>),
    And(Box<[Node]>),
    Or(Box<[Node]>),
}

/// When a node can err.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Errs {
    Never,
    /// Only if one of these fields holds no string.
    WithoutText(Vec<FieldId>),
    Perhaps,
}

impl Errs {
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Perhaps, _) | (_, Self::Perhaps) => Self::Perhaps,
            (Self::Never, errs) | (errs, Self::Never) => errs,
            (Self::WithoutText(mut fields), Self::WithoutText(more)) => {
                fields.extend(more);
                fields.sort_unstable();
                fields.dedup();
                Self::WithoutText(fields)
            }
        }
    }
}

/// The predicates of a set, each once.
#[derive(Debug, Default)]
pub(super) struct Atoms {
    pub(super) atoms: Vec<Atom>,
    known: HashMap<String, AtomId>,
}

impl Atoms {
    fn intern(&mut self, key: String, atom: impl FnOnce() -> Atom) -> Node {
        let next = u32::try_from(self.atoms.len()).unwrap_or(u32::MAX);
        let id = *self.known.entry(key).or_insert(next);
        if id == next {
            self.atoms.push(atom());
        }
        Node::Atom(id)
    }

    /// Says that there will be no more of them.
    pub(super) fn seal(&mut self) {
        self.known = HashMap::new();
        self.atoms.shrink_to_fit();
    }

    pub(super) fn get(&self, id: AtomId) -> Option<&Atom> {
        self.atoms.get(id as usize)
    }

    /// Whether a node's truth is the same in both places for every event, so that only *whether* it is true matters.
    pub(super) fn is_plain(&self, node: &Node) -> bool {
        match node {
            Node::Always(truth) => truth.inside == truth.verdict,
            Node::Fails | Node::Not(_) => true,
            Node::Atom(id) => match self.get(*id) {
                Some(Atom::Test(_, test)) => !matches!(test, Test::Truth),
                Some(Atom::Pair(..)) => true,
                Some(Atom::Oracle(sub)) => is_boolean(&sub.expr),
                None => false,
            },
            Node::And(nodes) | Node::Or(nodes) => nodes.iter().all(|node| self.is_plain(node)),
        }
    }

    pub(super) fn errs(&self, node: &Node) -> Errs {
        match node {
            Node::Always(_) => Errs::Never,
            Node::Fails => Errs::Perhaps,
            Node::Atom(id) => match self.get(*id) {
                Some(Atom::Test(field, test)) if test.wants_text() => Errs::WithoutText(vec![*field]),
                Some(Atom::Test(..) | Atom::Pair(..)) => Errs::Never,
                Some(Atom::Oracle(sub)) if is_linear(&sub.expr) => Errs::Never,
                _ => Errs::Perhaps,
            },
            Node::Not(inner) => self.errs(inner),
            Node::And(nodes) | Node::Or(nodes) => nodes.iter().fold(Errs::Never, |errs, node| errs.and(self.errs(node))),
        }
    }
}

/// Lowers one expression.
pub(super) fn lower(expr: &Expr, atoms: &mut Atoms, fields: &mut Fields) -> Node {
    match &expr.kind {
        Kind::And(operands) => {
            Node::And(flat(operands, atoms, fields, |node| if let Node::And(inner) = node { Ok(inner) } else { Err(node) }))
        }
        Kind::Or(operands) => {
            Node::Or(flat(operands, atoms, fields, |node| if let Node::Or(inner) = node { Ok(inner) } else { Err(node) }))
        }
        Kind::Not(operand) => Node::Not(Box::new(lower(operand, atoms, fields))),
        Kind::Literal(value) => Node::Always(Truth::of_value(value)),
        Kind::Comparison(comparator, left, right) => {
            comparison(*comparator, left, right, atoms, fields).unwrap_or_else(|| by_oracle(expr, atoms, fields))
        }
        Kind::Call(call) => function(call, atoms, fields).unwrap_or_else(|| by_oracle(expr, atoms, fields)),
        _ => match plain(expr) {
            Some(path) if !path.is_empty() => test(&path, "truth", "", Test::Truth, atoms, fields),
            _ => by_oracle(expr, atoms, fields),
        },
    }
}

/// `(a && b) && c` has the value of `a && b && c`, and so has `a && (b && c)`; likewise `||`.
fn flat(operands: &[Expr], atoms: &mut Atoms, fields: &mut Fields, same: impl Fn(Node) -> Result<Box<[Node]>, Node>) -> Box<[Node]> {
    let mut nodes = Vec::new();
    for operand in operands {
        match same(lower(operand, atoms, fields)) {
            Ok(inner) => nodes.extend(inner),
            Err(node) => nodes.push(node),
        }
    }
    nodes.into()
}

fn test(path: &[String], kind: &str, literal: &str, test: Test, atoms: &mut Atoms, fields: &mut Fields) -> Node {
    let field = fields.intern(path);
    atoms.intern(format!("{field} {kind} {literal}"), || Atom::Test(field, test))
}

fn comparison(comparator: Comparator, left: &Expr, right: &Expr, atoms: &mut Atoms, fields: &mut Fields) -> Option<Node> {
    let (path, literal, comparator) = match (&left.kind, &right.kind) {
        (_, Kind::Literal(literal)) => (plain(left)?, literal, comparator),
        (Kind::Literal(literal), _) => (plain(right)?, literal, turned(comparator)),
        _ => {
            let (left, right) = (plain(left)?, plain(right)?);
            let wanted = match comparator {
                Comparator::Equal => true,
                Comparator::NotEqual => false,
                _ => return None,
            };
            if left.is_empty() || right.is_empty() {
                return None;
            }
            let (left, right) = (fields.intern(&left), fields.intern(&right));
            let (left, right) = (left.min(right), left.max(right));
            return Some(atoms.intern(format!("{left} {comparator} field {right}"), || Atom::Pair(left, wanted, right)));
        }
    };
    if path.is_empty() {
        return None;
    }
    let made = match comparator {
        Comparator::Equal => Test::Equal(true, literal.clone()),
        Comparator::NotEqual => Test::Equal(false, literal.clone()),
        _ => Test::Order(comparator, literal.clone()),
    };
    Some(test(&path, &comparator.to_string(), &literal.to_string(), made, atoms, fields))
}

/// The comparator with its sides changed.
pub(super) fn turned(comparator: Comparator) -> Comparator {
    match comparator {
        Comparator::Less => Comparator::Greater,
        Comparator::LessOrEqual => Comparator::GreaterOrEqual,
        Comparator::Greater => Comparator::Less,
        Comparator::GreaterOrEqual => Comparator::LessOrEqual,
        same => same,
    }
}

fn function(call: &Call, atoms: &mut Atoms, fields: &mut Fields) -> Option<Node> {
    let [first, second] = call.arguments.as_slice() else { return None };
    let name = call.name.as_str();
    let (path, literal, made) = match (name, &first.kind, &second.kind) {
        ("starts_with", _, Kind::Literal(Value::String(text))) => (first, text.clone(), Test::StartsWith(text.as_bytes().into())),
        ("ends_with", _, Kind::Literal(Value::String(text))) => (first, text.clone(), Test::EndsWith(text.as_bytes().into())),
        ("contains", Kind::Literal(Value::Array(elements)), _) => {
            let key = format!("within {}", Value::Array(elements.clone()));
            (second, key, Test::Within(elements.clone().into()))
        }
        ("contains", _, Kind::Literal(literal)) => {
            let finder = literal.as_str().map(|text| Box::new(Finder::new(text).into_owned()));
            (first, literal.to_string(), Test::Contains(literal.clone(), finder))
        }
        ("matches", _, Kind::Literal(text)) => match &call.prepared {
            Some(Prepared::Regex(regex)) => (first, text.to_string(), Test::Regex(regex.clone())),
            _ => return None,
        },
        ("cidr_contains", Kind::Literal(text), _) => match &call.prepared {
            Some(Prepared::Network(network)) => (second, text.to_string(), Test::Network(*network)),
            _ => return None,
        },
        _ => return None,
    };
    let path = plain(path).filter(|path| !path.is_empty())?;
    Some(test(&path, name, &literal, made, atoms, fields))
}

fn by_oracle(expr: &Expr, atoms: &mut Atoms, fields: &mut Fields) -> Node {
    let paths = paths(expr);
    if paths.is_empty() {
        match search_counted(expr, &Value::Null) {
            (_, steps) if steps > MOST_STEPS_APART => {}
            (Ok(value), _) => return Node::Always(Truth::of_value(&value)),
            (Err(_), _) => return Node::Fails,
        }
    }
    let paths = paths.into_iter().map(|path| (fields.intern(&path), path.into())).collect();
    let sequence = Sequence::of(expr, fields);
    atoms.intern(format!("{:?}", expr.without_places()), || Atom::Oracle(Sub::new(expr.clone(), paths, sequence)))
}

/// Whether the value is a boolean, or null, for every event.
fn is_boolean(expr: &Expr) -> bool {
    match &expr.kind {
        Kind::Comparison(..) | Kind::Not(_) => true,
        Kind::Call(call) => matches!(call.name.as_str(), "contains" | "starts_with" | "ends_with" | "matches" | "cidr_contains"),
        _ => false,
    }
}

/// Whether an expression errs only by too many steps, and takes no more than a few for each byte of the event.
fn is_linear(expr: &Expr) -> bool {
    let mut linear = true;
    expr.walk(&mut |node| {
        linear &= match &node.kind {
            Kind::Projection { .. } | Kind::Flatten(_) => has_small_literals(node),
            Kind::Current | Kind::Literal(_) | Kind::Field { .. } | Kind::Index(_) | Kind::Slice(_) => true,
            Kind::Sub(..) | Kind::Pipe(..) => true,
            Kind::Not(_) | Kind::And(_) | Kind::Or(_) | Kind::Comparison(..) => true,
            Kind::Call(call) => match call.name.as_str() {
                "length" | "contains" => call.arguments.first().is_some_and(is_array),
                "type" => true,
                _ => false,
            },
            _ => false,
        };
    });
    linear
}

/// Whether the literals of a projection take no more steps than a node, as they may be read once for each of its elements, and bring it no
/// elements of their own.
fn has_small_literals(projection: &Expr) -> bool {
    let mut small = true;
    projection.walk(&mut |node| {
        small &= match &node.kind {
            Kind::Literal(Value::Array(elements)) => elements.is_empty(),
            Kind::Literal(Value::Object(members)) => members.is_empty(),
            Kind::Literal(Value::String(text)) => text.len() < 64,
            _ => true,
        };
    });
    small
}

/// Whether the value is an array for every event, such as that of ``a[].b || `[]` ``.
fn is_array(expr: &Expr) -> bool {
    let Kind::Or(operands) = &expr.kind else { return matches!(expr.kind, Kind::Literal(Value::Array(_))) };
    let Some((last, others)) = operands.split_last() else { return false };
    // A projection is an array or null, and null is not what `||` gives while there is more.
    is_array(last) && others.iter().all(|operand| is_projection(operand) || is_array(operand))
}

/// Whether the value is an array or null for every event. (`a.b[*]` is `b[*]` of `a`.)
fn is_projection(expr: &Expr) -> bool {
    match &expr.kind {
        Kind::Projection { .. } | Kind::Flatten(_) => true,
        Kind::Sub(_, right) | Kind::Pipe(_, right) => is_projection(right),
        _ => false,
    }
}

/// The longest event for which the whole expression surely stays within the oracle's steps, or for which what does not is found
/// by counting ([`MOST_STEPS_APART`]). Longer ones are judged by the oracle.
pub(super) fn safe_length(expr: &Expr) -> u64 {
    let (mut nodes, mut calls, mut literals, mut apart) = (0_u64, 0_u64, 0_u64, 0_u64);
    expr.walk(&mut |node| {
        nodes += 1;
        match &node.kind {
            Kind::Call(_) => calls += 1,
            Kind::Literal(value) => literals += value.to_string().len() as u64,
            Kind::Current | Kind::Field { .. } | Kind::Sub(..) | Kind::Pipe(..) | Kind::Not(_) | Kind::And(_) | Kind::Or(_) => {}
            Kind::Comparison(..) => {}
            _ => apart += 1,
        }
    });
    let fixed = nodes + literals + (apart + calls) * MOST_STEPS_APART;
    let per_byte = calls + if apart > 0 { 2 * nodes } else { 0 };
    MOST_STEPS.saturating_sub(fixed) / per_byte.max(1)
}

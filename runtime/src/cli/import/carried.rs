//! What of a condition could be carried over.
//!
//! *Invariant*: what is carried is true wherever the original is. A part that cannot be said is supposed to be true; under a `not`,
//! where that would lose events, the whole `not` is.

use trailwire_engine::expr::{Call, Comparator, Expr, Kind, Over};
use trailwire_engine::text::Span;
use trailwire_engine::value::Value;

/// A condition as far as it could be carried over.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Carried {
    /// True wherever the original is; `None` where nothing of it is left.
    pub(super) expr: Option<Expr>,
    /// Whether it is true nowhere else.
    pub(super) exact: bool,
}

impl Carried {
    /// The whole of it.
    pub(super) fn whole(expr: Expr) -> Self {
        Self { expr: Some(expr), exact: true }
    }

    /// Nothing of it.
    pub(super) fn nothing() -> Self {
        Self { expr: None, exact: false }
    }

    /// All of these. None of them is true.
    pub(super) fn all(parts: Vec<Self>) -> Self {
        let exact = parts.iter().all(|part| part.exact);
        let exprs: Vec<Expr> = parts.into_iter().filter_map(|part| part.expr).collect();
        Self { expr: joined(exprs, Kind::And), exact }
    }

    /// Any of these.
    pub(super) fn any(parts: Vec<Self>) -> Self {
        let exact = parts.iter().all(|part| part.exact);
        let exprs: Option<Vec<Expr>> = parts.into_iter().map(|part| part.expr).collect();
        Self { expr: exprs.and_then(|exprs| joined(exprs, Kind::Or)), exact }
    }

    /// The opposite.
    pub(super) fn not(self) -> Self {
        match self {
            Self { expr: Some(expr), exact: true } => Self::whole(not(expr)),
            _ => Self::nothing(),
        }
    }
}

fn joined(mut exprs: Vec<Expr>, kind: fn(Vec<Expr>) -> Kind) -> Option<Expr> {
    if exprs.len() > 1 { Some(node(kind(exprs))) } else { exprs.pop() }
}

fn node(kind: Kind) -> Expr {
    Expr::new(kind, Span::default())
}

/// A literal.
pub(super) fn literal(value: impl Into<Value>) -> Expr {
    node(Kind::Literal(value.into()))
}

/// A call of a function.
pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    node(Kind::Call(Call { name: name.to_owned(), name_span: Span::default(), arguments, prepared: None }))
}

/// `!(expr)`.
pub(super) fn not(expr: Expr) -> Expr {
    node(Kind::Not(Box::new(expr)))
}

/// `a && b`
pub(super) fn and(left: Expr, right: Expr) -> Expr {
    node(Kind::And(vec![left, right]))
}

/// `a || b`
pub(super) fn or(left: Expr, right: Expr) -> Expr {
    node(Kind::Or(vec![left, right]))
}

/// A comparison.
pub(super) fn compare(left: Expr, comparator: Comparator, right: Expr) -> Expr {
    node(Kind::Comparison(comparator, Box::new(left), Box::new(right)))
}

/// `left == value`
pub(super) fn equal(left: Expr, value: impl Into<Value>) -> Expr {
    compare(left, Comparator::Equal, literal(value))
}

/// `['a', 'b']`
pub(super) fn list(values: impl IntoIterator<Item = Value>) -> Expr {
    node(Kind::MultiSelectList(values.into_iter().map(literal).collect()))
}

/// The value as text: nothing gives the empty text, an object its JSON. No function that takes a text errs on it.
pub(super) fn text_of(subject: Expr) -> Expr {
    call("to_string", vec![or(subject, literal(""))])
}

/// A member of the current value, or of `of`.
pub(super) fn member(of: Option<Expr>, name: &str) -> Expr {
    let field = node(Kind::Field { name: name.to_owned(), quoted: false });
    match of {
        Some(of) => node(Kind::Sub(Box::new(of), Box::new(field))),
        None => field,
    }
}

/// `@`
pub(super) fn current() -> Expr {
    node(Kind::Current)
}

/// `source[].each`, where `each` begins at an element.
pub(super) fn each(source: Expr, each: Expr) -> Expr {
    let source = node(Kind::Flatten(Box::new(source)));
    node(Kind::Projection { over: Over::Elements, source: Box::new(source), each: Box::new(each) })
}

/// The first element of `source` for which `condition` holds; elements are never null.
pub(super) fn first_where(source: Expr, condition: Expr) -> Expr {
    let filter = Kind::Projection { over: Over::Filter(Box::new(condition)), source: Box::new(current()), each: Box::new(current()) };
    let found = node(Kind::Pipe(Box::new(source), Box::new(node(filter))));
    node(Kind::Pipe(Box::new(found), Box::new(node(Kind::Index(0)))))
}

#[cfg(test)]
mod tests {
    use trailwire_engine::lang::jmespath;

    use super::*;

    fn shown(carried: &Carried) -> String {
        carried.expr.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)
    }

    #[test]
    fn what_is_lost_never_loses_events() {
        let a = || Carried::whole(equal(member(None, "a"), "x"));
        let b = || Carried::whole(equal(member(None, "b"), 1));
        let lost = Carried::nothing;
        let cases = [
            (Carried::all(vec![a(), b()]), "a == 'x' && b == `1`", true),
            (Carried::all(vec![a(), lost()]), "a == 'x'", false),
            (Carried::all(vec![lost()]), "-", false),
            (Carried::any(vec![a(), b()]), "a == 'x' || b == `1`", true),
            (Carried::any(vec![a(), lost()]), "-", false),
            (a().not(), "!(a == 'x')", true),
            (Carried::all(vec![a(), lost()]).not(), "-", false),
            (Carried::all(vec![a(), Carried::any(vec![b(), lost()]).not()]), "a == 'x'", false),
            (Carried::all(vec![a(), Carried::any(vec![a(), b()]).not()]), "a == 'x' && !(a == 'x' || b == `1`)", true),
        ];
        for (carried, expected, exact) in cases {
            assert_eq!((shown(&carried).as_str(), carried.exact), (expected, exact));
        }
    }

    #[test]
    fn what_is_built_can_be_read_back() {
        let resources = each(member(Some(member(None, "detail")), "resources"), member(None, "ARN"));
        let built = [
            (
                first_where(resources, call("starts_with", vec![current(), literal("a'b")])),
                "detail.resources[].ARN | [?starts_with(@, 'a\\'b')] | [0]",
            ),
            (
                call("contains", vec![list([Value::from("a"), Value::from("b")]), member(None, "odd name")]),
                "contains(['a', 'b'], \"odd name\")",
            ),
            (text_of(member(None, "a")), "to_string(a || '')"),
        ];
        for (expr, expected) in built {
            assert_eq!(expr.to_string(), expected);
            let (read, faults) = jmespath::parse(expected);
            assert_eq!((read.map(|read| read.to_string()).as_deref(), faults.len()), (Some(expected), 0));
        }
    }
}

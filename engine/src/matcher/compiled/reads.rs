//! Which paths of the event an expression reads, so that the oracle need be shown no more.

use crate::expr::{Expr, Kind, Over};

/// A path from the envelope's root.
pub(super) type Path = Vec<String>;

/// The paths whose values decide the expression's value; the empty path is the whole event. Of two paths of which one leads
/// through the other only the shorter is told.
pub(super) fn paths(expr: &Expr) -> Vec<Path> {
    let mut found = Vec::new();
    let result = follow(expr, &Known::At(Path::new()), &mut found);
    consume(result, &mut found);
    found.sort();
    found.dedup();
    // Sorted, a path stands right behind those that lead to it.
    found.dedup_by(|path, before| path.starts_with(before));
    found
}

/// The path that an expression is, if it is nothing but one.
pub(super) fn plain(expr: &Expr) -> Option<Path> {
    match &expr.kind {
        Kind::Current => Some(Path::new()),
        Kind::Field { name, .. } => Some(vec![name.clone()]),
        Kind::Sub(left, right) | Kind::Pipe(left, right) => {
            let mut path = plain(left)?;
            path.extend(plain(right)?);
            Some(path)
        }
        _ => None,
    }
}

/// What is known of a value: that it is the event's at a path, or nothing.
#[derive(Clone)]
enum Known {
    At(Path),
    Other,
}

fn consume(known: Known, found: &mut Vec<Path>) {
    if let Known::At(path) = known {
        found.push(path);
    }
}

fn follow(expr: &Expr, current: &Known, found: &mut Vec<Path>) -> Known {
    match &expr.kind {
        Kind::Current => return current.clone(),
        Kind::Field { name, .. } => {
            return match current {
                Known::At(path) => Known::At(path.iter().cloned().chain([name.clone()]).collect()),
                Known::Other => Known::Other,
            };
        }
        Kind::Sub(left, right) | Kind::Pipe(left, right) => {
            let left = follow(left, current, found);
            return follow(right, &left, found);
        }
        Kind::Literal(_) => {}
        Kind::Projection { over, source, each } => {
            let source = follow(source, current, found);
            consume(source, found);
            if let Over::Filter(condition) = over {
                follow(condition, &Known::Other, found);
            }
            follow(each, &Known::Other, found);
        }
        Kind::Flatten(_) | Kind::Not(_) | Kind::And(_) | Kind::Or(_) | Kind::Comparison(..) | Kind::Call(_) => {
            for child in expr.children() {
                let value = follow(child, current, found);
                consume(value, found);
            }
        }
        // What these see they hand to their elements later, or not at all.
        Kind::Reference(inner) => {
            follow(inner, &Known::Other, found);
        }
        // A multi-select is null where the current value is; of a leaf of another language nothing is known.
        _ => {
            consume(current.clone(), found);
            for child in expr.children() {
                let value = follow(child, current, found);
                consume(value, found);
            }
        }
    }
    Known::Other
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::jmespath::parse;

    #[test]
    fn no_more_than_is_read() {
        for (text, expected) in [
            ("detail.a.b == 'x'", vec!["detail.a.b"]),
            ("detail.a[].b | [0]", vec!["detail.a"]),
            ("length(detail.a) == length(detail.b.c)", vec!["detail.a", "detail.b.c"]),
            ("detail.a && detail.a.b", vec!["detail.a"]),
            ("detail | a.b", vec!["detail.a.b"]),
            ("detail.a[?x == y].z", vec!["detail.a"]),
            ("detail.{a: x}", vec!["detail"]),
            ("keys(@)", vec![""]),
            ("map(&x, detail.list)", vec!["detail.list"]),
            ("sort_by(detail.list, &x)[0].y == detail.z", vec!["detail.list", "detail.z"]),
            ("`1` == `1`", vec![]),
            ("(detail.a || detail.b).c", vec!["detail.a", "detail.b"]),
            ("detail.*.x", vec!["detail"]),
            ("detail.ab == detail.a", vec!["detail.a", "detail.ab"]),
        ] {
            let found: Vec<String> = paths(&parse(text).0.unwrap()).iter().map(|path| path.join(".")).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}

//! `!a.b`: `!` binds tighter than `.`, so this is the member `b` of a boolean, which is null. (So it is in every
//! implementation of JMESPath; the specification's precedence says nothing else.)

use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, Kind};

pub(super) fn check(expr: &Expr, text: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    visit(expr, text, &mut found);
    found
}

fn visit(expr: &Expr, text: &str, found: &mut Vec<Diagnostic>) {
    if let Some(not) = leading_not(expr) {
        found.push(diagnostic(expr, not, text));
        return;
    }
    for child in expr.children() {
        visit(child, text, found);
    }
}

/// The `!x` at the far left of a path such as `!x.y.z`.
fn leading_not(expr: &Expr) -> Option<&Expr> {
    let Kind::Sub(left, right) = &expr.kind else { return None };
    match left.kind {
        Kind::Not(_) if !matches!(right.kind, Kind::Call(_)) => Some(left),
        _ => leading_not(left),
    }
}

fn diagnostic(path: &Expr, not: &Expr, text: &str) -> Diagnostic {
    let whole = path.span.of(text);
    let negated = not.span.of(text);
    let rest = whole.strip_prefix(negated).unwrap_or("");
    let operand = negated.strip_prefix('!').unwrap_or(negated).trim_start();
    let message = if negated.starts_with('!') {
        format!("`{whole}` means `({negated}){rest}`, which is never true")
    } else {
        format!("`{whole}` is a member of a boolean, which is never true")
    };
    let diagnostic = Diagnostic::error(Code::NOT_BINDS_TIGHTER, message).under(text, path.span);
    if negated.starts_with('!') { diagnostic.help(format!("write `!({operand}{rest})`")) } else { diagnostic }
}

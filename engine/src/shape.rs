//! What can be told of an expression before any event is seen: its conjuncts, the fields that it tests and for which of their
//! values it is true, the types that it can have, and whether it can err.
//!
//! *Invariant*: everything here errs on the side of "may": a set of values may be too large (and says so), a type or an error
//! that is not excluded is possible.

mod atom;
mod kinds;
pub mod record;
mod schema;
mod set;

pub use atom::{Atom, Operand, Question, Step, Walk, atom};
pub use kinds::{Kinds, Known, can_err, kinds};
pub use schema::{FIELDS, Field, Schema};
pub use set::{Arrays, Numbers, Outcomes, Set, Strings};

use crate::expr::{Expr, Kind};

/// The operands of the `&&` at the top, in order, those of a `&&` in parentheses among them; the expression itself where there
/// is none.
#[must_use]
pub fn conjuncts(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        Kind::And(operands) => operands.iter().flat_map(conjuncts).collect(),
        _ => vec![expr],
    }
}

/// The member names of an expression that only walks down objects, such as `detail.userIdentity.type`.
#[must_use]
pub fn path(expr: &Expr) -> Option<Vec<&str>> {
    match &expr.kind {
        Kind::Field { name, .. } => Some(vec![name]),
        Kind::Sub(left, right) | Kind::Pipe(left, right) => {
            let mut steps = if left.kind == Kind::Current { Vec::new() } else { path(left)? };
            steps.extend(path(right)?);
            Some(steps)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;

//! Which parts decided.

use super::{Seen, own_parts};
use crate::expr::{Expr, Kind};
use crate::text::Span;
use crate::value::is_true_inside;

/// How much of a value is shown.
const SHOWN: usize = 60;

/// A sentence for each part that decided.
pub(super) fn because(text: &str, expr: &Expr, seen: &Seen) -> Vec<String> {
    let mut told = Vec::new();
    Telling { text, seen }.decided(expr, &mut told);
    told
}

struct Telling<'a> {
    text: &'a str,
    seen: &'a Seen,
}

impl Telling<'_> {
    fn decided(&self, node: &Expr, told: &mut Vec<String>) {
        // An operand with the place of the whole was made for it: such a node is told as one.
        let is_made = |operands: &[Expr]| operands.iter().any(|operand| operand.span == node.span);
        match &node.kind {
            Kind::And(operands) if !is_made(operands) => self.among(operands, false, told),
            Kind::Or(operands) if !is_made(operands) => self.among(operands, true, told),
            Kind::Not(operand) if operand.span != node.span => self.decided(operand, told),
            _ => told.extend(self.sentence(node)),
        }
    }

    /// The operand that ended it early, or else all of them.
    fn among(&self, operands: &[Expr], ending: bool, told: &mut Vec<String>) {
        let ends = |operand: &&Expr| match self.seen.first(operand) {
            Some(Ok(value)) => is_true_inside(value) == ending,
            Some(Err(_)) => true,
            None => false,
        };
        match operands.iter().find(ends) {
            Some(operand) => self.decided(operand, told),
            None => operands.iter().for_each(|operand| self.decided(operand, told)),
        }
    }

    /// `` `a == 'b'` is false: `a` is "c" ``
    fn sentence(&self, node: &Expr) -> Option<String> {
        let written = node.span.of(self.text);
        let whole = match self.seen.first(node)? {
            Ok(value) => format!("`{written}` is {}", shorten(&value.to_string())),
            Err(error) => format!("`{}` failed: {error}", nearest(self.text, error.span, node.span)),
        };
        if matches!(node.kind, Kind::Sub(..) | Kind::Field { .. } | Kind::Pattern(_)) {
            return Some(whole);
        }
        let mut below = Vec::new();
        own_parts(node, node.span, &mut below);
        let values: Vec<String> = below.into_iter().filter_map(|part| self.value(part)).collect();
        Some(if values.is_empty() { whole } else { format!("{whole}: {}", values.join(", ")) })
    }

    fn value(&self, part: &Expr) -> Option<String> {
        let Ok(value) = self.seen.first(part)? else { return None };
        Some(format!("`{}` is {}", part.span.of(self.text), shorten(&value.to_string())))
    }
}

/// The text in which an error arose; that of the whole where it has no place of its own.
fn nearest(text: &str, span: Span, whole: Span) -> &str {
    let written = span.of(text);
    if written.is_empty() { whole.of(text) } else { written }
}

/// A value's text, cut where it is long.
pub(super) fn shorten(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    let short: String = text.chars().take(SHOWN).collect();
    format!("{short}…")
}

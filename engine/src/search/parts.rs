//! A search in the parts that a trigger has.

use super::lower;
use super::tree::{Check, Field, Form, Glob, Node, NodeKind};
use crate::expr::{Expr, Kind};
use crate::matcher::is_read_only_name;

/// What a trigger says of its events.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// The event names, any of them; empty for every event.
    pub event_names: Vec<String>,
    /// The event sources, any of them; empty for all.
    pub event_sources: Vec<String>,
    /// The rest, as a match; `None` where names and sources say all.
    pub expr: Option<Expr>,
    /// Whether it may find read-only events that a trigger leaves out unless it is told.
    pub reads: bool,
}

pub(super) fn parts(root: Option<&Node>) -> Parts {
    let mut conditions = root.map(conditions).unwrap_or_default();
    let changes_only = conditions.iter().any(|node| leaves_out_read_only(node));
    let event_names = taken(&mut conditions, "eventName");
    let event_sources = taken(&mut conditions, "eventSource");
    let names_that_read = || event_names.iter().any(|name| is_read_only_name(name, None));
    let reads = !changes_only && (event_names.is_empty() || names_that_read());
    let mut exprs: Vec<Expr> = conditions.into_iter().map(lower::lower).collect();
    let expr = match exprs.pop() {
        Some(only) if exprs.is_empty() => Some(only),
        Some(last) => {
            let span = exprs.iter().fold(last.span, |span, expr| span.to(expr.span));
            // As the whole is lowered, chains within are laid open.
            let open = |expr: Expr| if let Kind::And(inner) = expr.kind { inner } else { vec![expr] };
            Some(Expr::new(Kind::And(exprs.into_iter().chain([last]).flat_map(open).collect()), span))
        }
        None => None,
    };
    Parts { event_names, event_sources, expr, reads }
}

/// What must hold all at once.
fn conditions(node: &Node) -> Vec<&Node> {
    match &node.kind {
        NodeKind::And(nodes) => nodes.iter().flat_map(conditions).collect(),
        _ => vec![node],
    }
}

/// Takes out the first condition that names texts of this field and nothing else, and gives them.
fn taken(conditions: &mut Vec<&Node>, name: &str) -> Vec<String> {
    let found = conditions.iter().enumerate().find_map(|(index, node)| Some((index, names(node, name)?)));
    let Some((index, mut names)) = found else { return Vec::new() };
    conditions.remove(index);
    names.sort();
    names.dedup();
    names
}

fn names(node: &Node, name: &str) -> Option<Vec<String>> {
    match &node.kind {
        NodeKind::Or(nodes) => nodes.iter().map(|node| names(node, name)).collect::<Option<Vec<_>>>().map(|names| names.concat()),
        NodeKind::Field(field, Check::Is(glob)) if is(field, name) => {
            glob.exact().filter(|text| !text.is_empty()).map(|text| vec![text.to_owned()])
        }
        _ => None,
    }
}

/// Whether a field is this member of the record and nothing else.
fn is(field: &Field, name: &str) -> bool {
    matches!(field.places.as_slice(), [place] if place.form != Form::Envelope && matches!(place.path.as_slice(), [only] if only == name))
}

fn leaves_out_read_only(node: &Node) -> bool {
    let says = |node: &Node, wanted: &str| matches!(&node.kind, NodeKind::Field(field, Check::Is(Glob(pieces))) if is(field, "readOnly") && matches!(pieces.as_slice(), [text] if text == wanted));
    match &node.kind {
        NodeKind::Not(inner) => says(inner, "true"),
        _ => says(node, "false"),
    }
}

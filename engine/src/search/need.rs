//! Which bytes a record must have so that a search can find it.
//!
//! *Invariant*: a record whose texts are written plainly (a character stands for itself wherever JSON allows it) and which lacks what is needed is not
//! found. Whoever meets a record with escapes that need not be (`\u0041`, `\/`) reads it.

use super::lower::number;
use super::tree::{Check, Form, Glob, Node, NodeKind, Place};

/// Bytes that must occur.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// None: any record may be found.
    Nothing,
    /// These bytes.
    Bytes(String),
    /// These ASCII bytes, letters in either case.
    AnyCase {
        /// In lower case.
        text: String,
        /// Whether no word goes on before it.
        begins: bool,
        /// Whether no word goes on behind it.
        ends: bool,
    },
    /// All of them.
    All(Vec<Need>),
    /// Any of them.
    Any(Vec<Need>),
}

impl Need {
    /// Whether a part of a number may be needed: `1e3` is looked for as `1000.0`.
    #[must_use]
    pub fn may_be_of_number(&self) -> bool {
        match self {
            Self::Nothing | Self::Bytes(_) => false,
            Self::AnyCase { text, .. } => text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'+' | b'-')),
            Self::All(needs) | Self::Any(needs) => needs.iter().any(Self::may_be_of_number),
        }
    }

    fn all(needs: Vec<Self>) -> Self {
        let mut needs: Vec<Self> = needs.into_iter().filter(|need| *need != Self::Nothing).collect();
        needs.dedup();
        match needs.pop() {
            None => Self::Nothing,
            Some(only) if needs.is_empty() => only,
            Some(last) => Self::All(needs.into_iter().chain([last]).collect()),
        }
    }

    fn any(mut needs: Vec<Self>) -> Self {
        needs.dedup();
        match needs.pop() {
            Some(only) if needs.is_empty() => only,
            Some(last) if last != Self::Nothing && !needs.contains(&Self::Nothing) => Self::Any(needs.into_iter().chain([last]).collect()),
            _ => Self::Nothing,
        }
    }
}

pub(super) fn need(node: &Node) -> Need {
    match &node.kind {
        NodeKind::And(nodes) => Need::all(nodes.iter().map(need).collect()),
        NodeKind::Or(nodes) => Need::any(nodes.iter().map(need).collect()),
        NodeKind::Not(_) => Need::Nothing,
        NodeKind::Text(glob) => word(glob),
        NodeKind::Field(field, check) => Need::any(field.places.iter().map(|place| of_place(place, check)).collect()),
    }
}

fn of_place(place: &Place, check: &Check) -> Need {
    let name = || place.path.last().map_or(Need::Nothing, |name| bytes(&format!("\"{name}\""), name));
    match (place.form, check) {
        // A bare record has none of it.
        (Form::Envelope, _) => Need::Nothing,
        (Form::Whole, Check::Is(glob)) => Need::all(vec![name(), word(glob)]),
        (Form::Tail(separator), Check::Is(glob)) => within(glob, Some(separator)),
        (Form::Text, Check::Is(glob)) => within(glob, None),
        (Form::Any { .. }, Check::Is(glob)) => match glob.exact() {
            // A number can be written in many ways.
            Some(exact) if number(exact).is_some() || exact == "true" || exact == "false" => name(),
            _ => Need::all(vec![name(), within(glob, None)]),
        },
        (_, _) => name(),
    }
}

/// A text between quotes. `tail`: what stands before it inside of them.
fn within(glob: &Glob, tail: Option<char>) -> Need {
    let last = glob.0.len().saturating_sub(1);
    let pieces = glob.0.iter().enumerate().map(|(index, piece)| {
        let before = if index > 0 { String::new() } else { tail.map_or_else(|| "\"".to_owned(), String::from) };
        let after = if index == last { "\"" } else { "" };
        bytes(&format!("{before}{piece}{after}"), piece)
    });
    Need::all(pieces.collect())
}

/// A text that stands anywhere. Between a record's own brackets and commas there may be blanks, so these part it.
fn word(glob: &Glob) -> Need {
    let parts = |letter: char| matches!(letter, '{' | '}' | '[' | ']' | ',' | '"' | '\\') || letter.is_control() || !letter.is_ascii();
    let last = glob.0.len().saturating_sub(1);
    let mut needs = Vec::new();
    for (index, piece) in glob.0.iter().enumerate() {
        for segment in piece.split(parts) {
            let bare = segment.trim_start_matches(':').trim();
            // At the end of a piece a wildcard may go on with the word, and nothing else may.
            let begins = index == 0 || !piece.starts_with(bare);
            let ends = index == last || !piece.ends_with(bare);
            needs.push(Need::AnyCase { text: bare.to_ascii_lowercase(), begins, ends });
        }
    }
    needs.retain(|need| !matches!(need, Need::AnyCase { text, .. } if text.is_empty()));
    Need::all(needs)
}

fn bytes(text: &str, inside: &str) -> Need {
    // A quote alone is in every record.
    if is_plain(inside) && text.len() > 1 { Need::Bytes(text.to_owned()) } else { Need::Nothing }
}

/// Whether a text stands in JSON as it is.
fn is_plain(text: &str) -> bool {
    !text.contains(|letter: char| matches!(letter, '"' | '\\') || letter.is_control())
}

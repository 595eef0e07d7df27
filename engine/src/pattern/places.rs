//! The texts that a pattern compares fields with, and where they stand. A [`super::Pattern`] itself has no places.

use super::json::{Kind, Node, parse};
use crate::text::Span;
use crate::value::Value;

/// A pattern as far as it compares fields with whole texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// All of these hold.
    All(Vec<Written>),
    /// One of these holds.
    Any(Vec<Written>),
    /// The field is one of the texts.
    Is {
        /// The names on the way, joined by dots.
        path: String,
        /// Each with its place.
        texts: Vec<(String, Span)>,
    },
    /// The field is none of the texts.
    IsNot {
        /// The names on the way, joined by dots.
        path: String,
        /// Each with its place.
        texts: Vec<(String, Span)>,
    },
    /// Something else is tested, too: nothing follows.
    Other,
}

/// What a pattern compares with texts; nothing where it is not JSON.
#[must_use]
pub fn written(text: &str) -> Written {
    parse(text).map_or(Written::Other, |root| group(&root, ""))
}

fn group(node: &Node, above: &str) -> Written {
    let Kind::Object(members) = &node.kind else { return Written::Other };
    let entry = |(name, _, value): &(String, Span, Node)| {
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        match &value.kind {
            Kind::Array(groups) if name == "$or" => Written::Any(groups.iter().map(|alternative| group(alternative, above)).collect()),
            Kind::Array(tests) => field(tests, &path),
            Kind::Object(_) => group(value, &path),
            Kind::Scalar(_) => Written::Other,
        }
    };
    Written::All(members.iter().map(entry).collect())
}

fn field(tests: &[Node], path: &str) -> Written {
    let texts: Vec<(String, Span)> = tests.iter().filter_map(place).collect();
    let excluded: Vec<(String, Span)> = tests.iter().flat_map(excluded_by).collect();
    let mut alternatives = Vec::new();
    if !texts.is_empty() {
        alternatives.push(Written::Is { path: path.to_owned(), texts });
    }
    if !excluded.is_empty() {
        alternatives.push(Written::IsNot { path: path.to_owned(), texts: excluded });
    }
    if tests.iter().any(|test| place(test).is_none() && excluded_by(test).is_empty()) {
        alternatives.push(Written::Other);
    }
    if alternatives.len() == 1 { alternatives.swap_remove(0) } else { Written::Any(alternatives) }
}

fn place(node: &Node) -> Option<(String, Span)> {
    match &node.kind {
        Kind::Scalar(Value::String(text)) => Some((text.clone(), node.span)),
        _ => None,
    }
}

/// The texts of `{"anything-but": "a"}` and `{"anything-but": ["a", "b"]}`.
fn excluded_by(node: &Node) -> Vec<(String, Span)> {
    let Kind::Object(members) = &node.kind else { return Vec::new() };
    let texts = |value: &Node| match &value.kind {
        Kind::Array(elements) => elements.iter().filter_map(place).collect(),
        _ => place(value).into_iter().collect::<Vec<_>>(),
    };
    members.iter().filter(|(name, ..)| name == "anything-but").flat_map(|(_, _, value)| texts(value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_their_places() {
        let text = r#"{"detail": {"eventName": ["A", "B", {"prefix": "C"}], "$or": [{"x.y": [{"anything-but": ["D"]}]}, {"z": [1]}]}}"#;
        let at = |word: &str| {
            let start = text.find(&format!("{word:?}")).unwrap();
            (word.to_owned(), Span::new(start, start + word.len() + 2))
        };
        let name = Written::Is { path: "detail.eventName".to_owned(), texts: vec![at("A"), at("B")] };
        let not = Written::IsNot { path: "detail.x.y".to_owned(), texts: vec![at("D")] };
        assert_eq!(
            written(text),
            Written::All(vec![Written::All(vec![
                Written::Any(vec![name, Written::Other]),
                Written::Any(vec![Written::All(vec![not]), Written::All(vec![Written::Other])]),
            ])])
        );
        assert_eq!(written("{"), Written::Other);
    }
}

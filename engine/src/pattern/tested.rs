//! Every field that a pattern tests, as it was written: with the places of its names and of its tests.

use super::json::{self, Kind, Node};
use crate::text::Span;
use crate::value::Value;

/// A field of a pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct TestedField {
    /// The names from the envelope down, as written, each with its place, quotes included.
    pub names: Vec<(String, Span)>,
    /// Its tests.
    pub tests: Vec<FieldTest>,
}

/// A test of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldTest {
    /// What it asks for.
    pub asks: Asks,
    /// Its place.
    pub span: Span,
}

/// What a test asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Asks {
    /// This value.
    Value(Value),
    /// A string of some form.
    String,
    /// A number in a range.
    Number,
    /// A leaf that is none of some.
    Other,
    /// That there is a leaf, or none.
    Exists(bool),
}

/// Every field that a pattern tests, those within `$or` among them, in the order of the text. Empty for a text that is no pattern.
#[must_use]
pub fn tested(text: &str) -> Vec<TestedField> {
    let mut fields = Vec::new();
    if let Ok(node) = json::parse(text) {
        walk(&node, &mut Vec::new(), &mut fields);
    }
    fields
}

fn walk(node: &Node, names: &mut Vec<(String, Span)>, fields: &mut Vec<TestedField>) {
    let Kind::Object(members) = &node.kind else { return };
    for (name, span, value) in members {
        match &value.kind {
            Kind::Array(alternatives) if name == "$or" => alternatives.iter().for_each(|alternative| walk(alternative, names, fields)),
            Kind::Array(tests) => {
                names.push((name.clone(), *span));
                fields.push(TestedField { names: names.clone(), tests: tests.iter().filter_map(test).collect() });
                names.pop();
            }
            _ => {
                names.push((name.clone(), *span));
                walk(value, names, fields);
                names.pop();
            }
        }
    }
}

fn test(node: &Node) -> Option<FieldTest> {
    let asks = match &node.kind {
        Kind::Scalar(value) => Asks::Value(value.clone()),
        Kind::Object(members) => match members.first() {
            Some((name, _, operand)) => match (name.as_str(), &operand.kind) {
                ("exists", Kind::Scalar(Value::Bool(exists))) => Asks::Exists(*exists),
                ("anything-but", _) => Asks::Other,
                ("numeric", _) => Asks::Number,
                _ => Asks::String,
            },
            None => return None,
        },
        Kind::Array(_) => return None,
    };
    Some(FieldTest { asks, span: node.span })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_their_places() {
        let text = r#"{"source": ["aws.s3"], "detail": {"$or": [{"a": [{"prefix": "x"}]}, {"b": [{"exists": false}, 5]}]}}"#;
        let told: Vec<_> = tested(text)
            .into_iter()
            .map(|field| {
                let names: Vec<_> = field.names.iter().map(|(_, span)| span.of(text)).collect();
                let tests: Vec<_> = field.tests.iter().map(|test| test.span.of(text)).collect();
                format!("{} {}", names.join("."), tests.join(" "))
            })
            .collect();
        assert_eq!(told, [r#""source" "aws.s3""#, r#""detail"."a" {"prefix": "x"}"#, r#""detail"."b" {"exists": false} 5"#]);
        assert_eq!(tested("{"), []);
    }
}

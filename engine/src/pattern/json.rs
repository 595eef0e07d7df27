//! JSON with the place of every value, and with every member even where a name is repeated.

use crate::text::Span;
use crate::value::Value;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// Null, a boolean, a number or a string.
    Scalar(Value),
    Array(Vec<Node>),
    /// Name, place of the name, value; in the order of the text.
    Object(Vec<(String, Span, Node)>),
}

/// Reads a text that must be JSON, nested no deeper than serde_json allows (128).
///
/// # Errors
/// The place and what is wrong there, in serde_json's words.
pub(crate) fn parse(text: &str) -> Result<Node, (Span, String)> {
    if let Err(error) = serde_json::from_str::<Value>(text) {
        let at = place(text, error.line(), error.column());
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
        return Err((at, message));
    }
    let mut cursor = Cursor { text, at: 0 };
    cursor.value().ok_or((Span::new(cursor.at, cursor.at), "not JSON".to_owned()))
}

/// serde_json counts lines and bytes from 1; an error at the end of a line has column 0 of the next.
fn place(text: &str, line: usize, column: usize) -> Span {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut at = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let end = text.get(at..).and_then(|rest| rest.chars().next()).map_or(at, |letter| at + letter.len_utf8());
    Span::new(at, end)
}

/// Walks a text that is known to be JSON.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl Cursor<'_> {
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.get(self.at..)?;
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        self.text.as_bytes().get(self.at).copied()
    }

    fn value(&mut self) -> Option<Node> {
        let first = self.peek()?;
        let start = self.at;
        let kind = match first {
            b'{' => self.object()?,
            b'[' => self.array()?,
            _ => Kind::Scalar(self.scalar()?),
        };
        Some(Node { kind, span: Span::new(start, self.at) })
    }

    fn object(&mut self) -> Option<Kind> {
        self.at += 1;
        let mut members = Vec::new();
        while self.peek()? != b'}' {
            let start = self.at;
            let Value::String(name) = self.scalar()? else { return None };
            let span = Span::new(start, self.at);
            self.peek()?;
            self.at += 1;
            members.push((name, span, self.value()?));
            self.comma()?;
        }
        self.at += 1;
        Some(Kind::Object(members))
    }

    fn array(&mut self) -> Option<Kind> {
        self.at += 1;
        let mut elements = Vec::new();
        while self.peek()? != b']' {
            elements.push(self.value()?);
            self.comma()?;
        }
        self.at += 1;
        Some(Kind::Array(elements))
    }

    fn comma(&mut self) -> Option<()> {
        if self.peek()? == b',' {
            self.at += 1;
        }
        Some(())
    }

    /// A string up to its closing quote, or anything else up to the next delimiter.
    fn scalar(&mut self) -> Option<Value> {
        let start = self.at;
        let rest = self.text.get(start..)?.as_bytes();
        let length = if rest.first() == Some(&b'"') {
            let mut escaped = false;
            let inside = rest.iter().skip(1).position(|byte| {
                let closes = *byte == b'"' && !escaped;
                escaped = *byte == b'\\' && !escaped;
                closes
            })?;
            inside + 2
        } else {
            rest.iter().position(|byte| b",]} \t\n\r".contains(byte)).unwrap_or(rest.len())
        };
        self.at += length;
        serde_json::from_str(self.text.get(start..self.at)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_repeated_names() {
        let text = r#" {"a" : [1, "x\"y", {}], "a":null} "#;
        let node = parse(text).unwrap();
        let Kind::Object(members) = &node.kind else { panic!("an object") };
        assert_eq!(
            members.iter().map(|(name, span, value)| (name.as_str(), span.of(text), value.span.of(text))).collect::<Vec<_>>(),
            [("a", "\"a\"", r#"[1, "x\"y", {}]"#), ("a", "\"a\"", "null")]
        );
        let Kind::Array(elements) = &members[0].2.kind else { panic!("an array") };
        assert_eq!(elements[1].kind, Kind::Scalar(Value::from("x\"y")));
        assert_eq!(elements[2].kind, Kind::Object(Vec::new()));
    }

    #[test]
    fn what_is_not_json_has_a_place() {
        for (text, under) in [("", ""), ("{\"é\": nul}", "}"), ("{\n  \"a\": ]\n}", "]"), ("{} x", "x")] {
            let (span, message) = parse(text).unwrap_err();
            assert_eq!(span.of(text), under, "{text}: {message}");
        }
    }
}

//! What a match says of event names and sources, whatever its language.

use crate::expr::{Comparator, Expr, Kind};
use crate::lang::Language;
use crate::pattern::{self, Written};
use crate::shape;
use crate::text::Span;
use crate::value::Value;

/// A match as far as it speaks of event names and sources.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    /// All of these.
    All(Vec<Said>),
    /// One of these.
    Any(Vec<Said>),
    /// Not this.
    Not(Box<Said>),
    /// The event's name is one of these.
    Names(Vec<Word>),
    /// The event's source is one of these.
    Sources(Vec<Word>),
    /// Something else.
    Other,
}

/// A text in the match and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) span: Span,
}

/// What a match says; `Other` where it cannot be read.
pub(super) fn said(language: Language, text: &str) -> Said {
    if language == Language::EventPattern {
        return of_pattern(pattern::written(text));
    }
    language.parse(text).0.map_or(Said::Other, |expr| of_expr(&expr, text))
}

fn of_pattern(written: Written) -> Said {
    let words = |texts: Vec<(String, Span)>| texts.into_iter().map(|(text, span)| Word { text, span }).collect();
    match written {
        Written::All(parts) => Said::All(parts.into_iter().map(of_pattern).collect()),
        Written::Any(parts) => Said::Any(parts.into_iter().map(of_pattern).collect()),
        Written::Is { path, texts } => about(&path, words(texts)),
        Written::IsNot { path, texts } => Said::Not(Box::new(about(&path, words(texts)))),
        Written::Other => Said::Other,
    }
}

fn of_expr(expr: &Expr, text: &str) -> Said {
    let all = |operands: &[Expr]| operands.iter().map(|operand| of_expr(operand, text)).collect();
    match &expr.kind {
        Kind::And(operands) => Said::All(all(operands)),
        Kind::Or(operands) => Said::Any(all(operands)),
        Kind::Not(operand) => Said::Not(Box::new(of_expr(operand, text))),
        Kind::Comparison(comparator @ (Comparator::Equal | Comparator::NotEqual), left, right) => {
            let said = compared(left, right, text).or_else(|| compared(right, left, text)).unwrap_or(Said::Other);
            if *comparator == Comparator::Equal { said } else { Said::Not(Box::new(said)) }
        }
        Kind::Call(call) if call.name == "contains" => match call.arguments.as_slice() {
            // In a text it looks for a part.
            [list, field] if !matches!(list.kind, Kind::Literal(Value::String(_))) => compared(field, list, text).unwrap_or(Said::Other),
            _ => Said::Other,
        },
        _ => Said::Other,
    }
}

/// A field beside a text, or beside a list of texts.
fn compared(field: &Expr, literal: &Expr, text: &str) -> Option<Said> {
    let path = shape::path(field)?.join(".");
    Some(about(&path, words(literal, text)?))
}

fn about(path: &str, words: Vec<Word>) -> Said {
    match path {
        "detail.eventName" => Said::Names(words),
        "detail.eventSource" => Said::Sources(words),
        _ => Said::Other,
    }
}

fn words(literal: &Expr, text: &str) -> Option<Vec<Word>> {
    match &literal.kind {
        Kind::Literal(Value::String(word)) => Some(vec![Word { text: word.clone(), span: literal.span }]),
        Kind::Literal(Value::Array(elements)) => {
            let words = elements.iter().map(|element| Some(element.as_str()?.to_owned()));
            let words: Vec<String> = words.collect::<Option<_>>()?;
            Some(words.into_iter().map(|word| Word { span: place_in(literal.span, &word, text), text: word }).collect())
        }
        Kind::MultiSelectList(elements) => {
            let words = elements.iter().map(|element| self::words(element, text));
            Some(words.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
        }
        _ => None,
    }
}

/// Where a text stands in a literal list; the whole list where it is written in another way.
fn place_in(list: Span, word: &str, text: &str) -> Span {
    let quoted = Value::from(word).to_string();
    list.of(text).find(&quoted).map_or(list, |at| Span::new(list.start + at, list.start + at + quoted.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words with their places, in the form `+names A "A"`.
    fn shown(said: &Said, text: &str, positive: bool, found: &mut Vec<String>) {
        let mut say = |kind: &str, words: &[Word]| {
            for word in words {
                let sign = if positive { '+' } else { '-' };
                found.push(format!("{sign}{kind} {} {}", word.text, word.span.of(text)));
            }
        };
        match said {
            Said::All(parts) | Said::Any(parts) => parts.iter().for_each(|part| shown(part, text, positive, found)),
            Said::Not(part) => shown(part, text, !positive, found),
            Said::Names(words) => say("name", words),
            Said::Sources(words) => say("source", words),
            Said::Other => {}
        }
    }

    #[test]
    fn in_every_language() {
        for (language, text, expected) in [
            (Language::JmesPath, "detail.eventName == 'A' && 'b' != detail.eventSource", "+name A 'A', -source b 'b'"),
            (
                Language::JmesPath,
                "contains(`[\"A\", \"B\"]`, detail.eventName) || !contains(['C'], detail.eventName)",
                "+name A \"A\", +name B \"B\", -name C 'C'",
            ),
            (
                Language::JmesPath,
                "eventName == 'A' || detail.eventName == detail.a || detail.a == 'A' || x[?eventName == 'A'] || contains('A', detail.eventName)",
                "",
            ),
            (Language::JmesPath, "detail.eventName = 'A'", ""),
            (
                Language::FilterPattern,
                "{ ($.eventName = A) || ($.eventName = \"B\") || ($.eventSource != c) || ($.eventName = D*) }",
                "+name A A, +name B \"B\", -source c c",
            ),
            (
                Language::EventPattern,
                r#"{"detail": {"eventName": ["A"], "eventSource": [{"anything-but": "b"}]}, "$or": [{"detail.eventName": ["C"]}, {"a": [1]}]}"#,
                "+name A \"A\", -source b \"b\", +name C \"C\"",
            ),
            (Language::EventPattern, "{", ""),
        ] {
            let mut found = Vec::new();
            shown(&said(language, text), text, true, &mut found);
            assert_eq!(found.join(", "), expected, "{text}");
        }
    }
}

//! An expression of a trigger as the checks read it.

use super::place::Places;
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, is_identifier};
use crate::lang::Language;
use crate::shape::Kinds;
use crate::text::{Span, nearest};

/// What an expression is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It decides whether the trigger fires.
    Verdict,
    /// Its value is shown.
    Value,
}

/// An expression, what it is for, and where its values stand.
#[derive(Debug)]
pub(super) struct Reading<'e> {
    pub(super) language: Language,
    pub(super) text: &'e str,
    pub(super) expr: &'e Expr,
    pub(super) purpose: Purpose,
    /// Whether the trigger names its events, so that their own fields are there.
    pub(super) names_events: bool,
    pub(super) places: Places<'e>,
}

impl Reading<'_> {
    pub(super) fn is_jmespath(&self) -> bool {
        self.language == Language::JmesPath
    }

    pub(super) fn error(&self, code: Code, span: Span, message: String) -> Diagnostic {
        Diagnostic::error(code, message).under(self.text, span)
    }

    pub(super) fn warning(&self, code: Code, span: Span, message: String) -> Diagnostic {
        Diagnostic::warning(code, message).under(self.text, span)
    }

    /// The field at a path, as this language spells it.
    pub(super) fn shown(&self, path: &str) -> String {
        shown(self.language, path)
    }

    /// As much of the text as a place holds, short enough for a sentence.
    pub(super) fn quoted(&self, span: Span) -> String {
        const MOST: usize = 80;
        let line = self.written(span);
        if line.chars().count() <= MOST { line } else { line.chars().take(MOST - 1).chain(['…']).collect() }
    }

    /// What a place of the text holds, as one line that can be pasted.
    pub(super) fn written(&self, span: Span) -> String {
        span.of(self.text).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// The field at a path, as a language spells it.
pub(super) fn shown(language: Language, path: &str) -> String {
    match language {
        Language::JmesPath => {
            let name = |part: &str| {
                let (name, elements) = part.strip_suffix("[]").map_or((part, ""), |name| (name, "[]"));
                if is_identifier(name) { part.to_owned() } else { format!("\"{name}\"{elements}") }
            };
            path.split('.').map(name).collect::<Vec<_>>().join(".")
        }
        Language::FilterPattern => {
            path.strip_prefix("detail.").map_or_else(|| path.to_owned(), |rest| format!("$.{}", rest.replace("[]", "[*]")))
        }
        Language::EventPattern => path.replace("[]", ""),
    }
}

/// A name that differs from the wanted one by case alone, or by a letter or two.
pub(super) fn misspelt<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    nearest(name, names.iter().copied()).filter(|near| crate::text::distance_within(name, near, 2).is_some())
}

/// `a string`, `an array or an object`; null is left out, as it stands for missing.
pub(super) fn kinds_in_words(kinds: Kinds) -> String {
    let names = [
        (Kinds::BOOLEAN, "a boolean"),
        (Kinds::NUMBER, "a number"),
        (Kinds::STRING, "a string"),
        (Kinds::ARRAY, "an array"),
        (Kinds::OBJECT, "an object"),
    ];
    let words: Vec<&str> = names.into_iter().filter(|(kind, _)| kinds.has(*kind)).map(|(_, name)| name).collect();
    if words.is_empty() { "null".to_owned() } else { words.join(" or ") }
}

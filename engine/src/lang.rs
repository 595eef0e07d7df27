//! The languages in which a match is written. Each parses to the tree of [`crate::expr`] and knows nothing of the others.

pub(crate) mod build;
pub mod filter;
pub mod jmespath;

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::expr::{Expr, Kind};
use crate::pattern::Pattern;
use crate::text::Span;

/// A language in which a match can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// JMESPath over the envelope.
    JmesPath,
    /// A CloudWatch Logs filter pattern over `detail`.
    FilterPattern,
    /// An EventBridge event pattern over the envelope.
    EventPattern,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::JmesPath, Self::FilterPattern, Self::EventPattern];

    /// The attribute of a trigger in which it is written.
    #[must_use]
    pub fn attribute(self) -> &'static str {
        match self {
            Self::JmesPath => "match_expression",
            Self::FilterPattern => "filter_pattern",
            Self::EventPattern => "event_pattern",
        }
    }

    /// Parses a text to the one tree; no tree if a diagnostic is an error.
    ///
    /// ```
    /// use trailwire_engine::{eval::search, lang::Language};
    /// let event = serde_json::json!({"detail": {"eventName": "CreateUser"}});
    /// for (language, text) in [
    ///     (Language::JmesPath, "detail.eventName == 'CreateUser'"),
    ///     (Language::FilterPattern, "{ $.eventName = CreateUser }"),
    ///     (Language::EventPattern, r#"{"detail": {"eventName": ["CreateUser"]}}"#),
    /// ] {
    ///     assert_eq!(search(&language.parse(text).0.unwrap(), &event), Ok(true.into()));
    /// }
    /// ```
    #[must_use]
    pub fn parse(self, text: &str) -> (Option<Expr>, Vec<Diagnostic>) {
        match self {
            Self::JmesPath => jmespath::parse(text),
            Self::FilterPattern => filter::parse(text),
            Self::EventPattern => {
                let (pattern, diagnostics) = Pattern::parse(text);
                let span = Span::new(0, text.len());
                (pattern.map(|pattern| Expr::new(Kind::Pattern(Arc::new(pattern)), span)), diagnostics)
            }
        }
    }
}

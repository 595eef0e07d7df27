//! What is wrong with what a user wrote: a code, one sentence, the place, and what to do.
//!
//! A message is one line without a full stop, begins in lower case and has the user's words in backticks. The help stands
//! apart from it. Text that a user wrote never gives only the first error: readers and checks return all of them.

mod code;
mod draw;
mod path;

pub use code::Code;
pub use path::{Path, Step};

use crate::text::Span;

/// Whether work can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Certain: nothing is done.
    Error,
    /// Likely a mistake, or something worth knowing.
    Warning,
}

/// A text that a user wrote and the place in it that a diagnostic speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The whole text, as written.
    pub text: String,
    /// The place, in bytes of `text`.
    pub span: Span,
}

/// One thing that is wrong, or worth a warning.
///
/// ```
/// use trailwire_engine::diagnostic::{Code, Diagnostic};
/// use trailwire_engine::text::Span;
/// let text = "start_with(detail.eventName, 'Create')";
/// let diagnostic = Diagnostic::error(Code::UNKNOWN_FUNCTION, "unknown function `start_with`")
///     .under(text, Span::new(0, 10))
///     .help("did you mean `starts_with`?");
/// assert_eq!(diagnostic.draw(), "\
/// error[TW2101]: unknown function `start_with`
///   |
/// 1 | start_with(detail.eventName, 'Create')
///   | ^^^^^^^^^^
///   = help: did you mean `starts_with`?");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its number, which never changes its meaning.
    pub code: Code,
    /// Whether work can go on.
    pub severity: Severity,
    /// One sentence.
    pub message: String,
    /// The attribute it is about; empty where it is about the whole.
    pub path: Path,
    /// The text under which a caret is drawn.
    pub excerpt: Option<Excerpt>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error.
    #[must_use]
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), path: Path::default(), excerpt: None, help: None }
    }

    /// A warning.
    #[must_use]
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Names the attribute.
    #[must_use]
    pub fn at(mut self, path: Path) -> Self {
        self.path = path;
        self
    }

    /// Puts a caret under `span` of `text`.
    #[must_use]
    pub fn under(mut self, text: &str, span: Span) -> Self {
        self.excerpt = Some(Excerpt { text: text.to_owned(), span });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether the place of another one lies within the place of this one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let (Some(place), Some(other)) = (&self.excerpt, &other.excerpt) else { return false };
        place.span.start <= other.span.start && other.span.end <= place.span.end
    }

    /// Whether this one stops the work.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The diagnostic as a person reads it on a terminal, without a line end after the last line.
    #[must_use]
    pub fn draw(&self) -> String {
        let path = if self.path.is_empty() { String::new() } else { format!(" (in {})", self.path) };
        let head = format!("{}[{}]: {}{path}", self.severity.word(), self.code, self.message);
        std::iter::once(head).chain(self.body()).collect::<Vec<_>>().join("\n")
    }

    /// The lines under the message: the excerpt with its caret, then the help. Every line begins with a space or a digit
    /// that is padded to stand in a column. Empty where there is neither.
    #[must_use]
    pub fn body(&self) -> Vec<String> {
        let excerpt = self.excerpt.iter().flat_map(draw::excerpt);
        let help = self.help.iter().map(|help| format!("  = help: {help}"));
        excerpt.chain(help).collect()
    }
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Whether one of them is an error.
#[must_use]
pub fn any_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(Diagnostic::is_error)
}

//! The match that a user gives on the command line, in one of the languages.

use std::io::Write as _;

use clap::Args;
use trailwire_engine::check;
use trailwire_engine::diagnostic::{Diagnostic, Path, any_error};
use trailwire_engine::expr::Expr;
use trailwire_engine::lang::Language;

use super::Failure;

/// A match in one language.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct MatchArguments {
    /// A JMESPath expression over the EventBridge event; the CloudTrail record is under `detail`.
    #[arg(long, value_name = "EXPRESSION")]
    jmespath: Option<String>,
    /// A CloudWatch Logs filter pattern, such as `{ $.eventName = ConsoleLogin }`; `$` is the CloudTrail record.
    #[arg(long, value_name = "PATTERN")]
    filter_pattern: Option<String>,
    /// An EventBridge event pattern as JSON, such as `{"detail":{"eventName":["ConsoleLogin"]}}`.
    #[arg(long, value_name = "JSON")]
    event_pattern: Option<String>,
}

/// A match that was read.
#[derive(Debug)]
pub(super) struct Matching {
    pub(super) language: Language,
    pub(super) text: String,
    pub(super) expr: Expr,
}

impl MatchArguments {
    /// The language and the text; `None` where none was given.
    pub(super) fn given(&self) -> Option<(Language, &str)> {
        let texts = [
            (Language::JmesPath, &self.jmespath),
            (Language::FilterPattern, &self.filter_pattern),
            (Language::EventPattern, &self.event_pattern),
        ];
        texts.into_iter().find_map(|(language, text)| Some((language, text.as_deref()?)))
    }

    /// Parses and checks the match; warnings go to standard error, errors are the failure. `None` where none was given.
    pub(super) fn read(&self) -> Result<Option<Matching>, Failure> {
        let Some((language, text)) = self.given() else { return Ok(None) };
        let drawn = |diagnostics: &[Diagnostic]| diagnostics.iter().map(Diagnostic::draw).collect::<Vec<_>>().join("\n");
        let diagnostics = check::check_text(language, text, &Path::default());
        match language.parse(text).0 {
            Some(expr) if !any_error(&diagnostics) => {
                if !diagnostics.is_empty() {
                    drop(writeln!(std::io::stderr(), "{}", drawn(&diagnostics)));
                }
                Ok(Some(Matching { language, text: text.to_owned(), expr }))
            }
            _ => Err(Failure::refused(drawn(&diagnostics))),
        }
    }
}

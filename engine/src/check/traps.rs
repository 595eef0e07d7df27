//! The checks over the tree of one expression, in the order in which their findings are told.

use super::place::Places;
use super::reading::{Purpose, Reading};
use super::{absent, event_patterns, fields, filters, texts, truth, types};
use crate::diagnostic::Diagnostic;
use crate::expr::Expr;
use crate::lang::Language;
use crate::text::Span;

/// Everything that the tree of an expression tells beside what the CloudTrail record is known to be, in the order of the text. Of two
/// findings in one place with one code the first is told, and of a place that is wrong already nothing smaller.
pub(super) fn check(language: Language, text: &str, expr: &Expr, purpose: Purpose, names_events: bool) -> Vec<Diagnostic> {
    let reading = Reading { language, text, expr, purpose, names_events, places: Places::of(expr) };
    let mut found = match language {
        Language::EventPattern => event_patterns::check(&reading),
        Language::FilterPattern => {
            [fields::check(&reading), filters::check(&reading), texts::check(&reading), types::check(&reading)].concat()
        }
        Language::JmesPath => [texts::check(&reading), fields::check(&reading), types::check(&reading)].concat(),
    };
    if reading.purpose == Purpose::Verdict && language != Language::EventPattern {
        found.extend(truth::check(&reading));
        if reading.is_jmespath() {
            found.extend(absent::check(&reading));
        }
    }
    first_of_each(found)
}

fn first_of_each(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut told: Vec<Diagnostic> = Vec::new();
    for diagnostic in found {
        let is_told =
            told.iter().any(|other| span(&diagnostic) == span(other) || (other.code == diagnostic.code && other.covers(&diagnostic)));
        if !is_told {
            told.push(diagnostic);
        }
    }
    told.sort_by_key(|diagnostic| span(diagnostic).map(|span| span.start));
    told
}

fn span(diagnostic: &Diagnostic) -> Option<Span> {
    diagnostic.excerpt.as_ref().map(|excerpt| excerpt.span)
}

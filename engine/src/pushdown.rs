//! Push-down: what of a trigger EventBridge can decide, so that nobody pays to move events that cannot match.
//!
//! The laws, over events E (see [`Schema`]; numbers are those that a double holds):
//! - P1: an event of E that the trigger matches satisfies the pattern. Where errors count as matches, those too.
//! - P2: where it is `exact`, nothing else of E satisfies it (scope and the hub's own roles apart, which no pattern knows).
//! - P3: the pattern passes [`crate::pattern::Pattern::validate`]; wildcards only in [`Mode::Full`].
//! - P4: the same input gives the same bytes. P5: leaving out any conjunct keeps P1.
//!
//! How: the expression is taken apart from the top. Each part becomes a condition that holds whenever the part is true (or not
//! true, under a `!`): the values of a field for which it can be so ([`crate::shape`]) become tests, if every value of every type
//! that the field can have is covered by one. What cannot be said so is left to the runtime: the condition keeps too much, never
//! too little.

mod compile;
mod condition;
mod draft;
mod flat;
mod merge;
mod tests_for;

use crate::expr::Expr;
use crate::pattern::{Limits, Scalar, Test};
use crate::shape::{Schema, conjuncts};
use crate::text::Span;
use compile::Compiler;
use draft::Draft;

/// How much is pushed down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Event names and event sources only.
    Names,
    /// Everything that needs no wildcard.
    #[default]
    Safe,
    /// Everything. Rules with wildcards are few on a bus.
    Full,
}

/// What an error of the expression means for the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Errors {
    /// The event does not match.
    #[default]
    NoMatch,
    /// The event matches.
    Match,
}

/// What the pattern is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Frame {
    /// A rule: `source` and `detail-type` are CloudTrail's, too.
    #[default]
    Rule,
    /// Any use: nothing but what was asked.
    Bare,
}

/// An expression as it was written.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    /// The tree.
    pub tree: &'a Expr,
    /// The text that the tree's places are in.
    pub text: &'a str,
}

/// What is asked of events: all of it must hold.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// Event names, any of which must fit; none for every name.
    pub names: &'a [String],
    /// Event sources, any of which must fit; none for every source.
    pub sources: &'a [String],
    /// The match.
    pub expression: Option<Written<'a>>,
    /// What its errors mean.
    pub errors: Errors,
    /// What may be supposed of the events.
    pub schema: Schema,
    /// How much is pushed down.
    pub mode: Mode,
    /// What the pattern is for.
    pub frame: Frame,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PushDown {
    /// The pattern as it is sent; `None` where nothing could be pushed, and where nothing can ever match.
    pub pattern: Option<String>,
    /// Whether whatever satisfies the pattern matches.
    pub exact: bool,
    /// The conjuncts of the expression that the pattern does not decide, as written.
    pub residual: Vec<String>,
    /// Why no event can ever match.
    pub never: Option<String>,
    /// The place of the conjunct that shows it.
    pub never_at: Option<Span>,
    /// Why each residual conjunct stays.
    pub notes: Vec<String>,
}

/// The most `*` of a pattern.
const MOST_WILDCARDS: usize = 10;

/// The most alternatives of an `$or`.
const MOST_ALTERNATIVES: usize = 16;

/// Pushes down what can be.
///
/// The caller splits lists of names and sources that no single pattern holds: for them this gives a pattern that is too long.
///
/// ```
/// use trailwire_engine::{lang::jmespath, pushdown::{Asked, Written, push_down}};
/// let text = "detail.userIdentity.type == 'Root' && contains(detail.userAgent, 'console')";
/// let tree = jmespath::parse(text).0.unwrap();
/// let names = ["StopLogging".to_owned()];
/// let pushed = push_down(Asked { names: &names, expression: Some(Written { tree: &tree, text }), ..Asked::default() });
/// assert_eq!(pushed.pattern.unwrap(), concat!(
///     r#"{"source":[{"prefix":"aws."}],"detail-type":[{"suffix":" via CloudTrail"}],"#,
///     r#""detail":{"eventName":["StopLogging"],"userIdentity":{"type":["Root"]}}}"#));
/// assert!(!pushed.exact);
/// assert_eq!(pushed.residual, ["contains(detail.userAgent, 'console')"]);
/// ```
#[must_use]
pub fn push_down(asked: Asked<'_>) -> PushDown {
    let parts = asked.expression.map_or(Vec::new(), |written| conjuncts(written.tree));
    let texts: Vec<&str> = asked.expression.map_or(Vec::new(), |written| parts.iter().map(|part| part.span.of(written.text)).collect());
    let mut draft = Draft::new(asked.schema, parts.len());
    frame(&mut draft, asked);
    if asked.mode == Mode::Names {
        (0..parts.len()).for_each(|part| draft.leave(part, "`push_down = \"names\"` pushes names and sources only".to_owned()));
    } else if let Some(written) = asked.expression {
        for (part, condition) in Compiler::new(asked).verdict(written.tree).into_iter().enumerate() {
            draft.add(part, condition);
        }
    }
    let limits = Limits { wildcards: if asked.mode == Mode::Full { MOST_WILDCARDS } else { 0 }, ..Limits::default() };
    let pattern = draft.fit(limits);
    if let Some(part) = draft.never() {
        let text = texts.get(part).copied().unwrap_or_default();
        let reason = if parts.len() == 1 && asked.names.is_empty() { "it is never true" } else { "it cannot hold together with the rest" };
        let reason = format!("`{text}`: {reason}");
        let at = parts.get(part).map(|part| part.span);
        return PushDown { never: Some(reason), never_at: at, ..PushDown::default() };
    }
    // What one piece of the text became several conjuncts of is one conjunct to its author.
    let mut left: Vec<(Span, String)> = Vec::new();
    for (part, why) in draft.left() {
        let span = parts.get(part).map(|part| part.span).unwrap_or_default();
        if left.last().is_none_or(|(last, _)| *last != span) {
            left.push((span, why));
        }
    }
    let text = asked.expression.map_or("", |written| written.text);
    PushDown {
        pattern: pattern.map(|pattern| pattern.to_string()),
        exact: draft.is_exact(),
        residual: left.iter().map(|(span, _)| span.of(text).to_owned()).collect(),
        never: None,
        never_at: None,
        notes: left.iter().map(|(span, why)| format!("`{}`: {why}", span.of(text))).collect(),
    }
}

/// What holds beside the expression. In [`Mode::Names`] nothing else is in the pattern.
fn frame(draft: &mut Draft, asked: Asked<'_>) {
    if asked.frame == Frame::Rule {
        draft.frame(&["source"], vec![Test::Prefix("aws.".to_owned())]);
        draft.frame(&["detail-type"], vec![Test::Suffix(" via CloudTrail".to_owned())]);
    }
    for (field, values) in [("eventName", asked.names), ("eventSource", asked.sources)] {
        let mut tests: Vec<Test> = Vec::with_capacity(values.len());
        for value in values {
            let test = Test::Equals(Scalar::String(value.clone()));
            if !tests.contains(&test) {
                tests.push(test);
            }
        }
        if !tests.is_empty() {
            draft.frame(&["detail", field], tests);
        }
    }
}

#[cfg(test)]
mod tests;

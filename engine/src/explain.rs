//! Why an event does or does not match: what every part of a match came to, and which of them decided.
//!
//! The parts stand in the order of the text, each under the part that it belongs to. Where a language means more than its text
//! says (a filter pattern looks at the type first), the text's own parts are told, not what they were made of.

mod because;
mod report;

use std::collections::HashMap;

use crate::eval::{EvalError, search_observed, truthy};
use crate::event::Event;
use crate::expr::{Expr, Kind};
use crate::matcher::{CompiledTrigger, Outcome, Reason, Scope};
use crate::text::Span;
use crate::trigger::OnError;
use crate::value::Value;

/// How many values of one part are kept; one inside a projection has as many as there are elements.
const MOST_VALUES: usize = 10;

/// What a part came to, each time that it was reached.
type Outcomes = Vec<Result<Value, EvalError>>;

/// An expression on one event.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// What the whole came to.
    pub outcome: Result<Value, EvalError>,
    /// Why, in a few sentences: the parts that decided.
    pub because: Vec<String>,
    /// The parts, in the order of the text; the whole first.
    pub parts: Vec<Part>,
}

/// A part of an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its text.
    pub text: String,
    /// Its place in the whole text.
    pub span: Span,
    /// How many parts it lies within.
    pub depth: usize,
    /// What it came to, once for each time that it was reached, the first ten; empty where it was not reached.
    pub outcomes: Vec<Result<Value, EvalError>>,
    /// How often it was reached.
    pub reached: usize,
}

/// A trigger on one event.
#[derive(Debug, Clone, PartialEq)]
pub struct TriggerExplanation {
    /// The trigger's name.
    pub trigger: String,
    /// Whether its actions run.
    pub fires: bool,
    /// Why, in one sentence.
    pub reason: String,
    /// The match; `None` where an earlier rule said no, or where there is none.
    pub matching: Option<Explanation>,
}

/// Explains an expression, which was parsed from `text`, on an envelope.
///
/// ```
/// use trailwire_engine::{explain, lang::jmespath::parse};
/// let text = "detail.eventName == 'CreateUser' && starts_with(detail.userAgent, 'aws-cli')";
/// let event = serde_json::json!({"detail": {"eventName": "CreateUser", "userAgent": "console.amazonaws.com"}});
/// let explanation = explain::expression(text, &parse(text).0.unwrap(), &event);
/// assert_eq!(explanation.because, [
///     r#"`starts_with(detail.userAgent, 'aws-cli')` is false: `detail.userAgent` is "console.amazonaws.com""#,
/// ]);
/// ```
#[must_use]
pub fn expression(text: &str, expr: &Expr, envelope: &Value) -> Explanation {
    let mut seen = Seen::default();
    let outcome = search_observed(expr, envelope, &mut |node, outcome| seen.note(node, outcome));
    let mut parts = Vec::new();
    collect(text, expr, &seen, 0, &mut parts);
    let because = because::because(text, expr, &seen);
    Explanation { outcome, because, parts }
}

/// Explains a trigger on an event.
#[must_use]
pub fn trigger(compiled: &CompiledTrigger, event: &Event, scope: &Scope) -> TriggerExplanation {
    let trigger = compiled.trigger();
    let outcome = compiled.judge(event, scope);
    let fires = match &outcome {
        Outcome::Match => true,
        Outcome::NoMatch(_) => false,
        Outcome::Error(_) => trigger.on_error == OnError::Match,
    };
    // The match is the last rule: it was not asked where an earlier one said no.
    let was_asked = matches!(outcome, Outcome::Match | Outcome::Error(_) | Outcome::NoMatch(Reason::Expression));
    let matching = match (was_asked, trigger.matching(), compiled.expression()) {
        (true, Some((_, text)), Some(expr)) => Some(expression(text, expr, event.envelope())),
        _ => None,
    };
    let reason = match &outcome {
        Outcome::Match if matching.is_none() => "its event name and source fit, and there is no match to test".to_owned(),
        Outcome::Match => "the match is true".to_owned(),
        Outcome::NoMatch(reason) => reason.to_string(),
        Outcome::Error(error) if fires => format!("the match ended in an error ({error}), and on_error is match"),
        Outcome::Error(error) => format!("the match ended in an error ({error})"),
    };
    TriggerExplanation { trigger: trigger.name.clone(), fires, reason, matching }
}

impl Explanation {
    /// `true`, `false` or `an error`: the verdict in words.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        match &self.outcome {
            Ok(value) if truthy(value) => "true",
            Ok(_) => "not true",
            Err(_) => "an error",
        }
    }
}

/// What was seen of every node, known by its address: nodes stand still while they are evaluated.
#[derive(Default)]
struct Seen(HashMap<usize, (usize, Outcomes)>);

impl Seen {
    fn note(&mut self, node: &Expr, outcome: Result<&Value, &EvalError>) {
        let (reached, outcomes) = self.0.entry(address(node)).or_default();
        *reached += 1;
        if outcomes.len() < MOST_VALUES {
            outcomes.push(outcome.cloned().map_err(Clone::clone));
        }
    }

    fn of(&self, node: &Expr) -> (usize, &[Result<Value, EvalError>]) {
        self.0.get(&address(node)).map_or((0, &[]), |(reached, outcomes)| (*reached, outcomes.as_slice()))
    }

    /// What a node came to first.
    fn first(&self, node: &Expr) -> Option<&Result<Value, EvalError>> {
        self.of(node).1.first()
    }
}

fn address(node: &Expr) -> usize {
    std::ptr::from_ref(node).addr()
}

/// The parts of a node, itself included. Literals tell nothing, and what has the place of the node above was made for it.
fn collect(text: &str, node: &Expr, seen: &Seen, depth: usize, parts: &mut Vec<Part>) {
    let (reached, outcomes) = seen.of(node);
    parts.push(Part { text: node.span.of(text).to_owned(), span: node.span, depth, outcomes: outcomes.to_vec(), reached });
    let mut below: Vec<&Expr> = Vec::new();
    own_parts(node, node.span, &mut below);
    below.sort_by_key(|part| part.span.start);
    for part in below {
        collect(text, part, seen, depth + 1, parts);
    }
}

/// The nearest nodes below that have a place of their own, one for each place.
fn own_parts<'e>(node: &'e Expr, span: Span, found: &mut Vec<&'e Expr>) {
    let mut children = node.children();
    // What `b` came to in `a.b` is what `a.b` came to.
    if matches!(&node.kind, Kind::Sub(_, right) if matches!(right.kind, Kind::Field { .. })) {
        children.truncate(1);
    }
    for child in children {
        if child.span == span || matches!(child.kind, Kind::Reference(_)) {
            own_parts(child, span, found);
        } else if !child.span.is_empty() && !is_silent(child) && !found.iter().any(|known| known.span == child.span) {
            found.push(child);
        }
    }
}

/// Whether a node's value is its text.
fn is_silent(node: &Expr) -> bool {
    matches!(node.kind, Kind::Literal(_) | Kind::Current | Kind::Index(_) | Kind::Slice(_))
}

#[cfg(test)]
mod tests;

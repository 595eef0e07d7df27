//! `trailwire explain`: why an event does or does not fire a trigger.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::Value;
use trailwire_engine::eval::{EvalError, search_observed, truthy};
use trailwire_engine::event::Event;
use trailwire_engine::expr::Expr;
use trailwire_engine::matcher::{CompiledTrigger, Outcome};
use trailwire_engine::trigger::OnError;

use super::{Failure, eval, input, print};
use crate::definitions::{Definitions, files};
use crate::source::file;

/// How much of a value is shown.
const SHOWN: usize = 60;
/// How many values of one part of an expression are shown: one inside a projection has many.
const OUTCOMES: usize = 3;

/// Tells, for each event and trigger, which step of the judgement said no, and what every part of the match came to.
#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// A document, a directory of documents, or a plan as `terraform show -json` prints it.
    #[arg(long, value_name = "PATH", required_unless_present = "jmespath", conflicts_with = "jmespath")]
    definitions: Option<PathBuf>,
    /// Only the trigger of this name.
    #[arg(long, value_name = "NAME", requires = "definitions")]
    trigger: Option<String>,
    /// Explain this JMESPath expression instead of triggers.
    #[arg(long, value_name = "EXPRESSION")]
    jmespath: Option<String>,
    /// Files of events as `eval` takes them; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    inputs: Vec<String>,
}

/// # Errors
///
/// [`Failure::Refused`] for definitions, an expression or input that can not be read.
pub(crate) fn run(arguments: &ExplainArguments) -> Result<(), Failure> {
    let subject = Subject::of(arguments)?;
    for name in &arguments.inputs {
        let opened = input::open(name).map_err(|error| Failure::refused(format!("cannot read {name}: {error}")))?;
        let mut failed = None;
        file::pieces_of(opened, &mut |piece| {
            let told =
                piece.map_err(|reason| Failure::refused(format!("{name}: {reason}"))).and_then(|event| print(&subject.explain(&event)));
            failed = told.err();
            failed.is_none()
        });
        if let Some(failure) = failed {
            return Err(failure);
        }
    }
    Ok(())
}

enum Subject {
    Expression(String, Expr),
    Triggers(Arc<Definitions>, Vec<CompiledTrigger>),
}

impl Subject {
    fn of(arguments: &ExplainArguments) -> Result<Self, Failure> {
        if let Some(text) = &arguments.jmespath {
            return Ok(Self::Expression(text.clone(), eval::expression(text)?));
        }
        let path = arguments.definitions.as_deref().unwrap_or(std::path::Path::new("."));
        let definitions = files::load(path).map_err(Failure::refused)?;
        let wanted = |name: &str| arguments.trigger.as_ref().is_none_or(|wanted| wanted == name);
        let compiled: Vec<CompiledTrigger> = definitions
            .triggers()
            .filter(|trigger| wanted(&trigger.name))
            .filter_map(|trigger| CompiledTrigger::new(trigger.clone()).ok())
            .collect();
        match (&arguments.trigger, compiled.is_empty()) {
            (Some(name), true) => Err(Failure::refused(format!("there is no trigger `{name}` in {}", path.display()))),
            _ => Ok(Self::Triggers(Arc::new(definitions), compiled)),
        }
    }

    fn explain(&self, event: &Event) -> String {
        let or = |text: Option<&str>| text.unwrap_or("?").to_owned();
        let mut lines = vec![format!("event {} {} ({})", or(event.event_id()), or(event.name()), or(event.source()))];
        match self {
            Self::Expression(text, expression) => lines.extend(parts(text, expression, event.envelope())),
            Self::Triggers(definitions, triggers) => {
                for trigger in triggers {
                    lines.extend(verdict(trigger, event, definitions));
                }
            }
        }
        lines.join("\n")
    }
}

fn verdict(compiled: &CompiledTrigger, event: &Event, definitions: &Definitions) -> Vec<String> {
    let trigger = compiled.trigger();
    let outcome = compiled.judge(event, definitions.scope());
    let says = match &outcome {
        Outcome::Match => "fires".to_owned(),
        Outcome::NoMatch(reason) => format!("does not fire: {reason}"),
        Outcome::Error(error) if trigger.on_error == OnError::Match => {
            format!("fires: the match ended in an error ({error}) and on_error is match")
        }
        Outcome::Error(error) => format!("does not fire: the match ended in an error ({error})"),
    };
    let mut lines = vec![format!("  trigger {} {says}", trigger.name)];
    // The match is the last step; where an earlier one said no, it was not asked.
    let asked = !matches!(&outcome, Outcome::NoMatch(reason) if *reason != trailwire_engine::matcher::Reason::Expression);
    if let (true, Some(text), Some(expression)) = (asked, &trigger.match_expression, compiled.expression()) {
        lines.extend(parts(text, expression, event.envelope()));
    }
    lines
}

/// Every part of an expression that was evaluated, with what it came to, in the order of the text; the whole comes first.
fn parts(text: &str, expression: &Expr, envelope: &Value) -> Vec<String> {
    let mut seen: Vec<((usize, usize), Vec<String>)> = Vec::new();
    let whole = search_observed(expression, envelope, &mut |part, outcome| {
        let shown = match outcome {
            Ok(value) => shorten(&value.to_string()),
            Err(EvalError { message, .. }) => format!("error: {message}"),
        };
        let place = (part.span.start, part.span.end);
        match seen.iter_mut().find(|(known, _)| *known == place) {
            Some((_, outcomes)) => outcomes.push(shown),
            None => seen.push((place, vec![shown])),
        }
    });
    seen.sort_by_key(|((start, end), _)| (*start, usize::MAX - end));
    let verdict = match &whole {
        Ok(value) if truthy(value) => "true",
        Ok(_) => "not true",
        Err(_) => "an error",
    };
    let depth =
        |(start, end): (usize, usize)| seen.iter().filter(|((s, e), _)| *s <= start && end <= *e && (*s, *e) != (start, end)).count();
    let line = |(place, outcomes): &((usize, usize), Vec<String>)| {
        let part = text.get(place.0..place.1).unwrap_or_default();
        let more = outcomes.len().saturating_sub(OUTCOMES);
        let mut shown = outcomes.iter().take(OUTCOMES).cloned().collect::<Vec<_>>().join(", ");
        if more > 0 {
            shown.push_str(&format!(", and {more} more"));
        }
        format!("    {}{part} -> {shown}", "  ".repeat(depth(*place)))
    };
    std::iter::once(format!("    the match is {verdict}")).chain(seen.iter().map(line)).collect()
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    let short: String = text.chars().take(SHOWN).collect();
    format!("{short}…")
}

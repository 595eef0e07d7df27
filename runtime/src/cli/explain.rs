//! `trailwire explain`: why an event does or does not fire a trigger.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use trailwire_engine::event::Event;
use trailwire_engine::explain;
use trailwire_engine::matcher::CompiledTrigger;
use trailwire_engine::text::visible;

use super::matching::{MatchArguments, Matching};
use super::{Failure, input, print};
use crate::definitions::{Definitions, files};
use crate::source::file;

/// Tells, for each event and trigger, which step of the judgement said no, and what every part of the match came to.
#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// A document, a directory of documents, or a plan as `terraform show -json` prints it.
    #[arg(long, value_name = "PATH", required_unless_present = "MatchArguments", conflicts_with = "MatchArguments")]
    definitions: Option<PathBuf>,
    /// Only the trigger of this name.
    #[arg(long, value_name = "NAME", requires = "definitions")]
    trigger: Option<String>,
    #[command(flatten)]
    matching: MatchArguments,
    /// Text for people, or one line of JSON for each event and trigger.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Files of events as `eval` takes them; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    inputs: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// # Errors
///
/// [`Failure::Refused`] for definitions, a match or input that can not be read.
pub(crate) fn run(arguments: &ExplainArguments) -> Result<(), Failure> {
    let subject = Subject::of(arguments)?;
    for name in &arguments.inputs {
        let opened = input::open(name).map_err(|error| Failure::refused(format!("cannot read {name}: {error}")))?;
        let mut failed = None;
        file::pieces_of(opened, &mut |piece| {
            let told = piece
                .map_err(|reason| Failure::refused(format!("{name}: {reason}")))
                .and_then(|event| subject.explain(&event, arguments.format).iter().try_for_each(|line| print(line)));
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
    Match(Matching),
    Triggers(Box<Definitions>, Vec<CompiledTrigger>),
}

impl Subject {
    fn of(arguments: &ExplainArguments) -> Result<Self, Failure> {
        if let Some(matching) = arguments.matching.read()? {
            return Ok(Self::Match(matching));
        }
        let path = arguments.definitions.as_deref().unwrap_or(std::path::Path::new("."));
        let definitions = files::load_to_judge(path).map_err(Failure::refused)?;
        let wanted = |name: &str| arguments.trigger.as_ref().is_none_or(|wanted| wanted == name);
        let compiled: Vec<CompiledTrigger> = definitions
            .triggers()
            .filter(|trigger| wanted(&trigger.name))
            .filter_map(|trigger| CompiledTrigger::new(trigger.clone()).ok())
            .collect();
        match (&arguments.trigger, compiled.is_empty()) {
            (Some(name), true) => Err(Failure::refused(format!("there is no trigger `{name}` in {}", path.display()))),
            _ => Ok(Self::Triggers(Box::new(definitions), compiled)),
        }
    }

    /// What is printed for one event.
    fn explain(&self, event: &Event, format: Format) -> Vec<String> {
        let explained: Vec<(String, Value)> = match self {
            Self::Match(Matching { text, expr, .. }) => {
                let explanation = explain::expression(text, expr, event.envelope());
                vec![(explanation.to_text(), explanation.to_json())]
            }
            Self::Triggers(definitions, triggers) => triggers
                .iter()
                .map(|trigger| explain::trigger(trigger, event, definitions.scope()))
                .map(|explanation| (explanation.to_text(), explanation.to_json()))
                .collect(),
        };
        match format {
            Format::Text => {
                let or = |text: Option<&str>| text.unwrap_or("?").to_owned();
                let head = format!("event {} {} ({})", or(event.event_id()), or(event.name()), or(event.source()));
                let lines = explained.iter().flat_map(|(text, _)| text.lines()).map(|line| format!("  {line}"));
                std::iter::once(head).chain(lines).map(|line| visible(&line)).collect()
            }
            Format::Json => explained.into_iter().map(|(_, json)| visible(&of_event(event, json).to_string())).collect(),
        }
    }
}

/// An explanation with the event that it is about.
fn of_event(event: &Event, explanation: Value) -> Value {
    let mut told = json!({"event_id": event.event_id(), "event_name": event.name()});
    if let (Some(told), Value::Object(members)) = (told.as_object_mut(), explanation) {
        told.extend(members);
    }
    told
}

//! `trailwire pattern`: what of a match EventBridge can decide.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use trailwire_engine::fanout::pushed::residual;
use trailwire_engine::pushdown::{Asked, Errors, Frame, Mode, PushDown, Written, push_down};
use trailwire_engine::shape::Schema;

use super::matching::{MatchArguments, Matching};
use super::{Failure, print};

/// Prints the event pattern that a match is pushed down to, as one line of JSON:
/// `{"pattern":{…}|null,"exact":…,"residual":"…"|null,"never":"…"|null,"notes":[…]}`.
///
/// `exact` says that the pattern alone decides; `residual` is what the runtime still tests, as it was written; `never` says why no
/// event can match.
#[derive(Debug, Args)]
pub(crate) struct PatternArguments {
    #[command(flatten)]
    matching: MatchArguments,
    /// An event name that must fit, too; any of several.
    #[arg(long = "event-name", value_name = "NAME")]
    event_names: Vec<String>,
    /// An event source that must fit, too; any of several.
    #[arg(long = "event-source", value_name = "SOURCE")]
    event_sources: Vec<String>,
    /// How much is pushed down.
    #[arg(long, value_name = "HOW", default_value = "safe")]
    push_down: How,
    /// What an error of the match means.
    #[arg(long, value_name = "MEANING", default_value = "no_match", value_parser = errors)]
    on_error: Errors,
    /// What may be supposed of events: the kinds of CloudTrail's fields, or nothing.
    #[arg(long, value_name = "SCHEMA", default_value = "cloudtrail")]
    schema: Supposed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum How {
    Safe,
    Full,
    Names,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Supposed {
    Cloudtrail,
    None,
}

/// Both spellings are taken: that of definitions and that of command lines.
fn errors(text: &str) -> Result<Errors, String> {
    match text {
        "no_match" | "no-match" => Ok(Errors::NoMatch),
        "match" => Ok(Errors::Match),
        _ => Err("write `no_match` or `match`".to_owned()),
    }
}

/// # Errors
///
/// [`Failure::Refused`] for a match that can not be read.
pub(crate) fn run(arguments: &PatternArguments) -> Result<(), Failure> {
    let matching = arguments.matching.read()?;
    if matching.is_none() && arguments.event_names.is_empty() && arguments.event_sources.is_empty() {
        return Err(Failure::refused("write --jmespath, --filter-pattern or --event-pattern"));
    }
    let pushed = push_down(Asked {
        names: &arguments.event_names,
        sources: &arguments.event_sources,
        expression: matching.as_ref().map(|matching| Written { tree: &matching.expr, text: &matching.text }),
        errors: arguments.on_error,
        schema: match arguments.schema {
            Supposed::Cloudtrail => Schema::CloudTrail,
            Supposed::None => Schema::None,
        },
        mode: match arguments.push_down {
            How::Safe => Mode::Safe,
            How::Full => Mode::Full,
            How::Names => Mode::Names,
        },
        frame: Frame::Bare,
    });
    print(&told(&pushed, matching.as_ref())?.to_string())
}

fn told(pushed: &PushDown, matching: Option<&Matching>) -> Result<Value, Failure> {
    let pattern: Option<Value> = pushed.pattern.as_deref().map(serde_json::from_str).transpose().map_err(Failure::broken)?;
    let residual = matching.and_then(|matching| residual(matching.language, &pushed.residual));
    Ok(json!({"pattern": pattern, "exact": pushed.exact, "residual": residual, "never": pushed.never, "notes": pushed.notes}))
}

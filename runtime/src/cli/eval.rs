//! `trailwire eval`: a match on events, one line of JSON for each.

use std::io::Write as _;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use trailwire_engine::eval::{EvalError, search, truthy};
use trailwire_engine::expr::Expr;
use trailwire_engine::text::visible;

use super::matching::{MatchArguments, Matching};
use super::{Failure, input, print};
use crate::source::file;

/// Evaluates a match on events and prints `{"match":true,"value":…,"error":null}` for each.
#[derive(Debug, Args)]
pub(crate) struct EvalArguments {
    #[command(flatten)]
    matching: MatchArguments,
    /// What an error of the match means for `match`.
    #[arg(long, value_name = "MEANING", default_value = "no_match", value_parser = on_error)]
    on_error: OnError,
    /// Take any JSON as it is, instead of events: nothing is wrapped into an envelope, nothing is split into records.
    #[arg(long)]
    raw: bool,
    /// Files of JSON lines, CloudTrail log files, either of them compressed; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    inputs: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnError {
    NoMatch,
    Match,
}

/// Both spellings are taken: that of definitions and that of command lines.
fn on_error(text: &str) -> Result<OnError, String> {
    match text {
        "no_match" | "no-match" => Ok(OnError::NoMatch),
        "match" => Ok(OnError::Match),
        _ => Err("write `no_match` or `match`".to_owned()),
    }
}

/// # Errors
///
/// [`Failure::Refused`] for an expression that does not parse, and after everything else was evaluated, for input that is none.
pub(crate) fn run(arguments: &EvalArguments) -> Result<(), Failure> {
    let matching = arguments.matching.read()?;
    let Matching { expr, .. } = matching.ok_or_else(|| Failure::refused("write --jmespath, --filter-pattern or --event-pattern"))?;
    let mut refused = 0u64;
    let mut failed = None;
    for name in &arguments.inputs {
        let opened = input::open(name).map_err(|error| Failure::refused(format!("cannot read {name}: {error}")))?;
        values(opened, arguments.raw, &mut |value| {
            let printed = match value {
                Ok(value) => print(&visible(&outcome(&expr, &value, arguments.on_error).to_string())),
                Err(reason) => {
                    refused += 1;
                    drop(writeln!(std::io::stderr(), "refused: {name}: {reason}"));
                    Ok(())
                }
            };
            failed = printed.err();
            failed.is_none()
        });
        if let Some(failure) = failed {
            return Err(failure);
        }
    }
    match refused {
        0 => Ok(()),
        1 => Err(Failure::refused("1 piece of input was refused")),
        refused => Err(Failure::refused(format!("{refused} pieces of input were refused"))),
    }
}

fn values(input: Box<dyn std::io::BufRead + Send>, raw: bool, take: &mut dyn FnMut(Result<Value, String>) -> bool) {
    if !raw {
        return file::pieces_of(input, &mut |piece| take(piece.map(|event| event.envelope().clone())));
    }
    // Any JSON texts, one after the other: lines or not. After a syntax error nothing more can be read.
    for value in serde_json::Deserializer::from_reader(input).into_iter::<Value>() {
        let value = value.map_err(|error| format!("not JSON: {error}"));
        let ended = value.is_err();
        if !take(value) || ended {
            return;
        }
    }
}

fn outcome(expr: &Expr, value: &Value, on_error: OnError) -> Value {
    match search(expr, value) {
        Ok(value) => json!({"match": truthy(&value), "value": value, "error": null}),
        Err(EvalError { message, .. }) => json!({"match": on_error == OnError::Match, "value": null, "error": message}),
    }
}

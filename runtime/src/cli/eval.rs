//! `trailwire eval`: an expression on events, one line of JSON for each.

use std::io::Write as _;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use trailwire_engine::diagnostic::{Diagnostic, Path};
use trailwire_engine::eval::{EvalError, search, truthy};
use trailwire_engine::expr::Expr;
use trailwire_engine::{check, lang};

use super::{Failure, input, print};
use crate::source::file;

/// Evaluates an expression on events and prints `{"match":true,"value":…,"error":null}` for each.
#[derive(Debug, Args)]
pub(crate) struct EvalArguments {
    /// A JMESPath expression over the EventBridge event; the CloudTrail record is under `detail`.
    #[arg(long, value_name = "EXPRESSION")]
    jmespath: String,
    /// What an error of the expression means for `match`.
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
    let expression = expression(&arguments.jmespath)?;
    let mut refused = 0u64;
    let mut failed = None;
    for name in &arguments.inputs {
        let opened = input::open(name).map_err(|error| Failure::refused(format!("cannot read {name}: {error}")))?;
        values(opened, arguments.raw, &mut |value| {
            let printed = match value {
                Ok(value) => print(&outcome(&expression, &value, arguments.on_error).to_string()),
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

/// Parses an expression; warnings go to standard error, errors are the failure.
pub(super) fn expression(text: &str) -> Result<Expr, Failure> {
    let drawn = |diagnostics: &[Diagnostic]| diagnostics.iter().map(Diagnostic::draw).collect::<Vec<_>>().join("\n");
    match lang::jmespath::parse(text) {
        (None, diagnostics) => Err(Failure::refused(drawn(&diagnostics))),
        (Some(expression), _) => {
            let warnings = check::check_expression(text, &Path::default());
            if !warnings.is_empty() {
                drop(writeln!(std::io::stderr(), "{}", drawn(&warnings)));
            }
            Ok(expression)
        }
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

fn outcome(expression: &Expr, value: &Value, on_error: OnError) -> Value {
    match search(expression, value) {
        Ok(value) => json!({"match": truthy(&value), "value": value, "error": null}),
        Err(EvalError { message, .. }) => json!({"match": on_error == OnError::Match, "value": null, "error": message}),
    }
}

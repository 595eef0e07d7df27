//! The command line: one file for each command.
//!
//! Exit codes: 0 when the command did its work, 1 when the work failed, 2 when it was asked for something that can not be done
//! (arguments, definitions, an expression or input that is refused, a hub that is not there).

mod canned;
mod check;
mod completions;
mod destination;
mod dlq;
mod doctor;
mod eval;
mod events;
mod explain;
mod export;
mod import;
mod index;
mod input;
mod logs;
mod matching;
mod pattern;
mod replay;
mod report;
mod run;
mod search;
mod status;
mod test;
mod ui;
mod verify;

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::action::is_shown;

/// Know within seconds when something happens in AWS, and act on it without losing an event.
#[derive(Debug, Parser)]
#[command(name = "trailwire", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Receives events, judges them, and carries out the actions of the triggers that fire.
    #[command(
        after_help = "Exit codes: 0 it was told to stop, or its input is done; 1 the work failed, and nothing more is acknowledged; 2 the hub, the \
        definitions, an address or the journal can not be used."
    )]
    Run(Box<run::RunArguments>),
    /// Evaluates a match on events: one line of JSON for each event.
    #[command(after_help = "Exit codes: 0 every event was evaluated; 1 the work failed; 2 the match or the input was refused.")]
    Eval(eval::EvalArguments),
    /// Prints what of a match EventBridge can decide: the event pattern, and what stays for the runtime.
    #[command(after_help = "Exit codes: 0 the pattern was printed; 2 the match was refused.")]
    Pattern(pattern::PatternArguments),
    /// Tells what is wrong with triggers, as `terraform plan` does, without Terraform.
    #[command(
        after_help = "Exit codes: 0 nothing is wrong, or warnings alone; 1 errors, with --deny-warnings warnings, too; 2 the definitions cannot be read."
    )]
    Check(check::CheckArguments),
    /// Runs the tests of triggers.
    #[command(
        after_help = "Exit codes: 0 every test comes out as expected; 1 one does not; 2 the definitions cannot be read, or have errors."
    )]
    Test(test::TestArguments),
    /// Prints rules of other products as triggers in HCL.
    #[command(after_help = "Exit codes: 0 every rule gave a trigger; 1 one did not; 2 a file can not be read.")]
    Import(import::ImportArguments),
    /// Tells why an event does or does not fire a trigger.
    #[command(after_help = "Exit codes: 0 it was explained; 1 the work failed; 2 the match, the definitions or the events were refused.")]
    Explain(explain::ExplainArguments),
    /// Tells of a hub and each of its cells whether it is as its definitions want.
    #[command(after_help = "Exit codes: 0 everything is; 1 something is not, or can not be read; 2 the hub can not be found.")]
    Doctor(doctor::DoctorArguments),
    /// Shows what runtimes are doing: states of triggers, runs, lag.
    #[command(after_help = "Exit codes: 0 it was shown; 2 the hub can not be found, or no runtime has told its status.")]
    Status(status::StatusArguments),
    /// Lists, shows and redrives dead letters of a hub and its cells.
    #[command(
        after_help = "Exit codes: 0 it was done; 1 a queue can not be read, or a letter not sent; 2 the hub or the letter can not be found."
    )]
    Dlq(dlq::DlqArguments),
    /// Prints a completion script for a shell.
    Completions(completions::CompletionsArguments),
    #[command(after_help = "Exit codes: 0 all logs were read; 1 some could not be; 2 the definitions or an argument were refused.")]
    Replay(replay::ReplayArguments),
    #[command(
        after_help = "Exit codes: 0 everything is valid; 1 something is invalid, not there, can not be read or is in no digest; 2 an argument, the keys or the bucket were refused."
    )]
    Verify(Box<verify::VerifyArguments>),
    #[command(name = "report", after_help = "Exit codes: 0 all logs were read; 1 some could not be; 2 an argument was refused.")]
    Canned(Box<canned::CannedArguments>),
    #[command(
        after_help = "Exit codes: 0 everything was written; 1 some logs could not be read, or a file not written; 2 the search, the folder or an argument was refused."
    )]
    Export(Box<export::ExportArguments>),
    /// Searches CloudTrail logs.
    #[command(
        after_help = "A search: field:term asks for a field (userIdentity.arn:*, error:AccessDenied,*Unauthorized*, ip:10.0.0.0/8, time:>=2026-03-01); a term alone \
        looks everywhere. `*` is a wildcard; `-` and NOT negate; OR and parentheses group. Short names: account, actor, agent, error, event, id, identity, ip, key, \
        message, region, role, source, time, user.\n\nExit codes: 0 all logs were read; 1 some could not be; 2 the search or an argument was refused."
    )]
    Search(Box<search::SearchArguments>),
    #[command(
        after_help = "Exit codes: 0 all logs are in the index; 1 some could not be read, or the index not be written; 2 an argument was refused."
    )]
    Index(index::IndexArguments),
    /// Shows CloudTrail logs on a page that only this machine sees.
    #[command(
        after_help = "Exit codes: 0 it was told to stop; 1 the page can not be served; 2 the definitions or an argument were refused."
    )]
    Ui(ui::UiArguments),
    /// Sends a sample to a destination.
    #[command(
        after_help = "Exit codes: 0 the destination has taken it; 1 it has not; 2 there is no such destination, or the definitions can not be read."
    )]
    Destination(destination::DestinationArguments),
    /// Lists the events that CloudTrail records, in its own spelling.
    #[command(after_help = "Exit codes: 0 they were listed; 2 there is no such event source.")]
    Events(events::EventsArguments),
}

/// Why a command ended without doing its work. The text is for a person: what is wrong, then what to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It was asked for something that can not be done. Exit code 2.
    Refused(String),
    /// It failed while working. Exit code 1.
    Broken(String),
    /// Nobody reads what it prints any more. Exit code 0: who went away has seen what they wanted.
    Unread,
}

impl Failure {
    pub(crate) fn refused(reason: impl Display) -> Self {
        Self::Refused(reason.to_string())
    }

    pub(crate) fn broken(reason: impl Display) -> Self {
        Self::Broken(reason.to_string())
    }
}

pub(crate) fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run(arguments) => run::run(*arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Pattern(arguments) => pattern::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Doctor(arguments) => doctor::run(arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Dlq(arguments) => dlq::run(arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Canned(arguments) => canned::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Search(arguments) => search::run(&arguments),
        Command::Index(arguments) => index::run(&arguments),
        Command::Ui(arguments) => ui::run(&arguments),
        Command::Destination(arguments) => destination::run(arguments),
        Command::Events(arguments) => events::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Refused(reason)) => complain(&reason, 2),
        Err(Failure::Broken(reason)) => complain(&reason, 1),
        Err(Failure::Unread) => ExitCode::SUCCESS,
    }
}

fn complain(reason: &str, code: u8) -> ExitCode {
    // A diagnostic that was drawn begins with its own "error".
    let head = if reason.starts_with("error") { "" } else { "error: " };
    drop(writeln!(std::io::stderr(), "{head}{reason}"));
    ExitCode::from(code)
}

/// Writes a line to standard output. A reader that has gone away (`| head`) ends the command without noise.
pub(crate) fn print(line: &str) -> Result<(), Failure> {
    writeln!(std::io::stdout().lock(), "{line}").map_err(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => Failure::Unread,
        _ => Failure::broken(error),
    })
}

/// Text that others wrote must not move a terminal's cursor or turn its letters around.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter == '\n' || is_shown(letter) {
            escaped.push(letter);
        } else {
            let mut units = [0; 2];
            letter.encode_utf16(&mut units).iter().for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}")));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_stays_in_its_line() {
        assert_eq!(escaped("a\u{1b}[2J\u{202e}b"), "a\\u001b[2J\\u202eb");
        assert_eq!(escaped("é 😀\n"), "é 😀\n");
    }
}

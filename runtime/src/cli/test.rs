//! `trailwire test`: the tests that triggers carry, run as while planning.

mod junit;

use std::fs;
use std::path::PathBuf;

use clap::Args;
use trailwire_engine::check::{Verdict, run_tests};
use trailwire_engine::trigger::{Test, Trigger};

use super::{Failure, print};
use crate::definitions::files;

/// Runs the `test` blocks of triggers and tells of those whose verdict differs from the one expected, and why.
///
/// Exit code 0 when all come out as expected, 1 when one does not, 2 when the definitions can not be read.
#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    /// A document, a directory of documents, or a plan as `terraform show -json` prints it.
    #[arg(long, value_name = "PATH")]
    definitions: PathBuf,
    /// Only the tests of the trigger of this name.
    #[arg(long, value_name = "NAME")]
    trigger: Option<String>,
    /// Also write the results to this file, as JUnit does.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// The tests of one trigger and what came of them.
struct Results<'t> {
    trigger: &'t str,
    cases: Vec<(&'t Test, Verdict)>,
}

/// # Errors
///
/// [`Failure::Refused`] for definitions that can not be read, [`Failure::Broken`] where a test does not come out as expected.
pub(crate) fn run(arguments: &TestArguments) -> Result<(), Failure> {
    let path = arguments.definitions.display();
    let definitions = files::load_to_judge(&arguments.definitions).map_err(Failure::refused)?;
    let wanted = |trigger: &&Trigger| arguments.trigger.as_ref().is_none_or(|name| *name == trigger.name);
    let triggers: Vec<&Trigger> = definitions.triggers().filter(wanted).collect();
    if let (Some(name), true) = (&arguments.trigger, triggers.is_empty()) {
        return Err(Failure::refused(format!("there is no trigger `{name}` in {path}")));
    }
    let results: Vec<Results<'_>> = triggers.iter().map(|trigger| Results { trigger: &trigger.name, cases: run_tests(trigger) }).collect();
    if let Some(file) = &arguments.junit {
        let written = fs::write(file, junit::report(&results));
        written.map_err(|error| Failure::broken(format!("cannot write {}: {error}", file.display())))?;
    }
    for result in &results {
        for (test, verdict) in &result.cases {
            print(&line(result.trigger, test, verdict))?;
        }
    }
    summary(&results)
}

fn line(trigger: &str, test: &Test, verdict: &Verdict) -> String {
    let name = format!("{trigger}: {}", test.name);
    match told(test, verdict) {
        Told::Passed => format!("ok       {name}"),
        Told::Skipped(why) => format!("skipped  {name}: {why}"),
        Told::Failed { short, long } => {
            let long: String = long.lines().map(|line| format!("\n           {line}")).collect();
            format!("FAILED   {name}: {short}{long}")
        }
    }
}

/// A verdict in words.
enum Told {
    Passed,
    Skipped(&'static str),
    Failed { short: String, long: String },
}

fn told(test: &Test, verdict: &Verdict) -> Told {
    match verdict {
        Verdict::AsExpected => Told::Passed,
        Verdict::Disabled => Told::Skipped("the trigger is disabled"),
        Verdict::BadEvent(reason) => Told::Failed { short: format!("its event cannot be read: {reason}"), long: String::new() },
        Verdict::Differs(explanation) => {
            let short = if test.expect { "expected to fire, and did not" } else { "expected not to fire, and did" };
            Told::Failed { short: short.to_owned(), long: explanation.to_text() }
        }
    }
}

fn summary(results: &[Results<'_>]) -> Result<(), Failure> {
    let of = |wanted: fn(&Told) -> bool| -> usize {
        results.iter().flat_map(|result| &result.cases).filter(|(test, verdict)| wanted(&told(test, verdict))).count()
    };
    let (passed, failed) = (of(|told| matches!(told, Told::Passed)), of(|told| matches!(told, Told::Failed { .. })));
    let skipped = of(|told| matches!(told, Told::Skipped(_)));
    let untested = results.iter().filter(|result| result.cases.is_empty()).count();
    let mut text = format!("{} as expected, {} not", count(passed, "test"), failed);
    if skipped > 0 {
        text.push_str(&format!(", {skipped} skipped"));
    }
    if untested > 0 {
        text.push_str(&format!("; {} without tests", count(untested, "trigger")));
    }
    print(&text)?;
    if failed > 0 { Err(Failure::broken(format!("{} did not come out as expected", count(failed, "test")))) } else { Ok(()) }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

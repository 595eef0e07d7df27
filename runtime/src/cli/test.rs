//! `trailwire test`: the tests that triggers carry, run as while planning.

use std::path::PathBuf;

use clap::Args;
use trailwire_engine::check::{Verdict, check_test, run_tests};
use trailwire_engine::diagnostic::Path;
use trailwire_engine::trigger::{Test, Trigger};

use super::Failure;
use super::report::{Case, Finding, Outcome, Report, ReportArguments, Suite, count};
use crate::definitions::files;
use crate::definitions::files::written::{self, Written};

/// Runs the `test` blocks of triggers and tells of those whose verdict differs from the one expected, and why.
///
/// Exit code 0 when all come out as expected, 1 when one does not, 2 when the definitions can not be read.
#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    /// A document, a directory of documents, or a plan as `terraform show -json` prints it.
    #[arg(long, value_name = "PATH")]
    definitions: PathBuf,
    /// The directory of the plan's configuration: what fails is told with its line there.
    #[arg(long, value_name = "DIRECTORY")]
    configuration: Option<PathBuf>,
    /// Only the tests of the trigger of this name.
    #[arg(long, value_name = "NAME")]
    trigger: Option<String>,
    #[command(flatten)]
    report: ReportArguments,
}

/// The tests of one trigger and what came of them.
struct Results<'t> {
    trigger: &'t str,
    /// Where it was written.
    at: Option<(&'t Written, Path)>,
    /// No verdict where a plan does not know yet what it depends on.
    cases: Vec<(&'t Test, Option<Verdict>)>,
}

impl<'t> Results<'t> {
    fn of(trigger: &'t Trigger, files: &'t [Written]) -> Self {
        let at = files.iter().find_map(|file| Some((file, file.find_trigger(&trigger.name)?)));
        let is_known = |index: usize| match &at {
            Some((file, path)) => file.is_decided(path) && !file.is_unknown(&path.attribute("test").index(index)),
            None => true,
        };
        let verdicts = run_tests(trigger).into_iter().enumerate();
        let cases = verdicts.map(|(index, (test, verdict))| (test, is_known(index).then_some(verdict))).collect();
        Self { trigger: &trigger.name, cases, at }
    }
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
    let files = written::read(&arguments.definitions).map_err(Failure::refused)?;
    let results: Vec<Results<'_>> = triggers.iter().map(|trigger| Results::of(trigger, &files)).collect();
    let suites: Vec<Suite> = results.iter().map(suite).collect();
    let (summary, failed) = summary(&suites);
    let lines = suites.iter().flat_map(|suite| suite.cases.iter().map(|case| line(&suite.name, case))).chain([summary]).collect();
    let report = Report { findings: findings(arguments, &results), suites, lines };
    report.write(&arguments.report)?;
    if failed > 0 { Err(Failure::broken(format!("{} did not come out as expected", count(failed, "test")))) } else { Ok(()) }
}

/// The tests that fail as what is wrong at their places.
fn findings(arguments: &TestArguments, results: &[Results<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for Results { trigger, at, cases } in results {
        for (index, (test, verdict)) in cases.iter().enumerate() {
            let path = Path::root("test").index(index);
            let Some(diagnostic) = verdict.as_ref().and_then(|verdict| check_test(test, verdict, &path)) else { continue };
            let place = at.as_ref().map(|(file, at)| file.place(&at.join(&diagnostic.path), arguments.configuration.as_deref()));
            findings.push(Finding { diagnostic, trigger: Some((*trigger).to_owned()), place: place.unwrap_or_default() });
        }
    }
    findings
}

fn suite(results: &Results<'_>) -> Suite {
    let case = |(test, verdict): &(&Test, Option<Verdict>)| Case { name: test.name.clone(), outcome: outcome(test, verdict.as_ref()) };
    Suite { name: results.trigger.to_owned(), cases: results.cases.iter().map(case).collect() }
}

/// A verdict in words.
fn outcome(test: &Test, verdict: Option<&Verdict>) -> Outcome {
    let Some(verdict) = verdict else {
        return Outcome::Skipped("it depends on what is known only in apply".to_owned());
    };
    match verdict {
        Verdict::AsExpected => Outcome::Passed,
        Verdict::Disabled => Outcome::Skipped("the trigger is disabled".to_owned()),
        Verdict::BadEvent(reason) => Outcome::Failed { short: format!("its event cannot be read: {reason}"), long: String::new() },
        Verdict::Differs(explanation) => {
            let short = if test.expect { "expected to fire, and did not" } else { "expected not to fire, and did" };
            Outcome::Failed { short: short.to_owned(), long: explanation.to_text() }
        }
    }
}

fn line(trigger: &str, case: &Case) -> String {
    let name = format!("{trigger}: {}", case.name);
    match &case.outcome {
        Outcome::Passed => format!("ok       {name}"),
        Outcome::Skipped(why) => format!("skipped  {name}: {why}"),
        Outcome::Failed { short, long } => {
            let long: String = long.lines().map(|line| format!("\n           {line}")).collect();
            format!("FAILED   {name}: {short}{long}")
        }
    }
}

/// The last line for people, and how many tests failed.
fn summary(suites: &[Suite]) -> (String, usize) {
    let of = |wanted: fn(&Outcome) -> bool| suites.iter().flat_map(|suite| &suite.cases).filter(|case| wanted(&case.outcome)).count();
    let (passed, failed) = (of(|outcome| matches!(outcome, Outcome::Passed)), of(|outcome| matches!(outcome, Outcome::Failed { .. })));
    let skipped = of(|outcome| matches!(outcome, Outcome::Skipped(_)));
    let untested = suites.iter().filter(|suite| suite.cases.is_empty()).count();
    let mut text = format!("{} as expected, {} not", count(passed, "test"), failed);
    if skipped > 0 {
        text.push_str(&format!(", {skipped} skipped"));
    }
    if untested > 0 {
        text.push_str(&format!("; {} without tests", count(untested, "trigger")));
    }
    (text, failed)
}

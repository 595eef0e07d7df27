//! `trailwire check`: what `terraform plan` says of triggers, without Terraform.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde_json::Value;
use trailwire_engine::check::{check_hub, check_known, check_texts_of, is_decided};
use trailwire_engine::diagnostic::{Code, Diagnostic, Path, Severity};
use trailwire_engine::fanout::set::check_set;
use trailwire_engine::fanout::{cover, limits};
use trailwire_engine::matcher::Scope;
use trailwire_engine::template;
use trailwire_engine::trigger::{Destination, Document, Trigger};

use super::Failure;
use super::report::{Case, Finding, Outcome, Report, ReportArguments, Suite, count};
use crate::definitions::check::check_destinations;
use crate::definitions::files::written::{self, Written, split};

/// Tells what is wrong with triggers, or looks wrong, before any event is seen: what `terraform plan` tells, without Terraform and without AWS.
///
/// Exit code 0 when nothing is wrong, 1 when there are errors (or warnings, with --deny-warnings), 2 when the definitions can not be read.
///
/// Destinations that nothing declares are errors where documents declare any; a plan may refer to those of another place. What a plan does not know
/// yet is left to apply.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// A document, a directory of documents, or a plan as `terraform show -json` prints it.
    #[arg(long, value_name = "PATH")]
    definitions: PathBuf,
    /// The directory of the plan's configuration: what is wrong is told with its line there.
    #[arg(long, value_name = "DIRECTORY")]
    configuration: Option<PathBuf>,
    /// Warnings end with exit code 1, too.
    #[arg(long)]
    deny_warnings: bool,
    #[command(flatten)]
    report: ReportArguments,
}

/// # Errors
///
/// [`Failure::Refused`] for definitions that can not be read, [`Failure::Broken`] where something is wrong with them.
pub(crate) fn run(arguments: &CheckArguments) -> Result<(), Failure> {
    let files = written::read(&arguments.definitions).map_err(Failure::refused)?;
    let destinations = destinations(&files);
    let mut report = Report::default();
    let mut names = BTreeMap::new();
    let mut triggers = 0;
    let (mut told, decided): (Vec<Vec<Diagnostic>>, Vec<_>) = files.iter().map(|file| found_in(file, &destinations)).unzip();
    let together: Vec<&Trigger> = decided.iter().flatten().map(|(_, trigger)| trigger).collect();
    let places = decided.iter().enumerate().flat_map(|(file, triggers)| triggers.iter().map(move |(here, _)| (file, here)));
    let places: Vec<(usize, &Path)> = places.collect();
    for (index, diagnostic) in check_set(&together, &Scope::default()) {
        let Some((file, here)) = places.get(index) else { continue };
        told.get_mut(*file).into_iter().for_each(|told| told.push(within(here, diagnostic.clone())));
    }
    for (file, mut found) in files.iter().zip(told) {
        found.extend(twice(file, &mut names));
        found.retain(|diagnostic| !is_premature(file, diagnostic));
        found.sort_by_key(|diagnostic| split(&diagnostic.path).map(|((list, index), _)| (list == "destinations", index)));
        triggers += file.triggers().len();
        let findings: Vec<Finding> = found.into_iter().map(|diagnostic| finding(file, diagnostic, arguments)).collect();
        report.suites.push(suite(file, &findings, arguments.deny_warnings));
        report.findings.extend(findings);
    }
    let errors = report.findings.iter().filter(|finding| finding.is_error()).count();
    let warnings = report.findings.len() - errors;
    let wrong = [(errors, "error"), (warnings, "warning")];
    let counts: Vec<String> = wrong.iter().filter(|(number, _)| *number > 0).map(|(number, what)| count(*number, what)).collect();
    let counts = if counts.is_empty() { "nothing wrong".to_owned() } else { counts.join(" and ") };
    let summary = format!("{counts} in {}", count(triggers, "trigger"));
    report.lines = report.findings.iter().map(|finding| format!("{}\n", finding.draw())).collect();
    report.lines.push(summary.clone());
    report.write(&arguments.report)?;
    if errors > 0 || (arguments.deny_warnings && warnings > 0) { Err(Failure::Broken(summary)) } else { Ok(()) }
}

/// The destinations of all documents; `None` where they are declared in another place.
fn destinations(files: &[Written]) -> Option<BTreeMap<String, Destination>> {
    let documents = files.iter().filter(|file| !file.is_plan()).filter_map(|file| file.document().ok());
    let values = documents.flat_map(|document| list(document, "destinations"));
    let declared: Vec<&Value> = values.collect();
    if declared.is_empty() {
        return None;
    }
    let read = declared.into_iter().filter_map(|value| Destination::from_value(value).ok());
    Some(read.map(|destination| (destination.name.clone(), destination)).collect())
}

/// The elements of a list of the document; a single object stands for a list of one.
fn list<'v>(document: &'v Value, name: &str) -> Vec<&'v Value> {
    match document.get(name) {
        Some(Value::Array(elements)) => elements.iter().collect(),
        Some(object @ Value::Object(_)) => vec![object],
        _ => Vec::new(),
    }
}

/// Everything that one file tells alone, with paths within the document, and the triggers, with their paths, that can be seen beside others.
fn found_in(file: &Written, destinations: &Option<BTreeMap<String, Destination>>) -> (Vec<Diagnostic>, Vec<(Path, Trigger)>) {
    let document = match file.document() {
        Ok(document) => document,
        Err(reason) => return (vec![reason.clone()], Vec::new()),
    };
    let mut found = Document::from_value(document).err().unwrap_or_default();
    let mut decided = Vec::new();
    for (index, value) in list(document, "triggers").into_iter().enumerate() {
        let here = Path::root("triggers").index(index);
        let unknown = file.unknown_members(&here);
        let is_known = |name: &str| !unknown.contains(name);
        let is_covered_known = cover::DECIDES.iter().all(|name| is_known(name));
        let told = match Trigger::from_value(value) {
            Err(_) => check_texts_of(value),
            Ok(trigger) => {
                let told = check_known(&trigger, &is_known)
                    .into_iter()
                    .chain(template::diagnose_trigger(&trigger))
                    .chain(limits::check(&trigger))
                    .chain(file.hub_regions(&here).iter().flat_map(|regions| check_hub(&trigger, &is_known, regions)))
                    .chain(
                        file.forwarder(&here).iter().filter(|_| is_covered_known).flat_map(|forwarder| cover::check(&trigger, forwarder)),
                    )
                    .chain(destinations.iter().flat_map(|destinations| check_destinations(&trigger, destinations)))
                    .collect();
                if is_decided(&is_known) && is_known("action") && is_known("allow") {
                    decided.push((here.clone(), trigger));
                }
                told
            }
        };
        found.extend(told.into_iter().map(|diagnostic| within(&here, diagnostic)));
    }
    (found, decided)
}

fn within(here: &Path, diagnostic: Diagnostic) -> Diagnostic {
    let path = here.join(&diagnostic.path);
    diagnostic.at(path)
}

/// Names that an earlier file took. A name that one document has twice is told by the document.
fn twice(file: &Written, names: &mut BTreeMap<(&'static str, String), String>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let Ok(document) = file.document() else { return found };
    for kind in ["triggers", "destinations"] {
        for (index, value) in list(document, kind).into_iter().enumerate() {
            let Some(name) = value.get("name").and_then(Value::as_str) else { continue };
            let first = names.entry((kind, name.to_owned())).or_insert_with(|| file.file.clone());
            if *first != file.file {
                let message = format!("the name `{name}` is used in {first}, too");
                let path = Path::root(kind).index(index).attribute("name");
                found.push(Diagnostic::error(Code::DUPLICATE_NAME, message).at(path).help("give each its own"));
            }
        }
    }
    found
}

/// Whether something is about what is known only in apply.
fn is_premature(file: &Written, diagnostic: &Diagnostic) -> bool {
    let Some(((list, index), rest)) = split(&diagnostic.path) else { return false };
    let here = Path::root(list).index(index);
    let asked = match (diagnostic.code, rest) {
        // What comes of a test depends on all of it.
        (Code::TEST_VERDICT | Code::TEST_EVENT, [test, index, ..]) => here.join(&Path(vec![test.clone(), index.clone()])),
        _ => diagnostic.path.clone(),
    };
    // One of the two that replace each other may turn out to be there.
    let other = (diagnostic.code == Code::MISSING).then(|| here.attribute("any_event"));
    (!rest.is_empty() && file.is_unknown(&asked)) || other.is_some_and(|other| file.is_unknown(&other))
}

fn finding(file: &Written, diagnostic: Diagnostic, arguments: &CheckArguments) -> Finding {
    let place = file.place(&diagnostic.path, arguments.configuration.as_deref());
    match split(&diagnostic.path) {
        Some((("triggers", index), rest)) => {
            let trigger = file.triggers().get(index).cloned().flatten();
            let path = Path(rest.to_vec());
            Finding { diagnostic: diagnostic.at(path), trigger, place }
        }
        _ => Finding { trigger: None, place, diagnostic },
    }
}

/// One case for each trigger, and one for the file where something is wrong with it as a whole.
fn suite(file: &Written, findings: &[Finding], deny_warnings: bool) -> Suite {
    let counts = |finding: &&Finding| finding.diagnostic.severity == Severity::Error || deny_warnings;
    let case = |name: String, of: &dyn Fn(&Finding) -> bool| {
        let wrong: Vec<&Finding> = findings.iter().filter(|finding| of(finding)).filter(counts).collect();
        let outcome = match wrong.first() {
            None => Outcome::Passed,
            Some(first) => Outcome::Failed {
                short: format!("{}: {}", first.diagnostic.code, first.diagnostic.message),
                long: wrong.iter().map(|finding| finding.draw()).collect::<Vec<_>>().join("\n\n"),
            },
        };
        Case { name, outcome }
    };
    let mut cases = Vec::new();
    if findings.iter().filter(counts).any(|finding| finding.trigger.is_none()) {
        cases.push(case("the document".to_owned(), &|finding| finding.trigger.is_none()));
    }
    for name in file.triggers().into_iter().flatten() {
        let of = |finding: &Finding| finding.trigger.as_deref() == Some(name.as_str());
        cases.push(case(name.clone(), &of));
    }
    Suite { name: file.file.clone(), cases }
}

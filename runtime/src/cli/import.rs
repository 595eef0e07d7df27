//! `trailwire import`: rules of other products as triggers in HCL.
//!
//! One file for each format reads it into [`Draft`]s; [`hcl`] prints them as `terraform fmt` would. What a format says and a trigger
//! cannot is dropped so that the trigger fires rather too often than too seldom, and is told: on standard error and as a comment.

mod carried;
mod custodian;
mod draft;
mod event_pattern;
mod filter_pattern;
mod hcl;
mod lift;
mod search;
mod sigma;
mod yaml;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::path::Path;

use clap::{Args, ValueEnum};
use trailwire_engine::text::visible;

use super::{Failure, input, print};
use draft::{Draft, Place};
pub(super) use search::{Named, document_of_search, of_search};

/// Prints rules of another product as triggers in HCL, and tells on standard error what of them a trigger cannot say.
///
/// Without `--hub` a module of its own is printed, with variables for hub and destinations. Exit code 0 when every rule gave a trigger, 1 when
/// one did not, 2 when a file can not be read.
#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// What the files hold.
    format: Format,
    /// Files; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// The hub, as it is written in HCL: `trailwire_hub.security.id`, or a text in quotes.
    #[arg(long, value_name = "EXPRESSION")]
    hub: Option<String>,
    /// The name of a destination; may be given more than once.
    #[arg(long = "destination", value_name = "NAME", requires = "hub")]
    destinations: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Sigma rules for CloudTrail (YAML).
    Sigma,
    /// Cloud Custodian policies of mode `cloudtrail` (YAML or JSON).
    Custodian,
    /// A CloudWatch Logs filter pattern, or what `aws logs describe-metric-filters` prints.
    FilterPattern,
    /// An EventBridge event pattern, or what `aws events describe-rule` or `list-rules` prints.
    EventPattern,
}

/// What a file gave.
#[derive(Debug, Default)]
struct Imported {
    drafts: Vec<Draft>,
    /// Rules that gave no trigger, each by its name and why.
    left_out: Vec<(String, String)>,
}

impl Imported {
    fn leave_out(&mut self, name: &str, reason: impl Into<String>) {
        self.left_out.push((name.to_owned(), reason.into()));
    }
}

/// # Errors
///
/// [`Failure::Refused`] for a file that can not be read, [`Failure::Broken`] where a rule gave no trigger.
pub(crate) fn run(arguments: &ImportArguments) -> Result<(), Failure> {
    let mut imported = Imported::default();
    for file in &arguments.files {
        let text = read(file).map_err(|reason| Failure::refused(format!("cannot read {file}: {reason}")))?;
        let found = import(arguments.format, &text, stem(file)).map_err(|reason| Failure::refused(format!("{file}: {reason}")))?;
        imported.drafts.extend(found.drafts);
        imported.left_out.extend(found.left_out);
    }
    let place = Place { hub: arguments.hub.clone(), destinations: arguments.destinations.clone() };
    let printed = printed(imported, &place);
    print(printed.hcl.trim_end())?;
    for line in &printed.told {
        drop(writeln!(std::io::stderr(), "{}", visible(line)));
    }
    match printed.left_out {
        0 => Ok(()),
        1 => Err(Failure::broken("1 rule gave no trigger")),
        count => Err(Failure::broken(format!("{count} rules gave no trigger"))),
    }
}

fn read(file: &str) -> Result<String, std::io::Error> {
    let mut text = String::new();
    input::open(file)?.read_to_string(&mut text)?;
    Ok(text)
}

/// The name of a file without its folder and its ending.
fn stem(file: &str) -> &str {
    if file == "-" { "imported" } else { Path::new(file).file_stem().and_then(|stem| stem.to_str()).unwrap_or("imported") }
}

fn import(format: Format, text: &str, stem: &str) -> Result<Imported, String> {
    match format {
        Format::Sigma => sigma::import(text),
        Format::Custodian => custodian::import(text),
        Format::FilterPattern => filter_pattern::import(text, stem),
        Format::EventPattern => event_pattern::import(text, stem),
    }
}

/// What goes to standard output and to standard error.
struct Printed {
    hcl: String,
    told: Vec<String>,
    left_out: usize,
}

fn printed(imported: Imported, place: &Place) -> Printed {
    let mut names = BTreeSet::new();
    let mut left_out = imported.left_out;
    let mut blocks = if place.hub.is_none() { vec![hcl::OWN_MODULE_HEAD.to_owned()] } else { Vec::new() };
    let mut told = Vec::new();
    for mut draft in imported.drafts {
        draft.name = unique(&draft.name, &mut names);
        match draft.fault() {
            Some(fault) => left_out.push((draft.title.clone(), fault)),
            None => {
                told.extend(draft.notes.iter().map(|note| format!("{}: not carried over: {note}", draft.name)));
                blocks.push(hcl::trigger(&draft, place));
            }
        }
    }
    for (name, reason) in &left_out {
        told.push(format!("left out: {name}: {reason}"));
        blocks.push(hcl::comment(&format!("Left out: {name}: {reason}")));
    }
    Printed { hcl: blocks.join("\n"), told, left_out: left_out.len() }
}

/// The name, with a number behind it if it is taken.
fn unique(name: &str, names: &mut BTreeSet<String>) -> String {
    let mut candidate = name.to_owned();
    let mut number = 2u32;
    while !names.insert(candidate.clone()) {
        let tail = format!("-{number}");
        candidate = format!("{}{tail}", draft::cut(name, draft::LONGEST_NAME - tail.len()));
        number += 1;
    }
    candidate
}

#[cfg(test)]
mod tests;

//! Definitions from files: a document, a directory of documents, or a plan as `terraform show -json` prints it.

mod hcl;
mod place;
mod plan;
pub(crate) mod written;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use thiserror::Error;
use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::matcher::Scope;
use trailwire_engine::trigger::Document;

use super::check::check;
use super::{Definitions, Documents};

/// Why definitions can not be read. Nothing runs on half of them: all faults are told at once.
#[derive(Debug, Error)]
pub(crate) enum FileError {
    #[error("cannot read {path}: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("{0} holds no *.json document")]
    Empty(String),
    #[error("{}", drawn(.0))]
    Refused(Vec<(String, Vec<Diagnostic>)>),
    #[error("{kind} `{name}` is defined twice, in {first} and in {second}")]
    Twice { kind: &'static str, name: String, first: String, second: String },
}

fn drawn(refused: &[(String, Vec<Diagnostic>)]) -> String {
    let draw = |(path, diagnostics): &(String, Vec<Diagnostic>)| {
        let errors = diagnostics.iter().map(Diagnostic::draw).collect::<Vec<_>>().join("\n");
        format!("{path} is refused:\n{errors}")
    };
    refused.iter().map(draw).collect::<Vec<_>>().join("\n")
}

/// Reads definitions and puts them in force, with no limit of accounts or regions.
///
/// # Errors
///
/// [`FileError`], for a bad expression too.
pub(crate) fn load(path: &Path) -> Result<Definitions, FileError> {
    load_but(path, |_| true)
}

/// The same where events are only judged: what a destination is, or whether it is declared in another place, decides nothing.
///
/// # Errors
///
/// As [`load`].
pub(crate) fn load_to_judge(path: &Path) -> Result<Definitions, FileError> {
    load_but(path, |diagnostic| diagnostic.code != Code::BAD_DESTINATION)
}

/// Reads definitions; of what is wrong with triggers only what `counts`.
fn load_but(path: &Path, counts: impl Fn(&Diagnostic) -> bool) -> Result<Definitions, FileError> {
    let mut documents = Documents::default();
    let mut origins = Origins::default();
    let mut refused = Vec::new();
    for file in files(path)? {
        let name = file.display().to_string();
        match read(&file)? {
            Err(diagnostics) => refused.push((name, diagnostics)),
            Ok(document) => {
                for trigger in document.triggers {
                    origins.claim("trigger", &trigger.name, &name)?;
                    documents.triggers.insert(trigger.name.clone(), Ok(trigger));
                }
                for destination in document.destinations {
                    origins.claim("destination", &destination.name, &name)?;
                    documents.destinations.insert(destination.name.clone(), Ok(destination));
                }
            }
        }
    }
    refused.extend(faults(&documents, &origins, counts));
    if !refused.is_empty() {
        return Err(FileError::Refused(refused));
    }
    Ok(Definitions::new(0, Scope::default(), documents, None))
}

/// What is wrong with the triggers once all definitions are known; warnings are logged.
fn faults(documents: &Documents, origins: &Origins, counts: impl Fn(&Diagnostic) -> bool) -> Vec<(String, Vec<Diagnostic>)> {
    let destinations =
        documents.destinations.iter().filter_map(|(name, destination)| Some((name.clone(), destination.clone().ok()?))).collect();
    let mut refused = Vec::new();
    for trigger in documents.triggers.values().flatten() {
        let (errors, warnings): (Vec<_>, Vec<_>) =
            check(trigger, &destinations).into_iter().filter(&counts).partition(Diagnostic::is_error);
        for warning in warnings {
            tracing::warn!(trigger = trigger.name, warning = warning.draw(), "a definition looks wrong");
        }
        if !errors.is_empty() {
            let file = origins.0.get(&("trigger", trigger.name.clone())).map_or("", String::as_str);
            refused.push((format!("trigger `{}` in {file}", trigger.name), errors));
        }
    }
    refused
}

/// Which file defines what.
#[derive(Default)]
struct Origins(BTreeMap<(&'static str, String), String>);

impl Origins {
    fn claim(&mut self, kind: &'static str, name: &str, file: &str) -> Result<(), FileError> {
        match self.0.insert((kind, name.to_owned()), file.to_owned()) {
            Some(first) => Err(FileError::Twice { kind, name: name.to_owned(), first, second: file.to_owned() }),
            None => Ok(()),
        }
    }
}

/// The file itself, or the `*.json` files of a directory in the order of their names.
fn files(path: &Path) -> Result<Vec<PathBuf>, FileError> {
    let unreadable = |error: std::io::Error| FileError::Unreadable { path: path.display().to_string(), reason: error.to_string() };
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(unreadable)?.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    let paths = entries.into_iter().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    files.sort();
    if files.is_empty() { Err(FileError::Empty(path.display().to_string())) } else { Ok(files) }
}

fn read(path: &Path) -> Result<Result<Document, Vec<Diagnostic>>, FileError> {
    let unreadable = |error: std::io::Error| FileError::Unreadable { path: path.display().to_string(), reason: error.to_string() };
    let text = fs::read_to_string(path).map_err(unreadable)?;
    // A plan has a format of its own, which no document has.
    Ok(Document::parse(&text).or_else(|diagnostics| match serde_json::from_str::<Value>(&text) {
        Ok(value) if plan::is_plan(&value) => plan::document(&value),
        _ => Err(diagnostics),
    }))
}

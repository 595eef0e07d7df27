//! What `check` and `test` found, in the forms that people and tools read. The same definitions give the same bytes.

mod junit;
mod markdown;
mod sarif;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use trailwire_engine::diagnostic::{Diagnostic, Severity};
use trailwire_engine::text::visible;

use super::{Failure, print};
use crate::definitions::files::written::Place;

/// In which form, and to which files.
#[derive(Debug, Args)]
pub(super) struct ReportArguments {
    /// What is printed: text for people, JSON, JUnit's XML, or SARIF 2.1.0.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Also write the results to this file, as JUnit does.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Also write what is wrong to this file as SARIF 2.1.0, for code scanning.
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    /// Also write what is printed for people to this file as Markdown, for a comment on a pull request.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Junit,
    Sarif,
}

/// What was found, before it is written in any form.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// What is wrong, in the order of the definitions.
    pub(super) findings: Vec<Finding>,
    /// What was looked at, one suite a trigger or file.
    pub(super) suites: Vec<Suite>,
    /// The lines for people.
    pub(super) lines: Vec<String>,
}

/// Something that is wrong, and where.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    pub(super) diagnostic: Diagnostic,
    /// The trigger's name; `None` for what is about a whole document, or a trigger without a name.
    pub(super) trigger: Option<String>,
    pub(super) place: Place,
}

/// Cases under one name.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) name: String,
    pub(super) cases: Vec<Case>,
}

/// Something that was looked at.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) outcome: Outcome,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Outcome {
    Passed,
    Skipped(String),
    Failed { short: String, long: String },
}

impl Report {
    /// Prints it and writes the files that were asked for.
    ///
    /// # Errors
    ///
    /// [`Failure::Broken`] where a file can not be written.
    pub(super) fn write(&self, arguments: &ReportArguments) -> Result<(), Failure> {
        let file = |path: &Option<PathBuf>, text: &dyn Fn() -> String| path.as_deref().map_or(Ok(()), |path| save(path, &text()));
        file(&arguments.junit, &|| junit::report(&self.suites))?;
        file(&arguments.sarif, &|| sarif::report(&self.findings))?;
        file(&arguments.markdown, &|| markdown::report(&self.lines))?;
        match arguments.format {
            Format::Text => self.lines.iter().try_for_each(|line| print(line)),
            Format::Json => print(&visible(&self.to_json().to_string())),
            Format::Junit => print(junit::report(&self.suites).trim_end()),
            Format::Sarif => print(sarif::report(&self.findings).trim_end()),
        }
    }

    fn to_json(&self) -> Value {
        json!({ "diagnostics": self.findings.iter().map(Finding::to_json).collect::<Vec<_>>() })
    }
}

impl Finding {
    /// `file:line: resource or trigger`.
    pub(super) fn place(&self) -> String {
        let Place { file, line, address } = &self.place;
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        let what = address.clone().or_else(|| self.trigger.as_ref().map(|name| format!("trigger `{name}`")));
        format!("{file}{line}{}", what.map(|what| format!(": {what}")).unwrap_or_default())
    }

    /// As a person reads it: the message, the place, the excerpt with its caret, the help.
    pub(super) fn draw(&self) -> String {
        let mut lines: Vec<String> = self.diagnostic.draw().lines().map(str::to_owned).collect();
        lines.insert(1.min(lines.len()), format!(" --> {}", self.place()));
        lines.iter().map(|line| visible(line)).collect::<Vec<_>>().join("\n")
    }

    fn to_json(&self) -> Value {
        let Diagnostic { code, severity, message, path, excerpt, help } = &self.diagnostic;
        json!({
            "code": code.to_string(),
            "severity": severity.word(),
            "path": path.to_string(),
            "message": message,
            "text": excerpt.as_ref().map(|excerpt| &excerpt.text),
            "span": excerpt.as_ref().map(|excerpt| json!({"start": excerpt.span.start, "end": excerpt.span.end})),
            "help": help,
            "trigger": self.trigger,
            "file": self.place.file,
            "line": self.place.line,
            "address": self.place.address,
        })
    }

    pub(super) fn is_error(&self) -> bool {
        self.diagnostic.severity == Severity::Error
    }
}

fn save(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| Failure::broken(format!("cannot write {}: {error}", path.display())))
}

/// `1 test`, `2 tests`.
pub(super) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

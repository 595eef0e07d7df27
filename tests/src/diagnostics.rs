//! The pages of the diagnostics, the corpus of wrong triggers, and what the engine says of a trigger's document.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use trailwire_engine::check::{check_texts_of, check_trigger};
use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::fanout::limits;
use trailwire_engine::template::diagnose_trigger;
use trailwire_engine::trigger::{Document, Trigger};

use crate::stand::repository;

/// Everything that is told of a trigger, as a plan and `trailwire check` tell it.
pub fn told(document: &Value) -> Vec<Diagnostic> {
    match Trigger::from_value(document) {
        Ok(trigger) => {
            let limits = limits::check(&trigger);
            check_trigger(&trigger).into_iter().chain(diagnose_trigger(&trigger)).chain(limits).collect()
        }
        Err(diagnostics) => diagnostics.into_iter().chain(check_texts_of(document)).collect(),
    }
}

/// A page of `docs/diagnostics`.
#[derive(Debug)]
pub struct Page {
    /// Where it is.
    pub file: PathBuf,
    /// All of it.
    pub text: String,
    /// Its sections: the heading without `## `, and what stands under it.
    pub sections: Vec<(String, String)>,
}

/// In what an example is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One trigger in HCL.
    Hcl,
    /// A whole document.
    Json,
}

/// A wrong trigger or document, what is said of it, and a right one, as on the page.
#[derive(Debug)]
pub struct Example<'p> {
    /// `TW2404`, or `TW2404 (2)`.
    pub name: String,
    /// What stands behind the headings: ` 2`, or nothing.
    pub number: &'p str,
    /// In what it is written.
    pub form: Form,
    /// The wrong one.
    pub wrong: &'p str,
    /// Every diagnostic of it, drawn, with an empty line between two.
    pub message: &'p str,
    /// The right one.
    pub right: &'p str,
}

/// Every page, by its code.
///
/// # Panics
/// Where the pages cannot be read.
pub fn pages() -> Vec<Page> {
    let directory = repository().join("docs/diagnostics");
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory).expect("the pages are there").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    files.into_iter().map(read).collect()
}

fn read(file: PathBuf) -> Page {
    let text = fs::read_to_string(&file).expect("a page is text");
    let sections = text.split("\n## ").skip(1).filter_map(|section| section.split_once('\n'));
    let sections = sections.map(|(heading, body)| (heading.to_owned(), body.to_owned())).collect();
    Page { file, sections, text }
}

impl Page {
    /// `TW2404`.
    ///
    /// # Panics
    /// Where the file has no name.
    pub fn code(&self) -> String {
        self.file.file_stem().expect("a file has a name").to_string_lossy().into_owned()
    }

    /// Its examples: sections `Wrong`, `Message` and `Right`, with a number behind each where there are several.
    ///
    /// # Panics
    /// Where one of the three is missing, or holds no block of its kind.
    pub fn examples(&self) -> Vec<Example<'_>> {
        let numbers = self.sections.iter().filter_map(|(heading, _)| heading.strip_prefix("Wrong"));
        numbers
            .map(|number| {
                let form = if self.section(&format!("Wrong{number}")).contains("```json\n") { Form::Json } else { Form::Hcl };
                let code = if form == Form::Json { "json" } else { "hcl" };
                let block = |heading: &str, kind: &str| {
                    let heading = format!("{heading}{number}");
                    block(self.section(&heading), kind)
                        .unwrap_or_else(|| panic!("{}: no block of {kind} in `{heading}`", self.file.display()))
                };
                let name = if number.is_empty() { self.code() } else { format!("{} ({})", self.code(), number.trim()) };
                Example { name, number, form, wrong: block("Wrong", code), message: block("Message", "text"), right: block("Right", code) }
            })
            .collect()
    }

    fn section(&self, heading: &str) -> &str {
        let section = self.sections.iter().find(|(found, _)| found == heading);
        &section.unwrap_or_else(|| panic!("{}: no section `{heading}`", self.file.display())).1
    }
}

impl Example<'_> {
    /// What is told of the wrong one.
    pub fn found(&self) -> Vec<Diagnostic> {
        self.form.told(self.wrong)
    }
}

impl Form {
    /// What is told of a trigger or document that is written so.
    pub fn told(self, text: &str) -> Vec<Diagnostic> {
        match self {
            Self::Hcl => told(&document(text)),
            Self::Json => Document::parse(text).err().unwrap_or_default(),
        }
    }
}

/// The first block of a kind, without its fences.
fn block<'t>(text: &'t str, kind: &str) -> Option<&'t str> {
    let (_, after) = text.split_once(&format!("```{kind}\n"))?;
    after.split_once("```").map(|(inside, _)| inside)
}

/// The one trigger of an example.
///
/// # Panics
/// Where there is not exactly one.
pub fn document(hcl: &str) -> Value {
    let mut triggers = crate::hcl::triggers(hcl);
    assert_eq!(triggers.len(), 1, "an example is one trigger:\n{hcl}");
    triggers.remove(0)
}

/// The diagnostics as on a page.
pub fn drawn(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(Diagnostic::draw).collect::<Vec<_>>().join("\n\n")
}

/// A wrong trigger of `tests/corpus/diagnostics`.
#[derive(Debug)]
pub struct Case {
    /// The file that it stands in, and its name there.
    pub name: String,
    /// The whole document.
    pub document: Value,
    /// What is told of it, in the form of [`in_short`].
    pub told: Vec<Value>,
}

/// The files of the corpus.
///
/// # Panics
/// Where they cannot be read.
pub fn corpus() -> Vec<PathBuf> {
    let directory = repository().join("tests/corpus/diagnostics");
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory).expect("the corpus is there").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    files
}

/// The cases of a file. Each trigger has a name of its own, and an action where the case says none.
///
/// # Panics
/// Where the file is no list of cases.
pub fn cases(file: &Path) -> Vec<Case> {
    let text = fs::read_to_string(file).expect("a file of the corpus is text");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("a file of the corpus is a list");
    let theme = file.file_stem().expect("a file has a name").to_string_lossy();
    let case = |(index, case): (usize, &Value)| {
        let mut document = case["trigger"].clone();
        let members = document.as_object_mut().expect("a trigger is an object");
        members.insert("name".to_owned(), json!(format!("{theme}-{index}")));
        members.entry("action").or_insert_with(|| json!([{"notify": [{"destinations": ["d"]}]}]));
        let told = case["told"].as_array().expect("what is told is a list").clone();
        Case { name: format!("{theme}/{}", case["name"].as_str().expect("a case has a name")), document, told }
    };
    cases.iter().enumerate().map(case).collect()
}

/// A diagnostic as the corpus writes it: what is not there is left out, and of the text only what is underlined.
pub fn in_short(diagnostic: &Diagnostic) -> Value {
    let mut short = json!({
        "code": diagnostic.code.to_string(),
        "severity": diagnostic.severity.word(),
        "path": diagnostic.path.to_string(),
        "message": diagnostic.message,
    });
    if let Some(excerpt) = &diagnostic.excerpt {
        short["span"] = json!([excerpt.span.start, excerpt.span.end]);
        short["under"] = json!(excerpt.span.of(&excerpt.text));
    }
    if let Some(help) = &diagnostic.help {
        short["help"] = json!(help);
    }
    short
}

//! Definitions as they were written, for whoever tells what is wrong with them rather than puts them in force.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use trailwire_engine::check;
use trailwire_engine::diagnostic::{Code, Diagnostic, Path as AttributePath, Step};
use trailwire_engine::trigger::Forwarder;

use super::plan::holds_true;
use super::{FileError, files, hcl, place, plan};

/// One file.
#[derive(Debug)]
pub(crate) struct Written {
    /// Its name, as it was given.
    pub(crate) file: String,
    text: String,
    body: Body,
}

#[derive(Debug)]
enum Body {
    /// What was read is a document, or no JSON.
    Document(Result<Value, Diagnostic>),
    /// What was read is a plan; this is the plan, and the document made of it.
    Plan { plan: Value, document: Value },
}

/// Where something was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Place {
    /// The file of definitions, or of the configuration where that is known.
    pub(crate) file: String,
    /// The line, counted from 1.
    pub(crate) line: Option<usize>,
    /// The resource's address in a plan.
    pub(crate) address: Option<String>,
}

/// Reads one file or every `*.json` file of a directory, in the order of their names.
///
/// # Errors
///
/// [`FileError`] where a file can not be read. What is wrong inside of one is no error.
pub(crate) fn read(path: &Path) -> Result<Vec<Written>, FileError> {
    let read = |file: std::path::PathBuf| {
        let name = file.display().to_string();
        match fs::read_to_string(&file) {
            Ok(text) => Ok(Written { body: Body::of(&text), file: name, text }),
            Err(error) => Err(FileError::Unreadable { path: name, reason: error.to_string() }),
        }
    };
    files(path)?.into_iter().map(read).collect()
}

impl Body {
    fn of(text: &str) -> Self {
        match serde_json::from_str::<Value>(text) {
            Ok(plan) if plan::is_plan(&plan) => Self::Plan { document: plan::read(&plan).document, plan },
            Ok(document) => Self::Document(Ok(document)),
            Err(error) => Self::Document(Err(Diagnostic::error(Code::NOT_JSON, format!("the document is not JSON: {error}")))),
        }
    }
}

impl Written {
    /// The document, or why it is none.
    pub(crate) fn document(&self) -> Result<&Value, &Diagnostic> {
        match &self.body {
            Body::Document(document) => document.as_ref(),
            Body::Plan { document, .. } => Ok(document),
        }
    }

    /// The names of its triggers, in their order; `None` for one without a name.
    pub(crate) fn triggers(&self) -> Vec<Option<String>> {
        let name = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
        match self.document().ok().and_then(|document| document.get("triggers")) {
            Some(Value::Array(elements)) => elements.iter().map(name).collect(),
            Some(object @ Value::Object(_)) => vec![name(object)],
            _ => Vec::new(),
        }
    }

    /// The path of the trigger of this name.
    pub(crate) fn find_trigger(&self, wanted: &str) -> Option<AttributePath> {
        let index = self.triggers().iter().position(|name| name.as_deref() == Some(wanted))?;
        Some(AttributePath::root("triggers").index(index))
    }

    /// Whether it is a plan. What a plan refers to may be declared in another place.
    pub(crate) fn is_plan(&self) -> bool {
        matches!(self.body, Body::Plan { .. })
    }

    /// Whether what is at this path of the document, or something around it or in it, is known only in apply.
    pub(crate) fn is_unknown(&self, path: &AttributePath) -> bool {
        let Body::Plan { plan, .. } = &self.body else { return false };
        let (planned, Some((resource, rest))) = (plan::read(plan), split(path)) else { return false };
        let list = if resource.0 == "triggers" { planned.triggers } else { planned.destinations };
        let Some(resource) = list.get(resource.1) else { return false };
        let mut at = resource.unknown;
        for step in rest {
            at = match step {
                Step::Attribute(name) | Step::Key(name) => at.get(name),
                Step::Index(index) => at.get(index),
            }
            .unwrap_or(if *at == Value::Bool(true) { at } else { &Value::Null });
        }
        holds_true(at)
    }

    /// The members of the trigger or destination at this path that are known only in apply, wholly or in part.
    pub(crate) fn unknown_members(&self, definition: &AttributePath) -> BTreeSet<String> {
        let Body::Plan { plan, .. } = &self.body else { return BTreeSet::new() };
        let (planned, Some(((list, index), _))) = (plan::read(plan), split(definition)) else { return BTreeSet::new() };
        let list = if list == "triggers" { planned.triggers } else { planned.destinations };
        let members = list.get(index).and_then(|resource| resource.unknown.as_object()).into_iter().flatten();
        members.filter(|(_, value)| holds_true(value)).map(|(name, _)| name.clone()).collect()
    }

    /// The regions of the hub of the trigger at this path, where a plan says them.
    pub(crate) fn hub_regions(&self, trigger: &AttributePath) -> Option<Vec<String>> {
        let Body::Plan { plan, .. } = &self.body else { return None };
        let ((_, index), _) = split(trigger)?;
        let planned = plan::read(plan);
        planned.hub_regions(planned.triggers.get(index)?)
    }

    /// The forwarder that the trigger at this path relies on, where a plan has it.
    pub(crate) fn forwarder(&self, trigger: &AttributePath) -> Option<Forwarder> {
        let Body::Plan { plan, .. } = &self.body else { return None };
        let ((_, index), _) = split(trigger)?;
        let planned = plan::read(plan);
        planned.forwarder(planned.triggers.get(index)?)
    }

    /// Whether all that the verdicts of the trigger at this path depend on is known.
    pub(crate) fn is_decided(&self, trigger: &AttributePath) -> bool {
        let unknown = self.unknown_members(trigger);
        check::is_decided(&|name| !unknown.contains(name))
    }

    /// Where what is at this path of the document was written. `configuration` is the directory of a plan's configuration, if it is known.
    pub(crate) fn place(&self, path: &AttributePath, configuration: Option<&Path>) -> Place {
        let here = Place { file: self.file.clone(), ..Place::default() };
        let plan = match &self.body {
            Body::Document(Ok(_)) => return Place { line: place::line_of(&self.text, path), ..here },
            Body::Document(Err(_)) => return here,
            Body::Plan { plan, .. } => plan,
        };
        let planned = plan::read(plan);
        let Some(((list, index), rest)) = split(path) else { return here };
        let list = if list == "triggers" { planned.triggers } else { planned.destinations };
        let Some(resource) = list.get(index) else { return here };
        let rest = AttributePath(rest.to_vec());
        let found = configuration.and_then(|configuration| hcl::place(configuration, plan, resource, &rest));
        let address = Some(resource.address.to_owned());
        match found {
            Some((file, line)) => Place { file, line: Some(line), address },
            None => Place { address, ..here },
        }
    }
}

/// `triggers`, 2 and `name` of `triggers[2].name`.
pub(crate) fn split(path: &AttributePath) -> Option<((&str, usize), &[Step])> {
    match path.0.as_slice() {
        [Step::Attribute(list), Step::Index(index), rest @ ..] if list == "triggers" || list == "destinations" => {
            Some(((list.as_str(), *index), rest))
        }
        _ => None,
    }
}

//! What a user declares: triggers, destinations and forwarders, as documents.
//!
//! A document is `{"format_version":1,"triggers":[…],"destinations":[…]}`, the JSON form of the HCL with the same names; a block
//! is an array of objects. The provider stores one trigger, destination or forwarder an item in the hub's table; the
//! runtime reads triggers and destinations from there or from files. Documents name secrets and never hold them.
//!
//! Reading gives all diagnostics, each with the path to its attribute; [`crate::check`] adds what only the expressions tell.

mod destination;
pub mod duration;
mod forwarder;
mod model;
mod placeholder;
mod reader;
mod restraint;
mod streamed;
mod trigger_document;

pub use destination::{
    Alerts, Aws, Destination, DestinationKind, Pagerduty, SECRETS, Secret, SecretMember, Site, Slack, Target, Teams, Url, Webhook,
    notifications_only, which_kind,
};
pub use forwarder::{FORWARDER_MEMBERS, Forwarder};
pub use model::{Action, Notify, OnError, PushDown, Query, Send, Severity, Test, Trigger, Wait};
pub use placeholder::placeholder;
pub use restraint::{Suppress, THRESHOLD_MAX, Threshold, Window};
pub use trigger_document::MEMBERS;

use serde::Serialize;

use crate::diagnostic::{Code, Diagnostic, Path, any_error};
use crate::value::Value;
use reader::Reader;
use streamed::{Streamed, streamed};

/// The format of documents that this version reads and writes.
pub const FORMAT_VERSION: u64 = 1;

/// Triggers and destinations together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Document {
    /// Always [`FORMAT_VERSION`].
    pub format_version: u64,
    /// In the order written; names are unique.
    pub triggers: Vec<Trigger>,
    /// In the order written; names are unique.
    pub destinations: Vec<Destination>,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// Every diagnostic there is, if one of them is an error.
    ///
    /// ```
    /// use trailwire_engine::trigger::Document;
    /// let document = Document::parse(r#"{"format_version": 1, "triggers": [{"name": "user-created",
    ///     "event_names": ["CreateUser"], "action": [{"send": [{"destination": "archive"}]}]}]}"#).unwrap();
    /// assert!(document.triggers[0].enabled);
    /// ```
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        let Some(Streamed { rest, triggers, destinations }) = streamed(text) else { return Self::from_value(&json(text)?) };
        let (rest, mut diagnostics) = (Value::Object(rest), Vec::new());
        let mut reader = Reader::new(&rest, Path::default(), &mut diagnostics);
        check_version(&mut reader);
        reader.take_in("triggers", triggers.diagnostics);
        reader.take_in("destinations", destinations.diagnostics);
        reader.finish();
        Self::of(triggers.read, destinations.read, diagnostics)
    }

    /// Reads a document that is JSON already.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub fn from_value(value: &Value) -> Result<Self, Vec<Diagnostic>> {
        let mut diagnostics = Vec::new();
        let mut reader = Reader::new(value, Path::default(), &mut diagnostics);
        check_version(&mut reader);
        let triggers = reader.objects("triggers", Trigger::read);
        let destinations = reader.objects("destinations", Destination::read);
        reader.finish();
        Self::of(triggers, destinations, diagnostics)
    }

    fn of(triggers: Vec<Trigger>, destinations: Vec<Destination>, mut diagnostics: Vec<Diagnostic>) -> Result<Self, Vec<Diagnostic>> {
        duplicates("triggers", triggers.iter().map(|trigger| trigger.name.as_str()), &mut diagnostics);
        duplicates("destinations", destinations.iter().map(|destination| destination.name.as_str()), &mut diagnostics);
        accept(Self { format_version: FORMAT_VERSION, triggers, destinations }, diagnostics)
    }
}

impl Trigger {
    /// Reads one trigger, as the hub's table holds it.
    ///
    /// # Errors
    /// Every diagnostic there is, if one of them is an error.
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        Self::from_value(&json(text)?)
    }

    /// Reads one trigger that is JSON already.
    ///
    /// # Errors
    /// As [`Trigger::parse`].
    pub fn from_value(value: &Value) -> Result<Self, Vec<Diagnostic>> {
        let mut diagnostics = Vec::new();
        let trigger = Self::read(&mut Reader::new(value, Path::default(), &mut diagnostics));
        accept(trigger, diagnostics)
    }
}

impl Destination {
    /// Reads one destination, as the hub's table holds it.
    ///
    /// # Errors
    /// Every diagnostic there is, if one of them is an error.
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        Self::from_value(&json(text)?)
    }

    /// Reads one destination that is JSON already.
    ///
    /// # Errors
    /// As [`Destination::parse`].
    pub fn from_value(value: &Value) -> Result<Self, Vec<Diagnostic>> {
        let mut diagnostics = Vec::new();
        let destination = Self::read(&mut Reader::new(value, Path::default(), &mut diagnostics));
        accept(destination, diagnostics)
    }
}

impl Forwarder {
    /// Reads one forwarder, as the hub's table holds it.
    ///
    /// # Errors
    /// Every diagnostic there is, if one of them is an error.
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        Self::from_value(&json(text)?)
    }

    /// Reads one forwarder that is JSON already.
    ///
    /// # Errors
    /// As [`Forwarder::parse`].
    ///
    /// ```
    /// use trailwire_engine::trigger::Forwarder;
    /// let forwarder = Forwarder::from_value(&serde_json::json!({"name": "all-writes", "all": true})).unwrap();
    /// assert!(forwarder.all && !forwarder.include_read_only);
    /// ```
    pub fn from_value(value: &Value) -> Result<Self, Vec<Diagnostic>> {
        let mut diagnostics = Vec::new();
        let forwarder = Self::read(&mut Reader::new(value, Path::default(), &mut diagnostics));
        accept(forwarder, diagnostics)
    }
}

fn check_version(reader: &mut Reader<'_>) {
    match reader.integer("format_version") {
        None => reader.missing("format_version", "write `\"format_version\": 1`"),
        Some(version) if version != i128::from(FORMAT_VERSION) => {
            let message = format!("this version reads documents of format {FORMAT_VERSION}, this one is of format {version}");
            reader.error(Code::FORMAT_VERSION, "format_version", message, "use a version of trailwire that reads it");
        }
        Some(_) => {}
    }
}

fn json(text: &str) -> Result<Value, Vec<Diagnostic>> {
    serde_json::from_str(text).map_err(|error| vec![Diagnostic::error(Code::NOT_JSON, format!("the document is not JSON: {error}"))])
}

fn accept<T>(read: T, diagnostics: Vec<Diagnostic>) -> Result<T, Vec<Diagnostic>> {
    if any_error(&diagnostics) { Err(diagnostics) } else { Ok(read) }
}

fn duplicates<'a>(list: &str, names: impl Iterator<Item = &'a str>, diagnostics: &mut Vec<Diagnostic>) {
    let mut seen = std::collections::BTreeSet::new();
    for (index, name) in names.enumerate() {
        if !name.is_empty() && !seen.insert(name) {
            let path = Path::root(list).index(index).attribute("name");
            diagnostics.push(
                Diagnostic::error(Code::DUPLICATE_NAME, format!("the name `{name}` is used twice")).at(path).help("give each its own"),
            );
        }
    }
}

#[cfg(test)]
mod tests;

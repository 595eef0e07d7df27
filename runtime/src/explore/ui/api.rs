//! What the page asks, and what it is answered: JSON both ways.

use serde::Deserialize;
use serde_json::{Value, json};
use trailwire_engine::actor;
use trailwire_engine::search::SHORT_NAMES;

use super::columns::written;
use super::find::{self, Refused, Request, Searches};
use super::memory::Memory;
use super::{WriteTrigger, complete, lineage, query, trigger};

/// Columns that nearly every search shows. They are made before the first is asked for.
const USUAL: [&str; 8] = ["event", "actor", "source", "region", "account", "error", "identity", "ip"];
/// So many of the faults of the logs are told; how many there are is told, too.
const FAULTS: usize = 50;
/// So many columns and fields are asked for at once: each takes room for every record.
const MOST_FIELDS: usize = 64;

/// What the page is about.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) memory: Memory,
    pub(super) searches: Searches,
    /// The triggers of the definitions, by name.
    pub(super) triggers: Vec<String>,
    pub(super) write: WriteTrigger,
}

/// Why a question has no answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// There is no such question.
    Unknown,
    /// It can not be read.
    Unreadable(String),
    /// There is no such event.
    NoEvent,
}

impl Desk {
    pub(super) fn new(memory: Memory, triggers: Vec<String>, write: WriteTrigger) -> Self {
        memory.columns(&USUAL.iter().chain(&lineage::COLUMNS).map(|name| (*name).to_owned()).collect::<Vec<_>>());
        Self { memory, searches: Searches::default(), triggers, write }
    }

    /// Answers a question.
    pub(super) fn answer(&self, path: &str, body: &[u8]) -> Result<Value, Fault> {
        match path {
            "/api/summary" => Ok(self.summary()),
            "/api/search" => {
                let request = read::<Request>(body)?;
                if request.columns.len() + request.facets.len() > MOST_FIELDS {
                    return Err(Fault::Unreadable(format!("it has more than {MOST_FIELDS} columns and fields")));
                }
                Ok(match find::find(&self.memory, &self.searches, &request) {
                    Ok(answer) => answer,
                    Err(refused) => refusal(&refused),
                })
            }
            "/api/trigger" => Ok(match trigger::draft(&self.memory, &self.searches, self.write, &read(body)?) {
                Ok(answer) => answer,
                Err(refused) => refusal(&refused),
            }),
            "/api/event" => self.event(&read::<EventRequest>(body)?.id),
            "/api/complete" => {
                let CompleteRequest { before, after } = read(body)?;
                let (start, offers) = complete::complete(&self.memory, &before);
                Ok(json!({"start": start, "offers": offers, "problems": query::check(&(before + &after))}))
            }
            _ => Err(Fault::Unknown),
        }
    }

    fn summary(&self) -> Value {
        let told = &self.memory.told;
        json!({
            "events": self.memory.len(),
            "extent": self.memory.extent(),
            "files": told.files,
            "bytes": told.bytes,
            "repeated": told.repeated,
            "left": told.left,
            "faults": told.faults.len(),
            "first_faults": told.faults.iter().take(FAULTS).collect::<Vec<_>>(),
            "paths": self.memory.paths.keys().collect::<Vec<_>>(),
            "short_names": SHORT_NAMES.iter().map(|short| short.name).collect::<Vec<_>>(),
            "triggers": self.triggers,
        })
    }

    fn event(&self, id: &str) -> Result<Value, Fault> {
        let row = self.memory.place(id).ok_or(Fault::NoEvent)?;
        let event = self.memory.event(row).ok_or(Fault::NoEvent)?;
        let who = actor::who(event.detail());
        let fired = &self.memory.triggers;
        Ok(json!({
            "id": id,
            "time": self.memory.time(row),
            "name": event.name(),
            "source": event.source(),
            "account": event.account(),
            "region": event.region(),
            "actor": who,
            "who": who.to_string(),
            "kind": who.kind.words(),
            "fired": fired.of(row).iter().map(|number| fired.value(*number)).collect::<Vec<_>>(),
            "file": self.memory.file(row).map(ToString::to_string),
            "tree": node(event.detail()),
            "json": serde_json::to_string_pretty(event.detail()).unwrap_or_default(),
            "lineage": lineage::lineage(&self.memory, row),
        }))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventRequest {
    id: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CompleteRequest {
    /// The text up to the caret.
    before: String,
    /// What follows.
    after: String,
}

fn read<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| Fault::Unreadable(error.to_string()))
}

fn refusal(refused: &Refused) -> Value {
    let told =
        |message: &str, help: Option<&String>| json!({"problems": [{"message": message, "help": help, "place": null, "error": true}]});
    match refused {
        Refused::Search(diagnostics) => json!({"problems": query::problems(diagnostics)}),
        Refused::Time { text, help } => told(&format!("`{text}` is no time"), Some(help)),
        Refused::Trigger(reason) => told(reason, None),
    }
}

/// A value whose kinds and numbers survive a script's reading: `[kind, content]`, members in their order, numbers as texts.
fn node(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            json!(["object", members.iter().map(|(name, value)| json!([written(name), name, node(value)])).collect::<Vec<_>>()])
        }
        Value::Array(elements) => json!(["array", elements.iter().map(node).collect::<Vec<_>>()]),
        Value::String(text) => json!(["string", text]),
        Value::Number(number) => json!(["number", number.to_string()]),
        Value::Bool(truth) => json!(["boolean", truth.to_string()]),
        Value::Null => json!(["null", "null"]),
    }
}

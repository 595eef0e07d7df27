//! A document read from its text, one definition after the other: the JSON of thousands of triggers takes several times the memory of what is read of them.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::reader::Reader;
use super::{Destination, Trigger};
use crate::diagnostic::{Diagnostic, Path};
use crate::value::{Map, Value};

/// What was read of a list, and what is wrong with it.
pub(super) struct Listed<T> {
    pub(super) read: Vec<T>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { read: Vec::new(), diagnostics: Vec::new() }
    }
}

/// What was read of a document, and its other members as they are.
#[derive(Default)]
pub(super) struct Streamed {
    pub(super) rest: Map<String, Value>,
    pub(super) triggers: Listed<Trigger>,
    pub(super) destinations: Listed<Destination>,
}

/// `None` for what is no JSON, no object, or has a list that is none.
pub(super) fn streamed(text: &str) -> Option<Streamed> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let streamed = deserializer.deserialize_map(Whole).ok()?;
    deserializer.end().ok()?;
    Some(streamed)
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Streamed;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Streamed, A::Error> {
        let mut streamed = Streamed::default();
        // Of members of one name the last counts, as everywhere in JSON here.
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "triggers" => streamed.triggers = members.next_value_seed(List { name: "triggers", read: Trigger::read })?,
                "destinations" => {
                    streamed.destinations = members.next_value_seed(List { name: "destinations", read: Destination::read })?
                }
                _ => {
                    let value = members.next_value()?;
                    streamed.rest.insert(name, value);
                }
            }
        }
        Ok(streamed)
    }
}

struct List<T> {
    name: &'static str,
    read: fn(&mut Reader<'_>) -> T,
}

impl<'de, T> DeserializeSeed<'de> for List<T> {
    type Value = Listed<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Listed<T>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T> Visitor<'de> for List<T> {
    type Value = Listed<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Listed<T>, A::Error> {
        let (mut listed, path) = (Listed::default(), Path::root(self.name));
        while let Some(element) = elements.next_element::<Value>()? {
            let path = path.index(listed.read.len());
            let read = (self.read)(&mut Reader::new(&element, path, &mut listed.diagnostics));
            listed.read.push(read);
        }
        Ok(listed)
    }
}

//! Shapes: what parameters and answers are made of.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A shape as the data has it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Shape {
    Structure(Structure),
    List(List),
    Map(Map),
}

/// Members by name.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Structure {
    /// As AWS's own tools spell them.
    pub members: BTreeMap<String, Member>,
    /// Those that must be given.
    #[serde(default)]
    pub required: Vec<String>,
    /// The member that is the whole body.
    pub payload: Option<String>,
}

/// A member of a structure.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Member {
    /// The word for its shape.
    pub shape: String,
    /// How it travels.
    #[serde(flatten)]
    pub place: Place,
}

/// How a member travels.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Place {
    /// Its name on the way, where that is another.
    pub wire: Option<String>,
    /// Its name in requests of EC2, where that is another.
    pub sent: Option<String>,
    /// `path`, `query`, `header`, `headers`, `status`, `attribute`; none is the body.
    pub at: Option<String>,
}

/// Elements of one shape.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct List {
    /// The word for the shape of an element.
    pub list: String,
    /// The name of an element in XML and forms, where the list is not flat.
    pub element: Option<String>,
    /// Whether the elements stand where the list would.
    #[serde(default)]
    pub flat: bool,
}

/// Texts to values of one shape.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Map {
    /// The word for the shape of a value.
    pub map: String,
    /// The name of a key in XML.
    pub key: Option<String>,
    /// The name of a value in XML.
    pub value: Option<String>,
    /// Whether the entries stand where the map would.
    #[serde(default)]
    pub flat: bool,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind<'s> {
    /// Members.
    Structure(&'s Structure),
    /// Elements.
    List(&'s List),
    /// Keys and values.
    Map(&'s Map),
    /// A text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Float,
    /// A boolean.
    Boolean,
    /// A time, told as text.
    Timestamp,
    /// Bytes, told as base64.
    Blob,
    /// A policy, which travels as percent-encoded JSON.
    Policy,
    /// No word for a shape.
    Unknown,
}

impl Kind<'_> {
    /// In words: `a string`.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Structure(_) | Self::Map(_) => "an object",
            Self::List(_) => "a list",
            Self::String | Self::Timestamp | Self::Blob => "a string",
            Self::Integer => "a whole number",
            Self::Float => "a number",
            Self::Boolean => "a boolean",
            Self::Policy => "a policy",
            Self::Unknown => "nothing known",
        }
    }
}

pub(super) fn kind<'s>(shapes: &'s BTreeMap<String, Shape>, word: &str) -> Kind<'s> {
    match shapes.get(word) {
        Some(Shape::Structure(structure)) => Kind::Structure(structure),
        Some(Shape::List(list)) => Kind::List(list),
        Some(Shape::Map(map)) => Kind::Map(map),
        None => match word {
            "string" => Kind::String,
            "integer" => Kind::Integer,
            "float" => Kind::Float,
            "boolean" => Kind::Boolean,
            "timestamp" => Kind::Timestamp,
            "blob" => Kind::Blob,
            "policy" => Kind::Policy,
            _ => Kind::Unknown,
        },
    }
}

#[cfg(test)]
impl Shape {
    /// The words for the shapes within.
    pub(super) fn words(&self) -> Vec<&str> {
        match self {
            Self::Structure(structure) => structure.members.values().map(|member| member.shape.as_str()).collect(),
            Self::List(list) => vec![&list.list],
            Self::Map(map) => vec![&map.map],
        }
    }
}

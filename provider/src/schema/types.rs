//! Types of attributes, function parameters and results.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A Terraform type constraint. "Any type" is deliberately absent: nothing here needs it and it has two different wire forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// `list(T)`
    List(Box<Type>),
    /// `set(T)`: no order, no duplicates
    Set(Box<Type>),
    /// `map(T)`
    Map(Box<Type>),
    /// `object({…})`: every member is always present
    Object(BTreeMap<String, Type>),
}

impl Type {
    /// `list(T)`
    pub fn list(element: Type) -> Type {
        Type::List(Box::new(element))
    }

    /// `set(T)`
    pub fn set(element: Type) -> Type {
        Type::Set(Box::new(element))
    }

    /// `map(T)`
    pub fn map(element: Type) -> Type {
        Type::Map(Box::new(element))
    }

    /// The JSON form that travels in schemas: `"string"`, `["list","string"]`, `["object",{…}]`.
    pub fn to_json(&self) -> Value {
        match self {
            Type::Bool => json!("bool"),
            Type::Number => json!("number"),
            Type::String => json!("string"),
            Type::List(element) => json!(["list", element.to_json()]),
            Type::Set(element) => json!(["set", element.to_json()]),
            Type::Map(element) => json!(["map", element.to_json()]),
            Type::Object(members) => {
                let members: serde_json::Map<String, Value> =
                    members.iter().map(|(name, member)| (name.clone(), member.to_json())).collect();
                json!(["object", members])
            }
        }
    }

    /// How documentation calls it: `String`, `Set of String`.
    pub fn title(&self) -> String {
        match self {
            Type::Bool => "Boolean".to_owned(),
            Type::Number => "Number".to_owned(),
            Type::String => "String".to_owned(),
            Type::List(element) => format!("List of {}", element.title()),
            Type::Set(element) => format!("Set of {}", element.title()),
            Type::Map(element) => format!("Map of {}", element.title()),
            Type::Object(_) => "Object".to_owned(),
        }
    }
}

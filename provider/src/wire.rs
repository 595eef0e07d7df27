//! The only place that knows tfplugin5 and msgpack.
//!
//! - [`message`]: the messages, as far as they are used; unknown fields are skipped by protobuf itself;
//! - [`msgpack`] and [`json`]: values, read and written by the schema's types;
//! - [`convert`]: schemas, diagnostics and paths;
//! - [`service`]: calls by path.

pub mod convert;
pub mod json;
pub mod message;
pub mod msgpack;
pub mod service;

use trailwire_engine::diagnostic::{Code, Diagnostic, Path};

use crate::schema::Type;
use crate::value::Dynamic;
use message::DynamicValue;

/// A value that has not the form that its schema asks for. Holds no part of the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {what}")]
pub struct InvalidValue {
    /// Where. A member of a set cannot be addressed, so the path ends at the set.
    pub path: Path,
    /// One sentence.
    pub what: String,
}

impl InvalidValue {
    fn new(path: &Path, what: impl Into<String>) -> InvalidValue {
        InvalidValue { path: path.clone(), what: what.into() }
    }
}

impl From<InvalidValue> for Diagnostic {
    fn from(invalid: InvalidValue) -> Diagnostic {
        Diagnostic::error(Code::WIRE, invalid.what).at(invalid.path)
    }
}

/// Reads a value of this type. An absent value is null.
///
/// # Errors
/// The first place where the value has not this type, or bytes that are neither msgpack nor JSON.
pub fn decode(value: Option<&DynamicValue>, kind: &Type) -> Result<Dynamic, InvalidValue> {
    match value {
        Some(value) if !value.msgpack.is_empty() => msgpack::decode(&value.msgpack, kind),
        Some(value) if !value.json.is_empty() => {
            let value = json::read(&value.json)?;
            // Writing checks the type.
            msgpack::encode(&value, kind).map(|_| value)
        }
        _ => Ok(Dynamic::Null),
    }
}

/// Writes a value of this type.
///
/// # Errors
/// The first place where the value has not this type, which is a bug of whoever made it.
pub fn encode(value: &Dynamic, kind: &Type) -> Result<DynamicValue, InvalidValue> {
    Ok(DynamicValue { msgpack: msgpack::encode(value, kind)?, json: Vec::new() })
}

//! An answer as JSON, by its shape: what the shape does not have is not kept.

use serde_json::{Map, Value, json};
use trailwire_engine::operations::{Kind, Operation, Protocol, Service};

use super::{json as of_json, xml};

/// The members of an answer, as AWS's own tools name them.
///
/// # Errors
///
/// In words: a body that is no answer of the operation.
pub(super) fn read(service: &Service, operation: &Operation, body: &str) -> Result<Map<String, Value>, String> {
    let Some(word) = &operation.output else { return Ok(Map::new()) };
    let Kind::Structure(output) = service.kind(word) else { return Err("its shape is not known".to_owned()) };
    let value = match service.protocol {
        Protocol::Json10 | Protocol::Json11 | Protocol::RestJson => of_json::read(service, word, body)?,
        Protocol::Ec2 | Protocol::Query | Protocol::RestXml => {
            match output.payload.as_ref().and_then(|name| Some((name, output.members.get(name)?))) {
                None => xml::read(service, word, operation.wrapper.as_deref(), body)?,
                Some((name, member)) if service.kind(&member.shape) == Kind::String => json!({ name: body }),
                Some((name, member)) => json!({ name: xml::read(service, &member.shape, None, body)? }),
            }
        }
    };
    match value {
        Value::Object(members) => Ok(members),
        _ => Err("it is no object".to_owned()),
    }
}

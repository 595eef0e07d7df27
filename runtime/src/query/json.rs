//! Answers in JSON.

use jiff::Timestamp;
use serde_json::{Map, Value};
use trailwire_engine::operations::{Kind, Service};

/// What the shape has of a body.
///
/// # Errors
///
/// In words: the body is not JSON, or nested more deeply than anything that AWS answers (128).
pub(super) fn read(service: &Service, word: &str, body: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(body).map_err(|error| format!("it is not JSON: {error}"))?;
    Ok(kept(service, word, value))
}

fn kept(service: &Service, word: &str, value: Value) -> Value {
    match (service.kind(word), value) {
        (Kind::Structure(structure), Value::Object(mut found)) => {
            let members = structure.members.iter().filter_map(|(name, member)| {
                let value = found.remove(member.place.wire.as_deref().unwrap_or(name)).filter(|value| !value.is_null())?;
                Some((name.clone(), kept(service, &member.shape, value)))
            });
            Value::Object(members.collect::<Map<_, _>>())
        }
        (Kind::List(list), Value::Array(elements)) => elements.into_iter().map(|element| kept(service, &list.list, element)).collect(),
        (Kind::Map(map), Value::Object(found)) => {
            Value::Object(found.into_iter().map(|(key, value)| (key, kept(service, &map.map, value))).collect())
        }
        (Kind::Timestamp, Value::Number(number)) => time(number.as_f64().unwrap_or_default()),
        // Something else than the shape says: what is within is not known.
        (_, Value::Object(_) | Value::Array(_)) => Value::Null,
        (_, scalar) => scalar,
    }
}

/// Seconds since 1970 as text, to the millisecond.
fn time(seconds: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "a time that does not fit is none, and `from_millisecond` says so")]
    let millis = (seconds * 1000.0).round() as i64;
    Timestamp::from_millisecond(millis).map_or(Value::Null, |time| Value::from(time.to_string()))
}

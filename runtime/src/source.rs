//! Where events come from. A source hands batches to the driver and acknowledges them when the driver says that they are safe.

pub(crate) mod file;
pub(crate) mod http;
pub(crate) mod sqs;

use serde_json::Value;
use trailwire_engine::event::Event;

/// An event that came in. It is judged from its text, and kept as a value where it matches.
#[derive(Debug)]
pub(crate) struct Received {
    event: Event,
    text: Vec<u8>,
}

impl Received {
    /// An event and the text that its envelope was read from.
    pub(crate) fn new(event: Event, text: Vec<u8>) -> Self {
        Self { event, text }
    }

    /// The event.
    pub(crate) fn event(&self) -> &Event {
        &self.event
    }

    /// The JSON text of its envelope.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }
}

/// An event that was part of another text, or had to be completed: its own text is written here.
impl From<Event> for Received {
    fn from(event: Event) -> Self {
        let text = event.envelope().to_string().into_bytes();
        Self { event, text }
    }
}

/// The deepest nesting of an event. CloudTrail's own stay below 20; what is read may be 128 deep, and an event is kept and sent inside
/// of other JSON.
const DEEPEST: usize = 100;

/// The door of every source: what comes in as an event.
///
/// # Errors
///
/// Why it is none, in one sentence.
pub(crate) fn event(value: Value) -> Result<Event, String> {
    if !is_within(&value, DEEPEST) {
        return Err(format!("the event is nested deeper than {DEEPEST} levels"));
    }
    Event::from_value(value).map_err(|error| error.to_string())
}

fn is_within(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(values) => depth > 0 && values.iter().all(|value| is_within(value, depth - 1)),
        Value::Object(members) => depth > 0 && members.values().all(|value| is_within(value, depth - 1)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| serde_json::from_str::<Value>(&format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth))).unwrap();
        assert!(event(nested(1)).is_ok() && event(nested(DEEPEST)).is_ok());
        assert_eq!(event(nested(DEEPEST + 1)).unwrap_err(), "the event is nested deeper than 100 levels");
        assert!(event(serde_json::json!({"detail": {"list": [[[[1]]]]}})).is_ok());
    }
}

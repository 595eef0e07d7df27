//! The full grammar of JSON, for those who want the whole event checked.

use crate::event::InvalidEvent;
use crate::value::Value;

/// Refuses what `serde_json` refuses to read as a value.
pub(super) fn check(event: &[u8]) -> Result<(), InvalidEvent> {
    serde_json::from_slice::<Value>(event).map(|_| ()).map_err(|error| InvalidEvent::NotJson(error.to_string()))
}

//! What a trigger asks for that AWS does not take, whatever is there already.

use super::pattern::{Narrowing, patterns};
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::trigger::Trigger;

/// The most bytes of a document: DynamoDB takes items of 400 KB, and an item holds more than the document.
const DOCUMENT_MAX: usize = 350_000;

/// A name or source that fits into no event pattern, and a document that the hub's table does not take.
///
/// ```
/// use trailwire_engine::{fanout::limits::check, trigger::Trigger};
/// let trigger = Trigger::from_value(&serde_json::json!({"name": "t", "event_names": ["A".repeat(2_000)],
///     "action": [{"send": [{"destination": "d"}]}]})).unwrap();
/// assert_eq!(check(&trigger)[0].path.to_string(), "event_names");
/// ```
#[must_use]
pub fn check(trigger: &Trigger) -> Vec<Diagnostic> {
    check_names(trigger).into_iter().chain(check_length(trigger)).collect()
}

/// A name or source that fits into no event pattern.
#[must_use]
pub fn check_names(trigger: &Trigger) -> Option<Diagnostic> {
    let too_long = patterns(Narrowing { names: &trigger.event_names, sources: &trigger.event_sources }).err()?;
    let attribute = if trigger.event_names.contains(&too_long.text) { "event_names" } else { "event_sources" };
    Some(Diagnostic::error(Code::OUT_OF_RANGE, too_long.to_string()).at(Path::root(attribute)).help("correct the name"))
}

/// Only the events of tests are ever that long.
fn check_length(trigger: &Trigger) -> Option<Diagnostic> {
    let length = serde_json::to_string(trigger).map_or(0, |text| text.len());
    let message = || format!("the trigger takes {length} bytes with its tests, and the hub's table keeps at most {DOCUMENT_MAX}");
    let help = "leave out of the tests' events what the match does not look at";
    (length > DOCUMENT_MAX).then(|| Diagnostic::error(Code::TOO_LONG, message()).at(Path::root("test")).help(help))
}

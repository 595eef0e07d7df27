//! What a message of the hub's queue must be: an EventBridge event of CloudTrail from one of the hub's accounts.

use jiff::Timestamp;
use serde_json::Value;
use trailwire_engine::event::{DETAIL_TYPE_SUFFIX, Event, SOURCE_PREFIX};
use trailwire_engine::matcher::Scope;

use crate::core::run::{Appointment, RunId};
use crate::hub::letters::DELIVERY;

/// What a bell's message says of itself.
const BELL: &str = "trailwire.due";

/// The message that rings for a run, at this time or before.
pub(crate) fn of_bell(bell: Appointment) -> String {
    serde_json::json!({"type": BELL, "run": bell.run.to_string(), "at": bell.at.as_millisecond()}).to_string()
}

/// What a message rings for; `None` for any other message.
pub(super) fn bell(body: &str) -> Option<Appointment> {
    // Events are long, and have no such member: no second reading for each of them.
    let value: Value = Some(body).filter(|body| body.len() < 200).and_then(|body| serde_json::from_str(body).ok())?;
    let is_bell = value.get("type").and_then(Value::as_str) == Some(BELL);
    let run = value.get("run").and_then(Value::as_str).filter(|_| is_bell).and_then(RunId::parse)?;
    let at = value.get("at").and_then(Value::as_i64).and_then(|at| Timestamp::from_millisecond(at).ok())?;
    Some(Appointment { run, at })
}

/// Reads a message.
///
/// # Errors
///
/// Why it is none of ours, in one sentence: for the dead-letter queue.
pub(super) fn read(body: &str, scope: &Scope) -> Result<Event, String> {
    let value: Value = serde_json::from_str(body).map_err(|error| format!("malformed JSON: {error}"))?;
    if value.get("type").and_then(Value::as_str) == Some(DELIVERY) {
        return Err("a dead letter that this version can not read".to_owned());
    }
    if value.get("detail").is_none() {
        return Err("not an EventBridge event: it has no `detail`".to_owned());
    }
    let event = crate::source::event(value)?;
    let source = event.envelope_source().unwrap_or_default();
    if !source.starts_with(SOURCE_PREFIX) {
        return Err(format!("foreign event: its source `{source}` is no AWS service"));
    }
    let detail_type = event.detail_type().unwrap_or_default();
    if !detail_type.ends_with(DETAIL_TYPE_SUFFIX) {
        return Err(format!("foreign event: its detail-type `{detail_type}` is not CloudTrail's"));
    }
    let account = event.account().unwrap_or_default();
    if scope.accounts.as_ref().is_some_and(|accounts| !accounts.contains(account)) {
        return Err(format!("foreign event: its account `{account}` is not one of the hub's"));
    }
    Ok(event)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_bell_rings_for_its_run() {
        let set = Appointment { run: RunId([0xab; 16]), at: Timestamp::from_millisecond(1_700_000_000_123).unwrap() };
        assert_eq!(bell(&of_bell(set)), Some(set));
        for other in [
            "{oops",
            "{}",
            r#"{"type":"trailwire.due"}"#,
            r#"{"type":"trailwire.due","run":"ab","at":1}"#,
            r#"{"type":"trailwire.due","run":"abababababababababababababababab"}"#,
            r#"{"run":"abababababababababababababababab","at":1}"#,
        ] {
            assert_eq!(bell(other), None, "{other}");
        }
    }

    #[test]
    fn only_cloudtrail_events_of_the_hubs_accounts_are_taken() {
        let scope = Scope { accounts: Some(BTreeSet::from(["111122223333".to_owned()])), regions: None, own_role_arns: vec![] };
        let event = r#"{"source":"aws.iam","detail-type":"AWS API Call via CloudTrail","account":"111122223333","region":"x","detail":{}}"#;
        assert!(read(event, &scope).is_ok());
        for (good, bad, reason) in [
            (event, "{oops", "malformed JSON: key must be a string at line 1 column 2"),
            (event, "", "malformed JSON: EOF while parsing a value at line 1 column 0"),
            (event, r#"{"hello":"world"}"#, "not an EventBridge event: it has no `detail`"),
            (event, "[1]", "not an EventBridge event: it has no `detail`"),
            (r#""detail":{}"#, r#""detail":"x""#, "an event's `detail` is an object, this is a string"),
            ("aws.iam", "my.app", "foreign event: its source `my.app` is no AWS service"),
            (
                "AWS API Call via CloudTrail",
                "EC2 Instance State-change Notification",
                "foreign event: its detail-type `EC2 Instance State-change Notification` is not CloudTrail's",
            ),
            ("111122223333", "999999999999", "foreign event: its account `999999999999` is not one of the hub's"),
        ] {
            assert_eq!(read(&event.replace(good, bad), &scope).unwrap_err(), reason);
        }
        assert!(read(&event.replace("111122223333", "999999999999"), &Scope::default()).is_ok());
    }
}

//! What was done in the sessions of a role, in whatever account.
//!
//! The event of `AssumeRole` tells the key of the session that it opens (`responseElements.credentials.accessKeyId`), and what the session does has that
//! key in `userIdentity.accessKeyId` (AWS CloudTrail user guide, "CloudTrail userIdentity element"). So the sessions are found first, with those that were
//! opened from them, and what has their keys is searched then.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use serde_json::Value;
use trailwire_engine::event::Event;
use trailwire_engine::search::{Query, quoted};

use super::files::Selection;

/// So many sessions are followed at once.
const MOST: usize = 300;

/// A role's session lasts at most so long (IAM user guide, "Methods to assume a role").
const LONGEST: SignedDuration = SignedDuration::from_hours(12);

/// The events that open sessions.
const OPENED: &str = "source:sts.amazonaws.com responseElements.credentials.accessKeyId:*";

/// A search, narrowed to what was done in the sessions of a role (by its name or ARN), of a session's name, or of the session with an access key.
///
/// `find` searches what the logs have, or an index.
///
/// # Errors
///
/// In words, where there are no such sessions, or too many.
pub(crate) fn within(
    query: Query,
    of: &str,
    selection: &Selection,
    find: impl FnOnce(&Query, &Selection, &mut dyn FnMut(Event) -> bool) -> Result<(), String>,
) -> Result<Query, String> {
    let parse = |text: &str| Query::parse(text).0.ok_or_else(|| format!("`{text}` can not be searched"));
    // A session is opened elsewhere, and up to half a day earlier.
    let from = selection.from.and_then(|from| from.checked_sub(LONGEST).ok());
    let earlier = Selection { from, to: selection.to, ..Selection::default() };
    let mut opened: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut keys: BTreeSet<String> = BTreeSet::new();
    find(&parse(OPENED)?, &earlier, &mut |event| {
        let detail = event.detail();
        let text = |path: &str| detail.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let key = text("/responseElements/credentials/accessKeyId").to_owned();
        let role = text("/requestParameters/roleArn");
        let is_asked_for = [role, role.rsplit('/').next().unwrap_or_default(), text("/requestParameters/roleSessionName"), &key]
            .contains(&of)
            || text("/responseElements/assumedRoleUser/arn") == of;
        if is_asked_for {
            keys.insert(key.clone());
        }
        opened.entry(text("/userIdentity/accessKeyId").to_owned()).or_default().push(key);
        true
    })?;
    if keys.is_empty() {
        return Err(format!(
            "no event in these logs opens a session of `{of}`: write a role's name or ARN, a session's name, or its access key"
        ));
    }
    let mut from: Vec<String> = keys.iter().cloned().collect();
    while let Some(key) = from.pop() {
        for next in opened.get(&key).into_iter().flatten() {
            if keys.insert(next.clone()) {
                from.push(next.clone());
            }
        }
    }
    if keys.len() > MOST {
        return Err(format!(
            "{} sessions of `{of}` were opened, {MOST} can be followed at once: name one of them, or narrow it with --until",
            keys.len()
        ));
    }
    let keys = keys.iter().map(|key| quoted(key)).collect::<Vec<_>>().join(",");
    let written = query.text().trim();
    let written = if matches!(written, "" | "*") { String::new() } else { format!("({written}) ") };
    parse(&format!("{written}(key:{keys} OR responseElements.credentials.accessKeyId:{keys})"))
}

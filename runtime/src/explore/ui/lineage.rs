//! Where a session came from and where it went: who opened it, which sessions and keys an event opened, and the copies of it in other accounts.
//!
//! A call that hands out a key has it in `responseElements`, and whatever the key does has it in `userIdentity.accessKeyId` (AWS CloudTrail user
//! guide, "CloudTrail userIdentity element"): so a chain of roles is followed through accounts, as far as the logs reach.

use serde_json::{Value, json};
use trailwire_engine::actor::{self, Kind};

use super::memory::Memory;

/// The key that an event was made with.
const USED: &str = "userIdentity.accessKeyId";
/// The keys that an event handed out: of a session, or of a user.
const GIVEN: [&str; 2] = ["responseElements.credentials.accessKeyId", "responseElements.accessKey.accessKeyId"];
/// Every column that is needed here.
pub(super) const COLUMNS: [&str; 4] = [USED, GIVEN[0], GIVEN[1], SHARED];
/// What the copies of one event in several accounts share.
const SHARED: &str = "sharedEventID";
/// So many steps are followed back.
const STEPS: usize = 8;
/// So many copies are shown.
const COPIES: usize = 10;

/// Everything that is known of a record's origin and of what came of it.
pub(super) fn lineage(memory: &Memory, row: u32) -> Value {
    let key = memory.column(USED).text(row);
    let given: Vec<Value> = GIVEN
        .iter()
        .filter_map(|field| memory.column(field).text(row))
        .map(|key| json!({"key": key, "events": memory.column(USED).rows_with(&key).len()}))
        .collect();
    let session = key.as_ref().map(|key| json!({"key": key, "events": memory.column(USED).rows_with(key).len()}));
    let shared = memory.column(SHARED).text(row);
    let copies = shared.map(|shared| memory.column(SHARED).rows_with(&shared)).unwrap_or_default();
    let copies: Vec<Value> = copies.into_iter().filter(|copy| *copy != row).take(COPIES).map(|copy| brief(memory, copy)).collect();
    json!({"openers": openers(memory, key, row), "session": session, "given": given, "copies": copies})
}

/// The event that opened the session, the one that opened that one's, and so on back.
fn openers(memory: &Memory, mut key: Option<String>, row: u32) -> Vec<Value> {
    let (used, given) = (memory.column(USED), GIVEN.map(|field| memory.column(field)));
    let mut chain: Vec<u32> = Vec::new();
    while let Some(wanted) = key.take().filter(|_| chain.len() < STEPS) {
        let candidates = given.iter().flat_map(|column| column.rows_with(&wanted));
        // A role of another account gives an event in either: the caller's own tells more.
        let is_outside = |row: &u32| memory.event(*row).is_none_or(|event| actor::who(event.detail()).kind == Kind::AwsAccount);
        let opener = candidates.filter(|candidate| *candidate != row && !chain.contains(candidate)).min_by_key(is_outside);
        if let Some(opener) = opener {
            chain.push(opener);
            key = used.text(opener);
        }
    }
    chain.into_iter().map(|row| brief(memory, row)).collect()
}

/// An event in a few words.
fn brief(memory: &Memory, row: u32) -> Value {
    let event = memory.event(row);
    let of = |text: Option<&str>| text.map(str::to_owned);
    json!({
        "id": memory.record(row).map(|record| format!("{:032x}", record.id)),
        "time": memory.time(row),
        "name": event.as_ref().and_then(|event| of(event.name())),
        "account": event.as_ref().and_then(|event| of(event.account())),
        "region": event.as_ref().and_then(|event| of(event.region())),
        "actor": event.as_ref().map(|event| actor::who(event.detail()).to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::super::memory::tests::{memory, record};
    use super::*;

    /// Alice assumes `jump`, which assumes `admin` in another account, where CloudTrail writes the event a second time.
    fn sample() -> Memory {
        let event = |id: &str, second: u32, name: &str, identity: Value, given: Option<&str>| {
            let mut record = record(id, &format!("2026-03-01T12:00:0{second}Z"), name);
            record["userIdentity"] = identity;
            if let Some(key) = given {
                record["responseElements"] = json!({"credentials": {"accessKeyId": key}});
            }
            record
        };
        let role = |role: &str, key: &str| json!({"type": "AssumedRole", "principalId": "AROA:s", "accessKeyId": key, "sessionContext": {"sessionIssuer": {"type": "Role", "userName": role}}});
        let alice = json!({"type": "IAMUser", "userName": "alice", "accessKeyId": "AKIA1"});
        let mut own = event("2", 2, "AssumeRole", role("jump", "ASIA1"), Some("ASIA2"));
        own["sharedEventID"] = json!("shared");
        let mut other = event("3", 2, "AssumeRole", json!({"type": "AWSAccount", "accountId": "1"}), Some("ASIA2"));
        other["sharedEventID"] = json!("shared");
        let records = [
            event("1", 1, "AssumeRole", alice, Some("ASIA1")),
            other,
            own,
            event("4", 3, "RunInstances", role("admin", "ASIA2"), None),
            event("5", 4, "StopInstances", role("admin", "ASIA2"), None),
            event("6", 5, "GetSessionToken", role("loop", "ASIA9"), Some("ASIA9")),
        ];
        memory(&[json!({"Records": records}).to_string()], usize::MAX)
    }

    fn told(memory: &Memory, id: &str) -> Value {
        lineage(memory, memory.column("eventID").rows_with(id)[0])
    }

    #[test]
    fn a_session_is_followed_back_to_a_person_and_on_to_what_it_did() {
        let memory = sample();
        let of = |id: &str, list: &str, member: &str| {
            told(&memory, id)[list].as_array().unwrap().iter().map(|event| event[member].clone()).collect::<Vec<_>>()
        };
        assert_eq!(of("4", "openers", "actor"), ["jump/s (role session)", "alice (IAM user)"]);
        assert_eq!(told(&memory, "4")["session"], json!({"key": "ASIA2", "events": 2}));
        assert_eq!(told(&memory, "2")["given"], json!([{"key": "ASIA2", "events": 2}]));
        assert_eq!(of("2", "copies", "actor"), ["account 1 (another AWS account)"]);
        assert_eq!(of("1", "openers", "id"), [] as [Value; 0]);
        assert_eq!(of("6", "openers", "id"), [] as [Value; 0]);
        assert_eq!(of("1", "openers", "id").len() + of("1", "copies", "id").len(), 0);
    }
}

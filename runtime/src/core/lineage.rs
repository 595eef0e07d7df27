//! Who opened a session: what the events of STS that passed here told of the keys that they handed out.
//!
//! A session's events name the role and a session name that its opener chose; who that was stands in the event of `AssumeRole` alone, whose
//! `responseElements.credentials.accessKeyId` is the key that the session's later events have in `userIdentity.accessKeyId` (AWS CloudTrail user guide,
//! "CloudTrail userIdentity element"). So a chain of roles can be followed back to a person, as far as those events came here and came first. What is
//! known is forgotten when the process ends.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;
use trailwire_engine::actor::{self, Kind};
use trailwire_engine::event::Event;

/// So many sessions are remembered, the latest ones: some megabytes.
const SESSIONS: usize = 10_000;
/// So many steps are followed back. AWS chains roles as long as one likes.
const STEPS: usize = 8;
/// Of each name, so many characters are kept.
const NAME_MAX: usize = 200;

/// The sessions whose opening was seen.
#[derive(Debug, Default)]
pub(super) struct Lineage {
    /// By access key id.
    sessions: HashMap<String, Session>,
    /// The keys, the oldest first.
    order: VecDeque<String>,
}

#[derive(Debug)]
struct Session {
    /// Who opened it.
    by: String,
    /// With which key, if it was one.
    with: Option<String>,
    /// The event is the copy of the role's account, which does not know who a caller of another account is.
    from_outside: bool,
}

impl Lineage {
    /// Remembers the session that an event opened, if it is one that does.
    pub(super) fn note(&mut self, event: &Event) {
        let opens =
            ["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot", "GetFederationToken", "GetSessionToken"];
        let detail = event.detail();
        if event.source() != Some("sts.amazonaws.com") || !event.name().is_some_and(|name| opens.contains(&name)) {
            return;
        }
        let Some(key) = detail.pointer("/responseElements/credentials/accessKeyId").and_then(Value::as_str) else { return };
        let opener = actor::who(detail);
        let from_outside = opener.kind == Kind::AwsAccount;
        // A role of another account gives an event in either: the caller's own tells more.
        if self.sessions.get(key).is_some_and(|known| from_outside && !known.from_outside) {
            return;
        }
        let session = Session { by: opener.to_string().chars().take(NAME_MAX).collect(), with: opener.access_key, from_outside };
        if self.sessions.insert(key.to_owned(), session).is_none() {
            self.order.push_back(key.to_owned());
        }
        while self.order.len() > SESSIONS {
            self.order.pop_front().map(|oldest| self.sessions.remove(&oldest));
        }
    }

    /// Who opened the session that made an event, and the session in which that was done, and so on back; empty where that is not known.
    pub(super) fn of(&self, event: &Event) -> Vec<String> {
        let mut key = event.detail().pointer("/userIdentity/accessKeyId").and_then(Value::as_str);
        let mut chain = Vec::new();
        while let Some(session) = key.and_then(|key| self.sessions.get(key)).filter(|_| chain.len() < STEPS) {
            chain.push(session.by.clone());
            key = session.with.as_deref();
        }
        // A user who opened a session of their own is still that user.
        let own = chain.first().is_some_and(|first| *first == actor::who(event.detail()).to_string());
        chain.into_iter().skip(usize::from(own)).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(name: &str, identity: Value, key: &str) -> Event {
        let detail = json!({"eventSource": "sts.amazonaws.com", "eventName": name, "userIdentity": identity,
            "responseElements": {"credentials": {"accessKeyId": key, "sessionToken": "REDACTED"}}});
        Event::from_value(json!({"detail-type": "AWS API Call via CloudTrail", "source": "aws.sts", "detail": detail})).unwrap()
    }

    fn user(name: &str, key: &str) -> Value {
        json!({"type": "IAMUser", "userName": name, "accessKeyId": key})
    }

    fn role(role: &str, session: &str, key: &str) -> Value {
        json!({"type": "AssumedRole", "principalId": format!("AROA:{session}"), "accessKeyId": key,
            "sessionContext": {"sessionIssuer": {"type": "Role", "userName": role}}})
    }

    #[test]
    fn a_chain_of_roles_leads_back_to_a_person() {
        let mut lineage = Lineage::default();
        lineage.note(&event("AssumeRole", user("alice", "AKIA1"), "ASIA1"));
        lineage.note(&event("AssumeRole", role("jump", "a", "ASIA1"), "ASIA2"));
        lineage.note(&event("GetSessionToken", user("alice", "AKIA1"), "ASIA9"));
        let of = |identity| lineage.of(&event("RunInstances", identity, "none"));
        assert_eq!(of(role("admin", "b", "ASIA2")), ["jump/a (role session)", "alice (IAM user)"]);
        assert_eq!(of(role("jump", "a", "ASIA1")), ["alice (IAM user)"]);
        assert_eq!(of(user("alice", "ASIA9")), Vec::<String>::new());
        for nobody in [role("admin", "c", "ASIA3"), user("alice", "AKIA1"), Value::Null, json!({"accessKeyId": 5})] {
            assert_eq!(of(nobody), Vec::<String>::new());
        }
    }

    #[test]
    fn the_event_of_the_callers_account_tells_more_in_either_order() {
        let outside = event("AssumeRole", json!({"type": "AWSAccount", "accountId": "111122223333", "principalId": "AIDA"}), "ASIA1");
        let own = event("AssumeRole", user("alice", "AKIA1"), "ASIA1");
        for events in [[&outside, &own], [&own, &outside]] {
            let mut lineage = Lineage::default();
            events.into_iter().for_each(|event| lineage.note(event));
            assert_eq!(lineage.of(&event("X", role("r", "s", "ASIA1"), "none")), ["alice (IAM user)"]);
            assert_eq!(lineage.order.len(), 1);
        }
    }

    #[test]
    fn only_sts_opens_sessions_and_only_where_it_hands_out_a_key() {
        let mut lineage = Lineage::default();
        lineage.note(&event("GetCallerIdentity", user("alice", "AKIA1"), "ASIA1"));
        let mut elsewhere = event("AssumeRole", user("alice", "AKIA1"), "ASIA1").envelope().clone();
        elsewhere["detail"]["eventSource"] = json!("example.com");
        lineage.note(&Event::from_value(elsewhere).unwrap());
        let mut denied = event("AssumeRole", user("alice", "AKIA1"), "ASIA1").envelope().clone();
        denied["detail"]["responseElements"] = Value::Null;
        lineage.note(&Event::from_value(denied).unwrap());
        assert!(lineage.sessions.is_empty() && lineage.order.is_empty());
    }

    #[test]
    fn what_is_remembered_is_bounded_and_a_circle_ends() {
        let mut lineage = Lineage::default();
        for number in 0..SESSIONS + 5 {
            lineage.note(&event("AssumeRole", user(&"é".repeat(1_000), "AKIA1"), &format!("ASIA{number}")));
        }
        assert_eq!((lineage.sessions.len(), lineage.order.len()), (SESSIONS, SESSIONS));
        assert!(lineage.of(&event("X", role("r", "s", "ASIA4"), "none")).is_empty());
        let of_latest = lineage.of(&event("X", role("r", "s", "ASIA5"), "none"));
        assert_eq!(of_latest.iter().map(|name| name.chars().count()).collect::<Vec<_>>(), [NAME_MAX]);
        lineage.note(&event("AssumeRole", role("r", "s", "ASIA5"), "ASIA5"));
        assert_eq!(lineage.of(&event("X", role("r", "s", "ASIA5"), "none")).len(), STEPS - 1);
    }
}

//! Events that somebody has read already, because he keeps those that match.

use super::{CompiledSet, Scratch, Verdict, fired};
use crate::event::Event;
use crate::matcher::Scope;

impl CompiledSet {
    /// As [`CompiledSet::judge`] for an event that was read from `text`, the JSON of its envelope. It is an event, so nothing is refused.
    ///
    /// A record that was completed to an envelope may lack what every envelope has; then the oracle judges it, which knows what that
    /// means. So it does where the text is none of the event's.
    pub fn judge_event<'s>(&self, event: &Event, text: &[u8], scope: &Scope, scratch: &'s mut Scratch) -> &'s [Verdict] {
        if is_whole(event) && self.judge(text, scope, scratch).is_ok() {
            return &scratch.verdicts;
        }
        scratch.verdicts.clear();
        for (trigger, outcome) in self.oracle.outcomes(event, scope) {
            let trigger = u32::try_from(trigger).unwrap_or(u32::MAX);
            scratch.verdicts.extend(fired(&outcome).map(|fired| Verdict { trigger, fired }));
        }
        &scratch.verdicts
    }
}

/// Whether the envelope says all that the rules before the match ask of one.
fn is_whole(event: &Event) -> bool {
    let told = [event.envelope_source(), event.detail_type(), event.account(), event.region()];
    !event.is_completed() || told.iter().all(Option::is_some)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::matcher::Fired;
    use crate::trigger::Trigger;

    fn set() -> CompiledSet {
        let trigger = |name: &str, more: Value| {
            let mut document = json!({"name": name, "event_names": ["CreateUser"], "action": [{"send": [{"destination": "d"}]}]});
            document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            Trigger::from_value(&document).unwrap()
        };
        let triggers = vec![
            trigger("all", json!({})),
            trigger("root", json!({"match_expression": "detail.userIdentity.type == 'Root'"})),
            trigger("errs", json!({"match_expression": "starts_with(detail.userIdentity, 'x')"})),
            trigger("here", json!({"regions": ["eu-west-1"]})),
            trigger("ids", json!({"match_expression": "id == 'e-1' && length(resources) == `0`"})),
        ];
        CompiledSet::new(triggers).0
    }

    #[test]
    fn every_event_has_the_verdicts_of_the_oracle() {
        let record = json!({"eventName": "CreateUser", "eventSource": "iam.amazonaws.com", "eventType": "AwsApiCall", "awsRegion": "eu-west-1",
            "recipientAccountId": "111122223333", "eventID": "e-1", "userIdentity": {"type": "Root"}});
        let without = |names: &[&str]| {
            let mut record = record.clone();
            names.iter().for_each(|name| drop(record.as_object_mut().unwrap().remove(*name)));
            record
        };
        let envelope = Event::from_value(record.clone()).unwrap().envelope().clone();
        let mut foreign = envelope.clone();
        foreign["source"] = json!("my.app");
        let mut bare = envelope.clone();
        bare.as_object_mut().unwrap().remove("account");
        let set = set();
        let mut scratch = Scratch::default();
        let mut fired_at_all = 0;
        for value in [
            record.clone(),
            without(&["awsRegion"]),
            without(&["recipientAccountId", "eventType"]),
            without(&["userIdentity"]),
            without(&["eventName"]),
            envelope,
            foreign,
            bare,
        ] {
            let event = Event::from_value(value.clone()).unwrap();
            let text = event.envelope().to_string();
            for accounts in [None, Some(["111122223333".to_owned()].into()), Some(["999999999999".to_owned()].into())] {
                let scope = Scope { accounts, ..Scope::default() };
                let expected: Vec<_> =
                    set.oracle().outcomes(&event, &scope).filter_map(|(index, outcome)| Some((index, fired(&outcome)?))).collect();
                for text in [text.as_bytes(), b"{oops"] {
                    let verdicts = set.judge_event(&event, text, &scope, &mut scratch);
                    let found: Vec<(usize, Fired)> = verdicts.iter().map(|verdict| (verdict.trigger as usize, verdict.fired)).collect();
                    assert_eq!(found, expected, "{value} {scope:?}");
                    fired_at_all += found.len();
                }
            }
        }
        assert!(fired_at_all > 40, "{fired_at_all}");
    }
}

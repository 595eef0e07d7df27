//! The canary of a hub: a rule in every cell that carries the event of its own tagging. Whoever tags it makes CloudTrail itself prove the whole path, from
//! the cell to the runtime, which writes down what arrived.

use serde_json::Value;

use super::names::{Cell, Hub};
use super::rules::{Rule, RuleState, forward_target};
use super::table::{ARRIVED, Attribute, CANARY_PK, Item, NONCE, SK, key};

/// The tag that is given a new value to make an event.
pub const TAG: &str = "trailwire:canary";
/// What every value of that tag begins with.
const NONCE_PREFIX: &str = "canary-";
const SOURCE: &str = "events.amazonaws.com";
const NAME: &str = "TagResource";

/// The tag's value for a random text.
#[must_use]
pub fn nonce(random: &str) -> String {
    format!("{NONCE_PREFIX}{random}")
}

/// The rule of a cell. It carries every tagging of EventBridge's things there, which are few: how CloudTrail spells the parameters of this call is not
/// documented, and a rule that waits for another spelling would be silent for ever.
#[must_use]
pub fn rule(hub: &Hub, cell: &Cell, forward_dead_letter: bool) -> Rule {
    Rule {
        name: hub.canary_rule_name(),
        description: format!("Trailwire: carries the event of its own tagging to hub {}", hub.name()),
        pattern: super::pattern::narrowed(&[NAME], &[SOURCE]),
        state: RuleState::Enabled,
        target: forward_target(hub, cell, forward_dead_letter),
    }
}

/// A canary that has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Where it came from.
    pub cell: Cell,
    /// The tag's value.
    pub nonce: String,
}

impl Arrival {
    /// The canary that an event is, if it is one: the tagging of the hub's rule in the cell that the event is of. Read wherever the parameters hold ARN and
    /// value, see [`rule`].
    #[must_use]
    pub fn of(hub: &Hub, envelope: &Value) -> Option<Self> {
        let text = |pointer: &str| envelope.pointer(pointer).and_then(Value::as_str);
        if text("/detail/eventSource") != Some(SOURCE) || text("/detail/eventName") != Some(NAME) {
            return None;
        }
        let cell = Cell::new(text("/account")?, text("/region")?);
        let mut texts = Vec::new();
        collect(envelope.pointer("/detail/requestParameters")?, &mut texts);
        let nonce = texts.iter().find(|text| text.starts_with(NONCE_PREFIX))?;
        let rule = hub.rule_arn(&cell, &hub.canary_rule_name());
        texts.contains(&rule.as_str()).then(|| Self { nonce: (*nonce).to_owned(), cell })
    }

    /// The arrival as the hub's table keeps it, one for each cell; `arrived` in milliseconds since the epoch.
    #[must_use]
    pub fn write(&self, arrived: u64) -> Item {
        let mut item = key(CANARY_PK, &self.cell.to_string());
        item.insert(NONCE.to_owned(), self.nonce.as_str().into());
        item.insert(ARRIVED.to_owned(), arrived.into());
        item
    }

    /// The arrival of an item; `None` where it has not the form of one.
    #[must_use]
    pub fn read(item: &Item) -> Option<Self> {
        let text = |name: &str| match item.get(name) {
            Some(Attribute::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        Some(Self { cell: Cell::parse(text(SK)?)?, nonce: text(NONCE)?.to_owned() })
    }
}

fn collect<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        Value::Object(members) => members.values().for_each(|value| collect(value, texts)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hub() -> Hub {
        Hub::new("security", Cell::new("111122223333", "eu-west-1"))
    }

    fn event(arn: &str, value: &str) -> Value {
        json!({
            "account": "444455556666", "region": "us-east-1", "source": "aws.events", "detail-type": "AWS API Call via CloudTrail",
            "detail": {
                "eventSource": "events.amazonaws.com", "eventName": "TagResource",
                "requestParameters": { "resourceARN": arn, "tags": [{ "key": TAG, "value": value }] },
            },
        })
    }

    const RULE: &str = "arn:aws:events:us-east-1:444455556666:rule/tw-755b7686-canary";

    #[test]
    fn only_the_tagging_of_the_hubs_own_rule_in_its_own_cell_is_an_arrival() {
        let arrival = Arrival { cell: Cell::new("444455556666", "us-east-1"), nonce: nonce("1f") };
        assert_eq!(Arrival::of(&hub(), &event(RULE, "canary-1f")), Some(arrival.clone()));
        assert_eq!(Arrival::read(&arrival.write(7)), Some(arrival));
        for (arn, value) in [
            ("arn:aws:events:us-east-1:444455556666:rule/tw-00000000-canary", "canary-1f"),
            ("arn:aws:events:us-east-1:111122223333:rule/tw-755b7686-canary", "canary-1f"),
            ("arn:aws:events:us-east-1:444455556666:rule/tw-755b7686-a-0", "canary-1f"),
            (RULE, "blue"),
        ] {
            assert_eq!(Arrival::of(&hub(), &event(arn, value)), None, "{arn} {value}");
        }
        for pointer in ["/detail/eventName", "/detail/eventSource"] {
            let mut other = event(RULE, "canary-1f");
            *other.pointer_mut(pointer).unwrap() = json!("other");
            assert_eq!(Arrival::of(&hub(), &other), None);
        }
    }

    #[test]
    fn the_rule_carries_its_own_tagging() {
        let rule = rule(&hub(), &Cell::new("444455556666", "us-east-1"), true);
        assert_eq!(rule.name, "tw-755b7686-canary");
        assert_eq!(hub().owner_of_rule(&rule.name), None, "no trigger has it");
        let pattern = crate::pattern::Pattern::parse(&rule.pattern).0.unwrap();
        assert!(pattern.matches(&event(RULE, "canary-1f")));
        assert!(!pattern.matches(&json!({ "source": "aws.events", "detail-type": "AWS API Call via CloudTrail", "detail": {
            "eventSource": "events.amazonaws.com", "eventName": "PutRule" } })));
        assert_eq!(rule.target.role_arn.as_deref(), Some("arn:aws:iam::444455556666:role/trailwire/tw-755b7686-forward"));
    }
}

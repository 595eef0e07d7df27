//! What a trigger's author may paste to hear less: a `suppress` block whose key is who did it, for this kind of identity.
//!
//! It is made of our own words alone: the event decides which of a few expressions is taken, and puts nothing into it.

use serde_json::Value;

/// Where an identity's name is that stays the same from one session to the next, the best first.
const KEYS: [&str; 4] = [
    "detail.userIdentity.sessionContext.sessionIssuer.arn",
    "detail.userIdentity.arn",
    "detail.userIdentity.invokedBy",
    "detail.userIdentity.principalId",
];

/// The block, for the event's own kind of identity; by event name where the record tells of nobody.
pub(super) fn suppress(event: &Value) -> String {
    let is_told = |key: &&str| {
        let pointer = format!("/{}", key.replace('.', "/"));
        event.pointer(&pointer).and_then(Value::as_str).is_some_and(|text| !text.is_empty())
    };
    let key = KEYS.into_iter().find(is_told).unwrap_or("detail.eventName");
    format!("suppress {{\n  window = \"1h\"\n  key    = \"{key}\"\n}}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use trailwire_engine::trigger::Trigger;

    use super::*;

    #[test]
    fn the_key_is_who_did_it_whatever_the_kind_of_identity() {
        for (identity, expected) in [
            (json!({"type": "AssumedRole", "arn": "a", "sessionContext": {"sessionIssuer": {"arn": "b"}}}), KEYS[0]),
            (json!({"type": "IAMUser", "arn": "a"}), KEYS[1]),
            (json!({"type": "AWSService", "invokedBy": "s"}), KEYS[2]),
            (json!({"principalId": "p", "arn": "", "invokedBy": 7}), KEYS[3]),
            (json!(null), "detail.eventName"),
        ] {
            let block = suppress(&json!({"detail": {"userIdentity": identity}}));
            assert_eq!(block, format!("suppress {{\n  window = \"1h\"\n  key    = \"{expected}\"\n}}"));
            let trigger = json!({"name": "t", "event_names": ["A"], "suppress": [{"window": "1h", "key": expected}],
                "action": [{"send": [{"destination": "d"}]}]});
            assert!(Trigger::from_value(&trigger).is_ok());
        }
    }
}

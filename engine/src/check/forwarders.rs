//! What is wrong with a forwarder, or looks wrong, before any event is seen.

use super::{Known, allow, check_hub, names};
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::trigger::Forwarder;

/// Every diagnostic of a forwarder that can be read: of its names and sources, those of a trigger on the same; and what it will cost to send everything.
/// `is_known` as in [`super::check_known`].
///
/// ```
/// use trailwire_engine::{check::check_forwarder, trigger::Forwarder};
/// let forwarder = Forwarder::from_value(&serde_json::json!({"name": "f", "event_names": ["ListUsers"]})).unwrap();
/// let found = check_forwarder(&forwarder, &|_| true);
/// assert_eq!(found[0].message, "`ListUsers` is a read-only event, and this forwarder leaves those out");
/// ```
#[must_use]
pub fn check_forwarder(forwarder: &Forwarder, is_known: Known<'_>) -> Vec<Diagnostic> {
    let events = forwarder.events();
    let mut found = names::check(&events, is_known);
    if forwarder.all && forwarder.include_read_only {
        found.push(every_event());
    }
    allow::apply(&events, is_known, found).into_iter().map(of_forwarder).collect()
}

/// What the regions of the hub tell, as [`check_hub`].
#[must_use]
pub fn check_forwarder_hub(forwarder: &Forwarder, is_known: Known<'_>, hub: &[String]) -> Vec<Diagnostic> {
    check_hub(&forwarder.events(), is_known, hub).into_iter().map(of_forwarder).collect()
}

/// Prices: EventBridge takes about 1 US dollar for a million events that go to another bus, SQS about 0.40 for a million requests.
fn every_event() -> Diagnostic {
    let message = "this forwards every management event, read-only ones included: the highest volume that there is";
    let help = "an account that makes 10 calls a second sends 26 million events a month to the hub, at about 1 US dollar a million for their way and half of that for \
                the queue; leave `include_read_only` out, name `event_names` or `event_sources`, or say why: `allow = { TW2425 = \"…\" }`";
    Diagnostic::warning(Code::EVERY_EVENT, message).at(Path::root("include_read_only")).help(help)
}

/// The checks of names speak of triggers.
fn of_forwarder(mut diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.message = diagnostic.message.replace("this trigger", "this forwarder");
    diagnostic
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn told(more: &Value) -> Vec<String> {
        let mut document = json!({"name": "f"});
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let forwarder = Forwarder::from_value(&document).unwrap();
        check_forwarder(&forwarder, &|_| true).iter().map(|told| format!("{} {}: {}", told.code, told.path, told.message)).collect()
    }

    #[test]
    fn names_sources_and_volume() {
        let volume =
            "TW2425 include_read_only: this forwards every management event, read-only ones included: the highest volume that there is";
        for (more, expected) in [
            (json!({"all": true}), vec![]),
            (json!({"event_sources": ["iam.amazonaws.com"], "include_read_only": true}), vec![]),
            (json!({"all": true, "include_read_only": true}), vec![volume]),
            (json!({"all": true, "include_read_only": true, "allow": {"TW2425": "the archive wants them"}}), vec![]),
            (
                json!({"all": true, "allow": {"TW2425": "the archive wants them"}}),
                vec!["TW1117 allow[\"TW2425\"]: `TW2425` is allowed, and does not occur"],
            ),
            (json!({"event_sources": ["iam.amazon.com"]}), vec!["TW2400 event_sources[0]: no event source `iam.amazon.com` is known"]),
        ] {
            assert_eq!(told(&more), expected, "{more}");
        }
    }

    #[test]
    fn what_the_hub_leaves_out() {
        let forwarder = Forwarder::from_value(&json!({"name": "f", "event_names": ["CreateUser"], "event_sources": ["iam.amazonaws.com"]}));
        let found = check_forwarder_hub(&forwarder.unwrap(), &|_| true, &["eu-west-1".to_owned()]);
        assert_eq!(found[0].message, "`CreateUser` is recorded only in `us-east-1`, which the hub's regions leave out");
    }
}

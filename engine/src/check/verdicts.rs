//! What is known of a trigger's verdicts before any event is seen: its own tests, and whether it can fire at all.

use super::reading::Purpose;
use super::traps;
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::event;
use crate::explain::{self, TriggerExplanation};
use crate::matcher::{CompiledTrigger, Scope};
use crate::pushdown::{Asked, Mode, Written, push_down};
use crate::trigger::{Test, Trigger};

/// What came of one test.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The trigger does what is expected.
    AsExpected,
    /// It does not; why it does what it does.
    Differs(TriggerExplanation),
    /// The test's event cannot be read; why.
    BadEvent(String),
    /// The trigger is disabled, so no event tells anything.
    Disabled,
}

/// Runs a trigger's tests, in their order, in a scope without bounds. Empty where the match cannot be read.
#[must_use]
pub fn run_tests(trigger: &Trigger) -> Vec<(&Test, Verdict)> {
    let Ok(compiled) = CompiledTrigger::new(trigger.clone()) else { return Vec::new() };
    trigger.tests.iter().map(|test| (test, run(&compiled, test))).collect()
}

fn run(compiled: &CompiledTrigger, test: &Test) -> Verdict {
    let event = match event::read_one(test.event.as_bytes()) {
        Ok(event) => event,
        Err(invalid) => return Verdict::BadEvent(invalid.to_string()),
    };
    if !compiled.trigger().enabled {
        return Verdict::Disabled;
    }
    let explanation = explain::trigger(compiled, &event, &Scope::default());
    if explanation.fires == test.expect { Verdict::AsExpected } else { Verdict::Differs(explanation) }
}

/// A match that can never be true, and each test that does not come out as expected, at `test[i].expect`.
pub(super) fn check(trigger: &Trigger) -> Vec<Diagnostic> {
    let verdicts = run_tests(trigger).into_iter().enumerate();
    let tests = verdicts.filter_map(|(index, (test, verdict))| check_test(test, &verdict, &Path::root("test").index(index)));
    never(trigger).into_iter().chain(tests).collect()
}

/// Why no event can ever fire the trigger. Where an error of the match means a match, an error counts as one.
fn never(trigger: &Trigger) -> Option<Diagnostic> {
    let (language, text) = trigger.matching()?;
    let tree = language.parse(text).0?;
    // What is told of a part of the match is why, or comes first.
    if traps::check(language, text, &tree, Purpose::Verdict, true).iter().any(Diagnostic::is_error) {
        return None;
    }
    let asked = Asked { mode: Mode::Safe, ..trigger.asked(Some(Written { tree: &tree, text })) };
    let pushed = push_down(asked);
    let diagnostic = Diagnostic::error(Code::NEVER_FIRES, "this trigger can never fire").at(Path::root(language.attribute()));
    let diagnostic = diagnostic.help(format!("{}; correct the match, or the event names and sources that it stands beside", pushed.never?));
    Some(match pushed.never_at {
        Some(span) => diagnostic.under(text, span),
        None => diagnostic,
    })
}

/// What is wrong with the test at a path, if its verdict is not the one expected.
#[must_use]
pub fn check_test(test: &Test, verdict: &Verdict, path: &Path) -> Option<Diagnostic> {
    match verdict {
        Verdict::AsExpected | Verdict::Disabled => None,
        Verdict::BadEvent(reason) => {
            let message = format!("the event of test `{}` cannot be read: {reason}", test.name);
            let help = "it is one event as JSON text: what EventBridge delivers, or a CloudTrail record";
            Some(Diagnostic::error(Code::TEST_EVENT, message).at(path.attribute("event")).help(help))
        }
        Verdict::Differs(explanation) => {
            let (wanted, found) = if test.expect { ("fire", "does not") } else { ("not fire", "does") };
            let message = format!("test `{}` expects the trigger to {wanted}, and it {found}", test.name);
            let mut help = explanation.reason.clone();
            if let Some(matching) = &explanation.matching {
                for sentence in &matching.because {
                    help.push_str("; ");
                    help.push_str(sentence);
                }
            }
            Some(Diagnostic::error(Code::TEST_VERDICT, message).at(path.attribute("expect")).help(help))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::check_trigger;
    use serde_json::json;

    fn checked(more: serde_json::Value) -> Vec<String> {
        let mut document = json!({"name": "t", "event_names": ["CreateUser"], "action": [{"send": [{"destination": "d"}]}]});
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let trigger = Trigger::from_value(&document).unwrap();
        check_trigger(&trigger).iter().map(Diagnostic::draw).collect()
    }

    #[test]
    fn a_test_whose_verdict_differs_says_why() {
        let root = json!({"eventName": "CreateUser", "userIdentity": {"type": "Root"}}).to_string();
        let user = json!({"eventName": "CreateUser", "userIdentity": {"type": "IAMUser"}}).to_string();
        let test = |event: &str, expect: bool| json!({"name": "a name", "event": event, "expect": expect});
        let matching = json!({"match_expression": "detail.userIdentity.type == 'Root'"});
        let with = |test: serde_json::Value| {
            let mut more = matching.clone();
            more["test"] = json!([test]);
            checked(more)
        };
        assert_eq!(with(test(&root, true)), [""; 0]);
        assert_eq!(with(test(&user, false)), [""; 0]);
        assert_eq!(
            with(test(&user, true)),
            [
                "error[TW1111]: test `a name` expects the trigger to fire, and it does not (in test[0].expect)\n  = help: the match is not true; \
              `detail.userIdentity.type == 'Root'` is false: `detail.userIdentity.type` is \"IAMUser\""
            ]
        );
        assert_eq!(
            with(test(&root, false)),
            [
                "error[TW1111]: test `a name` expects the trigger to not fire, and it does (in test[0].expect)\n  = help: the match is true; \
              `detail.userIdentity.type == 'Root'` is true: `detail.userIdentity.type` is \"Root\""
            ]
        );
        assert_eq!(
            with(test(&root.replace("CreateUser", "DeleteUser"), true)),
            [
                "error[TW1111]: test `a name` expects the trigger to fire, and it does not (in test[0].expect)\n  = help: its event name is not one of the trigger's"
            ]
        );
    }

    #[test]
    fn a_trigger_that_can_never_fire_is_told() {
        let other = json!({"match_expression": "detail.userAgent == 'a' && detail.eventName == 'DeleteUser'", "push_down": "names"});
        assert_eq!(
            checked(other),
            ["\
error[TW1112]: this trigger can never fire (in match_expression)
  |
1 | detail.userAgent == 'a' && detail.eventName == 'DeleteUser'
  |                            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: `detail.eventName == 'DeleteUser'`: it cannot hold together with the rest; correct the match, or the event names and sources that it stands beside"]
        );
        let filter = checked(json!({"filter_pattern": "{ ($.userAgent = \"a\") && ($.userAgent = \"b\") }"}));
        assert!(filter.len() == 1 && filter[0].starts_with("error[TW1112]: this trigger can never fire (in filter_pattern)"), "{filter:?}");
        assert_eq!(checked(json!({"match_expression": "detail.eventName == 'CreateUser'"})), [""; 0]);
        // Where an error is a match, an event with a number in that place matches.
        let erring = json!({"match_expression": "starts_with(detail.userAgent, 'a') && detail.eventName == 'DeleteUser'"});
        assert_eq!(checked(erring.clone()).len(), 1);
        let mut lenient = erring;
        lenient["on_error"] = json!("match");
        assert_eq!(checked(lenient), [""; 0]);
    }

    #[test]
    fn events_that_cannot_be_read() {
        for (event, reason) in [
            ("{", "EOF while parsing"),
            ("[]", "object"),
            (r#"{"Records": []}"#, "there are 0 events in it"),
            (r#"{"Records": [{"eventName": "A"}, {"eventName": "B"}]}"#, "there are 2 events in it"),
        ] {
            let drawn = checked(json!({"test": [{"name": "a", "event": event, "expect": true}]}));
            assert!(drawn.len() == 1 && drawn[0].starts_with("error[TW1110]") && drawn[0].contains(reason), "{event}: {drawn:?}");
            assert!(drawn[0].contains("(in test[0].event)"), "{drawn:?}");
        }
    }

    #[test]
    fn a_disabled_trigger_is_not_tested() {
        assert_eq!(
            checked(json!({"enabled": false, "test": [{"name": "a", "event": "{\"eventName\": \"CreateUser\"}", "expect": true}]})),
            [""; 0]
        );
    }

    #[test]
    fn every_language_is_checked_at_its_attribute() {
        for (attribute, text, code) in [
            ("match_expression", "nosuch(@)", "TW2101"),
            ("filter_pattern", "{ $.a == b }", "TW2201"),
            ("event_pattern", "{\"a\": 1}", "TW2301"),
        ] {
            let drawn = checked(json!({attribute: text}));
            assert_eq!(drawn.len(), 1, "{drawn:?}");
            assert!(drawn[0].starts_with(&format!("error[{code}]")) && drawn[0].contains(&format!("(in {attribute})")), "{drawn:?}");
        }
    }
}

use serde_json::json;

use super::*;
use crate::lang::Language;
use crate::trigger::Trigger;

fn event() -> Value {
    json!({"detail": {
        "eventName": "ConsoleLogin", "count": 3, "userIdentity": {"type": "IAMUser"}, "errorCode": null,
        "resources": [{"ARN": "a"}, {"ARN": "b"}, {"ARN": "c"}, {"ARN": "d"}],
    }})
}

#[track_caller]
fn told(language: Language, text: &str) -> String {
    let expr = language.parse(text).0.expect("it parses");
    expression(text, &expr, &event()).to_text()
}

#[test]
fn what_decided_comes_first_then_every_part() {
    assert_eq!(
        told(Language::JmesPath, "detail.eventName == 'ConsoleLogin' && detail.userIdentity.type == 'Root' && detail.count > `5`"),
        r#"the match is not true
  because `detail.userIdentity.type == 'Root'` is false: `detail.userIdentity.type` is "IAMUser"
  detail.eventName == 'ConsoleLogin' && detail.userIdentity.type == 'Root' && detail.count > `5` -> false
    detail.eventName == 'ConsoleLogin' -> true
      detail.eventName -> "ConsoleLogin"
        detail -> {"eventName":"ConsoleLogin","count":3,"userIdentity":{"type"…
    detail.userIdentity.type == 'Root' -> false
      detail.userIdentity.type -> "IAMUser"
        detail.userIdentity -> {"type":"IAMUser"}
          detail -> {"eventName":"ConsoleLogin","count":3,"userIdentity":{"type"…
    detail.count > `5` -> not reached
      detail.count -> not reached
        detail -> not reached"#
    );
}

#[test]
fn which_parts_decide() {
    for (text, expected) in [
        (
            "detail.eventName == 'ConsoleLogin'",
            vec![r#"`detail.eventName == 'ConsoleLogin'` is true: `detail.eventName` is "ConsoleLogin""#],
        ),
        // Of an alternative that is true the first true one, of one that is not all of them.
        ("detail.count == `3` || detail.nope", vec!["`detail.count == `3`` is true: `detail.count` is 3"]),
        ("detail.nope || detail.count == `4`", vec!["`detail.nope` is null", "`detail.count == `4`` is false: `detail.count` is 3"]),
        ("!(detail.nope)", vec!["`(detail.nope)` is null"]),
        ("detail.count > detail.other", vec!["`detail.count > detail.other` is null: `detail.count` is 3, `detail.other` is null"]),
        (
            "detail.count == `3` && starts_with(detail.errorCode, 'x')",
            vec!["`detail.errorCode` failed: `starts_with` wants a string as first argument, this is null: `detail.errorCode` is null"],
        ),
        (
            "length(detail.resources[?ARN == 'z']) > `0`",
            vec!["`length(detail.resources[?ARN == 'z']) > `0`` is false: `length(detail.resources[?ARN == 'z'])` is 0"],
        ),
    ] {
        let explanation = expression(text, &Language::JmesPath.parse(text).0.unwrap(), &event());
        assert_eq!(explanation.because, expected, "{text}");
    }
}

/// A filter pattern is explained in its own words, without the guards that it was lowered to.
#[test]
fn filter_patterns_speak_their_own_language() {
    assert_eq!(
        told(Language::FilterPattern, r#"{ ($.eventName = Console*) && ($.errorCode != "x" || $.resources[*].ARN = z) }"#),
        r#"the match is not true
  because `$.errorCode != "x"` is false: `$.errorCode` is null
  because `$.resources[*].ARN = z` is false: `$.resources[*].ARN` is [{"ARN":"a"},{"ARN":"b"},{"ARN":"c"},{"ARN":"d"}]
  ($.eventName = Console*) && ($.errorCode != "x" || $.resources[*].ARN = z) -> false
    ($.eventName = Console*) -> true
      $.eventName -> "ConsoleLogin"
    ($.errorCode != "x" || $.resources[*].ARN = z) -> false
      $.errorCode != "x" -> false
        $.errorCode -> null
      $.resources[*].ARN = z -> false
        $.resources[*].ARN -> [{"ARN":"a"},{"ARN":"b"},{"ARN":"c"},{"ARN":"d"}]"#
    );
}

#[test]
fn event_patterns_are_told_as_a_whole() {
    let text = r#"{"detail": {"eventName": ["CreateUser"]}}"#;
    assert_eq!(told(Language::EventPattern, text), format!("the match is not true\n  because `{text}` is false\n  {text} -> false"));
}

#[test]
fn values_of_projections_are_counted() {
    let explained = told(Language::JmesPath, "detail.resources[*].ARN");
    assert!(explained.contains("ARN -> \"a\", \"b\", \"c\", and 1 more"), "{explained}");
}

#[test]
fn triggers_name_the_rule_that_said_no() {
    let told = |more: Value| {
        let mut document = json!({"name": "t", "event_names": ["ConsoleLogin"], "action": [{"send": [{"destination": "d"}]}]});
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let compiled = CompiledTrigger::new(Trigger::from_value(&document).unwrap()).unwrap();
        let event = Event::from_value(event()["detail"].clone()).unwrap();
        trigger(&compiled, &event, &Scope::default())
    };
    assert_eq!(told(json!({})).to_text(), "trigger t fires: its event name and source fit, and there is no match to test");
    assert_eq!(
        told(json!({"event_names": ["X"], "match_expression": "detail.x"})).to_text(),
        "trigger t does not fire: its event name is not one of the trigger's"
    );
    let erring = told(json!({"match_expression": "starts_with(detail.errorCode, 'a')", "on_error": "match"}));
    assert!(erring.fires && erring.reason.ends_with("and on_error is match"), "{}", erring.reason);
    let json = told(json!({"filter_pattern": "{ $.count > 5 }"})).to_json();
    assert_eq!(json["fires"], json!(false));
    assert_eq!(json["match"]["because"], json!(["`$.count > 5` is false: `$.count` is 3"]));
    assert_eq!(
        json["match"]["parts"][1],
        json!({"text": "$.count", "start": 2, "end": 9, "depth": 1, "reached": 1, "outcomes": [{"value": 3, "error": null}]})
    );
}

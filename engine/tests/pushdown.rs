//! The corpus of push-down: what becomes of an expression, and the events that must get through.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use trailwire_engine::eval::{search, truthy};
use trailwire_engine::event::Event;
use trailwire_engine::lang::jmespath;
use trailwire_engine::matcher::{CompiledTrigger, Outcome, Reason, Scope};
use trailwire_engine::pattern::Pattern;
use trailwire_engine::pushdown::{Asked, Errors, Frame, Mode, Written, push_down};
use trailwire_engine::trigger::Trigger;

const FILES: [(&str, &str); 5] = [
    ("losses", include_str!("../../tests/corpus/pushdown/losses.json")),
    ("errors", include_str!("../../tests/corpus/pushdown/errors.json")),
    ("arrays", include_str!("../../tests/corpus/pushdown/arrays.json")),
    ("read_only", include_str!("../../tests/corpus/pushdown/read_only.json")),
    ("said", include_str!("../../tests/corpus/pushdown/said.json")),
];

#[test]
fn corpus() {
    let mut wrong = Vec::new();
    for (file, text) in FILES {
        let cases: Vec<Value> = serde_json::from_str(text).unwrap();
        assert!(cases.len() >= 5, "{file} is there");
        for case in &cases {
            wrong.extend(faults(case).into_iter().map(|fault| format!("{file}: {}: {fault}", case["name"])));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn faults(case: &Value) -> Vec<String> {
    let (names, sources) = (texts(&case["names"]), texts(&case["sources"]));
    let text = case["expression"].as_str();
    let tree = text.map(|text| jmespath::parse(text).0.unwrap_or_else(|| panic!("{text}")));
    let expression = text.zip(tree.as_ref()).map(|(text, tree)| Written { tree, text });
    let errors = if case["on_error"] == json!("match") { Errors::Match } else { Errors::NoMatch };
    let mode = match case["mode"].as_str() {
        Some("names") => Mode::Names,
        Some("full") => Mode::Full,
        _ => Mode::Safe,
    };
    let frame = if case["frame"] == json!("rule") { Frame::Rule } else { Frame::Bare };
    let pushed = push_down(Asked { names: &names, sources: &sources, expression, errors, mode, frame, ..Asked::default() });

    let mut faults = Vec::new();
    let mut hold = |what: &str, found: String, wanted: String| {
        if found != wanted {
            faults.push(format!("{what} is {found}, not {wanted}"));
        }
    };
    hold("pattern", pushed.pattern.clone().unwrap_or("null".to_owned()), case["pattern"].to_string());
    hold("exact", pushed.exact.to_string(), (case["exact"] == json!(true)).to_string());
    hold("residual", format!("{:?}", pushed.residual), format!("{:?}", texts(&case["residual"])));
    hold("never", pushed.never.is_some().to_string(), (case["never"] == json!(true)).to_string());
    let pattern = pushed.pattern.map(|text| Pattern::parse(&text).0.expect("a pattern that EventBridge takes"));
    for event in case["through"].as_array().unwrap() {
        let verdict = tree.as_ref().map(|tree| search(tree, event));
        let fires = verdict.is_none_or(|verdict| verdict.map_or(errors == Errors::Match, |value| truthy(&value)));
        if !fires {
            faults.push(format!("the expression does not match {event}"));
        }
        if speaks_of_states(case) && outcome(case, event, false) != Outcome::Match {
            faults.push(format!("the trigger does not match {event}"));
        }
        if pushed.never.is_some() || pattern.as_ref().is_some_and(|pattern| !pattern.matches(event)) {
            faults.push(format!("lost: {event}"));
        }
    }
    // What a rule in its plain state does not carry the trigger does not ask for, whatever its pattern keeps.
    for event in case["held_back"].as_array().into_iter().flatten() {
        if !pattern.as_ref().is_none_or(|pattern| pattern.matches(event)) {
            faults.push(format!("the pattern tells {event}"));
        }
        for (include_read_only, wanted) in [(false, Outcome::NoMatch(Reason::ReadOnly)), (true, Outcome::Match)] {
            let found = outcome(case, event, include_read_only);
            if found != wanted {
                faults.push(format!("with include_read_only = {include_read_only} the outcome is {found:?} for {event}"));
            }
        }
    }
    faults
}

/// Whether the case speaks of what a rule's state carries. Its events are then judged by a whole trigger, too.
fn speaks_of_states(case: &Value) -> bool {
    case.get("held_back").is_some()
}

fn outcome(case: &Value, event: &Value, include_read_only: bool) -> Outcome {
    let document = json!({"name": "t", "event_names": case["names"], "match_expression": case["expression"],
        "include_read_only": include_read_only, "action": [{"send": [{"destination": "d"}]}]});
    let trigger = CompiledTrigger::new(Trigger::from_value(&document).expect("a trigger")).expect("an expression");
    trigger.judge(&Event::from_value(event.clone()).expect("an event"), &Scope::default())
}

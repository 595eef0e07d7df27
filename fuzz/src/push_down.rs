//! Any expression, pushed down, and any event: laws P1, P1s, P2 and P3. The first line is the expression, the rest the event.

use serde_json::{Value, json};
use trailwire_engine::eval::{search, truthy};
use trailwire_engine::event::Event;
use trailwire_engine::expr::Expr;
use trailwire_engine::lang::jmespath;
use trailwire_engine::matcher::{CompiledTrigger, Outcome, Scope};
use trailwire_engine::pattern::Pattern;
use trailwire_engine::pushdown::{Asked, Errors, Frame, Mode, PushDown, Written, push_down};
use trailwire_engine::shape::{FIELDS, Kinds, Schema};
use trailwire_engine::trigger::Trigger;

/// Panics where something does not hold.
pub fn check(bytes: &[u8]) {
    let Some((text, event)) = std::str::from_utf8(bytes).ok().and_then(|text| text.split_once('\n')) else { return };
    let Some(tree) = jmespath::parse(text).0 else { return };
    let written = Written { tree: &tree, text };
    let event = serde_json::from_str::<Value>(event).ok().filter(Value::is_object);
    for errors in [Errors::NoMatch, Errors::Match] {
        for mode in [Mode::Safe, Mode::Full] {
            let any =
                push_down(Asked { expression: Some(written), errors, mode, schema: Schema::None, frame: Frame::Bare, ..Asked::default() });
            let typed = push_down(Asked { expression: Some(written), errors, mode, ..Asked::default() });
            let any_pattern = pattern_of(&any, mode, text);
            let typed_pattern = pattern_of(&typed, mode, text);
            let Some(event) = &event else { continue };
            if is_verdict(&tree, event, errors) {
                assert!(keeps(&any, any_pattern.as_ref(), event), "{text}\n{any:?} loses {event}, {errors:?}");
            }
            if is_typed(event) {
                let fires = fires(text, event, errors);
                let kept = keeps(&typed, typed_pattern.as_ref(), event);
                assert!(!fires || kept, "{text}\n{typed:?} loses {event}, {errors:?}");
                // A name with a dot in it can be taken for a path, and an event that does not tell its cell is in nobody's scope.
                let is_plain = has_plain_names(event) && event["region"].is_string() && event["account"].is_string();
                assert!(!kept || fires || !typed.exact || !is_plain, "{text}\n{typed:?} keeps {event}, {errors:?}");
            }
        }
    }
}

fn pattern_of(pushed: &PushDown, mode: Mode, text: &str) -> Option<Pattern> {
    let printed = pushed.pattern.as_ref()?;
    let (pattern, diagnostics) = Pattern::parse(printed);
    let pattern = pattern.unwrap_or_else(|| panic!("{text}: {printed} is refused: {diagnostics:?}"));
    assert!(mode == Mode::Full || pattern.wildcards() == 0, "{text}: {printed}");
    Some(pattern)
}

fn keeps(pushed: &PushDown, pattern: Option<&Pattern>, event: &Value) -> bool {
    pushed.never.is_none() && pattern.is_none_or(|pattern| pattern.matches(event))
}

fn is_verdict(tree: &Expr, event: &Value, errors: Errors) -> bool {
    search(tree, event).map_or(errors == Errors::Match, |value| truthy(&value))
}

fn fires(text: &str, event: &Value, errors: Errors) -> bool {
    let document = json!({"name": "t", "match_expression": text, "any_event": true, "include_read_only": true, "include_self": true,
        "action": [{"send": [{"destination": "d"}]}]});
    let trigger = CompiledTrigger::new(Trigger::from_value(&document).expect("is a trigger")).expect("was parsed before");
    match trigger.judge(&Event::from_value(event.clone()).expect("is an object"), &Scope::default()) {
        Outcome::Match => true,
        Outcome::NoMatch(_) => false,
        Outcome::Error(_) => errors == Errors::Match,
    }
}

/// Whether it is one of the events that push-down may suppose: AWS's envelope, and known fields absent, null or of their kind.
fn is_typed(event: &Value) -> bool {
    let Some(members) = event.as_object() else { return false };
    let is_known = |name: &String| FIELDS.iter().any(|field| field.path == name.as_str());
    let is_of_kind = |(path, kinds): (&str, Kinds)| {
        let mut value = event;
        for name in path.split('.') {
            match value.get(name) {
                Some(member) => value = member,
                None => return true,
            }
        }
        Kinds::of(value).within(kinds.with(Kinds::NULL))
    };
    event["detail"].is_object() && members.keys().all(is_known) && FIELDS.iter().map(|field| (field.path, field.kinds)).all(is_of_kind)
}

/// No name has a dot in it, so every path has one spelling.
fn has_plain_names(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().all(|(name, value)| !name.contains('.') && has_plain_names(value)),
        Value::Array(elements) => elements.iter().all(has_plain_names),
        _ => true,
    }
}

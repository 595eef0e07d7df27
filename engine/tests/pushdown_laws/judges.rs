//! The judges: the evaluator, the rules before it, and the pattern's obvious matcher.

use serde_json::{Value, json};
use trailwire_engine::eval::{search, truthy};
use trailwire_engine::event::Event;
use trailwire_engine::expr::Expr;
use trailwire_engine::matcher::{CompiledTrigger, Outcome, Scope};
use trailwire_engine::pattern::Pattern;
use trailwire_engine::pushdown::{Errors, PushDown};
use trailwire_engine::trigger::Trigger;

/// What was pushed down, ready to be matched.
pub(super) enum Sent {
    /// No event can match.
    Never,
    /// Every event is kept.
    Nothing,
    /// The pattern.
    Pattern(Pattern),
}

impl Sent {
    /// Reads the pattern, which has to be one that EventBridge takes.
    pub(super) fn read(pushed: &PushDown) -> Self {
        match (&pushed.never, &pushed.pattern) {
            (Some(_), _) => Self::Never,
            (None, None) => Self::Nothing,
            (None, Some(text)) => {
                let (pattern, diagnostics) = Pattern::parse(text);
                Self::Pattern(pattern.unwrap_or_else(|| panic!("{text} is refused: {diagnostics:?}")))
            }
        }
    }

    pub(super) fn keeps(&self, event: &Value) -> bool {
        match self {
            Self::Never => false,
            Self::Nothing => true,
            Self::Pattern(pattern) => pattern.matches(event),
        }
    }
}

pub(super) fn shown(pushed: &PushDown) -> &str {
    pushed.pattern.as_deref().or(pushed.never.as_deref()).unwrap_or("no pattern")
}

/// What a rule's state carries, written apart from the matcher.
pub(super) fn is_delivered(event: &Value, include_read_only: bool) -> bool {
    let detail = &event["detail"];
    let name = detail["eventName"].as_str().unwrap_or_default();
    let is_session = detail["eventSource"] == "sts.amazonaws.com" && ["GetFederationToken", "GetSessionToken"].contains(&name);
    include_read_only
        || detail["readOnly"] != json!(true)
        || is_session
        || !["Get", "List", "Describe"].iter().any(|verb| name.starts_with(verb))
}

pub(super) fn trigger(names: &[String], text: &str, errors: Errors, include_read_only: bool) -> CompiledTrigger {
    let mut document = json!({"name": "t", "match_expression": text, "include_read_only": include_read_only, "include_self": true,
        "on_error": if errors == Errors::Match { "match" } else { "no_match" }, "action": [{"send": [{"destination": "d"}]}]});
    if names.is_empty() {
        document["any_event"] = json!(true);
    } else {
        document["event_names"] = json!(names);
    }
    CompiledTrigger::new(Trigger::from_value(&document).unwrap()).unwrap()
}

pub(super) fn fires(trigger: &CompiledTrigger, event: &Value, errors: Errors) -> bool {
    match trigger.judge(&Event::from_value(event.clone()).unwrap(), &Scope::default()) {
        Outcome::Match => true,
        Outcome::NoMatch(_) => false,
        Outcome::Error(_) => errors == Errors::Match,
    }
}

pub(super) fn verdict(expr: &Expr, event: &Value, errors: Errors) -> bool {
    search(expr, event).map_or(errors == Errors::Match, |value| truthy(&value))
}

/// No name has a dot in it, so every path has one spelling.
pub(super) fn has_plain_names(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().all(|(name, value)| !name.contains('.') && has_plain_names(value)),
        Value::Array(elements) => elements.iter().all(has_plain_names),
        _ => true,
    }
}

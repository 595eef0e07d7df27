//! Between a trigger's document and the attributes of its state.

use trailwire_engine::check::DECIDES;
use trailwire_engine::fanout::names::Carrier;
use trailwire_engine::fanout::pattern::PatternTooLong;
use trailwire_engine::fanout::pushed::{Pushed, pushed_after};
use trailwire_engine::trigger::{Action, OnError, PushDown, Suppress, Test, Threshold, Trigger};

use super::check::{is_decided, parse};
use crate::resource::common::{optional_list, optional_map, optional_set, optional_tags, optional_text, tags_value};
use crate::resource::rows::Settings;
use crate::resource::rows::carried::{pushed_of, set_pushed};
use crate::resource::{PlanRequest, plan};
use crate::value::Dynamic;

/// What the rules of a trigger are to carry, when its state was `prior` and its attributes are `planned`: what they carry already, while nothing
/// that decides it is changed and nothing is found against it.
pub(super) fn choose(trigger: &Trigger, prior: &Dynamic, planned: &Dynamic) -> Result<Pushed, PatternTooLong> {
    let unchanged = DECIDES.iter().all(|name| prior.get(name) == planned.get(name));
    pushed_after(trigger, pushed_of(prior).filter(|_| unchanged).as_ref())
}

/// Plans the attributes that tell what the rules carry: unknown as long as that is not decided.
pub(super) fn plan_pushed(planned: &mut Dynamic, request: &PlanRequest) {
    let trigger = parse(&request.config).ok().filter(|_| is_decided(&request.config));
    match trigger.and_then(|trigger| choose(&trigger, &request.prior, planned).ok()) {
        Some(pushed) => set_pushed(planned, Carrier::Trigger, &pushed),
        None => plan::mark_unknown(planned, &["pushed_pattern", "pattern_sha256", "residual"]),
    }
}

/// The attributes that a document and its settings say; the other computed ones and `timeouts` are left to the caller.
pub(super) fn attributes(trigger: &Trigger, settings: &Settings) -> Dynamic {
    let on_error = OnError::ALL.into_iter().find(|(_, value)| *value == trigger.on_error).map_or("no_match", |(name, _)| name);
    let push_down = PushDown::ALL.into_iter().find(|(_, value)| *value == trigger.push_down).map_or("safe", |(name, _)| name);
    Dynamic::object([
        ("name", Dynamic::String(trigger.name.clone())),
        ("description", optional_text(trigger.description.as_deref())),
        ("enabled", Dynamic::Bool(trigger.enabled)),
        ("severity", Dynamic::String(trigger.severity.name().to_owned())),
        ("event_names", optional_list(&trigger.event_names)),
        ("any_event", Dynamic::Bool(trigger.any_event)),
        ("event_sources", optional_list(&trigger.event_sources)),
        ("match_expression", optional_text(trigger.match_expression.as_deref())),
        ("filter_pattern", optional_text(trigger.filter_pattern.as_deref())),
        ("event_pattern", optional_text(trigger.event_pattern.as_deref())),
        ("push_down", Dynamic::String(push_down.to_owned())),
        ("allow", optional_map(&trigger.allow)),
        ("on_error", Dynamic::String(on_error.to_owned())),
        ("include_read_only", Dynamic::Bool(trigger.include_read_only)),
        ("include_self", Dynamic::Bool(trigger.include_self)),
        ("regions", optional_set(&trigger.regions)),
        ("exclude_regions", optional_set(&trigger.exclude_regions)),
        ("account_ids", optional_set(&trigger.account_ids)),
        ("forwarder", optional_text(trigger.forwarder.as_deref())),
        ("failure_tolerance", Dynamic::from(settings.failure_tolerance)),
        ("tags", optional_tags(&settings.tags)),
        ("tags_all", tags_value(&settings.tags_all)),
        ("threshold", Dynamic::List(trigger.threshold.iter().map(threshold).collect())),
        ("suppress", Dynamic::List(trigger.suppress.iter().map(suppress).collect())),
        ("action", Dynamic::List(trigger.actions.iter().map(action).collect())),
        ("test", Dynamic::List(trigger.tests.iter().map(test).collect())),
    ])
}

fn test(test: &Test) -> Dynamic {
    Dynamic::object([
        ("name", Dynamic::String(test.name.clone())),
        ("event", Dynamic::String(test.event.clone())),
        ("expect", Dynamic::Bool(test.expect)),
    ])
}

fn threshold(threshold: &Threshold) -> Dynamic {
    Dynamic::object([
        ("count", Dynamic::from(i64::from(threshold.count))),
        ("window", Dynamic::String(threshold.window.text.clone())),
        ("group_by", optional_text(threshold.group_by.as_deref())),
        ("notify_recovery", Dynamic::Bool(threshold.notify_recovery)),
    ])
}

fn suppress(suppress: &Suppress) -> Dynamic {
    Dynamic::object([("window", Dynamic::String(suppress.window.text.clone())), ("key", optional_text(suppress.key.as_deref()))])
}

fn action(action: &Action) -> Dynamic {
    let block = |wanted: &str| {
        let body = match action {
            Action::Notify(notify) => (
                "notify",
                Dynamic::object([
                    ("destinations", Dynamic::strings(notify.destinations.iter().cloned())),
                    ("title", optional_text(notify.title.as_deref())),
                    ("message", optional_text(notify.message.as_deref())),
                    ("fields", optional_map(&notify.fields)),
                ]),
            ),
            Action::Wait(wait) => ("wait", Dynamic::object([("duration", Dynamic::String(wait.text.clone()))])),
            Action::Query(query) => (
                "query",
                Dynamic::object([
                    ("service", Dynamic::String(query.service.clone())),
                    ("operation", Dynamic::String(query.operation.clone())),
                    ("parameters", optional_text(query.parameters.as_deref())),
                    ("result", optional_text(query.result.as_deref())),
                    ("as", Dynamic::String(query.name.clone())),
                ]),
            ),
            Action::Send(send) => ("send", Dynamic::object([("destination", Dynamic::String(send.destination.clone()))])),
        };
        Dynamic::List(if body.0 == wanted { vec![body.1] } else { Vec::new() })
    };
    Dynamic::object([("notify", block("notify")), ("wait", block("wait")), ("query", block("query")), ("send", block("send"))])
}

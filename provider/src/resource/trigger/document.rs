//! Between a trigger's document, its rules, and the attributes of its state.

use trailwire_engine::fanout::names::{Cell, Hub};
use trailwire_engine::fanout::pattern::{Narrowing, PatternTooLong};
use trailwire_engine::fanout::rules::{Rule, RuleRequest, RuleState, trigger_rules};
use trailwire_engine::fanout::table::HubRecord;
use trailwire_engine::trigger::{Action, OnError, Trigger};

use super::settings::Settings;
use crate::resource::common::{optional_list, optional_map, optional_set, optional_tags, optional_text, tags_value};
use crate::value::Dynamic;

/// The rules that a trigger wants in a cell.
pub(crate) fn wanted(hub: &Hub, record: &HubRecord, trigger: &Trigger, cell: &Cell) -> Result<Vec<Rule>, PatternTooLong> {
    let state = match (trigger.enabled, trigger.include_read_only) {
        (false, _) => RuleState::Disabled,
        (true, true) => RuleState::EnabledWithReads,
        (true, false) => RuleState::Enabled,
    };
    let narrowing = Narrowing { names: &trigger.event_names, sources: &trigger.event_sources };
    trigger_rules(hub, RuleRequest { trigger: &trigger.name, narrowing, state }, cell, record.forward_dead_letter)
}

/// The names of those rules, the same in every cell.
pub(super) fn rule_names(hub: &Hub, record: &HubRecord, trigger: &Trigger) -> Vec<String> {
    wanted(hub, record, trigger, hub.home()).map(|rules| rules.into_iter().map(|rule| rule.name).collect()).unwrap_or_default()
}

/// The attributes that a document and its settings say; computed ones and `timeouts` are left to the caller.
pub(super) fn attributes(trigger: &Trigger, settings: &Settings) -> Dynamic {
    let on_error = OnError::ALL.into_iter().find(|(_, value)| *value == trigger.on_error).map_or("no_match", |(name, _)| name);
    Dynamic::object([
        ("name", Dynamic::String(trigger.name.clone())),
        ("description", optional_text(trigger.description.as_deref())),
        ("enabled", Dynamic::Bool(trigger.enabled)),
        ("severity", Dynamic::String(trigger.severity.name().to_owned())),
        ("event_names", optional_list(&trigger.event_names)),
        ("any_event", Dynamic::Bool(trigger.any_event)),
        ("event_sources", optional_list(&trigger.event_sources)),
        ("match_expression", optional_text(trigger.match_expression.as_deref())),
        ("on_error", Dynamic::String(on_error.to_owned())),
        ("include_read_only", Dynamic::Bool(trigger.include_read_only)),
        ("include_self", Dynamic::Bool(trigger.include_self)),
        ("regions", optional_set(&trigger.regions)),
        ("exclude_regions", optional_set(&trigger.exclude_regions)),
        ("account_ids", optional_set(&trigger.account_ids)),
        ("failure_tolerance", Dynamic::from(settings.failure_tolerance)),
        ("tags", optional_tags(&settings.tags)),
        ("tags_all", tags_value(&settings.tags_all)),
        ("action", Dynamic::List(trigger.actions.iter().map(action).collect())),
    ])
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
            Action::Send(send) => ("send", Dynamic::object([("destination", Dynamic::String(send.destination.clone()))])),
        };
        Dynamic::List(if body.0 == wanted { vec![body.1] } else { Vec::new() })
    };
    Dynamic::object([("notify", block("notify")), ("wait", block("wait")), ("send", block("send"))])
}

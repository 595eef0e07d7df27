//! EventBridge event patterns: one as JSON, or the rules that the AWS command line prints.

use serde_json::{Map, Value};
use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::event::{DETAIL_TYPE_SUFFIX, SOURCE_PREFIX};
use trailwire_engine::lang::Language;

use super::draft::Draft;
use super::{Imported, lift};

/// # Errors
///
/// Where the text is not JSON, or the single pattern that it is can not be read.
pub(super) fn import(text: &str, stem: &str) -> Result<Imported, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    let mut imported = Imported::default();
    let rules = value.get("Rules").and_then(Value::as_array);
    match rules {
        Some(rules) => rules.iter().for_each(|rule| add(rule, stem, &mut imported)),
        None if value.get("EventPattern").is_some() || value.get("ScheduleExpression").is_some() => add(&value, stem, &mut imported),
        None => imported.drafts.push(draft(stem, &value)?),
    }
    Ok(imported)
}

/// One rule as `describe-rule` prints it.
fn add(rule: &Value, stem: &str, imported: &mut Imported) {
    let text = |name: &str| rule.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let name = text("Name").unwrap_or(stem);
    let pattern = match rule.get("EventPattern") {
        Some(Value::String(pattern)) => serde_json::from_str(pattern).map_err(|error| format!("its pattern is not JSON: {error}")),
        Some(pattern) => Ok(pattern.clone()),
        None => Err("it has a schedule, not a pattern".to_owned()),
    };
    match pattern.and_then(|pattern| draft(name, &pattern)) {
        Err(reason) => imported.leave_out(name, reason),
        Ok(mut draft) => {
            draft.description = text("Description").map(str::to_owned);
            draft.disabled = text("State") == Some("DISABLED");
            draft.include_read_only = text("State") == Some("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS");
            draft.origin = vec![format!("From the EventBridge rule `{name}`.")];
            if text("ScheduleExpression").is_some() {
                draft.notes.push("the schedule of the rule".to_owned());
            }
            draft.notes.push("the targets of the rule".to_owned());
            imported.drafts.push(draft);
        }
    }
}

fn draft(name: &str, pattern: &Value) -> Result<Draft, String> {
    let text = pattern.to_string();
    let (tree, faults) = Language::EventPattern.parse(&text);
    if tree.is_none() || faults.iter().any(Diagnostic::is_error) {
        return Err(faults.iter().map(Diagnostic::draw).collect::<Vec<_>>().join("\n"));
    }
    only_cloudtrail(pattern)?;
    let mut draft = Draft::new(name);
    let mut rest = pattern.as_object().cloned().unwrap_or_default();
    if let Some(Value::Object(detail)) = rest.get_mut("detail") {
        draft.event_names = taken(detail, "eventName");
        draft.event_sources = taken(detail, "eventSource");
        if detail.is_empty() {
            rest.shift_remove("detail");
        }
    }
    if draft.event_names.is_empty() || draft.event_sources.is_empty() {
        let lifted = lift::asked(Language::EventPattern, &text);
        for (found, more) in [(&mut draft.event_names, lifted.names), (&mut draft.event_sources, lifted.sources)] {
            if found.is_empty() {
                *found = more;
            }
        }
    }
    if !rest.is_empty() {
        draft.matching = Some((Language::EventPattern, Value::Object(rest)));
    }
    Ok(draft)
}

/// Takes a leaf out that lists plain texts.
fn taken(detail: &mut Map<String, Value>, field: &str) -> Vec<String> {
    let values = lift::plain(detail.get(field));
    if !values.is_empty() {
        detail.shift_remove(field);
    }
    values
}

/// Refuses patterns for events that are not CloudTrail's: a trigger with them would never fire.
fn only_cloudtrail(pattern: &Value) -> Result<(), String> {
    some_fit(pattern, "detail-type", |text| text.ends_with(DETAIL_TYPE_SUFFIX))?;
    some_fit(pattern, "source", |text| text.starts_with(SOURCE_PREFIX))
}

fn some_fit(pattern: &Value, field: &str, fits: fn(&str) -> bool) -> Result<(), String> {
    let values = lift::plain(pattern.get(field));
    if values.is_empty() || values.iter().any(|value| fits(value)) {
        return Ok(());
    }
    Err(format!("it is about events that are not CloudTrail's: `{field}` is `{}`", values.join("` or `")))
}

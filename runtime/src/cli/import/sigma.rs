//! Sigma rules for CloudTrail: the detection becomes names, sources and a match in JMESPath.
//!
//! Sigma compares texts without case. So do these triggers, save for the fields that CloudTrail itself writes ([`fields::is_exact`]): there one
//! spelling is right, and the rules in AWS can ask for it.

mod condition;
mod detection;
mod fields;
mod values;

use serde_json::Value;

use super::draft::{Draft, one_line};
use super::{Imported, yaml};

/// # Errors
///
/// Where the text is not YAML, or holds no rule.
pub(super) fn import(text: &str) -> Result<Imported, String> {
    let documents = yaml::documents(text)?;
    let mut imported = Imported::default();
    for rule in documents.iter().filter(|document| !document.is_null()) {
        let title = rule.get("title").and_then(Value::as_str).unwrap_or("without a title");
        match draft(title, rule) {
            Ok(draft) => imported.drafts.push(draft),
            Err(reason) => imported.leave_out(title, reason),
        }
    }
    if documents.is_empty() { Err("there is no rule in it".to_owned()) } else { Ok(imported) }
}

fn draft(title: &str, rule: &Value) -> Result<Draft, String> {
    let text = |name: &str| rule.get(name).and_then(Value::as_str).map(one_line).filter(|text| !text.is_empty());
    if rule.get("correlation").is_some() {
        return Err("it correlates the events of other rules".to_owned());
    }
    if let Some(action) = text("action") {
        return Err(format!("`action: {action}` of rule collections"));
    }
    let source = |name: &str| rule.pointer("/logsource").and_then(|source| source.get(name)).and_then(Value::as_str);
    if source("service") != Some("cloudtrail") {
        return Err(format!("its log source is not CloudTrail: service `{}`", source("service").unwrap_or("not given")));
    }
    let detection = rule.get("detection").and_then(Value::as_object).ok_or("it has no `detection`")?;
    let mut draft = Draft::new(title);
    draft.origin = vec![origin(title, text("id").as_deref(), text("author").as_deref())];
    draft.description = text("description");
    draft.severity = match text("level").as_deref() {
        Some("informational") => Some("info"),
        Some("low") => Some("low"),
        Some("high") => Some("high"),
        Some("critical") => Some("critical"),
        _ => Some("medium"),
    };
    let condition = condition::carried(detection, &mut draft.notes)?;
    if let Some(timeframe) = detection.get("timeframe").and_then(Value::as_str) {
        draft.notes.push(format!("`timeframe: {timeframe}`: it fires at each event"));
    }
    let expr = condition.expr.ok_or("nothing of its detection can be said of one event")?;
    if let Some(never) = draft.matches(&expr).never {
        return Err(format!("it can never match: {never}"));
    }
    draft.include_read_only_where_needed();
    Ok(draft)
}

fn origin(title: &str, id: Option<&str>, author: Option<&str>) -> String {
    let id = id.map(|id| format!(" {id}")).unwrap_or_default();
    let author = author.map(|author| format!(", by {author}")).unwrap_or_default();
    format!("From the Sigma rule{id}, \"{title}\"{author}.")
}

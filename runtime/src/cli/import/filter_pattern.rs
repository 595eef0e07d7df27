//! CloudWatch Logs filter patterns: one as text, or the metric filters that the AWS command line prints.

use serde_json::Value;
use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::lang::Language;

use super::draft::Draft;
use super::{Imported, lift};

/// # Errors
///
/// Where a single pattern can not be read: its diagnostics, drawn.
pub(super) fn import(text: &str, stem: &str) -> Result<Imported, String> {
    let mut imported = Imported::default();
    let listed = serde_json::from_str::<Value>(text).ok();
    let Some(filters) = listed.as_ref().and_then(|listed| listed.get("metricFilters")).and_then(Value::as_array) else {
        let pattern = text.trim();
        faults(pattern).map_err(|faults| faults.iter().map(Diagnostic::draw).collect::<Vec<_>>().join("\n"))?;
        imported.drafts.push(draft(stem, pattern)?);
        return Ok(imported);
    };
    for filter in filters {
        let text = |name: &str| filter.get(name).and_then(Value::as_str);
        let name = text("filterName").unwrap_or(stem);
        let pattern = text("filterPattern").unwrap_or_default().trim();
        let told = |faults: Vec<Diagnostic>| faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; ");
        match faults(pattern).map_err(told).and_then(|()| draft(name, pattern)) {
            Ok(mut draft) => {
                draft.origin = vec![format!("From the metric filter `{name}` of the log group `{}`.", text("logGroupName").unwrap_or("?"))];
                imported.drafts.push(draft);
            }
            Err(reason) => imported.leave_out(name, reason),
        }
    }
    Ok(imported)
}

/// What is wrong with a pattern.
fn faults(pattern: &str) -> Result<(), Vec<Diagnostic>> {
    let (tree, faults) = Language::FilterPattern.parse(pattern);
    if tree.is_none() || faults.iter().any(Diagnostic::is_error) { Err(faults) } else { Ok(()) }
}

fn draft(name: &str, pattern: &str) -> Result<Draft, String> {
    let lifted = lift::asked(Language::FilterPattern, pattern);
    if let Some(never) = lifted.never {
        return Err(format!("it can never match: {never}"));
    }
    let mut draft = Draft::new(name);
    draft.event_names = lifted.names;
    draft.event_sources = lifted.sources;
    if !lifted.decides || draft.event_names.is_empty() {
        draft.matching = Some((Language::FilterPattern, Value::from(pattern)));
    }
    // A metric filter sees everything that the trail records.
    draft.include_read_only_where_needed();
    Ok(draft)
}

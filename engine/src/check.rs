//! What is wrong with a trigger, or looks wrong, before any event is seen.
//!
//! [`crate::trigger`] has read its form; here its expressions are read: syntax, functions, and the traps of the language. The
//! same checks run while planning, in apply, and where the runtime takes a document.

mod absent;
mod allow;
mod event_patterns;
mod fields;
mod filters;
mod forwarders;
mod names;
mod not;
mod place;
mod queries;
mod reading;
mod texts;
mod traps;
mod truth;
mod types;
mod verdicts;

pub use allow::is_silenced;
pub use forwarders::{check_forwarder, check_forwarder_hub};
pub use queries::{Answer, answer, check_allowed, is_template};
pub use verdicts::{Verdict, check_test, run_tests};

use crate::diagnostic::{Code, Diagnostic, Path};
use crate::lang::Language;
use crate::trigger::{Action, Trigger};
use crate::value::Value;
use reading::Purpose;

/// The attributes that decide which events fire a trigger, and so what its rules carry.
pub const DECIDES: [&str; 8] =
    ["event_names", "any_event", "event_sources", "match_expression", "filter_pattern", "event_pattern", "on_error", "push_down"];

/// What a verdict depends on beside that.
const NARROWS: [&str; 5] = ["enabled", "include_read_only", "regions", "exclude_regions", "account_ids"];

/// Every diagnostic of a trigger's match, its event names and sources, its fields and its tests, with the path to the attribute and the
/// place in the text. Tests run only where the match can be read. What the trigger's `allow` silences is left out.
///
/// ```
/// use trailwire_engine::{check::check_trigger, trigger::Trigger};
/// let trigger = Trigger::parse(r#"{"name": "t", "event_names": ["RunInstances"], "action": [{"send": [{"destination": "d"}]}],
///     "match_expression": "!detail.errorCode"}"#).unwrap();
/// let found = check_trigger(&trigger);
/// assert_eq!(found[0].message, "`!detail.errorCode` means `(!detail).errorCode`, which is never true");
/// ```
#[must_use]
pub fn check_trigger(trigger: &Trigger) -> Vec<Diagnostic> {
    check_known(trigger, &|_| true)
}

/// As much of it as no value that is still unknown can refute. An attribute of which a part is not known counts as unknown, and whatever
/// stands in its place in the trigger is not looked at, but for diagnostics at the path of that very part: the caller leaves them out.
#[must_use]
pub fn check_known(trigger: &Trigger, is_known: Known<'_>) -> Vec<Diagnostic> {
    let mut diagnostics = check_texts(trigger, is_known);
    diagnostics.extend(names::check(trigger, is_known));
    if DECIDES.iter().all(|name| is_known(name)) {
        let narrowed = is_decided(is_known);
        // The scope says nothing of whether the match can be true.
        diagnostics.extend(verdicts::check(trigger).into_iter().filter(|diagnostic| narrowed || diagnostic.code == Code::NEVER_FIRES));
    }
    allow::apply(trigger, is_known, diagnostics)
}

/// What the regions of the trigger's hub tell, `hub`, one or more: names of events that are recorded only elsewhere. `is_known` as in [`check_known`].
///
/// ```
/// use trailwire_engine::{check::check_hub, trigger::Trigger};
/// let trigger = Trigger::parse(r#"{"name": "t", "event_names": ["CreateUser"], "event_sources": ["iam.amazonaws.com"],
///     "action": [{"send": [{"destination": "d"}]}]}"#).unwrap();
/// let found = check_hub(&trigger, &|_| true, &["eu-west-1".to_owned()]);
/// assert_eq!(found[0].message, "`CreateUser` is recorded only in `us-east-1`, which the hub's regions leave out");
/// ```
#[must_use]
pub fn check_hub(trigger: &Trigger, is_known: Known<'_>, hub: &[String]) -> Vec<Diagnostic> {
    let found = names::check_hub(trigger, is_known, hub);
    found.into_iter().filter(|diagnostic| is_known("allow") && !is_silenced(trigger, diagnostic.code)).collect()
}

/// Whether everything is known that the verdict on an event depends on.
#[must_use]
pub fn is_decided(is_known: Known<'_>) -> bool {
    DECIDES.iter().chain(&NARROWS).all(|name| is_known(name))
}

/// Whether the whole value of an attribute is known.
pub type Known<'a> = &'a dyn Fn(&str) -> bool;

/// The part that every text tells alone, whatever the others are.
fn check_texts(trigger: &Trigger, is_known: Known<'_>) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    if let Some((language, text)) = trigger.matching() {
        let path = Path::root(language.attribute());
        let names_events = !is_known("event_names") || !trigger.event_names.is_empty();
        diagnostics.extend(check_in_trigger(language, text, &path, Purpose::Verdict, names_events));
    }
    for (index, action) in trigger.actions.iter().enumerate() {
        let Action::Notify(notify) = action else { continue };
        let fields = Path::root("action").index(index).attribute("notify").index(0).attribute("fields");
        for (label, text) in &notify.fields {
            diagnostics.extend(check_in_trigger(Language::JmesPath, text, &fields.key(label), Purpose::Value, true));
        }
    }
    diagnostics.extend(queries::check(trigger));
    for (block, name, text) in groupings(trigger) {
        let path = Path::root(block).index(0).attribute(name);
        diagnostics.extend(check_in_trigger(Language::JmesPath, text, &path, Purpose::Value, true));
    }
    diagnostics
}

/// The expressions by whose values matches are counted apart: block, attribute, text.
fn groupings(trigger: &Trigger) -> impl Iterator<Item = (&'static str, &'static str, &str)> {
    let group_by = trigger.threshold.as_ref().and_then(|threshold| threshold.group_by.as_deref());
    let key = trigger.suppress.as_ref().and_then(|suppress| suppress.key.as_deref());
    [("threshold", "group_by", group_by), ("suppress", "key", key)].into_iter().filter_map(|(block, name, text)| Some((block, name, text?)))
}

/// The same of a trigger's JSON form that cannot be read as a whole: the mistakes of those texts that are texts.
#[must_use]
pub fn check_texts_of(document: &Value) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for language in Language::ALL {
        let text = document.get(language.attribute()).and_then(Value::as_str).filter(|text| !text.is_empty());
        diagnostics.extend(
            text.iter().flat_map(|text| check_in_trigger(language, text, &Path::root(language.attribute()), Purpose::Verdict, true)),
        );
    }
    let actions = document.get("action").and_then(Value::as_array).into_iter().flatten().enumerate();
    for (index, action) in actions {
        let path = Path::root("action").index(index).attribute("notify").index(0).attribute("fields");
        let fields = action.pointer("/notify/0/fields").and_then(Value::as_object).into_iter().flatten();
        for (label, text) in fields.filter_map(|(label, text)| Some((label, text.as_str()?))) {
            diagnostics.extend(check_in_trigger(Language::JmesPath, text, &path.key(label), Purpose::Value, true));
        }
    }
    for (block, name) in [("threshold", "group_by"), ("suppress", "key")] {
        if let Some(text) = document.pointer(&format!("/{block}/0/{name}")).and_then(Value::as_str).filter(|text| !text.is_empty()) {
            let path = Path::root(block).index(0).attribute(name);
            diagnostics.extend(check_in_trigger(Language::JmesPath, text, &path, Purpose::Value, true));
        }
    }
    let allowed = |code: Code| code.is_silenceable() && document.get("allow").is_some_and(|allow| allow.get(code.to_string()).is_some());
    diagnostics.retain(|diagnostic| !allowed(diagnostic.code));
    diagnostics
}

/// What an expression tells as one of a trigger, whose events are CloudTrail's.
fn check_in_trigger(language: Language, text: &str, path: &Path, purpose: Purpose, names_events: bool) -> Vec<Diagnostic> {
    let mut diagnostics = check_text(language, text, path);
    if let (Some(expr), _) = language.parse(text) {
        let traps = traps::check(language, text, &expr, purpose, names_events);
        // Of a flag compared with a text more is known here than the language alone tells.
        let is_told = |diagnostic: &Diagnostic| traps.iter().any(|trap| trap.is_error() && trap.covers(diagnostic));
        diagnostics.retain(|diagnostic| diagnostic.code != Code::FILTER_BOOLEAN || !is_told(diagnostic));
        diagnostics.extend(traps.into_iter().map(|diagnostic| diagnostic.at(path.clone())));
    }
    diagnostics
}

/// Every diagnostic of one JMESPath expression that stands at a path.
#[must_use]
pub fn check_expression(text: &str, path: &Path) -> Vec<Diagnostic> {
    check_text(Language::JmesPath, text, path)
}

/// Every diagnostic of a match in any language that stands at a path.
#[must_use]
pub fn check_text(language: Language, text: &str, path: &Path) -> Vec<Diagnostic> {
    let (expr, mut diagnostics) = language.parse(text);
    if let (Language::JmesPath, Some(expr)) = (language, &expr) {
        diagnostics.extend(not::check(expr, text));
    }
    diagnostics.into_iter().map(|diagnostic| diagnostic.at(path.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn drawn(text: &str) -> String {
        check_expression(text, &Path::default()).iter().map(Diagnostic::draw).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_exclamation_mark_binds_tighter_than_the_dot() {
        assert_eq!(
            drawn("detail.eventName == 'X' && !detail.userIdentity.invokedBy"),
            "\
error[TW2110]: `!detail.userIdentity.invokedBy` means `(!detail).userIdentity.invokedBy`, which is never true
  |
1 | detail.eventName == 'X' && !detail.userIdentity.invokedBy
  |                            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write `!(detail.userIdentity.invokedBy)`"
        );
        assert!(drawn("!detail.resources[0]").contains("`!(detail.resources[0])`"));
        assert!(drawn("!detail.a == 'x'").contains("`!(detail.a)`"));
        assert!(drawn("a[?!b.c]").contains("`!(b.c)`"));
    }

    #[test]
    fn what_is_meant_so_is_left_alone() {
        for text in ["!(detail.a)", "!starts_with(a, 'b')", "!detail", "!a[0]", "!(a).b == `null` || !(a.b)"] {
            let expected = usize::from(text.contains("!(a).b"));
            assert_eq!(check_expression(text, &Path::default()).len(), expected, "{text}");
        }
    }
}

//! What is wrong with a configuration in which anything may still be unknown.
//!
//! *Invariant*: nothing is claimed that a value which becomes known later could refute. What is unknown while planning is checked in apply, before
//! anything is done.

use serde_json::{Value, json};
use trailwire_engine::check::{check_expression, check_texts, check_verdicts};
use trailwire_engine::diagnostic::{Code, Diagnostic, Path, Step};
use trailwire_engine::fanout::pattern::{Narrowing, patterns};
use trailwire_engine::lang::Language;
use trailwire_engine::template::diagnose_trigger;
use trailwire_engine::trigger::Trigger;

use crate::resource::common::{to_json, without_set_elements};
use crate::value::Dynamic;

/// Attributes that are sets.
const SETS: [&str; 3] = ["regions", "exclude_regions", "account_ids"];

/// The members of a configuration that make up the document.
const DOCUMENT: [&str; 19] = [
    "name",
    "description",
    "enabled",
    "severity",
    "event_names",
    "any_event",
    "event_sources",
    "match_expression",
    "filter_pattern",
    "event_pattern",
    "on_error",
    "include_read_only",
    "include_self",
    "regions",
    "exclude_regions",
    "account_ids",
    "push_down",
    "action",
    "test",
];

/// What decides which events fire the trigger, and so what the rules carry.
pub(super) const DECIDES: [&str; 8] =
    ["event_names", "any_event", "event_sources", "match_expression", "filter_pattern", "event_pattern", "on_error", "push_down"];

/// What a verdict depends on beside that.
const NARROWS: [&str; 5] = ["enabled", "include_read_only", "regions", "exclude_regions", "account_ids"];

/// The most bytes of a document: DynamoDB takes items of 400 KB, and an item holds more than the document.
const DOCUMENT_MAX: usize = 350_000;

/// What is checked in place of a value that is not known yet.
fn placeholder(name: &str) -> Option<Value> {
    match name {
        "name" | "destination" => Some(json!("unknown")),
        "event_names" | "event_sources" | "destinations" => Some(json!(["unknown"])),
        "account_ids" => Some(json!(["000000000000"])),
        "regions" | "exclude_regions" => Some(json!(["unknown-unknown-1"])),
        "duration" => Some(json!("1m")),
        "event" => Some(json!("{}")),
        "expect" => Some(json!(false)),
        "action" => Some(json!([{ "wait": [{ "duration": "1m" }] }])),
        _ => None,
    }
}

/// The trigger that a configuration declares, or everything that is wrong with its form.
pub(super) fn parse(config: &Dynamic) -> Result<Trigger, Vec<Diagnostic>> {
    let parsed = Trigger::from_value(&to_json(config, &DOCUMENT, placeholder));
    parsed.map_err(|diagnostics| diagnostics.into_iter().map(|diagnostic| without_set_elements(diagnostic, &SETS)).collect())
}

/// The trigger as far as it can be read, and everything that is wrong, or looks wrong, with a configuration.
pub(super) fn check(config: &Dynamic) -> (Option<Trigger>, Vec<Diagnostic>) {
    let (trigger, mut diagnostics) = match parse(config) {
        Ok(trigger) => {
            let diagnostics = check_trigger(config, &trigger);
            (Some(trigger), diagnostics)
        }
        Err(diagnostics) => (None, diagnostics.into_iter().chain(check_expressions(config)).collect()),
    };
    diagnostics.retain(|diagnostic| !is_premature(config, diagnostic));
    (trigger, diagnostics)
}

/// Whether all that decides what the rules carry is known.
pub(super) fn is_decided(config: &Dynamic) -> bool {
    DECIDES.iter().all(|name| config.get(name).is_wholly_known())
}

fn check_trigger(config: &Dynamic, trigger: &Trigger) -> Vec<Diagnostic> {
    let mut diagnostics = check_texts(trigger);
    diagnostics.extend(diagnose_trigger(trigger));
    diagnostics.extend(check_names(trigger));
    diagnostics.extend(check_length(trigger));
    if is_decided(config) {
        let narrowed = NARROWS.iter().all(|name| config.get(name).is_wholly_known());
        // The scope says nothing of whether the match can be true.
        diagnostics.extend(check_verdicts(trigger).into_iter().filter(|diagnostic| narrowed || diagnostic.code == Code::NEVER_FIRES));
    }
    diagnostics
}

/// Whether a diagnostic is about something that is not known yet.
fn is_premature(config: &Dynamic, diagnostic: &Diagnostic) -> bool {
    let mut at = config;
    for step in &diagnostic.path.0 {
        at = match step {
            Step::Attribute(name) | Step::Key(name) => at.get(name),
            Step::Index(index) => at.as_list().and_then(|items| items.get(*index)).unwrap_or(at),
        };
        // What comes of a test depends on all of it.
        let is_test = matches!(diagnostic.code, Code::TEST_VERDICT | Code::TEST_EVENT) && matches!(step, Step::Index(_));
        if at.is_unknown() || (is_test && !at.is_wholly_known()) {
            return true;
        }
    }
    match diagnostic.code {
        Code::BLOCK_COUNT => at.as_map().is_some_and(|members| members.values().any(may_be_blocks)),
        // One of the two that exclude, or replace, each other may turn out to be null, or true.
        Code::CONFLICT if diagnostic.path == Path::root("any_event") => config.get("event_names").is_unknown(),
        Code::MISSING if diagnostic.path == Path::root("event_names") => config.get("any_event").is_unknown(),
        _ => false,
    }
}

/// Whether a nested block is there, or how often, is not known.
fn may_be_blocks(nested: &Dynamic) -> bool {
    nested.is_unknown() || nested.as_list().is_some_and(|items| items.iter().any(Dynamic::is_unknown))
}

/// A name or source that fits into no event pattern.
fn check_names(trigger: &Trigger) -> Option<Diagnostic> {
    let too_long = patterns(Narrowing { names: &trigger.event_names, sources: &trigger.event_sources }).err()?;
    let attribute = if trigger.event_names.contains(&too_long.text) { "event_names" } else { "event_sources" };
    Some(Diagnostic::error(Code::OUT_OF_RANGE, too_long.to_string()).at(Path::root(attribute)).help("correct the name"))
}

/// A document that the hub's table would not take. Only the events of tests are ever that long.
fn check_length(trigger: &Trigger) -> Option<Diagnostic> {
    let length = serde_json::to_string(trigger).map_or(0, |text| text.len());
    let message = || format!("the trigger takes {length} bytes with its tests, and the hub's table keeps at most {DOCUMENT_MAX}");
    let help = "leave out of the tests' events what the match does not look at";
    (length > DOCUMENT_MAX).then(|| Diagnostic::error(Code::TOO_LONG, message()).at(Path::root("test")).help(help))
}

/// The expressions' mistakes, when others keep the trigger from being read.
fn check_expressions(config: &Dynamic) -> Vec<Diagnostic> {
    let matching = Language::ALL.map(|language| {
        let attribute = language.attribute();
        let text = config.get_str(attribute).filter(|text| !text.is_empty());
        text.map(|text| trailwire_engine::check::check_text(language, text, &Path::root(attribute)))
    });
    let actions = config.get_list("action").iter().enumerate();
    let fields = actions.flat_map(|(index, action)| {
        let at = Path::root("action").index(index).attribute("notify").index(0).attribute("fields");
        let fields = action.get_block("notify").map(|notify| notify.get_string_map("fields")).unwrap_or_default();
        fields.into_iter().flat_map(move |(label, text)| check_expression(&text, &at.key(&label)))
    });
    matching.into_iter().flatten().flatten().chain(fields).collect()
}

//! What is wrong with a configuration in which anything may still be unknown.
//!
//! *Invariant*: nothing is claimed that a value which becomes known later could refute. What is unknown while planning is checked in apply, before
//! anything is done.

use serde_json::Value;
use trailwire_engine::check::{DECIDES, check_known, check_texts_of};
use trailwire_engine::diagnostic::{Code, Diagnostic, Path, Step};
use trailwire_engine::fanout::limits;
use trailwire_engine::template::diagnose_trigger;
use trailwire_engine::trigger::{MEMBERS, Trigger, placeholder};

use crate::resource::common::{to_json, without_set_elements};
use crate::value::Dynamic;

/// Attributes that are sets, of triggers and forwarders.
pub(in crate::resource) const SETS: [&str; 3] = ["regions", "exclude_regions", "account_ids"];

/// The trigger that a configuration declares, or everything that is wrong with its form.
pub(super) fn parse(config: &Dynamic) -> Result<Trigger, Vec<Diagnostic>> {
    parse_document(&document(config))
}

/// A configuration as a document, with something in place of what is not known yet.
fn document(config: &Dynamic) -> Value {
    to_json(config, &MEMBERS, placeholder)
}

fn parse_document(document: &Value) -> Result<Trigger, Vec<Diagnostic>> {
    let parsed = Trigger::from_value(document);
    parsed.map_err(|diagnostics| diagnostics.into_iter().map(|diagnostic| without_set_elements(diagnostic, &SETS)).collect())
}

/// The trigger as far as it can be read, and everything that is wrong, or looks wrong, with a configuration.
pub(super) fn check(config: &Dynamic) -> (Option<Trigger>, Vec<Diagnostic>) {
    let document = document(config);
    let (trigger, mut diagnostics) = match parse_document(&document) {
        Ok(trigger) => {
            let diagnostics = check_trigger(config, &trigger);
            (Some(trigger), diagnostics)
        }
        Err(diagnostics) => (None, diagnostics.into_iter().chain(check_texts_of(&document)).collect()),
    };
    diagnostics.retain(|diagnostic| !is_premature(config, diagnostic));
    (trigger, diagnostics)
}

/// Whether all that decides what the rules carry is known.
pub(super) fn is_decided(config: &Dynamic) -> bool {
    DECIDES.iter().all(|name| config.get(name).is_wholly_known())
}

fn check_trigger(config: &Dynamic, trigger: &Trigger) -> Vec<Diagnostic> {
    let mut diagnostics = check_known(trigger, &|name| config.get(name).is_wholly_known());
    diagnostics.extend(diagnose_trigger(trigger));
    diagnostics.extend(limits::check(trigger));
    diagnostics
}

/// Whether a diagnostic, of a trigger or a forwarder, is about something that is not known yet.
pub(in crate::resource) fn is_premature(config: &Dynamic, diagnostic: &Diagnostic) -> bool {
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
        // These depend on what is called.
        Code::UNKNOWN_OPERATION | Code::BAD_PARAMETER | Code::RESULT_MEMBER | Code::QUERY_REFUSED => {
            queries(config).any(|query| ["service", "operation", "result"].iter().any(|name| query.get(name).is_unknown()))
        }
        // A variable may be the result whose name is not known yet.
        Code::BAD_TEMPLATE | Code::RESULT_NAME => queries(config).any(|query| query.get("as").is_unknown()),
        Code::BLOCK_COUNT => at.as_map().is_some_and(|members| members.values().any(may_be_blocks)),
        // One of the two that exclude, or replace, each other may turn out to be null, or true.
        Code::CONFLICT if diagnostic.path == Path::root("any_event") => config.get("event_names").is_unknown(),
        Code::CONFLICT if diagnostic.path == Path::root("all") => {
            config.get("event_names").is_unknown() || config.get("event_sources").is_unknown()
        }
        Code::MISSING if diagnostic.path == Path::root("event_names") => config.get("any_event").is_unknown(),
        _ => false,
    }
}

fn queries(config: &Dynamic) -> impl Iterator<Item = &Dynamic> {
    config.get_list("action").iter().filter_map(|action| action.get_block("query"))
}

/// Whether a nested block is there, or how often, is not known.
fn may_be_blocks(nested: &Dynamic) -> bool {
    nested.is_unknown() || nested.as_list().is_some_and(|items| items.iter().any(Dynamic::is_unknown))
}

//! `trailwire_trigger`: one definition in the hub's table and its rules in every cell of its scope.
//!
//! *Invariants*: the definition is there before its rules and goes after them; create is all or nothing; update and delete go on in the other cells when one fails, and
//! tell the truth about what is left.

mod apply;
mod document;
mod read;
mod schema;
mod settings;

use std::future::ready;

use serde_json::{Value, json};
use trailwire_engine::check::{check_expression, check_trigger};
use trailwire_engine::diagnostic::{Code, Diagnostic, Path};
use trailwire_engine::fanout::names::Hub;
use trailwire_engine::fanout::pattern::{Narrowing, patterns};
use trailwire_engine::template::diagnose;
use trailwire_engine::trigger::{Action, Trigger};

use super::common::{calm, planned_tags_all, to_json, without_set_elements};
use super::{
    ApplyRequest, ApplyResponse, Boxed, ImportRequest, ImportResponse, PlanRequest, PlanResponse, ReadRequest, ReadResponse, Resource,
    ValidateRequest, plan,
};
use crate::apply::scope::check_regions;
use crate::context::Context;
use crate::schema::Schema;
use crate::value::Dynamic;

pub(crate) use document::wanted as document_rules;
pub(crate) use read::{import_definition, unread};
pub(crate) use settings::Settings as TriggerSettings;

/// The resource.
#[derive(Debug, Clone, Copy)]
pub struct TriggerResource;

/// Attributes that are sets.
const SETS: [&str; 3] = ["regions", "exclude_regions", "account_ids"];

/// The members of a configuration that make up the document.
const DOCUMENT: [&str; 15] = [
    "name",
    "description",
    "enabled",
    "severity",
    "event_names",
    "any_event",
    "event_sources",
    "match_expression",
    "on_error",
    "include_read_only",
    "include_self",
    "regions",
    "exclude_regions",
    "account_ids",
    "action",
];

/// What is checked in place of a value that is not known yet.
fn placeholder(name: &str) -> Option<Value> {
    match name {
        "name" | "destination" => Some(json!("unknown")),
        "event_names" | "event_sources" | "destinations" => Some(json!(["unknown"])),
        "account_ids" => Some(json!(["000000000000"])),
        "regions" | "exclude_regions" => Some(json!(["unknown-unknown-1"])),
        "duration" => Some(json!("1m")),
        _ => None,
    }
}

/// The trigger that a configuration declares, or everything that is wrong with it.
fn parse(config: &Dynamic) -> Result<Trigger, Vec<Diagnostic>> {
    let parsed = Trigger::from_value(&to_json(config, &DOCUMENT, placeholder));
    parsed.map_err(|diagnostics| diagnostics.into_iter().map(|diagnostic| without_set_elements(diagnostic, &SETS)).collect())
}

/// Everything that is wrong, or looks wrong, with a configuration.
fn check(config: &Dynamic) -> Vec<Diagnostic> {
    let mut diagnostics: Vec<Diagnostic> = match parse(config) {
        Ok(trigger) => check_trigger(&trigger).into_iter().chain(check_templates(&trigger)).chain(check_patterns(&trigger)).collect(),
        Err(diagnostics) => diagnostics.into_iter().chain(check_expressions(config)).collect(),
    };
    if config.get("event_names").is_unknown() && config.get_bool("any_event") == Some(true) {
        diagnostics.retain(|diagnostic| diagnostic.path != Path::root("any_event"));
    }
    diagnostics
}

/// A title or message with a variable that nobody knows, or that is no template at all.
fn check_templates(trigger: &Trigger) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for (index, action) in trigger.actions.iter().enumerate() {
        let Action::Notify(notify) = action else { continue };
        let path = Path::root("action").index(index).attribute("notify").index(0);
        for (name, text) in [("title", &notify.title), ("message", &notify.message)] {
            diagnostics.extend(text.iter().flat_map(|text| diagnose(text, &path.attribute(name))));
        }
    }
    diagnostics
}

/// A name or source that fits into no event pattern.
fn check_patterns(trigger: &Trigger) -> Option<Diagnostic> {
    let too_long = patterns(Narrowing { names: &trigger.event_names, sources: &trigger.event_sources }).err()?;
    let attribute = if trigger.event_names.contains(&too_long.text) { "event_names" } else { "event_sources" };
    Some(Diagnostic::error(Code::OUT_OF_RANGE, too_long.to_string()).at(Path::root(attribute)).help("correct the name"))
}

/// The expressions' mistakes, when others keep the trigger from being read.
fn check_expressions(config: &Dynamic) -> Vec<Diagnostic> {
    let matching = config.get_str("match_expression").map(|text| check_expression(text, &Path::root("match_expression")));
    let actions = config.get_list("action").iter().enumerate();
    let fields = actions.flat_map(|(index, action)| {
        let at = Path::root("action").index(index).attribute("notify").index(0).attribute("fields");
        let fields = action.get_block("notify").map(|notify| notify.get_string_map("fields")).unwrap_or_default();
        fields.into_iter().flat_map(move |(label, text)| check_expression(&text, &at.key(&label)))
    });
    matching.into_iter().flatten().chain(fields).collect()
}

impl Resource for TriggerResource {
    fn name(&self) -> &'static str {
        "trailwire_trigger"
    }

    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn validate(&self, request: &ValidateRequest) -> Vec<Diagnostic> {
        check(&request.config)
    }

    fn read<'a>(&'a self, context: &'a Context, request: ReadRequest) -> Boxed<'a, ReadResponse> {
        Box::pin(read::read(context, request))
    }

    fn plan<'a>(&'a self, context: &'a Context, request: PlanRequest) -> Boxed<'a, PlanResponse> {
        if request.is_destroy() {
            return Box::pin(ready(PlanResponse::default()));
        }
        Box::pin(async move {
            let mut response = plan::propose(&self.schema(), &request);
            response.planned.set("tags_all", planned_tags_all(&context.config, &request));
            let same_hub = same_hub(&request.prior, &request.config);
            if same_hub {
                response.requires_replace.retain(|path| *path != Path::root("hub"));
            }
            if !request.is_create() {
                let unimportant: &[&str] = if same_hub { &["timeouts", "hub"] } else { &["timeouts"] };
                calm(&mut response.planned, &request.prior, &["rule_names", "cells", "drifted"], unimportant);
            }
            if !response.requires_replace.is_empty() {
                plan::mark_unknown(&mut response.planned, &["id", "hub_arn"]);
            }
            let session = context.cloud.session(&request.stop);
            for attribute in ["regions", "exclude_regions"] {
                response.diagnostics.extend(check_regions(&session, attribute, &request.config.get_strings(attribute)).await);
            }
            response
        })
    }

    fn apply<'a>(&'a self, context: &'a Context, request: ApplyRequest) -> Boxed<'a, ApplyResponse> {
        Box::pin(apply::apply(context, request))
    }

    fn import<'a>(&'a self, context: &'a Context, request: ImportRequest) -> Boxed<'a, ImportResponse> {
        Box::pin(read::import(context, request))
    }
}

/// Whether the configured reference means the hub that the state knows: its name and its ARN are the same hub.
pub(super) fn same_hub(prior: &Dynamic, config: &Dynamic) -> bool {
    let Some(stored) = prior.get_str("hub_arn").and_then(Hub::from_arn) else { return false };
    config.get_str("hub").is_some_and(|reference| reference == stored.name() || reference == stored.arn())
}

#[cfg(test)]
mod tests;

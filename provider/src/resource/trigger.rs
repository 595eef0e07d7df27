//! `trailwire_trigger`: one definition in the hub's table and its rules in every cell of its scope.
//!
//! *Invariants*: the definition is there before its rules and goes after them; create is all or nothing; update and delete go on in the other cells when one fails, and
//! tell the truth about what is left.

mod apply;
mod check;
mod document;
mod read;
mod schema;
mod send;
mod settings;

use std::future::ready;

use trailwire_engine::diagnostic::{Diagnostic, Path};
use trailwire_engine::fanout::names::Hub;

use super::common::{calm, planned_tags_all};
use super::{
    ApplyRequest, ApplyResponse, Boxed, ImportRequest, ImportResponse, PlanRequest, PlanResponse, ReadRequest, ReadResponse, Resource,
    ValidateRequest, plan,
};
use crate::apply::scope::check_regions;
use crate::context::Context;
use crate::schema::Schema;
use crate::value::Dynamic;

pub(crate) use document::wanted_of as document_rules;
pub(crate) use read::{import_definition, unread};
pub(crate) use settings::Settings as TriggerSettings;

/// The resource.
#[derive(Debug, Clone, Copy)]
pub struct TriggerResource;

impl Resource for TriggerResource {
    fn name(&self) -> &'static str {
        "trailwire_trigger"
    }

    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn validate(&self, request: &ValidateRequest) -> Vec<Diagnostic> {
        check::check(&request.config).1
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
            document::plan_pushed(&mut response.planned, &request);
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
            if plan::has_work(&request, &response) {
                response.diagnostics.extend(send::plan(context, &session, &request).await);
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

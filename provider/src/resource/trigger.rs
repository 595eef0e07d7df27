//! `trailwire_trigger`: one definition in the hub's table and its rules in every cell of its scope.
//!
//! *Invariants*: the definition is there before its rules and goes after them; create is all or nothing; update and delete go on in the other cells when one fails, and
//! tell the truth about what is left.

mod apply;
mod beside;
mod check;
mod document;
mod quota;
mod read;
mod schema;
mod send;
mod settings;

use std::collections::BTreeSet;
use std::future::ready;

use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::fanout::table::Kind;

use super::{
    ApplyRequest, ApplyResponse, Boxed, ImportRequest, ImportResponse, PlanRequest, PlanResponse, ReadRequest, ReadResponse, Resource,
    ValidateRequest, definition, plan,
};
use crate::apply::scope::check_regions;
use crate::cloud::Session;
use crate::context::Context;
use crate::schema::Schema;
use crate::value::Dynamic;

pub(crate) use document::wanted_of as document_rules;
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
            quota::remove(context, &request.prior);
            return Box::pin(ready(PlanResponse::default()));
        }
        Box::pin(async move {
            let settle = |planned: &mut Dynamic| document::plan_pushed(planned, &request);
            let mut response = definition::planned(context, &self.schema(), &request, &["rule_names", "cells", "drifted"], settle);
            let session = context.cloud.session(&request.stop);
            response.diagnostics.extend(plan_regions(context, &session, &request).await);
            if !response.requires_replace.is_empty() {
                quota::remove(context, &request.prior);
            }
            response.diagnostics.extend(beside::plan(context, &session, &request).await);
            if plan::has_work(&request, &response) {
                response.diagnostics.extend(send::plan(context, &session, &request).await);
                response.diagnostics.extend(quota::plan(context, &session, &request, &response.planned).await);
            }
            response
        })
    }

    fn apply<'a>(&'a self, context: &'a Context, request: ApplyRequest) -> Boxed<'a, ApplyResponse> {
        Box::pin(apply::apply(context, request))
    }

    fn import<'a>(&'a self, context: &'a Context, request: ImportRequest) -> Boxed<'a, ImportResponse> {
        Box::pin(async move { definition::import(context, &request, Kind::Trigger).await })
    }
}

/// Named regions that are not enabled in the hub's account; one that the hub covers in another account is right.
async fn plan_regions(context: &Context, session: &Session, request: &PlanRequest) -> Vec<Diagnostic> {
    let named = ["regions", "exclude_regions"].map(|attribute| (attribute, request.config.get_strings(attribute)));
    if named.iter().all(|(_, regions)| regions.is_empty()) {
        return Vec::new();
    }
    let home = match session.home().await {
        Ok(home) => BTreeSet::from([home.cell.account]),
        Err(error) => return vec![error.diagnostic()],
    };
    let covered = quota::cells(context, session, request).await.unwrap_or_default();
    let mut diagnostics = Vec::new();
    for (attribute, mut regions) in named {
        regions.retain(|region| !covered.iter().any(|cell| cell.region == *region && !home.contains(&cell.account)));
        diagnostics.extend(check_regions(session, attribute, &regions, &home).await);
    }
    diagnostics
}

#[cfg(test)]
mod tests;

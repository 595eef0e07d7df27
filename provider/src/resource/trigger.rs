//! `trailwire_trigger`: one definition in the hub's table and its rules in every cell of its scope.
//!
//! What it has in common with forwarders is in `rows`.

mod apply;
mod beside;
pub(super) mod check;
mod document;
mod forwarded;
mod queries;
mod schema;
mod send;

use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::fanout::names::Carrier;
use trailwire_engine::fanout::table::Kind;

use super::{
    ApplyRequest, ApplyResponse, Boxed, ImportRequest, ImportResponse, PlanRequest, PlanResponse, ReadRequest, ReadResponse, Resource,
    ValidateRequest, definition, plan,
    rows::{self, quota, read},
};
use crate::context::Context;
use crate::schema::Schema;
use crate::value::Dynamic;

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
        Box::pin(read::read(context, request, Carrier::Trigger, document::attributes))
    }

    fn plan<'a>(&'a self, context: &'a Context, request: PlanRequest) -> Boxed<'a, PlanResponse> {
        Box::pin(async move {
            let settle = |planned: &mut Dynamic| document::plan_pushed(planned, &request);
            let begun = rows::plan::begin(context, &request, (Carrier::Trigger, &self.schema()), settle).await;
            let Some((session, mut response)) = begun else { return PlanResponse::default() };
            response.diagnostics.extend(beside::plan(context, &session, &request).await);
            if plan::has_work(&request, &response) {
                let events = check::parse(&request.config).ok();
                response.diagnostics.extend(queries::plan(context, &session, &request).await);
                response.diagnostics.extend(send::plan(context, &session, &request).await);
                response.diagnostics.extend(forwarded::plan(context, &session, &request).await);
                response.diagnostics.extend(quota::plan(context, &session, &request, (Carrier::Trigger, events), &response.planned).await);
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

#[cfg(test)]
mod tests;

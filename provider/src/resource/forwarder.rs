//! `trailwire_forwarder`: one declaration that sends a broad set of events to the hub, for every trigger that names it.
//!
//! What it has in common with triggers is in `rows`. *Invariant*: no trigger that relies on it loses an event by a change of it: what would take one away is
//! refused.

mod apply;
mod document;
mod schema;

use trailwire_engine::check::check_forwarder_hub;
use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::fanout::cover::check_relied;
use trailwire_engine::fanout::names::{Carrier, Hub};
use trailwire_engine::fanout::table::{Definition, Kind};
use trailwire_engine::trigger::{Forwarder, Trigger};

use super::{
    ApplyRequest, ApplyResponse, Boxed, ImportRequest, ImportResponse, PlanRequest, PlanResponse, ReadRequest, ReadResponse, Resource,
    ValidateRequest, definition, plan,
    rows::{self, quota, read},
};
use crate::cloud::Session;
use crate::context::Context;
use crate::schema::Schema;
use crate::value::Dynamic;

/// The resource.
#[derive(Debug, Clone, Copy)]
pub struct ForwarderResource;

impl Resource for ForwarderResource {
    fn name(&self) -> &'static str {
        "trailwire_forwarder"
    }

    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn validate(&self, request: &ValidateRequest) -> Vec<Diagnostic> {
        document::check(&request.config).1
    }

    fn read<'a>(&'a self, context: &'a Context, request: ReadRequest) -> Boxed<'a, ReadResponse> {
        Box::pin(read::read(context, request, Carrier::Forwarder, document::attributes))
    }

    fn plan<'a>(&'a self, context: &'a Context, request: PlanRequest) -> Boxed<'a, PlanResponse> {
        Box::pin(async move {
            let settle = |planned: &mut Dynamic| document::plan_pushed(planned, &request);
            let begun = rows::plan::begin(context, &request, (Carrier::Forwarder, &self.schema()), settle).await;
            let Some((session, mut response)) = begun else { return PlanResponse::default() };
            let forwarder = document::parse(&request.config).ok();
            if let Some(forwarder) = &forwarder
                && let Some(cells) = quota::cells(context, &session, &request).await
            {
                let covered: Vec<String> = cells.into_iter().map(|cell| cell.region).collect();
                response.diagnostics.extend(check_forwarder_hub(forwarder, &|name| request.config.get(name).is_wholly_known(), &covered));
            }
            let known = forwarder.filter(|_| document::is_decided(&request.config));
            if let Some(known) = known.as_ref().filter(|_| response.requires_replace.is_empty()) {
                response.diagnostics.extend(plan_relied(context, &session, &request, known).await);
            }
            if plan::has_work(&request, &response) {
                let events = known.as_ref().map(Forwarder::events);
                response
                    .diagnostics
                    .extend(quota::plan(context, &session, &request, (Carrier::Forwarder, events), &response.planned).await);
            }
            if let (Some(hub), Some(name)) = (request.config.get_str("hub"), request.config.get_str("name")) {
                context.shared.forwarders.plan(hub, name, known);
            }
            response
        })
    }

    fn apply<'a>(&'a self, context: &'a Context, request: ApplyRequest) -> Boxed<'a, ApplyResponse> {
        Box::pin(apply::apply(context, request))
    }

    fn import<'a>(&'a self, context: &'a Context, request: ImportRequest) -> Boxed<'a, ImportResponse> {
        Box::pin(async move { definition::import(context, &request, Kind::Forwarder).await })
    }
}

/// Triggers that would lose events by this change. Terraform changes a forwarder before the triggers that refer to it, so what they are in the hub's
/// table counts.
async fn plan_relied(context: &Context, session: &Session, request: &PlanRequest, forwarder: &Forwarder) -> Option<Diagnostic> {
    let hub = request.prior.get_str("hub_arn").and_then(Hub::from_arn)?;
    let snapshot = context.shared.snapshot(session, &hub).await.ok()?;
    let triggers: Vec<Trigger> = snapshot.definitions(Kind::Trigger).filter_map(trigger).collect();
    check_relied(&forwarder.name, Some(forwarder), &triggers)
}

/// The trigger of a definition; what cannot be read relies on nothing.
fn trigger(definition: &Definition) -> Option<Trigger> {
    Trigger::parse(definition.document.as_deref()?).ok()
}

#[cfg(test)]
mod tests;

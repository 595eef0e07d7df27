//! PlanResourceChange: what apply would do. Called twice, the second time in apply with everything known.

use std::sync::Arc;

use super::{Failure, Server, answer, errors_only, merged};
use crate::resource::{PlanRequest, PlanResponse, ValidateRequest};
use crate::schema::{conform, validate};
use crate::value::Dynamic;
use crate::wire::message::{PlanResourceChangeRequest, PlanResourceChangeResponse};
use crate::wire::{self, convert};

pub(crate) async fn handle(server: Arc<Server>, request: PlanResourceChangeRequest) -> PlanResourceChangeResponse {
    let as_it_was = PlanResourceChangeResponse {
        planned_state: request.prior_state.clone(),
        planned_private: request.prior_private.clone(),
        ..PlanResourceChangeResponse::default()
    };
    match plan(&server, request).await {
        Ok(response) => response,
        Err(Failure(diagnostics)) => PlanResourceChangeResponse { diagnostics: convert::diagnostics(diagnostics), ..as_it_was },
    }
}

async fn plan(server: &Server, request: PlanResourceChangeRequest) -> Result<PlanResourceChangeResponse, Failure> {
    let resource = server.resource(&request.type_name)?;
    let block = resource.schema().block;
    let kind = block.implied_type();
    let asked = PlanRequest {
        prior: wire::decode(request.prior_state.as_ref(), &kind)?,
        proposed: conform::without_write_only(wire::decode(request.proposed_new_state.as_ref(), &kind)?, &block),
        config: wire::decode(request.config.as_ref(), &kind)?,
        private: request.prior_private.clone(),
        stop: server.stop.clone(),
    };
    let context = server.context()?;
    let destroys = asked.is_destroy();
    let rules = if destroys { Vec::new() } else { errors_only(validate::check(&asked.config, &block)) };
    let mut found = server
        .guard("planning", async move {
            if !destroys {
                let own = errors_only(resource.validate(&ValidateRequest { config: asked.config.clone() }));
                let wrong = merged(rules, own);
                if !wrong.is_empty() {
                    return PlanResponse { planned: asked.prior, diagnostics: wrong, ..PlanResponse::default() };
                }
            }
            resource.plan(&context, asked).await
        })
        .await?;
    if destroys {
        found.planned = Dynamic::Null;
    }
    Ok(PlanResourceChangeResponse {
        planned_state: Some(answer(found.planned, &block)?),
        requires_replace: found.requires_replace.iter().map(convert::path).collect(),
        planned_private: found.private.unwrap_or(request.prior_private),
        diagnostics: convert::diagnostics_about(&block, found.diagnostics),
    })
}

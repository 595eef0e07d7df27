//! ApplyResourceChange: the change itself. Whatever happens, the answer holds the truest state that is known: what Terraform is not told of is lost to it.

use std::sync::Arc;

use trailwire_engine::diagnostic::{Code, Diagnostic, any_error};

use super::guard::REPORT;
use super::{Failure, Server, answer, errors_only, merged};
use crate::apply::progress::told_as;
use crate::resource::plan::known_part;
use crate::resource::{ApplyRequest, ApplyResponse, Progress, ValidateRequest};
use crate::schema::{Block, conform, validate};
use crate::value::Dynamic;
use crate::wire::message::{ApplyResourceChangeRequest, ApplyResourceChangeResponse};
use crate::wire::{self, convert};

pub(crate) async fn handle(server: Arc<Server>, request: ApplyResourceChangeRequest) -> ApplyResourceChangeResponse {
    let as_it_was = ApplyResourceChangeResponse {
        new_state: request.prior_state.clone(),
        private: request.planned_private.clone(),
        diagnostics: Vec::new(),
    };
    match apply(&server, request).await {
        Ok(response) => response,
        Err(Failure(diagnostics)) => ApplyResourceChangeResponse { diagnostics: convert::diagnostics(diagnostics), ..as_it_was },
    }
}

/// Fails only before anything was done.
async fn apply(server: &Server, request: ApplyResourceChangeRequest) -> Result<ApplyResourceChangeResponse, Failure> {
    let resource = server.resource(&request.type_name)?;
    let block = resource.schema().block;
    let kind = block.implied_type();
    let progress = Progress::default();
    let asked = ApplyRequest {
        prior: wire::decode(request.prior_state.as_ref(), &kind)?,
        planned: conform::without_write_only(wire::decode(request.planned_state.as_ref(), &kind)?, &block),
        config: wire::decode(request.config.as_ref(), &kind)?,
        private: request.planned_private.clone(),
        stop: server.stop.clone(),
        progress: progress.clone(),
    };
    let context = server.context()?;
    if !asked.is_destroy() {
        let rules = errors_only(validate::check(&asked.config, &block));
        let (checking, config) = (Arc::clone(&resource), asked.config.clone());
        let own = server.guard("validating", async move { checking.validate(&ValidateRequest { config }) }).await?;
        let wrong = merged(rules, errors_only(own));
        if !wrong.is_empty() {
            return Err(wrong.into());
        }
    }
    let (prior, planned) = (asked.prior.clone(), asked.planned.clone());
    let best_known = move || known_part(progress.latest().unwrap_or_else(|| prior.clone()));
    let name = [&asked.config, &asked.prior].into_iter().find_map(|value| value.get_str("name")).unwrap_or_default();
    let what = format!("{} {name}", resource.name());
    let done = server.guard("applying", told_as(what, async move { resource.apply(&context, asked).await })).await;
    let done = done.unwrap_or_else(|panic| ApplyResponse { state: best_known(), diagnostics: vec![panic], private: None });
    let (new_state, diagnostics) = truthful(done.state, done.diagnostics, &[best_known(), known_part(planned)], &block);
    Ok(ApplyResourceChangeResponse {
        new_state,
        private: done.private.unwrap_or(request.planned_private),
        diagnostics: convert::diagnostics_about(&block, diagnostics),
    })
}

/// The state on the wire. One that is not wholly known or does not fit the schema is a bug; then what is known of it, or the next best, is kept.
fn truthful(
    state: Dynamic,
    mut diagnostics: Vec<Diagnostic>,
    next_best: &[Dynamic],
    block: &Block,
) -> (Option<wire::message::DynamicValue>, Vec<Diagnostic>) {
    if !state.is_wholly_known() && !any_error(&diagnostics) {
        diagnostics.push(Diagnostic::error(Code::PROVIDER_BUG, "the provider left something unknown after apply").help(REPORT));
    }
    for candidate in std::iter::once(known_part(state)).chain(next_best.iter().cloned()) {
        match answer(candidate, block) {
            Ok(state) => return (Some(state), diagnostics),
            Err(Failure(bug)) => diagnostics.extend(bug),
        }
    }
    (None, diagnostics)
}

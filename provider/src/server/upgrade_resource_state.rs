//! UpgradeResourceState: stored JSON to the present schema. Terraform calls it on every refresh, with equal versions too.

use std::sync::Arc;

use trailwire_engine::diagnostic::{Code, Diagnostic};

use super::{Failure, Server, answer};
use crate::wire::message::{DynamicValue, RawState, UpgradeResourceStateRequest, UpgradeResourceStateResponse};
use crate::wire::{convert, json};

pub(crate) async fn handle(server: Arc<Server>, request: UpgradeResourceStateRequest) -> UpgradeResourceStateResponse {
    match upgrade(&server, request).await {
        Ok(state) => UpgradeResourceStateResponse { upgraded_state: Some(state), diagnostics: Vec::new() },
        Err(Failure(diagnostics)) => UpgradeResourceStateResponse { upgraded_state: None, diagnostics: convert::diagnostics(diagnostics) },
    }
}

async fn upgrade(server: &Server, request: UpgradeResourceStateRequest) -> Result<DynamicValue, Failure> {
    let resource = server.resource(&request.type_name)?;
    let schema = resource.schema();
    if request.version > schema.version {
        let message = format!("the state of `{}` was stored by a later version of the provider", request.type_name);
        return Err(Diagnostic::error(Code::WIRE, message).help("use that version, or a later one").into());
    }
    let RawState { json: raw, flatmap } = request.raw_state.unwrap_or_default();
    if raw.is_empty() && !flatmap.is_empty() {
        return Err(Diagnostic::error(Code::WIRE, format!("the state of `{}` has the form of Terraform 0.11", request.type_name)).into());
    }
    let mut state = json::read(&raw)?;
    if request.version < schema.version {
        state = server.guard("upgrading state", async move { resource.upgrade(request.version, state) }).await??;
    }
    answer(state, &schema.block)
}

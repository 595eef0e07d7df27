//! ImportResourceState: what identifies it; Terraform reads the rest.

use std::sync::Arc;

use trailwire_engine::diagnostic::any_error;

use super::{Failure, Server, answer};
use crate::resource::ImportRequest;
use crate::wire::convert;
use crate::wire::message::{ImportResourceStateRequest, ImportResourceStateResponse, ImportedResource};

pub(crate) async fn handle(server: Arc<Server>, request: ImportResourceStateRequest) -> ImportResourceStateResponse {
    import(&server, request).await.unwrap_or_else(|Failure(diagnostics)| ImportResourceStateResponse {
        imported_resources: Vec::new(),
        diagnostics: convert::diagnostics(diagnostics),
    })
}

async fn import(server: &Server, request: ImportResourceStateRequest) -> Result<ImportResourceStateResponse, Failure> {
    let resource = server.resource(&request.type_name)?;
    let block = resource.schema().block;
    let context = server.context()?;
    let asked = ImportRequest { id: request.id, stop: server.stop.clone() };
    let found = server.guard("importing", async move { resource.import(&context, asked).await }).await?;
    if found.state.is_null() || any_error(&found.diagnostics) {
        return Err(found.diagnostics.into());
    }
    let imported = ImportedResource { type_name: request.type_name, state: Some(answer(found.state, &block)?), private: Vec::new() };
    Ok(ImportResourceStateResponse { imported_resources: vec![imported], diagnostics: convert::diagnostics(found.diagnostics) })
}

//! ValidateDataSourceConfig: as for resources.

use std::sync::Arc;

use trailwire_engine::diagnostic::Diagnostic;

use super::{Failure, Server};
use crate::resource::ValidateRequest;
use crate::schema::validate;
use crate::wire::message::{DiagnosticsResponse, ValidateConfigRequest};
use crate::wire::{self, convert};

pub(crate) async fn handle(server: Arc<Server>, request: ValidateConfigRequest) -> DiagnosticsResponse {
    let found = check(&server, request).await.unwrap_or_else(|Failure(diagnostics)| diagnostics);
    DiagnosticsResponse { diagnostics: convert::diagnostics(found) }
}

async fn check(server: &Server, request: ValidateConfigRequest) -> Result<Vec<Diagnostic>, Failure> {
    let source = server.data_source(&request.type_name)?;
    let block = source.schema().block;
    let config = wire::decode(request.config.as_ref(), &block.implied_type())?;
    let found = validate::check(&config, &block);
    let own = server.guard("validating", async move { source.validate(&ValidateRequest { config }) }).await?;
    Ok(found.into_iter().chain(own).collect())
}

//! ValidateDataSourceConfig: as for resources.

use std::sync::Arc;

use super::{Failure, Server, merged};
use crate::resource::ValidateRequest;
use crate::schema::validate;
use crate::wire::message::{self, DiagnosticsResponse, ValidateConfigRequest};
use crate::wire::{self, convert};

pub(crate) async fn handle(server: Arc<Server>, request: ValidateConfigRequest) -> DiagnosticsResponse {
    let diagnostics = check(&server, request).await.unwrap_or_else(|Failure(diagnostics)| convert::diagnostics(diagnostics));
    DiagnosticsResponse { diagnostics }
}

async fn check(server: &Server, request: ValidateConfigRequest) -> Result<Vec<message::Diagnostic>, Failure> {
    let source = server.data_source(&request.type_name)?;
    let block = source.schema().block;
    let config = wire::decode(request.config.as_ref(), &block.implied_type())?;
    let found = validate::check(&config, &block);
    let own = server.guard("validating", async move { source.validate(&ValidateRequest { config }) }).await?;
    Ok(convert::diagnostics_about(&block, merged(found, own)))
}

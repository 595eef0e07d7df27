//! ValidateResourceTypeConfig: checks with anything unknown. Terraform calls it in validation and again in every plan and apply, then with known values.

use std::sync::Arc;

use trailwire_engine::diagnostic::{Code, Diagnostic};

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
    let resource = server.resource(&request.type_name)?;
    let block = resource.schema().block;
    let config = wire::decode(request.config.as_ref(), &block.implied_type())?;
    let mut found = validate::check(&config, &block);
    if !request.client_capabilities.is_some_and(|client| client.write_only_attributes_allowed) {
        found.extend(validate::write_only_in_use(&config, &block).into_iter().map(|path| {
            let message = format!("`{path}` is write-only, which this version of Terraform would store in the state");
            Diagnostic::error(Code::TERRAFORM_TOO_OLD, message)
                .at(path)
                .help("use Terraform 1.11 or later, or an attribute that names a secret which exists")
        }));
    }
    let own = server.guard("validating", async move { resource.validate(&ValidateRequest { config }) }).await?;
    Ok(convert::diagnostics_about(&block, merged(found, own)))
}

//! PrepareProviderConfig: the checks of the provider block. Terraform ignores what is prepared, so it is handed back as it came.

use std::sync::Arc;

use trailwire_engine::diagnostic::Diagnostic;

use super::{Failure, Server};
use crate::config;
use crate::wire::message::{PrepareProviderConfigRequest, PrepareProviderConfigResponse};
use crate::wire::{self, convert};

pub(crate) async fn handle(_: Arc<Server>, request: PrepareProviderConfigRequest) -> PrepareProviderConfigResponse {
    let found = check(&request).unwrap_or_else(|Failure(diagnostics)| diagnostics);
    PrepareProviderConfigResponse { prepared_config: request.config, diagnostics: convert::diagnostics(found) }
}

fn check(request: &PrepareProviderConfigRequest) -> Result<Vec<Diagnostic>, Failure> {
    let config = wire::decode(request.config.as_ref(), &config::schema().block.implied_type())?;
    Ok(config::check(&config))
}

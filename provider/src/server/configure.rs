//! Configure: from here on there is a [`Context`]. No network yet: AWS is spoken to when a resource first needs it.

use std::sync::Arc;

use super::{Failure, Server};
use crate::config::{self, ProviderConfig};
use crate::context::Context;
use crate::wire::message::{ConfigureRequest, DiagnosticsResponse};
use crate::wire::{self, convert};

pub(crate) async fn handle(server: Arc<Server>, request: ConfigureRequest) -> DiagnosticsResponse {
    tracing::debug!(terraform = request.terraform_version, "configure");
    let diagnostics = configure(&server, &request).err().map_or_else(Vec::new, |Failure(diagnostics)| diagnostics);
    DiagnosticsResponse { diagnostics: convert::diagnostics(diagnostics) }
}

fn configure(server: &Server, request: &ConfigureRequest) -> Result<(), Failure> {
    let config = wire::decode(request.config.as_ref(), &config::schema().block.implied_type())?;
    server.configure(Context::new(ProviderConfig::parse(&config)?));
    Ok(())
}

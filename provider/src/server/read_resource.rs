//! ReadResource: what exists now.

use std::sync::Arc;

use super::{Failure, Server, answer};
use crate::resource::{ReadRequest, read as read_resource};
use crate::wire::message::{ReadResourceRequest, ReadResourceResponse};
use crate::wire::{self, convert};

pub(crate) async fn handle(server: Arc<Server>, request: ReadResourceRequest) -> ReadResourceResponse {
    let as_it_was =
        ReadResourceResponse { new_state: request.current_state.clone(), private: request.private.clone(), diagnostics: Vec::new() };
    match read(&server, request).await {
        Ok(response) => response,
        Err(Failure(diagnostics)) => ReadResourceResponse { diagnostics: convert::diagnostics(diagnostics), ..as_it_was },
    }
}

async fn read(server: &Server, request: ReadResourceRequest) -> Result<ReadResourceResponse, Failure> {
    let resource = server.resource(&request.type_name)?;
    let block = resource.schema().block;
    let state = wire::decode(request.current_state.as_ref(), &block.implied_type())?;
    let context = server.context()?;
    let asked = ReadRequest { state, private: request.private.clone(), stop: server.stop.clone() };
    let found = server.guard("reading", async move { read_resource(&*resource, &context, asked).await }).await?;
    Ok(ReadResourceResponse {
        new_state: Some(answer(found.state, &block)?),
        private: found.private.unwrap_or(request.private),
        diagnostics: convert::diagnostics(found.diagnostics),
    })
}

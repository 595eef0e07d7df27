//! ReadDataSource: what there is to know.

use std::sync::Arc;

use super::{Failure, Server, answer};
use crate::resource::ReadDataRequest;
use crate::wire::message::{ReadDataSourceRequest, ReadDataSourceResponse};
use crate::wire::{self, convert};

pub(crate) async fn handle(server: Arc<Server>, request: ReadDataSourceRequest) -> ReadDataSourceResponse {
    read(&server, request)
        .await
        .unwrap_or_else(|Failure(diagnostics)| ReadDataSourceResponse { state: None, diagnostics: convert::diagnostics(diagnostics) })
}

async fn read(server: &Server, request: ReadDataSourceRequest) -> Result<ReadDataSourceResponse, Failure> {
    let source = server.data_source(&request.type_name)?;
    let block = source.schema().block;
    let config = wire::decode(request.config.as_ref(), &block.implied_type())?;
    let context = server.context()?;
    let asked = ReadDataRequest { config, stop: server.stop.clone() };
    let found = server.guard("reading", async move { source.read(&context, asked).await }).await?;
    Ok(ReadDataSourceResponse { state: Some(answer(found.state, &block)?), diagnostics: convert::diagnostics(found.diagnostics) })
}

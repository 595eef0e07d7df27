//! GetSchema: every schema there is.

use std::sync::Arc;

use super::{Server, capabilities, get_functions};
use crate::config;
use crate::wire::convert;
use crate::wire::message::{Empty, GetSchemaResponse};

pub(crate) async fn handle(server: Arc<Server>, _: Empty) -> GetSchemaResponse {
    let resources = server.resources.iter().map(|(name, resource)| ((*name).to_owned(), convert::schema(&resource.schema())));
    let data_sources = server.data_sources.iter().map(|(name, source)| ((*name).to_owned(), convert::schema(&source.schema())));
    GetSchemaResponse {
        provider: Some(convert::schema(&config::schema())),
        resource_schemas: resources.collect(),
        data_source_schemas: data_sources.collect(),
        functions: get_functions::all(&server),
        server_capabilities: Some(capabilities()),
        diagnostics: Vec::new(),
    }
}

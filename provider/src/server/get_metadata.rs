//! GetMetadata: the names of everything, without schemas.

use std::sync::Arc;

use super::{Server, capabilities};
use crate::wire::message::{Empty, GetMetadataResponse, Named};

pub(crate) async fn handle(server: Arc<Server>, _: Empty) -> GetMetadataResponse {
    let named = |name: &&'static str| Named { name: (*name).to_owned() };
    GetMetadataResponse {
        server_capabilities: Some(capabilities()),
        resources: server.resources.keys().map(named).collect(),
        data_sources: server.data_sources.keys().map(named).collect(),
        functions: server.functions.keys().map(named).collect(),
        diagnostics: Vec::new(),
    }
}

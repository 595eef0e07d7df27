//! GetFunctions: the signatures of every function.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Server;
use crate::wire::convert;
use crate::wire::message::{Empty, Function, GetFunctionsResponse};

pub(crate) async fn handle(server: Arc<Server>, _: Empty) -> GetFunctionsResponse {
    GetFunctionsResponse { functions: all(&server), diagnostics: Vec::new() }
}

pub(super) fn all(server: &Server) -> BTreeMap<String, Function> {
    server.functions.iter().map(|(name, function)| ((*name).to_owned(), convert::function(function.as_ref()))).collect()
}

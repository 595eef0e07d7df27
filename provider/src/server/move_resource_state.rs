//! MoveResourceState: nothing of another type can become one of ours. Terraform calls it for a `moved` block whatever we say we can.

use std::sync::Arc;

use trailwire_engine::diagnostic::{Code, Diagnostic};

use super::Server;
use crate::wire::convert;
use crate::wire::message::{MoveResourceStateRequest, MoveResourceStateResponse};

pub(crate) async fn handle(_: Arc<Server>, request: MoveResourceStateRequest) -> MoveResourceStateResponse {
    let message = format!("`{}` cannot be moved to `{}`", request.source_type_name, request.target_type_name);
    let refusal = Diagnostic::error(Code::WIRE, message).help("remove the `moved` block and import the resource under its new address");
    MoveResourceStateResponse { target_state: None, diagnostics: convert::diagnostics(vec![refusal]) }
}

//! Stop: the user wants out. Every running call is told; each finishes what it cannot leave half done and answers with the truth.

use std::sync::Arc;

use super::Server;
use crate::wire::message::{Empty, StopResponse};

pub(crate) async fn handle(server: Arc<Server>, _: Empty) -> StopResponse {
    tracing::info!("stop");
    server.stop.cancel();
    StopResponse::default()
}

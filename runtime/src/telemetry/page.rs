//! `--metrics-address`: `GET /metrics` for Prometheus, `GET /healthz` (200 while the process answers) and `GET /readyz` (200 while definitions and
//! queue can be read and the runtime is not stopping; 503 with the reasons otherwise). They tell names of triggers and destinations and nothing of
//! events, and take no token: listen where those who may ask can.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::json;
use tokio::net::TcpListener;

use super::meters::Meters;

/// What Prometheus calls the format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Listens, and answers for as long as the process lives: while it drains, too.
///
/// # Errors
///
/// When nobody can listen there.
pub(crate) async fn serve(address: SocketAddr, meters: Arc<Meters>) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let app = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(meters);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, app).await {
            tracing::error!(reason = error.to_string(), "the metrics are served no more");
        }
    });
    Ok(address)
}

async fn metrics(State(meters): State<Arc<Meters>>) -> Response {
    ([(header::CONTENT_TYPE, OPEN_METRICS)], meters.text()).into_response()
}

async fn ready(State(meters): State<Arc<Meters>>) -> Response {
    let faults = meters.health.faults();
    let status = if faults.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CONTENT_TYPE, "application/json")], json!({"ready": faults.is_empty(), "faults": faults}).to_string())
        .into_response()
}

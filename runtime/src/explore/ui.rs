//! `trailwire ui`: logs on a page, served to this machine alone.
//!
//! Records are read into [`memory`] once; a search gives rows, a histogram and facets ([`find`]), whose fields are [`columns`]. What the page asks is
//! answered by [`api`], after [`guard`] has let it in; what it is made of is in [`assets`].

mod api;
mod assets;
mod columns;
mod complete;
mod find;
mod guard;
mod histogram;
mod lineage;
mod memory;
mod query;
mod trigger;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use trailwire_engine::search::Query;

use self::api::{Desk, Fault};
use self::guard::{Guard, Refusal, harden};
use self::memory::{Memory, Told};
use super::files::{Found, Selection};
use crate::definitions::Definitions;
use crate::secrets::SecretText;

/// The largest question.
const LARGEST: usize = 256 * 1024;
/// For a question to have come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Writes a search as a trigger of a name, or of one that it makes up where that is empty: HCL, and the document that it stands for. An error says why no
/// trigger can say it.
pub(crate) type WriteTrigger = fn(&Query, &str) -> Result<(String, Value), String>;

/// Logs that were read, and what was read of them.
#[derive(Debug)]
pub(crate) struct Logs(Desk);

impl Logs {
    /// Reads files until their texts are more than `most` bytes. Where there are definitions, each record is judged by them.
    pub(crate) fn read(found: Found, selection: &Selection, definitions: Option<&Definitions>, most: usize, write: WriteTrigger) -> Self {
        let triggers = definitions.map(|definitions| definitions.triggers().map(|trigger| trigger.name.clone()).collect());
        let mut memory = Memory::load(&found.files, selection, definitions, most);
        memory.told.faults.splice(..0, found.faults);
        Self(Desk::new(memory, triggers.unwrap_or_default(), write))
    }

    /// How many events there are.
    pub(crate) fn len(&self) -> u32 {
        self.0.memory.len()
    }

    /// What was read and what was not.
    pub(crate) fn told(&self) -> &Told {
        &self.0.memory.told
    }
}

/// A token that nobody guesses.
///
/// # Errors
///
/// Where the system gives no random numbers.
pub(crate) fn new_token() -> Result<SecretText, getrandom::Error> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes)?;
    Ok(SecretText::new(&URL_SAFE_NO_PAD.encode(bytes)))
}

/// Serves the page until the process ends.
///
/// # Errors
///
/// When the listener breaks.
pub(crate) async fn serve(logs: Logs, listener: TcpListener, token: SecretText) -> std::io::Result<()> {
    let guard = Guard::new(token, listener.local_addr()?.ip());
    let app = Router::new().fallback(handle).with_state(Arc::new((guard, Arc::new(logs.0))));
    axum::serve(listener, app).await
}

async fn handle(State(state): State<Arc<(Guard, Arc<Desk>)>>, request: Request) -> Response {
    let (guard, desk) = &*state;
    let mut response = match guard.check(request.method(), request.headers()) {
        Err(refusal) => refused(&refusal),
        Ok(()) => match (request.method().clone(), request.uri().path().to_owned()) {
            (Method::POST, path) => answer(desk, path, request.into_body()).await,
            (_, path) => match assets::asset(&path) {
                Some(asset) => ([(header::CONTENT_TYPE, asset.kind)], asset.bytes).into_response(),
                None => told(StatusCode::NOT_FOUND, "there is nothing here"),
            },
        },
    };
    harden(response.headers_mut());
    response
}

async fn answer(desk: &Arc<Desk>, path: String, body: Body) -> Response {
    let body = match tokio::time::timeout(PATIENCE, to_bytes(body, LARGEST)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return told(StatusCode::PAYLOAD_TOO_LARGE, "the question broke off, or is larger than 256 KiB"),
        Err(_) => return told(StatusCode::REQUEST_TIMEOUT, "the question did not come in time"),
    };
    let desk = Arc::clone(desk);
    match tokio::task::spawn_blocking(move || desk.answer(&path, &body)).await {
        Ok(Ok(answer)) => as_json(StatusCode::OK, &answer),
        Ok(Err(Fault::Unknown)) => told(StatusCode::NOT_FOUND, "there is nothing here"),
        Ok(Err(Fault::NoEvent)) => told(StatusCode::NOT_FOUND, "there is no such event in these logs"),
        Ok(Err(Fault::Unreadable(reason))) => told(StatusCode::BAD_REQUEST, &format!("the question can not be read: {reason}")),
        Err(_) => told(StatusCode::INTERNAL_SERVER_ERROR, "a bug stopped this search"),
    }
}

fn refused(refusal: &Refusal) -> Response {
    let mut response = told(refusal.status, refusal.reason);
    if refusal.status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET, HEAD, POST"));
    }
    response
}

fn told(status: StatusCode, reason: &str) -> Response {
    as_json(status, &json!({"error": reason}))
}

fn as_json(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

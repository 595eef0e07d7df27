//! Events by HTTP: `POST /` (or `/events`) of an event, a log file, or an array of events.
//!
//! All or nothing: 200 means that every event of the body is judged and what matched is durable; 400 means that nothing was taken,
//! and says which element is none. 413 when the body is too large, 408 when it does not come within half a minute; a request whose head does not come in that time
//! is cut off; 429 when too much is under way, 401 without the token, 503 while
//! stopping. `GET /healthz` answers 200. Unless it listens on a loopback address only, a token is required (`Authorization: Bearer …`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use trailwire_engine::event::{self, Event};

use crate::definitions::Definitions;
use crate::driver::Intake;
use crate::secrets::SecretText;

/// The largest body: four of the largest events that a queue carries.
const LARGEST: usize = 4 * 1024 * 1024;
const TOO_LARGE: &str = "the body is larger than 4 MiB";
/// For the head of a request to have come, and for its body.
const HEAD: Duration = Duration::from_secs(30);
const BODY: Duration = Duration::from_secs(30);
/// After a connection that could not be taken: files may be short.
const PAUSE: Duration = Duration::from_millis(100);
/// Requests under way at once; one more is answered 429.
const UNDER_WAY: usize = 256;

/// The HTTP source.
#[derive(Clone)]
pub(crate) struct Http {
    intake: Intake,
    definitions: Arc<Definitions>,
    token: Option<SecretText>,
    places: Arc<Semaphore>,
}

impl Http {
    pub(crate) fn new(intake: Intake, definitions: Arc<Definitions>, token: Option<SecretText>) -> Self {
        Self { intake, definitions, token, places: Arc::new(Semaphore::new(UNDER_WAY)) }
    }

    /// Serves until it is told to stop; requests that were taken are answered.
    pub(crate) async fn serve(self, listener: TcpListener, stop: CancellationToken) {
        let app =
            Router::new().route("/", post(take)).route("/events", post(take)).route("/healthz", get(|| async { "ok\n" })).with_state(self);
        serve(app, listener, HEAD, stop).await;
    }

    fn is_allowed(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        token.is(given)
    }
}

async fn serve(app: Router, listener: TcpListener, head: Duration, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(connection(app.clone(), stream, head, stop.clone()))),
                Err(error) => {
                    tracing::warn!(reason = error.to_string(), "a connection can not be taken");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Answers what comes on a connection; the first byte of each request's head must be followed by all of it within `head`.
async fn connection(app: Router, stream: TcpStream, head: Duration, stop: CancellationToken) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(head);
    let mut served = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app)));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(reason = error.to_string(), "a connection broke off");
    }
}

/// Whether a token is needed to listen here.
pub(crate) fn needs_token(address: &SocketAddr) -> bool {
    !address.ip().is_loopback()
}

/// Nothing of a body is read before its sender is known and has a place, and it has to come in time.
async fn take(State(http): State<Http>, request: Request) -> Response {
    if !http.is_allowed(request.headers()) {
        return problem(StatusCode::UNAUTHORIZED, "a token is needed: `Authorization: Bearer …`");
    }
    let Ok(_place) = http.places.try_acquire() else {
        return busy("too many requests are under way");
    };
    if http.intake.is_full() {
        return busy("too many deliveries are open");
    }
    if request.body().size_hint().lower() > LARGEST as u64 {
        return problem(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE);
    }
    let body = match tokio::time::timeout(BODY, to_bytes(request.into_body(), LARGEST)).await {
        Ok(Ok(body)) => body,
        Ok(Err(error)) if is_too_large(&error) => return problem(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE),
        Ok(Err(_)) => return problem(StatusCode::BAD_REQUEST, "the body broke off"),
        Err(_) => return problem(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"),
    };
    let events = match events(&body) {
        Ok(events) => events,
        Err(reason) => return problem(StatusCode::BAD_REQUEST, &reason),
    };
    let events = events.into_iter().map(Into::into).collect();
    match http.intake.offer(events, Arc::clone(&http.definitions)).await {
        Ok(verdict) => {
            let accepted = verdict.matched + verdict.unmatched;
            let counts = json!({"accepted": accepted, "matched": verdict.matched, "unmatched": verdict.unmatched,
                "started": verdict.started, "repeated": verdict.repeated, "counted": verdict.counted});
            (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], counts.to_string()).into_response()
        }
        Err(stopped) => problem(StatusCode::SERVICE_UNAVAILABLE, &stopped.to_string()),
    }
}

/// Every event of a body, or the reason why one of them is none.
fn events(body: &[u8]) -> Result<Vec<Event>, String> {
    let value: Value = serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    let values = match value {
        Value::Array(values) => values,
        value => event::split(value),
    };
    let events = values.into_iter().enumerate();
    events.map(|(index, value)| super::event(value).map_err(|error| format!("element {index}: {error}"))).collect()
}

fn is_too_large(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<http_body_util::LengthLimitError>())
}

fn problem(status: StatusCode, reason: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], json!({"error": reason}).to_string()).into_response()
}

fn busy(reason: &str) -> Response {
    let mut response = problem(StatusCode::TOO_MANY_REQUESTS, reason);
    response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn who_is_slow_to_say_what_he_wants_is_cut_off() {
        let half = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
        for (limit, said, is_answered) in
            [(Duration::from_millis(50), half, false), (Duration::from_secs(120), &format!("{half}\r\n"), true)]
        {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (app, stop) = (Router::new().route("/", get(|| async { "ok" })), CancellationToken::new());
            let serving = tokio::spawn(serve(app, listener, limit, stop.clone()));
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(said.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            // The end of the connection, whatever is said before it.
            client.read_to_end(&mut answer).await.unwrap();
            let answer = String::from_utf8_lossy(&answer);
            assert_eq!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok"), is_answered, "{answer}");
            stop.cancel();
            serving.await.unwrap();
        }
    }

    #[test]
    fn a_body_is_taken_whole_or_not_at_all() {
        assert_eq!(events(br#"{"eventName":"A"}"#).unwrap().len(), 1);
        assert_eq!(events(br#"[{"eventName":"A"},{"detail":{}}]"#).unwrap().len(), 2);
        assert_eq!(events(br#"{"Records":[{"eventName":"A"}]}"#).unwrap().len(), 1);
        assert_eq!(events(b"[]").unwrap().len(), 0);
        assert_eq!(events(br#"[{"eventName":"A"},7]"#).unwrap_err(), "element 1: an event is an object, this is a number");
        assert!(events(b"{").unwrap_err().starts_with("the body is not JSON"));
    }

    #[test]
    fn only_loopback_needs_no_token() {
        for (address, needed) in [("127.0.0.1:1", false), ("[::1]:1", false), ("0.0.0.0:1", true), ("10.0.0.1:1", true), ("[::]:1", true)] {
            assert_eq!(needs_token(&address.parse().unwrap()), needed, "{address}");
        }
    }
}

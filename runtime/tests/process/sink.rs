//! A destination that records what it gets and answers as it is told.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use crate::program::PATIENCE;

/// A request that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
    pub(crate) at: Instant,
    /// The same as the clock of the machine says it.
    pub(crate) arrived: SystemTime,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub(crate) fn event_id(&self) -> String {
        self.json()["data"]["event"]["detail"]["eventID"].as_str().unwrap().to_owned()
    }
}

/// How to answer one request: status, headers, body, and after how long.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) header: Option<(&'static str, String)>,
    pub(crate) body: &'static str,
    pub(crate) after: Duration,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }
}

#[derive(Default)]
struct Shared {
    received: Mutex<Vec<Received>>,
    /// Requests by path, also those that are not answered yet.
    come: Mutex<HashMap<String, usize>>,
    replies: Mutex<HashMap<String, VecDeque<Reply>>>,
}

/// The destination.
#[derive(Clone)]
pub(crate) struct Sink {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

impl Sink {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        let app = Router::new().fallback(record).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, shared }
    }

    /// Everything that has arrived, in order.
    pub(crate) fn all(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Answers the next requests to a path so; then 200 again.
    pub(crate) fn answer(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        self.shared.replies.lock().unwrap().entry(path.to_owned()).or_default().extend(replies);
    }

    pub(crate) fn received(&self, path: &str) -> Vec<Received> {
        self.shared.received.lock().unwrap().iter().filter(|received| received.path == path).cloned().collect()
    }

    /// Waits for at least so many requests at a path.
    pub(crate) async fn expect(&self, path: &str, count: usize) -> Vec<Received> {
        self.wait(path, &format!("{count} requests"), |received| received.len() >= count).await
    }

    /// Waits until so many requests have come to a path, answered or not.
    pub(crate) async fn asked(&self, path: &str, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let come = self.shared.come.lock().unwrap().get(path).copied().unwrap_or_default();
            if come >= count {
                return;
            }
            assert!(Instant::now() < deadline, "waited for {count} requests to begin at {path}; {come} did");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn wait(&self, path: &str, what: &str, done: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let received = self.received(path);
            if done(&received) {
                return received;
            }
            assert!(Instant::now() < deadline, "waited for {what} at {path}; {} came", received.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn record(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let path = parts.uri.path().to_owned();
    let reply = shared.replies.lock().unwrap().get_mut(&path).and_then(VecDeque::pop_front).unwrap_or(Reply::status(200));
    *shared.come.lock().unwrap().entry(path.clone()).or_default() += 1;
    tokio::time::sleep(reply.after).await;
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    shared.received.lock().unwrap().push(Received {
        path,
        headers: headers.collect(),
        body: String::from_utf8(body.to_vec()).unwrap(),
        at: Instant::now(),
        arrived: SystemTime::now(),
    });
    let mut response = (axum::http::StatusCode::from_u16(reply.status).unwrap(), reply.body).into_response();
    if let Some((name, value)) = reply.header {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

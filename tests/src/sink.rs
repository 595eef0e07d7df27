//! Where notifications arrive: an HTTP server that records every request and answers as it is told.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The largest request that the sink reads.
const LIMIT: usize = 16 * 1024 * 1024;

/// The recorder of notifications. Tests that share one keep apart by paths of their own.
#[derive(Clone, Debug)]
pub struct Sink {
    url: String,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    received: Mutex<Vec<Notification>>,
    scripts: Mutex<HashMap<String, VecDeque<Reply>>>,
    arrivals: watch::Sender<usize>,
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Notification {
    /// The path it was sent to.
    pub path: String,
    /// Its headers, names in lower case.
    pub headers: HashMap<String, String>,
    /// Its body.
    pub body: String,
    /// When it arrived.
    pub arrived: SystemTime,
    /// The status that it was answered with.
    pub status: u16,
}

impl Notification {
    /// The body, which must be JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.body))
    }

    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Whether the sender was told that it was taken.
    pub fn is_accepted(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// How to answer one request.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    delay: Duration,
}

impl Reply {
    /// An empty answer with this status.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), delay: Duration::ZERO }
    }

    /// The same with a header more.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, later.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

impl Sink {
    /// Serves on the listener until the runtime ends.
    pub(crate) fn serve(listener: TcpListener) -> std::io::Result<Self> {
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared::default());
        let router = Router::new().fallback(record).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, shared })
    }

    /// The address, without a path.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address of one path.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Answers the next requests to the path in this way, one reply each; then 200 again.
    pub fn script(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        lock(&self.shared.scripts).entry(path.to_owned()).or_default().extend(replies);
    }

    /// What has arrived at the path, in order.
    pub fn received(&self, path: &str) -> Vec<Notification> {
        lock(&self.shared.received).iter().filter(|notification| notification.path == path).cloned().collect()
    }

    /// Waits until at least `count` requests have arrived at the path and gives all that have.
    ///
    /// # Panics
    /// When they have not within two minutes.
    pub async fn expect(&self, path: &str, count: usize) -> Vec<Notification> {
        self.wait(path, |received| received.len() >= count, Duration::from_secs(120), &format!("{count} notifications")).await
    }

    /// Waits until what arrived at the path satisfies the condition and gives it.
    ///
    /// # Panics
    /// When the time is over before.
    pub async fn wait(&self, path: &str, done: impl Fn(&[Notification]) -> bool, limit: Duration, what: &str) -> Vec<Notification> {
        let mut arrivals = self.shared.arrivals.subscribe();
        let waiting = async {
            loop {
                arrivals.mark_unchanged();
                let received = self.received(path);
                if done(&received) {
                    return received;
                }
                let _ = arrivals.changed().await;
            }
        };
        match tokio::time::timeout(limit, waiting).await {
            Ok(received) => received,
            Err(_) => panic!("waited {limit:?} for {what} at {path}; {} arrived", self.received(path).len()),
        }
    }

    /// Hands over what arrives at the path, each request once and in order, until `is_all` says that it was the last: for so many that looking at all of
    /// them again and again would take longer than they do.
    ///
    /// # Panics
    /// When the time is over before.
    pub async fn each(&self, path: &str, mut is_all: impl FnMut(&Notification) -> bool, limit: Duration, what: &str) {
        let mut arrivals = self.shared.arrivals.subscribe();
        let mut known = 0;
        let all = async {
            loop {
                arrivals.mark_unchanged();
                let new = known;
                {
                    let received = lock(&self.shared.received);
                    known = received.len();
                    if received[new..].iter().filter(|notification| notification.path == path).any(&mut is_all) {
                        return;
                    }
                }
                let _ = arrivals.changed().await;
            }
        };
        if tokio::time::timeout(limit, all).await.is_err() {
            panic!("waited {limit:?} for {what} at {path}; {} arrived", self.received(path).len());
        }
    }

    /// Watches the number of all requests, whatever their path.
    pub fn arrivals(&self) -> watch::Receiver<usize> {
        self.shared.arrivals.subscribe()
    }

    /// Everything that has arrived, in order.
    pub fn all(&self) -> Vec<Notification> {
        lock(&self.shared.received).clone()
    }
}

async fn record(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LIMIT).await.unwrap_or_default();
    let path = parts.uri.path().to_owned();
    let reply = lock(&shared.scripts).get_mut(&path).and_then(VecDeque::pop_front).unwrap_or(Reply::status(200));
    tokio::time::sleep(reply.delay).await;
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    lock(&shared.received).push(Notification {
        path,
        headers: headers.collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
        arrived: SystemTime::now(),
        status: reply.status,
    });
    shared.arrivals.send_modify(|arrivals| *arrivals += 1);
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(axum::body::Body::empty()).expect("tests give headers that HTTP can carry")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

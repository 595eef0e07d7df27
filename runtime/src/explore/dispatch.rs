//! Events of logs to a runtime that is at work, which judges and remembers them as any other: what it has acted on, it knows by its key.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, StatusCode};
use trailwire_engine::event::Event;

use crate::core::run::event_key;
use crate::hub::aws::describe;
use crate::hub::{HubError, Look};
use crate::journal::KEY_DAYS;

/// Events in one request: as many as SQS takes.
const BATCH: usize = 10;
/// Bytes in one request: a quarter of what SQS takes.
const LARGEST: usize = 256 * 1024;
/// How often a runtime that has no room is asked again.
const PATIENCE: u32 = 60;

/// Where events go.
pub(crate) enum Target {
    /// The queue of a hub.
    Hub { queue: aws_sdk_sqs::Client, url: String },
    /// The HTTP source of a runtime.
    Http { client: Client, url: String, token: Option<String> },
}

impl Target {
    /// The queue of the hub of this name, in the region and account of the environment.
    ///
    /// # Errors
    ///
    /// [`HubError`], within seconds.
    pub(crate) async fn hub(name: &str) -> Result<Self, HubError> {
        let (queue, url) = Look::queue_of(name).await?;
        Ok(Self::Hub { queue, url })
    }

    /// The HTTP source at this address; `token` where it asks for one.
    pub(crate) fn http(url: &str, token: Option<String>) -> reqwest::Result<Self> {
        let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(Duration::from_secs(60)).build()?;
        Ok(Self::Http { client, url: url.to_owned(), token })
    }

    async fn send(&self, events: &[Event]) -> Result<(), String> {
        match self {
            Self::Hub { queue, url } => {
                let entries = events.iter().enumerate().map(|(index, event)| {
                    let entry = SendMessageBatchRequestEntry::builder().id(index.to_string());
                    entry.message_body(event.envelope().to_string()).build().map_err(|error| error.to_string())
                });
                let entries = entries.collect::<Result<Vec<_>, _>>()?;
                let answer = queue.send_message_batch().queue_url(url).set_entries(Some(entries)).send().await;
                let answer = answer.map_err(|error| format!("the hub's queue does not take events: {}", describe(&error)))?;
                match answer.failed() {
                    [] => Ok(()),
                    [first, ..] => {
                        Err(format!("the hub's queue did not take an event: {}: {}", first.code(), first.message().unwrap_or_default()))
                    }
                }
            }
            Self::Http { client, url, token } => {
                // A record is completed over there as it was here; what is not known of it stays untested there, too.
                let as_read = |event: &Event| if event.is_completed() { event.detail().clone() } else { event.envelope().clone() };
                let body = serde_json::Value::from(events.iter().map(as_read).collect::<Vec<_>>()).to_string();
                for _ in 0..PATIENCE {
                    let mut post = client.post(url).body(body.clone());
                    if let Some(token) = token {
                        post = post.bearer_auth(token);
                    }
                    let answer = post.send().await.map_err(|error| format!("{url} can not be reached: {}", error.without_url()))?;
                    match answer.status() {
                        status if status.is_success() => return Ok(()),
                        StatusCode::TOO_MANY_REQUESTS => tokio::time::sleep(Duration::from_secs(1)).await,
                        status => return Err(format!("{url} answers {status}: {}", answer.text().await.unwrap_or_default())),
                    }
                }
                Err(format!("{url} has no room"))
            }
        }
    }
}

/// Collects events, each once, and sends them in requests of some.
pub(crate) struct Dispatch {
    target: Target,
    waiting: Vec<Event>,
    bytes: usize,
    seen: HashSet<String>,
    /// Events that were taken.
    pub(crate) sent: u64,
    /// Those of them that happened so long ago that the runtime has forgotten whether it acted on them.
    pub(crate) old: u64,
    forgotten: Timestamp,
}

impl Dispatch {
    pub(crate) fn new(target: Target, now: Timestamp) -> Self {
        let forgotten = now.checked_sub(SignedDuration::from_hours(24 * KEY_DAYS)).unwrap_or(Timestamp::MIN);
        Self { target, waiting: Vec::new(), bytes: 0, seen: HashSet::new(), sent: 0, old: 0, forgotten }
    }

    /// Takes an event; what waits is sent where it is enough for a request.
    ///
    /// # Errors
    ///
    /// Why it can not be sent, in words. What was sent stays sent.
    pub(crate) async fn add(&mut self, event: Event) -> Result<(), String> {
        if !self.seen.insert(event_key(&event)) {
            return Ok(());
        }
        let size = event.envelope().to_string().len();
        if self.waiting.len() == BATCH || self.bytes + size > LARGEST {
            self.flush().await?;
        }
        let time = event.time().and_then(|time| time.parse::<Timestamp>().ok());
        self.old += u64::from(time.is_some_and(|time| time < self.forgotten));
        self.bytes += size;
        self.waiting.push(event);
        Ok(())
    }

    /// Sends what waits.
    ///
    /// # Errors
    ///
    /// As [`Dispatch::add`].
    pub(crate) async fn flush(&mut self) -> Result<(), String> {
        if !self.waiting.is_empty() {
            self.target.send(&self.waiting).await?;
            self.sent += u64::try_from(self.waiting.len()).unwrap_or_default();
        }
        self.waiting.clear();
        self.bytes = 0;
        Ok(())
    }
}

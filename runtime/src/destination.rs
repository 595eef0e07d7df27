//! Destinations: how content looks at each kind, and how it gets there.
//!
//! A kind is one file with its payload, limits, escaping and its reading of the answer, behind the trait [`Kind`]; [`kind`] is the
//! list. What they share is here: secrets are fetched, one POST is made, redirects are not followed.

mod slack;
mod webhook;

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Url;
use thiserror::Error;
use trailwire_engine::trigger::{Destination, DestinationKind, Secret};

use crate::action::{Content, is_shown};
use crate::core::Attempt;
use crate::secrets::{SecretText, Secrets};

/// For a connection to stand.
const CONNECT: Duration = Duration::from_secs(5);
/// For the whole exchange.
const EXCHANGE: Duration = Duration::from_secs(20);
/// How much of an answer is read.
const ANSWER: usize = 4096;

/// One kind of destination.
trait Kind {
    /// The secrets that the payload needs, in the order in which [`Kind::request`] takes them.
    fn secrets(&self) -> Vec<&Secret>;

    /// The request that delivers the content. `id` names the delivery in every attempt.
    fn request(&self, content: &Content, id: &str, now: Timestamp, secrets: &[SecretText]) -> Result<Request, Undeliverable>;

    /// What an answer means.
    fn verdict(&self, answer: &Answer) -> Attempt;
}

/// Every kind there is.
fn kind(destination: &DestinationKind) -> Box<dyn Kind + Send + Sync + '_> {
    match destination {
        DestinationKind::Webhook(webhook) => Box::new(webhook::WebhookKind(webhook)),
        DestinationKind::Slack(slack) => Box::new(slack::SlackKind(slack)),
    }
}

/// A POST of JSON.
struct Request {
    url: Url,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    retry_after: Option<Duration>,
    /// Its first [`ANSWER`] bytes.
    body: String,
}

impl Answer {
    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// It may work later. `said` is what may be repeated of the answer.
    fn failed(&self, said: &str) -> Attempt {
        Attempt::Failed { reason: self.words(said), retry_after: self.retry_after }
    }

    /// It will never work.
    fn refused(&self, said: &str) -> Attempt {
        Attempt::Final { reason: self.words(said) }
    }

    /// The status and what was said, in one line. Many servers repeat the address that was asked for, so a kind whose address is a secret
    /// must not hand on what it does not know.
    fn words(&self, said: &str) -> String {
        let said: String = said.chars().filter(|c| is_shown(*c)).take(200).map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        match said.trim() {
            "" => format!("the destination answered {}", self.status),
            said => format!("the destination answered {}: {said}", self.status),
        }
    }
}

/// Why no request can be made. All of it may be repaired (a secret, a definition), so the delivery is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
enum Undeliverable {
    #[error("the address is not one: {0}")]
    BadUrl(String),
    #[error("the address is {0}; only https is allowed, or http to a loopback address")]
    Insecure(String),
    #[error("the signing secret is not `whsec_` and base64 of 24 to 64 bytes")]
    BadSigningSecret,
    #[error("a {0} destination takes notifications only; `send` needs a webhook")]
    NotificationsOnly(&'static str),
}

/// Sends content to destinations.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    client: reqwest::Client,
    /// For loopback addresses: what may go in the open must not go through a proxy.
    direct: reqwest::Client,
    secrets: Secrets,
}

impl Sender {
    /// # Errors
    ///
    /// When the TLS library can not be set up.
    pub(crate) fn new(secrets: Secrets) -> Result<Self, reqwest::Error> {
        let builder = || {
            let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).connect_timeout(CONNECT);
            builder.timeout(EXCHANGE).user_agent(concat!("trailwire/", env!("CARGO_PKG_VERSION")))
        };
        Ok(Self { client: builder().build()?, direct: builder().no_proxy().build()?, secrets })
    }

    /// Makes one attempt. `id` is the same in every attempt at this delivery.
    pub(crate) async fn deliver(&self, destination: &Destination, content: &Content, id: &str) -> Attempt {
        let kind = kind(&destination.kind);
        let mut texts = Vec::new();
        for secret in kind.secrets() {
            match self.secrets.get(secret).await {
                Ok(text) => texts.push(text),
                Err(error) => return failed(error.to_string()),
            }
        }
        match kind.request(content, id, Timestamp::now(), &texts) {
            Err(error) => failed(error.to_string()),
            Ok(request) => match self.post(request).await {
                Ok(answer) => kind.verdict(&answer),
                Err(reason) => failed(reason),
            },
        }
    }

    async fn post(&self, request: Request) -> Result<Answer, String> {
        let client = if is_loopback(&request.url) { &self.direct } else { &self.client };
        let mut post = client.post(request.url).header("content-type", "application/json").body(request.body);
        for (name, value) in request.headers {
            post = post.header(name, value);
        }
        let mut response = post.send().await.map_err(|error| transport_fault(&error))?;
        let header = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let retry_after = header.and_then(|text| retry_after(text, Timestamp::now()));
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while body.len() < ANSWER
            && let Ok(Some(chunk)) = response.chunk().await
        {
            body.extend(chunk.iter().take(ANSWER.saturating_sub(body.len())));
        }
        Ok(Answer { status, retry_after, body: String::from_utf8_lossy(&body).into_owned() })
    }
}

fn failed(reason: String) -> Attempt {
    Attempt::Failed { reason, retry_after: None }
}

/// An error of the transport in words that hold no address: addresses may be secrets.
fn transport_fault(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut source: Option<&dyn std::error::Error> = std::error::Error::source(error);
    let mut innermost = None;
    while let Some(cause) = source {
        innermost = Some(cause.to_string());
        source = cause.source();
    }
    match (error.is_connect(), innermost) {
        (true, Some(cause)) => format!("no connection: {cause}"),
        (true, None) => "no connection".to_owned(),
        (false, Some(cause)) => format!("the exchange broke off: {cause}"),
        (false, None) => "the exchange broke off".to_owned(),
    }
}

/// `Retry-After`: seconds, or a date.
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Duration::try_from(date.timestamp().duration_since(now)).unwrap_or_default())
}

/// An address that may be posted to: https, or http to a loopback address, so that neither content nor secrets cross a network in the open.
fn safe_url(text: &str) -> Result<Url, Undeliverable> {
    // The parser's error does not repeat the text.
    let url = Url::parse(text.trim()).map_err(|error| Undeliverable::BadUrl(error.to_string()))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(Undeliverable::Insecure("plain http".to_owned())),
        scheme => Err(Undeliverable::Insecure(scheme.to_owned())),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Cuts a text to at most `max` characters (Unicode scalar values), with a mark where something is missing.
fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(max.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_addresses_are_posted_to() {
        for good in ["https://example.com/x", "http://127.0.0.1:8080/", "http://localhost/x", "http://[::1]:1/", " https://example.com\n"] {
            assert!(safe_url(good).is_ok(), "{good}");
        }
        for bad in [
            "http://example.com/",
            "http://127.0.0.1.example.com/",
            "http://localhost.example.com",
            "ftp://example.com",
            "example.com",
            "",
            "file:///etc/passwd",
            "http://10.0.0.1",
        ] {
            assert!(safe_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let cases = [
            ("30", Some(30)),
            (" 0 ", Some(0)),
            ("Sun, 01 Mar 2026 12:01:00 GMT", Some(60)),
            ("Sun, 01 Mar 2026 11:00:00 GMT", Some(0)),
            ("soon", None),
            ("-5", None),
            ("", None),
        ];
        for (text, seconds) in cases {
            assert_eq!(retry_after(text, now).map(|wait| wait.as_secs()), seconds, "{text}");
        }
    }

    #[test]
    fn long_text_is_cut_with_a_mark() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
        assert_eq!(cut("", 0), "");
    }
}

//! Traces, for whoever has an OpenTelemetry collector: one trace for each run, whose id is the run's, with a span from the event to its acceptance and below it
//! one for each attempt at a delivery. They are sent as OTLP over HTTP in JSON (OpenTelemetry specification, "OTLP/HTTP", "JSON Protobuf Encoding"), and only
//! where the environment names a collector (specification, "OpenTelemetry Protocol Exporter", "OpenTelemetry Environment Variables"):
//!
//! | variable | what |
//! | --- | --- |
//! | `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` | the address, as it is |
//! | `OTEL_EXPORTER_OTLP_ENDPOINT` | the address, to which `/v1/traces` is added |
//! | `OTEL_EXPORTER_OTLP_TRACES_HEADERS`, `OTEL_EXPORTER_OTLP_HEADERS` | `name=value,…`, percent-encoded: headers of each request, such as a token |
//! | `OTEL_SERVICE_NAME` | `service.name`; `trailwire` where it is not set |
//! | `OTEL_SDK_DISABLED`, `OTEL_TRACES_EXPORTER` | `true`, `none`: no traces |
//!
//! Traces are no part of what is promised of deliveries: what the collector does not take is dropped, and the log says so.

use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, oneshot};
use trailwire_engine::fanout::policy::from_percent;

use crate::core::Attempt;
use crate::core::run::{Run, RunId, Step, Task, short_hash};

/// Spans that may wait; beyond, they are dropped.
const WAITING: usize = 4_096;
/// Spans in one request.
const BATCH: usize = 512;
/// How long the first span of a request waits for others.
const GATHER: Duration = Duration::from_secs(2);
/// For one request.
const EXCHANGE: Duration = Duration::from_secs(10);

/// `SPAN_KIND_CONSUMER`, `SPAN_KIND_PRODUCER`, `STATUS_CODE_OK`, `STATUS_CODE_ERROR` of the specification.
const CONSUMER: u8 = 5;
const PRODUCER: u8 = 4;
const OK: u8 = 1;
const ERROR: u8 = 2;

enum Message {
    Span(Value),
    Flush(oneshot::Sender<()>),
}

static TRACES: OnceLock<mpsc::Sender<Message>> = OnceLock::new();

/// Where traces go, as the environment says.
struct Exporter {
    client: reqwest::Client,
    endpoint: String,
    headers: HeaderMap,
    service: String,
    /// Whether the last request failed: the log says so once.
    failing: bool,
}

/// Starts sending traces where the environment names a collector. To be called within the runtime; a second call changes nothing.
pub(crate) fn start() {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match Exporter::of(variable) {
        Ok(None) => {}
        Ok(Some(exporter)) => {
            let (sender, inbox) = mpsc::channel(WAITING);
            if TRACES.set(sender).is_ok() {
                tracing::info!(endpoint = exporter.endpoint, "traces are sent");
                tokio::spawn(exporter.run(inbox));
            }
        }
        Err(reason) => tracing::error!(reason, "no traces are sent"),
    }
}

/// Waits until what was told so far is sent, or was dropped.
pub(crate) async fn flush() {
    let Some(traces) = TRACES.get() else { return };
    let (done, sent) = oneshot::channel();
    if traces.send(Message::Flush(done)).await.is_ok() {
        drop(sent.await);
    }
}

fn tell(span: impl FnOnce() -> Span) {
    // A collector that is behind costs spans, never time.
    let Some(place) = TRACES.get().and_then(|traces| traces.try_reserve().ok()) else { return };
    place.send(Message::Span(Value::Object(span())));
}

/// A run was accepted: the span from the event to now.
pub(crate) fn accepted(run: &Run, now: Timestamp) {
    tell(|| {
        let text = |pointer: &str| run.event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let began = [text("/detail/eventTime"), text("/time")].iter().find_map(|time| time.parse::<Timestamp>().ok());
        let attributes = [
            ("trailwire.trigger", run.trigger.name.clone()),
            ("trailwire.severity", run.trigger.severity.name().to_owned()),
            ("aws.cloudtrail.event_name", text("/detail/eventName")),
            ("aws.cloudtrail.event_id", text("/detail/eventID")),
            ("cloud.account.id", text("/account")),
            ("cloud.region", text("/region")),
        ];
        // Clocks differ: a span that ends before it begins is refused by some.
        let began = began.unwrap_or(now).min(now);
        let mut span = span(run.id(), root(run.id()), &format!("trigger {}", run.trigger.name), CONSUMER, (began, now));
        span.insert("attributes".to_owned(), described(&attributes));
        span
    });
}

/// An attempt at a delivery has ended.
pub(crate) fn attempted(task: &Task, attempt: &Attempt, began: Timestamp, now: Timestamp) {
    let Step::Deliver(destination) = &task.id.step else { return };
    tell(|| {
        let attributes = [
            ("trailwire.trigger", task.trigger.clone()),
            ("trailwire.destination", destination.clone()),
            ("trailwire.action", task.id.action.to_string()),
            ("trailwire.attempt", (task.attempts + 1).to_string()),
        ];
        let status = match attempt {
            Attempt::Delivered => json!({"code": OK}),
            Attempt::Failed { reason, .. } | Attempt::Final { reason } => json!({"code": ERROR, "message": reason}),
        };
        let id = half(short_hash(&[b"attempt", task.id.idempotency_key().as_bytes(), &task.attempts.to_be_bytes()]));
        let mut span = span(task.id.run, id, &format!("deliver {destination}"), PRODUCER, (began, now.max(began)));
        let parent = json!(format!("{:016x}", root(task.id.run)));
        let more = [("parentSpanId", parent), ("attributes", described(&attributes)), ("status", status)];
        span.extend(more.map(|(name, value)| (name.to_owned(), value)));
        span
    });
}

/// A span as the encoding has it.
type Span = Map<String, Value>;

fn span(run: RunId, id: u64, name: &str, kind: u8, (began, ended): (Timestamp, Timestamp)) -> Span {
    // 64-bit integers are strings in this encoding.
    let nanoseconds = |time: Timestamp| json!(time.as_nanosecond().to_string());
    let members = [
        ("traceId", json!(run.to_string())),
        ("spanId", json!(format!("{id:016x}"))),
        ("name", json!(name)),
        ("kind", json!(kind)),
        ("startTimeUnixNano", nanoseconds(began)),
        ("endTimeUnixNano", nanoseconds(ended)),
    ];
    members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

fn described(attributes: &[(&str, String)]) -> Value {
    attributes.iter().map(|(key, value)| json!({"key": key, "value": {"stringValue": value}})).collect()
}

/// The id of a run's first span.
fn root(run: RunId) -> u64 {
    half(short_hash(&[b"run", &run.0]))
}

/// An id of a span: never zero, which means none.
fn half(hash: [u8; 16]) -> u64 {
    hash.iter().take(8).fold(0, |id, byte| (id << 8) | u64::from(*byte)).max(1)
}

impl Exporter {
    /// What the environment says; `None` where it names no collector, or wants no traces.
    ///
    /// # Errors
    ///
    /// For headers that HTTP can not carry, and a protocol that is not spoken here.
    fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let either =
            |name: &str| variable(&format!("OTEL_EXPORTER_OTLP_TRACES_{name}")).or_else(|| variable(&format!("OTEL_EXPORTER_OTLP_{name}")));
        let is_off = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
            || variable("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
        let whole = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        let below = || Some(format!("{}/v1/traces", variable("OTEL_EXPORTER_OTLP_ENDPOINT")?.trim_end_matches('/')));
        let Some(endpoint) = whole.or_else(below).filter(|_| !is_off) else { return Ok(None) };
        if let Some(protocol) = either("PROTOCOL").filter(|protocol| protocol == "grpc") {
            return Err(format!(
                "OTEL_EXPORTER_OTLP_PROTOCOL is `{protocol}`: traces are sent by HTTP, which collectors take at port 4318"
            ));
        }
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(EXCHANGE).build();
        Ok(Some(Self {
            client: client.map_err(|error| error.to_string())?,
            endpoint,
            headers: headers(&either("HEADERS").unwrap_or_default())?,
            service: variable("OTEL_SERVICE_NAME").unwrap_or_else(|| "trailwire".to_owned()),
            failing: false,
        }))
    }

    async fn run(mut self, mut inbox: mpsc::Receiver<Message>) {
        let mut spans = Vec::new();
        let mut due = None;
        loop {
            let next = async {
                match due {
                    Some(due) => tokio::time::timeout_at(due, inbox.recv()).await,
                    None => Ok(inbox.recv().await),
                }
            };
            let flushed = match next.await {
                Ok(Some(Message::Span(span))) => {
                    due = due.or_else(|| Some(tokio::time::Instant::now() + GATHER));
                    spans.push(span);
                    if spans.len() < BATCH {
                        continue;
                    }
                    None
                }
                Ok(Some(Message::Flush(done))) => Some(done),
                Ok(None) => return,
                Err(_) => None,
            };
            due = None;
            if !spans.is_empty() {
                self.send(std::mem::take(&mut spans)).await;
            }
            flushed.map(|done| done.send(()));
        }
    }

    async fn send(&mut self, spans: Vec<Value>) {
        let count = spans.len();
        let resource = described(&[("service.name", self.service.clone()), ("service.version", env!("CARGO_PKG_VERSION").to_owned())]);
        let scope = json!({"scope": {"name": "trailwire"}, "spans": spans});
        let body = json!({"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [scope]}]});
        let request = self.client.post(&self.endpoint).headers(self.headers.clone());
        let request = request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body.to_string());
        let sent = request.send().await.and_then(reqwest::Response::error_for_status);
        match sent {
            Ok(_) => self.failing = false,
            Err(error) => {
                let first = !std::mem::replace(&mut self.failing, true);
                if first {
                    tracing::warn!(reason = %error.without_url(), spans = count, "the collector takes no traces; they are dropped until it does");
                }
            }
        }
    }
}

/// `name=value,…`, the values percent-encoded (W3C Baggage without properties, as the specification says).
fn headers(text: &str) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (number, pair) in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()).enumerate() {
        // What stands there may be a secret: only its place is told.
        let wrong = || format!("header {} of OTEL_EXPORTER_OTLP_HEADERS is not `name=value` as HTTP can carry it", number + 1);
        let (name, value) = pair.split_once('=').ok_or_else(wrong)?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| wrong())?;
        let mut value = HeaderValue::from_str(&from_percent(value.trim())).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exporter(variables: &[(&str, &str)]) -> Result<Option<Exporter>, String> {
        Exporter::of(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_environment_says_where_traces_go() {
        let endpoint = |variables: &[(&str, &str)]| exporter(variables).unwrap().map(|exporter| exporter.endpoint);
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/");
        for (variables, expected) in [
            (&[][..], None),
            (&[base], Some("http://c:4318/v1/traces")),
            (&[base, ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t/x")], Some("http://t/x")),
            (&[base, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")], Some("http://c:4318/v1/traces")),
            (&[base, ("OTEL_SDK_DISABLED", "True")], None),
            (&[base, ("OTEL_TRACES_EXPORTER", "none")], None),
        ] {
            assert_eq!(endpoint(variables).as_deref(), expected, "{variables:?}");
        }
        let grpc = exporter(&[base, ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc")]).err().unwrap();
        assert!(grpc.contains("port 4318"), "{grpc}");
    }

    #[test]
    fn headers_are_decoded_and_never_told() {
        let read = headers("authorization=Bearer%20se=cret, x-a=1,,").unwrap();
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_bytes(), value.is_sensitive())).collect();
        assert_eq!(read, [("authorization", &b"Bearer se=cret"[..], true), ("x-a", b"1", true)]);
        for wrong in ["x-a=1,secret", "se cret=1", "x-a=%0asecret"] {
            let told = headers(wrong).unwrap_err();
            assert!(
                told.ends_with("of OTEL_EXPORTER_OTLP_HEADERS is not `name=value` as HTTP can carry it") && !told.contains("cret"),
                "{told}"
            );
        }
    }
}

//! An index of OpenSearch: one document for each delivery, whose id is the delivery's, so that a repetition changes nothing.
//!
//! Documents are created by `_bulk`, which answers 200 and tells of each what came of it; 409 says that it is there already. Before the first, the index
//! template `trailwire-INDEX` is put: its fields are named, nothing is added by what events say (`dynamic: false`), and what has a form of its own with every event
//! (the event, the author's fields) is a `flat_object`, one field whatever is in it, searched by dotted paths (OpenSearch 2.7 and later). So an index
//! cannot explode in fields. A text within the event that is longer than what a term may be (32,766 bytes) is cut, and what lies deeper than 15 levels becomes text.
//! Source: <https://docs.opensearch.org/latest/field-types/supported-field-types/flat-object/>, <https://docs.opensearch.org/latest/api-reference/document-apis/bulk/>.

use reqwest::{Method, Url};
use serde_json::{Map, Value, json};
use trailwire_engine::trigger::Aws;

use super::address::safe_url;
use super::aws::{Service, Signed, verdict};
use super::{Answer, Call, Kind, Request, To, Undeliverable, data, text};
use crate::action::Content;
use crate::core::Attempt;

const DOMAIN: Service = Service { host: "es", name: "es", id: "OPENSEARCH", place: None };
const SERVERLESS: Service = Service { host: "aoss", name: "aoss", id: "OPENSEARCHSERVERLESS", place: None };
/// Characters of a text in the event: no more than 32,766 bytes with its path.
const LEAF: usize = 7000;
/// Levels of what a `flat_object` takes.
pub(crate) const DEPTH: usize = 15;
/// Domains of small instances take requests of 10 MiB.
const DOCUMENT: usize = 9 * 1024 * 1024;

/// An index of an OpenSearch domain or collection.
pub(super) struct Opensearch<'a> {
    pub(super) endpoint: &'a str,
    pub(super) index: &'a str,
    pub(super) aws: &'a Aws,
}

impl Opensearch<'_> {
    fn to(&self, path: String) -> Result<To, Undeliverable> {
        let mut url: Url = safe_url(self.endpoint)?;
        url.set_path("/");
        let service = if url.host_str().is_some_and(|host| host.contains(".aoss.")) { SERVERLESS } else { DOMAIN };
        let To::Aws(signed) = Signed::to(service, self.aws, path) else { return Ok(To::Url(url)) };
        Ok(To::Aws(Signed { endpoint: Some(url), ..signed }))
    }
}

impl Kind for Opensearch<'_> {
    fn request(&self, content: &Content, call: &Call<'_>) -> Result<Request, Undeliverable> {
        let document = document(content, call.id).to_string();
        if document.len() > DOCUMENT {
            return Err(Undeliverable::TooLarge { bytes: document.len(), most: DOCUMENT });
        }
        let body = format!("{}\n{document}\n", json!({"create": {"_id": call.id}}));
        Ok(Request::to(self.to(format!("/{}/_bulk", self.index))?, "application/x-ndjson", body.into_bytes()))
    }

    fn verdict(&self, answer: &Answer) -> Attempt {
        let body = answer.json();
        if !answer.is_success() {
            let said = body.pointer("/error/reason").and_then(Value::as_str);
            return said.map_or_else(|| verdict(answer), |said| answer.failed(said));
        }
        let item = body.pointer("/items/0/create");
        let status = item.and_then(|item| item.get("status")).and_then(Value::as_u64).unwrap_or(0);
        let said = item.and_then(|item| item.pointer("/error/reason")).and_then(Value::as_str).unwrap_or_default();
        match status {
            200..300 | 409 => Attempt::Delivered,
            400 => answer.refused(&format!("400 {said}")),
            status => answer.failed(&format!("{status} {said}")),
        }
    }

    fn setup(&self) -> Option<Result<Request, Undeliverable>> {
        let put =
            |to| Request { method: Method::PUT, ..Request::to(to, "application/json", template(self.index).to_string().into_bytes()) };
        Some(self.to(format!("/_index_template/trailwire-{}", self.index)).map(put))
    }
}

fn template(index: &str) -> Value {
    let keyword = json!({"type": "keyword", "ignore_above": 1024});
    let words =
        ["id", "type", "trigger", "severity", "event_name", "event_source", "account", "region", "source_ip", "error_code", "console_url"];
    let mut properties: Map<String, Value> = words.into_iter().map(|name| (name.to_owned(), keyword.clone())).collect();
    for (name, kind) in [
        ("@timestamp", json!({"type": "date"})),
        ("title", json!({"type": "text"})),
        ("message", json!({"type": "text"})),
        ("fields", json!({"type": "flat_object"})),
        ("actor", json!({"type": "flat_object"})),
        ("event", json!({"type": "flat_object"})),
    ] {
        properties.insert(name.to_owned(), kind);
    }
    index_template(index, properties)
}

/// A template for an index of this name, and for those whose names begin with it and a hyphen. It has these fields and never more, whatever documents hold.
pub(crate) fn index_template(index: &str, properties: Map<String, Value>) -> Value {
    json!({
        "index_patterns": [index, format!("{index}-*")],
        "priority": 100,
        "template": {
            "settings": {"index": {"mapping": {"total_fields": {"limit": 100}}}},
            "mappings": {"dynamic": false, "properties": properties},
        },
    })
}

fn document(content: &Content, id: &str) -> Value {
    let event = data::event(content);
    let (trigger, severity, kind) = data::labels(content);
    let of = |path: &str| event.pointer(path).filter(|value| value.is_string()).cloned();
    let mut document = json!({
        "@timestamp": data::body(content).get("timestamp"),
        "id": id,
        "type": kind,
        "trigger": trigger,
        "severity": severity,
        "event_name": of("/detail/eventName"),
        "event_source": of("/detail/eventSource"),
        "account": of("/account").or_else(|| of("/detail/recipientAccountId")),
        "region": of("/region").or_else(|| of("/detail/awsRegion")),
        "source_ip": of("/detail/sourceIPAddress"),
        "error_code": of("/detail/errorCode"),
        "event": bounded(event, DEPTH),
    });
    if let (Content::Notification(notification), Some(members)) = (content, document.as_object_mut()) {
        let fields: Map<String, Value> = notification.fields.iter().cloned().collect();
        members.insert("title".to_owned(), json!(notification.title));
        members.insert("message".to_owned(), json!(notification.text()));
        members.insert("fields".to_owned(), bounded(&Value::Object(fields), DEPTH));
        members.insert("actor".to_owned(), bounded(&json!(notification.actor), DEPTH));
        members.insert("console_url".to_owned(), json!(notification.facts.console_url));
    }
    document
}

/// What a `flat_object` takes.
pub(crate) fn bounded(value: &Value, depth: usize) -> Value {
    match value {
        Value::Object(_) | Value::Array(_) if depth == 0 => Value::String(text::cut(&value.to_string(), LEAF)),
        Value::Object(members) => {
            // An empty name is no path.
            let named = members.iter().filter(|(name, _)| !name.is_empty());
            Value::Object(named.map(|(name, value)| (text::cut(name, 200), bounded(value, depth - 1))).collect())
        }
        Value::Array(elements) => Value::Array(elements.iter().map(|element| bounded(element, depth - 1)).collect()),
        Value::String(text) => Value::String(text::cut(text, LEAF)),
        other => other.clone(),
    }
}

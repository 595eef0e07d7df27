//! Events as documents of a search engine, and the index for them.
//!
//! An index that took every member of every event for a field of its own would soon have thousands, and stop taking more (OpenSearch and Elasticsearch refuse the 1,001st). So the
//! members that searches ask for have fields, those whose form is any are one field each, and everything else is stored and found by `all`. The index is that of the destination
//! `opensearch`, but for its fields.

use std::net::IpAddr;

use serde_json::{Map, Value, json};
use trailwire_engine::event::Event;

use crate::core::run::event_key;
use crate::destination::{DEPTH, bounded, index_template};

/// The engines whose indexes can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Engine {
    Opensearch,
    Elasticsearch,
    Quickwit,
}

const WORDS: [&str; 11] = [
    "eventName",
    "eventSource",
    "awsRegion",
    "recipientAccountId",
    "errorCode",
    "eventType",
    "eventCategory",
    "eventID",
    "sharedEventID",
    "sourceIPAddress",
    "userAgent",
];
const IDENTITY: [&str; 7] = ["type", "arn", "principalId", "accountId", "userName", "invokedBy", "accessKeyId"];
/// Members of which each service makes its own.
const ANY_FORM: [&str; 5] = ["requestParameters", "responseElements", "additionalEventData", "serviceEventDetails", "resources"];
/// The most bytes of `all`.
const ALL: usize = 32 * 1024;

/// The index template (of Quickwit: the index configuration).
pub(crate) fn template(engine: Engine, index: &str) -> Value {
    let flat = match engine {
        Engine::Opensearch => "flat_object",
        Engine::Elasticsearch => "flattened",
        Engine::Quickwit => return quickwit(index),
    };
    let keyword = json!({"type": "keyword", "ignore_above": 1024});
    let words = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), keyword.clone())).collect::<Map<_, _>>();
    let issuer = json!({"properties": {"sessionIssuer": {"properties": words(&["arn", "userName"])}}});
    let mut identity = words(&IDENTITY);
    identity.insert("sessionContext".to_owned(), issuer);
    let mut properties = words(&WORDS);
    for (name, kind) in [
        ("@timestamp", json!({"type": "date"})),
        ("readOnly", json!({"type": "boolean"})),
        ("source_ip", json!({"type": "ip"})),
        ("userIdentity", json!({"properties": identity})),
        ("all", json!({"type": "text"})),
    ] {
        properties.insert(name.to_owned(), kind);
    }
    properties.extend(ANY_FORM.map(|name| (name.to_owned(), json!({"type": flat}))));
    let mut template = index_template(index, properties);
    if let Some(mappings) = template.pointer_mut("/template/mappings").and_then(Value::as_object_mut) {
        mappings.insert("_source".to_owned(), json!({"excludes": ["all"]}));
    }
    template
}

/// Quickwit has no ids: an event that is sent twice is there twice.
fn quickwit(index: &str) -> Value {
    let word = |name: &str| json!({"name": name, "type": "text", "tokenizer": "raw", "fast": true});
    let whole = |name: &str| json!({"name": name, "type": "json", "tokenizer": "raw"});
    let mut fields = vec![json!({"name": "@timestamp", "type": "datetime", "input_formats": ["rfc3339"], "fast": true})];
    fields.extend(WORDS.map(word));
    fields.push(json!({"name": "source_ip", "type": "ip", "fast": true}));
    fields.push(json!({"name": "readOnly", "type": "bool", "fast": true}));
    fields.push(whole("userIdentity"));
    fields.extend(ANY_FORM.map(whole));
    fields.push(json!({"name": "all", "type": "text", "tokenizer": "default", "stored": false}));
    json!({
        "version": "0.9", "index_id": index,
        "doc_mapping": {"mode": "lenient", "timestamp_field": "@timestamp", "field_mappings": fields},
        "search_settings": {"default_search_fields": ["all"]},
    })
}

/// The two lines of an event, without the last line's end.
pub(crate) fn lines(index: &str, event: &Event) -> String {
    // Ids of more than 512 bytes are refused.
    let id: String = event_key(event).chars().take(128).collect();
    format!("{}\n{}", json!({"create": {"_index": index, "_id": id}}), document(event))
}

fn document(event: &Event) -> Value {
    let record = bounded(event.detail(), DEPTH);
    let mut all = String::new();
    words_of(&record, &mut all);
    let text = |name: &str| record.get(name).and_then(Value::as_str).map(str::to_owned);
    // The name of a service stands there, too, and is no address.
    let address = text("sourceIPAddress").filter(|text| text.parse::<IpAddr>().is_ok());
    let time = event.time().map(str::to_owned);
    let Value::Object(mut document) = record else { return record };
    // What is not of the kind that its field is would have the whole document refused.
    document.retain(|name, value| !value.is_null() && (name != "readOnly" || value.is_boolean()));
    for name in ANY_FORM {
        if let Some(value) = document.get_mut(name).filter(|value| !value.is_object() && !value.is_array()) {
            *value = json!({"value": value.take()});
        }
    }
    document.insert("@timestamp".to_owned(), json!(time));
    document.extend(address.map(|address| ("source_ip".to_owned(), json!(address))));
    document.insert("all".to_owned(), json!(all));
    Value::Object(document)
}

/// The texts of a value, with spaces between them.
fn words_of(value: &Value, all: &mut String) {
    match value {
        Value::Object(members) => members.values().for_each(|value| words_of(value, all)),
        Value::Array(elements) => elements.iter().for_each(|value| words_of(value, all)),
        Value::String(text) if all.len() + text.len() < ALL => {
            all.push_str(text);
            all.push(' ');
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_document_with_an_id_of_its_own() {
        let record = json!({"eventID": "e-1", "recipientAccountId": "1", "eventTime": "2026-03-01T00:00:00Z", "sourceIPAddress": "198.51.100.7", "readOnly": "no",
            "requestParameters": "text", "responseElements": null, "userIdentity": {"type": "Root"}});
        let event = Event::from_value(record).unwrap();
        let text = lines("trail", &event);
        let [action, document] =
            text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(action, json!({"create": {"_index": "trail", "_id": event_key(&event)}}));
        assert_eq!(
            document,
            json!({"eventID": "e-1", "recipientAccountId": "1", "eventTime": "2026-03-01T00:00:00Z", "sourceIPAddress": "198.51.100.7", "requestParameters": {"value": "text"},
                "userIdentity": {"type": "Root"}, "@timestamp": "2026-03-01T00:00:00Z", "source_ip": "198.51.100.7",
                "all": "e-1 1 2026-03-01T00:00:00Z 198.51.100.7 no text Root "})
        );
        let service = Event::from_value(json!({"eventID": "e", "sourceIPAddress": "ec2.amazonaws.com"})).unwrap();
        assert!(!lines("trail", &service).contains("source_ip"));
    }

    #[test]
    fn no_event_adds_a_field_to_the_index() {
        for (engine, flat) in [(Engine::Opensearch, "flat_object"), (Engine::Elasticsearch, "flattened")] {
            let template = template(engine, "trail");
            let mappings = &template["template"]["mappings"];
            assert_eq!((&mappings["dynamic"], &template["index_patterns"]), (&json!(false), &json!(["trail", "trail-*"])));
            assert_eq!(mappings["properties"]["requestParameters"], json!({"type": flat}));
            assert_eq!(
                mappings["properties"]["userIdentity"]["properties"]["sessionContext"]["properties"]["sessionIssuer"]["properties"]["arn"]
                    ["type"],
                "keyword"
            );
        }
        assert_eq!(template(Engine::Quickwit, "trail")["doc_mapping"]["timestamp_field"], "@timestamp");
    }
}

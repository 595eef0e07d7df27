//! A Kinesis data stream.
//!
//! A record is JSON of up to 1 MiB, its key included. The partition key is what the destination's expression gives for the event, or the delivery's id,
//! which spreads records evenly. Kinesis does not know repetitions: the record has the id.
//! Source: <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecord.html>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use trailwire_engine::trigger::Aws;
use trailwire_engine::{eval, lang};

use super::aws::{Service, json_call, verdict};
use super::{Answer, Call, Kind, Request, Undeliverable, data, text};
use crate::action::Content;
use crate::core::Attempt;

const SERVICE: Service = Service::new("kinesis", "KINESIS");
const KEY: usize = 256;
const RECORD: usize = 1024 * 1024 - 4 * KEY;

/// A Kinesis data stream.
pub(super) struct Kinesis<'a> {
    pub(super) stream_arn: &'a str,
    pub(super) partition_key: Option<&'a str>,
    pub(super) aws: &'a Aws,
}

impl Kind for Kinesis<'_> {
    fn request(&self, content: &Content, call: &Call<'_>) -> Result<Request, Undeliverable> {
        let key = self.partition_key.and_then(|expression| key(expression, data::event(content)));
        let body = json!({
            "StreamARN": self.stream_arn,
            "PartitionKey": key.unwrap_or_else(|| call.id.to_owned()),
            "Data": STANDARD.encode(data::text(content, call.id, RECORD)?),
        });
        Ok(json_call(SERVICE, self.aws, "1.1", "Kinesis_20131202.PutRecord", &body))
    }

    fn verdict(&self, answer: &Answer) -> Attempt {
        verdict(answer)
    }
}

/// The text or number that an expression gives; `None` for anything else.
fn key(expression: &str, event: &Value) -> Option<String> {
    let (parsed, _) = lang::jmespath::parse(expression);
    let key = match eval::search(&parsed?, event).ok()? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text::cut(&key, KEY)).filter(|key| !key.is_empty())
}

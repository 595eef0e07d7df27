//! A Firehose stream.
//!
//! A record is a line of JSON of up to 1,000 KiB. Firehose does not know repetitions: the record has the delivery's id.
//! Source: <https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecord.html>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use trailwire_engine::trigger::Aws;

use super::aws::{Service, json_call, verdict};
use super::{Answer, Call, Kind, Request, Undeliverable, data};
use crate::action::Content;
use crate::core::Attempt;

const SERVICE: Service = Service::new("firehose", "FIREHOSE");
/// 1,000 KiB, less the end of the line.
const RECORD: usize = 1_024_000 - 1;

/// A Firehose stream.
pub(super) struct Firehose<'a> {
    pub(super) stream_name: &'a str,
    pub(super) aws: &'a Aws,
}

impl Kind for Firehose<'_> {
    fn request(&self, content: &Content, call: &Call<'_>) -> Result<Request, Undeliverable> {
        let line = format!("{}\n", data::text(content, call.id, RECORD)?);
        let body = json!({"DeliveryStreamName": self.stream_name, "Record": {"Data": STANDARD.encode(line)}});
        Ok(json_call(SERVICE, self.aws, "1.1", "Firehose_20150804.PutRecord", &body))
    }

    fn verdict(&self, answer: &Answer) -> Attempt {
        verdict(answer)
    }
}

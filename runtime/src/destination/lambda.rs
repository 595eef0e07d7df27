//! A Lambda function, called asynchronously: Lambda keeps the call, and tries it again as the function's settings say.
//!
//! The payload is the JSON object with the delivery's id, by which the function can know a repetition, of up to 1 MB.
//! Source: <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>.

use trailwire_engine::trigger::Aws;

use super::aws::{Service, Signed, verdict};
use super::sns::percent;
use super::{Answer, Call, Kind, Request, Undeliverable, data};
use crate::action::Content;
use crate::core::Attempt;

const SERVICE: Service = Service::new("lambda", "LAMBDA");
const PAYLOAD: usize = 1_000_000;

/// A Lambda function.
pub(super) struct Lambda<'a> {
    pub(super) function_arn: &'a str,
    pub(super) aws: &'a Aws,
}

impl Kind for Lambda<'_> {
    fn request(&self, content: &Content, call: &Call<'_>) -> Result<Request, Undeliverable> {
        let to = Signed::to(SERVICE, self.aws, format!("/2015-03-31/functions/{}/invocations", percent(self.function_arn)));
        let payload = data::text(content, call.id, PAYLOAD)?.into_bytes();
        Ok(Request::to(to, "application/json", payload).header("x-amz-invocation-type", "Event"))
    }

    fn verdict(&self, answer: &Answer) -> Attempt {
        verdict(answer)
    }
}

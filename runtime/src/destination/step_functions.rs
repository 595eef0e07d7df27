//! A Step Functions state machine: one execution for each delivery.
//!
//! The delivery's id is the execution's name, so a repetition starts nothing: a standard state machine answers that it exists already. The input has up to
//! 256 KiB. Source: <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html>.

use serde_json::json;
use trailwire_engine::trigger::Aws;

use super::aws::{Service, code, json_call, verdict};
use super::{Answer, Call, Kind, Request, Undeliverable, data};
use crate::action::Content;
use crate::core::Attempt;

const SERVICE: Service = Service::new("states", "SFN");
const INPUT: usize = 256 * 1024;

/// A Step Functions state machine.
pub(super) struct StepFunctions<'a> {
    pub(super) state_machine_arn: &'a str,
    pub(super) aws: &'a Aws,
}

impl Kind for StepFunctions<'_> {
    fn request(&self, content: &Content, call: &Call<'_>) -> Result<Request, Undeliverable> {
        let input = data::text(content, call.id, INPUT)?;
        let body = json!({"stateMachineArn": self.state_machine_arn, "name": call.id, "input": input});
        Ok(json_call(SERVICE, self.aws, "1.0", "AWSStepFunctions.StartExecution", &body))
    }

    fn verdict(&self, answer: &Answer) -> Attempt {
        if code(answer) == "ExecutionAlreadyExists" { Attempt::Delivered } else { verdict(answer) }
    }
}

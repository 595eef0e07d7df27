//! Faults: what may go wrong with a call, made to go wrong on purpose.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use http_body_util::Full;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::watch;

use super::Answer;
use super::identify::{Call, Matcher, Protocol};
use super::refusal::Refusal;

/// A fault: which calls it is for, when and how often it strikes, and what it does. Of several that fit a call, the oldest strikes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The calls that it is for.
    #[serde(rename = "match", default)]
    pub matcher: Matcher,
    /// Before the call is made, or after: then AWS has done the work and only the answer is lost.
    #[serde(default)]
    pub when: When,
    /// How many calls it strikes; without it, every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// Of a hundred calls that fit, how many it strikes, evenly spread so that a run can be repeated; without it, every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u64>,
    /// What it does.
    pub effect: Effect,
}

/// When a fault strikes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// The call does not reach AWS.
    #[default]
    Before,
    /// The call was carried out.
    After,
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The service's own throttling error.
    Throttle,
    /// An answer that comes later, and is right.
    Delay {
        /// How much later.
        milliseconds: u64,
    },
    /// Any error, written as the service writes it.
    Fail {
        /// The HTTP status.
        status: u16,
        /// The AWS error code, for example `AccessDeniedException`.
        code: String,
        /// The message for people.
        message: String,
    },
    /// The call of EventBridge succeeds, and its entry does not.
    FailEntry {
        /// The entry's code; without one AWS counts it and tells nothing of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// The connection is closed and there is no answer.
    Cut,
    /// The call waits until the fault is removed, and then goes on.
    Hold,
}

/// What becomes of a call.
pub(crate) enum Verdict {
    Pass,
    Answer(Answer),
    Cut,
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    active: Mutex<Active>,
}

#[derive(Debug, Default)]
struct Active {
    next_id: u64,
    faults: Vec<Armed>,
}

#[derive(Debug)]
struct Armed {
    id: u64,
    fault: Fault,
    fitted: u64,
    /// How often it struck; dropped with the fault, which lets held calls go on.
    struck: watch::Sender<u64>,
}

impl Faults {
    /// Arms a fault and gives its id.
    pub(crate) fn add(&self, fault: Fault) -> u64 {
        let mut active = self.lock();
        active.next_id += 1;
        let id = active.next_id;
        active.faults.push(Armed { id, fault, fitted: 0, struck: watch::Sender::new(0) });
        id
    }

    /// Removes one fault, or all; calls that it holds go on. False when there is none of that id.
    pub(crate) fn remove(&self, id: Option<u64>) -> bool {
        let mut active = self.lock();
        let before = active.faults.len();
        active.faults.retain(|armed| id.is_some_and(|id| id != armed.id));
        active.faults.len() < before
    }

    /// Watches how often a fault struck.
    pub(crate) fn watch(&self, id: u64) -> Option<watch::Receiver<u64>> {
        let active = self.lock();
        active.faults.iter().find(|armed| armed.id == id).map(|armed| armed.struck.subscribe())
    }

    pub(crate) async fn apply(&self, call: &Call, when: When) -> Verdict {
        let Some((effect, mut released)) = self.strike(call, when) else {
            return Verdict::Pass;
        };
        match effect {
            Effect::Cut => Verdict::Cut,
            Effect::Throttle => Verdict::Answer(throttled(call).into_answer(call.protocol)),
            Effect::Fail { status, code, message } => Verdict::Answer(Refusal { status, code, message }.into_answer(call.protocol)),
            Effect::FailEntry { code } => Verdict::Answer(failed_entry(code.as_deref())),
            Effect::Delay { milliseconds } => {
                tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                Verdict::Pass
            }
            Effect::Hold => {
                while released.changed().await.is_ok() {}
                Verdict::Pass
            }
        }
    }

    fn strike(&self, call: &Call, when: When) -> Option<(Effect, watch::Receiver<u64>)> {
        let mut active = self.lock();
        let mut fitting = active.faults.iter_mut().filter(|armed| armed.fault.when == when && armed.fault.matcher.fits(call));
        let armed = fitting.find_map(|armed| armed.is_due().then_some(armed))?;
        armed.struck.send_modify(|struck| *struck += 1);
        Some((armed.fault.effect.clone(), armed.struck.subscribe()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Armed {
    fn is_due(&mut self) -> bool {
        if self.fault.times.is_some_and(|times| *self.struck.borrow() >= times) {
            return false;
        }
        self.fitted += 1;
        let percent = self.fault.percent.unwrap_or(100);
        self.fitted * percent / 100 > (self.fitted - 1) * percent / 100
    }
}

fn failed_entry(code: Option<&str>) -> Answer {
    let entry = |code: &str| json!({ "TargetId": "trailwire", "ErrorCode": code, "ErrorMessage": "injected by the stand" });
    let body = json!({ "FailedEntryCount": 1, "FailedEntries": code.map(entry).into_iter().collect::<Vec<_>>() }).to_string();
    let mut answer = Answer::new(Full::new(Bytes::from(body)));
    answer.headers_mut().insert("content-type", HeaderValue::from_static("application/x-amz-json-1.1"));
    answer
}

/// Each service has its own words for "slow down".
fn throttled(call: &Call) -> Refusal {
    let code = match (call.protocol, call.service.as_str()) {
        (Protocol::Query, _) => "Throttling",
        (Protocol::Json, "sqs") => "RequestThrottled",
        (Protocol::Json, _) => "ThrottlingException",
    };
    Refusal::new(code, "Rate exceeded")
}

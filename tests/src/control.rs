//! The client of the stand's own paths: events by the side door, faults, counts of calls.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;

pub use crate::proxy::{CallCount, Effect, Fault, Matcher, When};

/// Controls a stand, from the process that started it or from any other. Its methods panic when the stand is gone or refuses: a test that
/// cannot control its stand has nothing to say.
#[derive(Clone, Debug)]
pub struct Control {
    client: reqwest::Client,
    endpoint: String,
}

impl Control {
    /// The control of the stand at this endpoint, for example `http://127.0.0.1:4566`.
    pub fn new(endpoint: &str) -> Self {
        // No connection is kept: it would die with the runtime of the test that opened it.
        let client =
            reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client without TLS settings can be made");
        Self { client, endpoint: endpoint.to_owned() }
    }

    /// Puts events, in EventBridge's envelope form, on the default bus of each event's account and region, as an AWS service does.
    /// They have been delivered when this returns; it gives, for each event, to how many targets other than buses it was sent.
    pub async fn put_events(&self, events: &[Value]) -> Vec<u64> {
        let answer: Value = self.post("events", &json!(events)).await;
        let sent = answer["sent"].as_array().expect("the stand answers for each event");
        sent.iter().filter_map(Value::as_u64).collect()
    }

    /// Makes the accounts the members of an organization, for `aws:PrincipalOrgID`.
    pub async fn set_organization(&self, id: &str, accounts: &[&str]) {
        let _: Value = self.post("organization", &json!({ "id": id, "accounts": accounts })).await;
    }

    /// Says which regions are not enabled in the account; every other one is.
    pub async fn disable_regions(&self, account: &str, regions: &[&str]) {
        let _: Value = self.post("regions", &json!({ "account": account, "disabled": regions })).await;
    }

    /// For how long a deleted queue keeps its name, in every account. A stand starts with AWS's 60 seconds.
    pub async fn hold_queue_names(&self, duration: Duration) {
        let _: Value = self.post("queue-names", &json!(duration.as_millis() as u64)).await;
    }

    /// Whether rules of default buses are kept and answered in front of the emulator, which is slow. Nothing is delivered by them.
    pub async fn answer_rules(&self, on: bool) {
        let _: Value = self.post("rules-answered", &json!(on)).await;
    }

    /// Arms a fault.
    pub async fn fault(&self, fault: Fault) -> ArmedFault {
        let answer: Value = self.post("faults", &json!(fault)).await;
        ArmedFault { control: self.clone(), id: answer["id"].as_u64().expect("the stand answers with an id") }
    }

    /// How often the operations that fit were called, by account, region and operation.
    pub async fn calls(&self, matcher: &Matcher) -> Vec<CallCount> {
        self.post("calls", &json!(matcher)).await
    }

    /// The sum of [`Control::calls`].
    pub async fn call_count(&self, matcher: &Matcher) -> u64 {
        self.calls(matcher).await.iter().map(|calls| calls.count).sum()
    }

    /// Starts to count anew, for the calls that fit.
    pub async fn clear_calls(&self, matcher: &Matcher) {
        let _: Value = self.post("calls/clear", &json!(matcher)).await;
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> T {
        read(self.client.post(self.url(path)).json(body)).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}/_trailwire/{path}", self.endpoint)
    }
}

async fn read<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> T {
    let answer = request.send().await.expect("the stand answers");
    let ok = answer.status().is_success();
    let body = answer.text().await.expect("the stand answers in full");
    assert!(ok, "the stand refused: {body}");
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("the stand's answer is not as expected ({error}): {body}"))
}

/// A fault that is armed until it is removed.
#[derive(Debug)]
pub struct ArmedFault {
    control: Control,
    id: u64,
}

impl ArmedFault {
    /// Waits until the fault has struck this often. For [`Effect::Hold`]: until this many calls are waiting.
    pub async fn struck(&self, count: u64) {
        let url = self.control.url(&format!("faults/{}/struck?{count}", self.id));
        let _: Value = read(self.control.client.get(url)).await;
    }

    /// How often the fault has struck so far.
    pub async fn times_struck(&self) -> u64 {
        let url = self.control.url(&format!("faults/{}/struck?0", self.id));
        let answer: Value = read(self.control.client.get(url)).await;
        answer["struck"].as_u64().expect("the stand answers with a number")
    }

    /// Removes the fault. Calls that it holds go on.
    pub async fn remove(self) {
        let _: Value = read(self.control.client.delete(self.control.url(&format!("faults/{}", self.id)))).await;
    }
}

impl Matcher {
    /// Fits the calls of one operation.
    pub fn operation(service: &str, operation: &str) -> Self {
        Self { service: Some(service.to_owned()), operation: Some(operation.to_owned()), ..Self::default() }
    }

    /// Fits every call of one service.
    pub fn service(service: &str) -> Self {
        Self { service: Some(service.to_owned()), ..Self::default() }
    }

    /// The same for one account.
    pub fn by(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    /// The same in one region.
    pub fn within(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }
}

impl Fault {
    /// The effect on every call that fits, before it reaches AWS.
    pub fn new(matcher: Matcher, effect: Effect) -> Self {
        Self { matcher, when: When::Before, times: None, percent: None, effect }
    }

    /// An AWS error of this code.
    pub fn fail(matcher: Matcher, status: u16, code: &str) -> Self {
        Self::new(matcher, Effect::Fail { status, code: code.to_owned(), message: "injected by the stand".to_owned() })
    }

    /// The same for this many calls alone.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// The same for so many of a hundred calls.
    pub fn percent(mut self, percent: u64) -> Self {
        self.percent = Some(percent);
        self
    }

    /// The same once AWS has carried the call out.
    pub fn after(mut self) -> Self {
        self.when = When::After;
        self
    }
}

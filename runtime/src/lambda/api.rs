//! Lambda's Runtime API: four calls of plain HTTP to the environment that the function runs in, made by the client that is here anyway. The crate for it
//! would bring a second client, a framework of services and its own way of running; nothing of that is needed for one handler.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use jiff::Timestamp;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

/// Where the API is, `HOST:PORT`.
pub(super) const ADDRESS: &str = "AWS_LAMBDA_RUNTIME_API";
const REQUEST_ID: &str = "lambda-runtime-aws-request-id";
const DEADLINE: &str = "lambda-runtime-deadline-ms";
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";

/// The API.
#[derive(Debug)]
pub(super) struct Api {
    client: Client,
    base: String,
}

/// An invocation of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invocation {
    pub(super) id: String,
    /// When Lambda ends it, done or not.
    pub(super) deadline: Timestamp,
    pub(super) payload: Vec<u8>,
}

/// Why an invocation or the start failed, for people. Lambda logs and counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// A word to count by.
    pub(super) kind: &'static str,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(kind: &'static str, message: impl ToString) -> Self {
        Self { kind, message: message.to_string() }
    }
}

impl Api {
    /// # Errors
    ///
    /// When the HTTP client can not be set up.
    pub(super) fn new(address: &str) -> Result<Self, reqwest::Error> {
        // An invocation may be long in coming: nothing here has a time limit, and nothing goes through a proxy.
        let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { client, base: format!("http://{address}/2018-06-01/runtime") })
    }

    /// Waits for the next invocation.
    ///
    /// # Errors
    ///
    /// When the environment is ending, or speaks otherwise than documented.
    pub(super) async fn next(&self) -> Result<Invocation, String> {
        let answer = self.client.get(format!("{}/invocation/next", self.base)).send().await.map_err(|error| told(&error))?;
        if answer.status() != StatusCode::OK {
            return Err(format!("Lambda answers {} where the next invocation is asked for", answer.status()));
        }
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let id = header(REQUEST_ID).ok_or("Lambda gives an invocation without an id")?;
        let deadline = header(DEADLINE).and_then(|millis| Timestamp::from_millisecond(millis.parse().ok()?).ok());
        let deadline = deadline.ok_or("Lambda gives an invocation without a deadline")?;
        let payload = answer.bytes().await.map_err(|error| told(&error))?.to_vec();
        Ok(Invocation { id, deadline, payload })
    }

    /// Says what an invocation came to.
    ///
    /// # Errors
    ///
    /// As [`Api::next`].
    pub(super) async fn answer(&self, id: &str, answer: Result<Value, Fault>) -> Result<(), String> {
        match answer {
            Ok(value) => self.post(&format!("invocation/{id}/response"), &value, None).await,
            Err(fault) => self.fault(&format!("invocation/{id}/error"), &fault).await,
        }
    }

    /// Says that the function can not start.
    ///
    /// # Errors
    ///
    /// As [`Api::next`].
    pub(super) async fn refuse(&self, fault: &Fault) -> Result<(), String> {
        self.fault("init/error", fault).await
    }

    async fn fault(&self, path: &str, fault: &Fault) -> Result<(), String> {
        let body = json!({"errorMessage": fault.message, "errorType": fault.kind, "stackTrace": []});
        self.post(path, &body, Some(fault.kind)).await
    }

    async fn post(&self, path: &str, body: &Value, kind: Option<&'static str>) -> Result<(), String> {
        let request = self.client.request(Method::POST, format!("{}/{path}", self.base)).json(body);
        let request = kind.into_iter().fold(request, |request, kind| request.header(ERROR_TYPE, kind));
        let answer: Response = request.send().await.map_err(|error| told(&error))?;
        // An answer that comes after the invocation's time is not taken, and nothing is to be done about that.
        if answer.status().is_success() || answer.status() == StatusCode::BAD_REQUEST {
            return Ok(());
        }
        Err(format!("Lambda answers {} to {path}", answer.status()))
    }
}

fn told(error: &reqwest::Error) -> String {
    format!("the Runtime API can not be reached: {}", crate::hub::aws::innermost(error))
}

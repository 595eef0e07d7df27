//! Sends content to destinations: one attempt at a time.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::Value;
use trailwire_engine::trigger::{Destination, Secret};

use super::address::{Guard, check, is_loopback};
use super::answer::{Answer, retry_after};
use super::aws::{Service, Signed, Signer, fault};
use super::pace::Paces;
use super::{Call, Kind, Request, To, kind};
use crate::action::Content;
use crate::core::Attempt;
use crate::secrets::{SecretError, SecretText, Secrets};

/// For a connection to stand.
const CONNECT: Duration = Duration::from_secs(5);
/// For the whole exchange.
const EXCHANGE: Duration = Duration::from_secs(20);
/// How much of an answer is read.
const ANSWER: usize = 4096;
/// How much of what Lambda tells of a function.
const LISTED: usize = 256 * 1024;
const LAMBDA: Service = Service::new("lambda", "LAMBDA");
const CLOUDWATCH: Service = Service::new("monitoring", "CLOUDWATCH");

/// Sends content to destinations. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    client: reqwest::Client,
    /// For loopback addresses: what may go in the open must not go through a proxy.
    direct: reqwest::Client,
    secrets: Secrets,
    signer: Signer,
    paces: Arc<Paces>,
    /// Destinations, as they are written, whose first request has worked.
    set_up: Arc<Mutex<BTreeSet<String>>>,
    in_lambda: bool,
}

/// Whether a delivery is still this runtime's.
pub(crate) type Hold<'h, E> = &'h (dyn Fn() -> BoxFuture<'h, Result<bool, E>> + Sync);

/// Why there is no answer.
enum Unsent<E> {
    /// The attempt has failed.
    Failed(Attempt),
    /// It is somebody else's by now.
    Lost,
    /// Whose it is can not be known.
    Unknown(E),
}

impl Sender {
    /// # Errors
    ///
    /// When the TLS library can not be set up.
    pub(crate) fn new(secrets: Secrets) -> Result<Self, reqwest::Error> {
        let builder = || {
            let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).connect_timeout(CONNECT);
            builder.timeout(EXCHANGE).dns_resolver(Guard).user_agent(concat!("trailwire/", env!("CARGO_PKG_VERSION")))
        };
        Ok(Self {
            client: builder().build()?,
            direct: builder().no_proxy().build()?,
            signer: Signer::new(secrets.config()),
            secrets,
            paces: Arc::default(),
            set_up: Arc::default(),
            in_lambda: std::env::var_os("AWS_LAMBDA_FUNCTION_NAME").is_some(),
        })
    }

    /// Makes one attempt. `id` is the same in every attempt at this delivery. Right before anything is sent `hold` is asked whether the delivery is still
    /// this runtime's; where it is not, nothing is, and `None` is given. What is refused is sent once more where a secret has been rotated since it was read.
    ///
    /// # Errors
    ///
    /// Those of `hold`.
    pub(crate) async fn deliver<E>(
        &self,
        destination: &Destination,
        content: &Content,
        id: &str,
        hold: Hold<'_, E>,
    ) -> Result<Option<Attempt>, E> {
        let kind = kind(&destination.kind);
        let secrets = destination.kind.secrets();
        let mut texts = match self.texts(&secrets).await {
            Ok(texts) => texts,
            Err(error) => return Ok(Some(failed(error.to_string()))),
        };
        let mut hush = texts.clone();
        loop {
            if let Some(pace) = kind.pace() {
                tokio::time::sleep(self.paces.wait(&destination.name, pace, Instant::now())).await;
            }
            let call = Call { id, now: Timestamp::now(), secrets: &texts };
            let (attempt, is_refused) = match self.attempt(destination, kind.as_ref(), content, &call, hold).await {
                Ok(tried) => tried,
                Err(Unsent::Failed(attempt)) => (attempt, false),
                Err(Unsent::Lost) => return Ok(None),
                Err(Unsent::Unknown(error)) => return Err(error),
            };
            if !is_refused || hush.len() > secrets.len() {
                return Ok(Some(hushed(attempt, &hush)));
            }
            for secret in &secrets {
                self.secrets.forget(secret).await;
            }
            match self.texts(&secrets).await {
                Ok(now) if now != texts => texts = now,
                Ok(_) => return Ok(Some(hushed(attempt, &hush))),
                // Nobody knows whether it is refused for its secret.
                Err(error) => return Ok(Some(hushed(failed(format!("{}; {error}", words(&attempt))), &hush))),
            }
            hush.extend_from_slice(&texts);
        }
    }

    /// The secrets as they are, or were a few minutes ago.
    async fn texts(&self, secrets: &[&Secret]) -> Result<Vec<SecretText>, SecretError> {
        let mut texts = Vec::with_capacity(secrets.len());
        for secret in secrets {
            texts.push(self.secrets.get(secret).await?);
        }
        Ok(texts)
    }

    /// One attempt, and whether the destination has refused it: for what is sent, or by what.
    async fn attempt<E>(
        &self,
        destination: &Destination,
        kind: &(dyn Kind + Send + Sync),
        content: &Content,
        call: &Call<'_>,
        hold: Hold<'_, E>,
    ) -> Result<(Attempt, bool), Unsent<E>> {
        let request = match kind.request(content, call) {
            Ok(request) => request,
            // It may be the secret that makes none.
            Err(error) => return Ok((error.attempt(), true)),
        };
        let written = serde_json::to_string(destination).unwrap_or_default();
        if let Some(setup) = kind.setup().filter(|_| !self.lock_set_up().contains(&written)) {
            let setup = setup.map_err(|error| Unsent::Failed(error.attempt()))?;
            let answer = self.send(setup, hold).await?;
            if !kind.is_set_up(&answer) {
                return Ok((answer.failed(&super::aws::fault(&answer)), false));
            }
            self.lock_set_up().insert(written.clone());
        }
        let role = match &request.to {
            To::Aws(signed) => Some(signed.role_arn.clone()),
            To::Url(_) => None,
        };
        let tried = match self.send(request, hold).await {
            Ok(answer) => {
                // Credentials may have been withdrawn.
                if let Some(role) = role.filter(|_| matches!(answer.status, 401 | 403 | 404)) {
                    self.signer.forget(role.as_deref()).await;
                }
                let verdict = kind.verdict(&answer);
                let is_refused = verdict != Attempt::Delivered && answer.status < 500 && !matches!(answer.status, 408 | 429);
                (verdict, is_refused)
            }
            Err(Unsent::Failed(attempt)) => (attempt, false),
            Err(other) => return Err(other),
        };
        if tried.0 != Attempt::Delivered {
            self.lock_set_up().remove(&written);
        }
        Ok(tried)
    }

    /// One call of CloudWatch, in the runtime's own region and by its own credentials. Answers of more than a few kilobytes are not read.
    ///
    /// # Errors
    ///
    /// In words.
    pub(crate) async fn ask_cloudwatch(&self, operation: &str, input: &Value) -> Result<Value, String> {
        let place = Signed { region: None, ..Signed::own(CLOUDWATCH, "", "/") };
        let request = Request::to(To::Aws(place), "application/x-amz-json-1.0", input.to_string().into_bytes());
        let request = request.header("x-amz-target", format!("GraniteServiceVersion20100801.{operation}"));
        let answer = exchange(self.signed(request).await?, ANSWER).await?;
        match (answer.is_success(), fault(&answer)) {
            (true, _) => Ok(answer.json()),
            (false, said) if said.is_empty() => Err(format!("CloudWatch answered {}", answer.status)),
            (false, said) => Err(said),
        }
    }

    /// What Lambda has at a path of its API, in the runtime's own region and by its own credentials; `None` where it has nothing there.
    ///
    /// # Errors
    ///
    /// In words.
    pub(crate) async fn ask_lambda(&self, path: &str) -> Result<Option<Value>, String> {
        let place = Signed { region: None, ..Signed::own(LAMBDA, "", path) };
        let answer = exchange(self.signed(Request::aws(reqwest::Method::GET, place, Vec::new())).await?, LISTED).await?;
        match (answer.status, fault(&answer)) {
            (404, _) => Ok(None),
            _ if answer.is_success() => Ok(Some(answer.json())),
            (status, said) if said.is_empty() => Err(format!("Lambda answered {status}")),
            (_, said) => Err(said),
        }
    }

    fn lock_set_up(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.set_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks AWS something that changes nothing, and reads at most so many bytes of the answer.
    ///
    /// # Errors
    ///
    /// In words: no answer, no credentials.
    pub(crate) async fn ask(&self, request: Request, most: usize) -> Result<Answer, String> {
        let role = match &request.to {
            To::Aws(signed) => signed.role_arn.clone(),
            To::Url(_) => None,
        };
        let answer = exchange(self.signed(request).await?, most).await?;
        if matches!(answer.status, 401 | 403) {
            self.signer.forget(role.as_deref()).await;
        }
        Ok(answer)
    }

    /// Asks AWS something that changes nothing, and gives the answer before its body is read. It is over after `time`, however much came.
    ///
    /// # Errors
    ///
    /// In words: no answer, no credentials.
    pub(crate) async fn open(&self, request: Request, time: Duration) -> Result<reqwest::Response, String> {
        let response = self.signed(request).await?.timeout(time).send().await.map_err(|error| transport_fault(&error))?;
        if response.status() == reqwest::StatusCode::UNAUTHORIZED {
            self.signer.forget(None).await;
        }
        Ok(response)
    }

    async fn send<E>(&self, request: Request, hold: Hold<'_, E>) -> Result<Answer, Unsent<E>> {
        let unsent = |reason: String| Unsent::Failed(failed(reason));
        let signed = self.signed(request).await.map_err(unsent)?;
        if !hold().await.map_err(Unsent::Unknown)? {
            return Err(Unsent::Lost);
        }
        exchange(signed, ANSWER).await.map_err(unsent)
    }

    /// The request as it goes out.
    async fn signed(&self, request: Request) -> Result<reqwest::RequestBuilder, String> {
        let (url, signature) = match &request.to {
            To::Url(url) => (url.clone(), Vec::new()),
            To::Aws(signed) => self.signer.sign(signed, &request).await?,
        };
        // The endpoints of AWS are the operator's own choice, this machine included.
        check(&url, self.in_lambda && matches!(request.to, To::Url(_))).map_err(|error| error.to_string())?;
        let client = if is_loopback(&url) { &self.direct } else { &self.client };
        let mut send = client.request(request.method, url).body(request.body);
        for (name, value) in request.headers {
            send = send.header(name, value);
        }
        for (name, value) in request.more_headers.into_iter().chain(signature) {
            send = send.header(name, value);
        }
        Ok(send)
    }
}

async fn exchange(signed: reqwest::RequestBuilder, most: usize) -> Result<Answer, String> {
    let response = signed.send().await.map_err(|error| transport_fault(&error))?;
    answer(response, most).await
}

/// The first bytes of an answer. One that is wanted whole and breaks off is none.
pub(crate) async fn answer(mut response: reqwest::Response, most: usize) -> Result<Answer, String> {
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let retry_after = header("retry-after").and_then(|text| retry_after(text, Timestamp::now()));
    let request_id = header("x-amzn-requestid").or_else(|| header("x-amz-request-id")).map(str::to_owned);
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while body.len() < most {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend(chunk.iter().take(most.saturating_sub(body.len()))),
            Ok(None) => break,
            Err(_) if most == ANSWER => break,
            Err(error) => return Err(transport_fault(&error)),
        }
    }
    Ok(Answer { status, retry_after, request_id, body: String::from_utf8_lossy(&body).into_owned() })
}

fn failed(reason: String) -> Attempt {
    Attempt::Failed { reason, retry_after: None }
}

/// Why an attempt did not deliver.
fn words(attempt: &Attempt) -> &str {
    match attempt {
        Attempt::Delivered => "",
        Attempt::Failed { reason, .. } | Attempt::Final { reason } => reason,
    }
}

/// Takes secrets out of what is told of an attempt: receivers may repeat what they were sent.
fn hushed(attempt: Attempt, secrets: &[SecretText]) -> Attempt {
    let hush = |reason: String| {
        let long = secrets.iter().map(|secret| secret.reveal().trim()).filter(|secret| secret.len() >= 6);
        long.fold(reason, |reason, secret| reason.replace(secret, "…"))
    };
    match attempt {
        Attempt::Delivered => Attempt::Delivered,
        Attempt::Failed { reason, retry_after } => Attempt::Failed { reason: hush(reason), retry_after },
        Attempt::Final { reason } => Attempt::Final { reason: hush(reason) },
    }
}

/// An error of the transport in words that hold no address: addresses may be secrets.
pub(crate) fn transport_fault(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut source: Option<&dyn std::error::Error> = std::error::Error::source(error);
    let mut innermost = None;
    while let Some(cause) = source {
        innermost = Some(cause.to_string());
        source = cause.source();
    }
    match (error.is_connect(), innermost) {
        (true, Some(cause)) => format!("no connection: {cause}"),
        (true, None) => "no connection".to_owned(),
        (false, Some(cause)) => format!("the exchange broke off: {cause}"),
        (false, None) => "the exchange broke off".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receivers_that_repeat_a_secret_are_hushed() {
        let secrets = [SecretText::new("s3cr3t-key\n"), SecretText::new("a")];
        let reason = |text: &str| Attempt::Final { reason: text.to_owned() };
        assert_eq!(hushed(reason("bad key s3cr3t-key and more"), &secrets), reason("bad key … and more"));
        assert_eq!(hushed(Attempt::Delivered, &secrets), Attempt::Delivered);
    }
}

//! Objects of S3, listed and read by signed requests with the credentials of the environment.
//!
//! A read that breaks off goes on where it broke off, as long as the object is the same; what passes (throttling, a fault of the service, no connection) is tried again.
//! A bucket is asked in its own region, which S3 tells whoever asks elsewhere.

mod listing;
mod walk;

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::runtime::Runtime;

pub(crate) use listing::{Ask, Page};
pub(super) use walk::find;

use crate::destination::{Answer, Request, Sender, Service, Signed, answer, code, fault, percent, transport_fault};
use crate::hub::aws::Config;
use crate::secrets::Secrets;

const SERVICE: Service = Service::new("s3", "S3");
/// The region of which a bucket's own is asked where none is configured.
const FIRST: &str = "us-east-1";
/// For one request and its answer.
const EXCHANGE: Duration = Duration::from_secs(300);
/// For the next bytes of an answer.
const SILENCE: Duration = Duration::from_secs(20);
/// How often in a row a request may bring nothing.
const TRIES: u32 = 5;
/// What is waited for before the second of them; it doubles.
const PAUSE: Duration = Duration::from_millis(100);
/// Bytes of an answer that tells what is wrong.
const COMPLAINT: usize = 4096;
/// Bytes of a page of names: a thousand of a thousand bytes each, percent-encoded, and what is told of them.
const PAGE: usize = 8 << 20;
/// What the names of a user's own metadata begin with.
const METADATA: &str = "x-amz-meta-";

/// Why an object can not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// There is none of this name.
    NotFound(String),
    /// Anything else, in words, with AWS's code and the id of the request.
    Other(String),
}

impl Fault {
    /// In words.
    pub(crate) fn words(&self) -> &str {
        let (Self::NotFound(words) | Self::Other(words)) = self;
        words
    }
}

/// An object, or as much of it as was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) bytes: Vec<u8>,
    /// The user's own metadata, names in lower case.
    pub(crate) metadata: BTreeMap<String, String>,
    tag: Option<String>,
}

/// Why a request brought nothing.
enum Failed {
    /// It will not help to ask again.
    For(Fault),
    /// It may.
    Now(String),
}

/// S3, by the credentials of the environment. What waits here waits on threads of its own.
#[derive(Debug)]
pub(crate) struct S3 {
    runtime: Runtime,
    sender: Sender,
    config: Config,
    /// By bucket.
    regions: Mutex<BTreeMap<String, String>>,
}

impl S3 {
    /// The one that everybody shares, with its connections.
    ///
    /// # Errors
    ///
    /// In words: the TLS library or threads can not be set up.
    pub(crate) fn shared() -> Result<&'static Self, String> {
        static SHARED: OnceLock<Result<S3, String>> = OnceLock::new();
        SHARED.get_or_init(|| Self::with(Secrets::default())).as_ref().map_err(Clone::clone)
    }

    fn with(secrets: Secrets) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| format!("S3 can not be read: {error}"))?;
        let config = secrets.config();
        let sender = Sender::new(secrets).map_err(|error| format!("S3 can not be read: {error}"))?;
        Ok(Self { runtime, sender, config, regions: Mutex::default() })
    }

    /// The first `most` bytes of an object.
    ///
    /// # Errors
    ///
    /// [`Fault`], after what may pass was tried again.
    pub(crate) fn get(&self, bucket: &str, key: &str, most: usize) -> Result<Object, Fault> {
        if key.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(Fault::Other(format!("the key `{key}` has a `.` or `..` between slashes, which no address can say")));
        }
        self.runtime.block_on(async {
            let mut object = Object::default();
            let mut tries = Tries::default();
            loop {
                let before = object.bytes.len();
                match self.part(bucket, key, most, &mut object).await {
                    Ok(()) => return Ok(object),
                    Err(Failed::For(fault)) => return Err(fault),
                    Err(Failed::Now(reason)) => tries.failed(reason, object.bytes.len() > before).await?,
                }
            }
        })
    }

    /// Reads on from where the object is known to.
    async fn part(&self, bucket: &str, key: &str, most: usize, object: &mut Object) -> Result<(), Failed> {
        let mut headers = Vec::new();
        if let (false, Some(tag)) = (object.bytes.is_empty(), &object.tag) {
            headers = vec![("range", format!("bytes={}-", object.bytes.len())), ("if-match", tag.clone())];
        }
        let mut response = match self.ask(bucket, &path(key), &headers).await {
            // It is another one by now.
            Err(Failed::For(_)) if !headers.is_empty() => {
                *object = Object::default();
                return Err(Failed::Now("the object was changed while it was read".to_owned()));
            }
            response => response?,
        };
        if response.status() != StatusCode::PARTIAL_CONTENT {
            object.bytes.clear();
        }
        object.tag = response.headers().get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let own = response.headers().iter().filter_map(|(name, value)| Some((name.as_str().strip_prefix(METADATA)?, value.as_bytes())));
        object.metadata = own.map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned())).collect();
        while object.bytes.len() < most {
            let chunk = tokio::time::timeout(SILENCE, response.chunk()).await;
            let chunk = chunk.map_err(|_| Failed::Now("the answer broke off".to_owned()))?;
            match chunk.map_err(|error| Failed::Now(transport_fault(&error)))? {
                Some(chunk) => object.bytes.extend(chunk.iter().take(most - object.bytes.len())),
                None => break,
            }
        }
        Ok(())
    }

    /// One page of the names in a bucket.
    ///
    /// # Errors
    ///
    /// [`Fault`], after what may pass was tried again.
    async fn page(&self, bucket: &str, ask: &Ask<'_>) -> Result<Page, Fault> {
        let query = ask.query();
        let mut tries = Tries::default();
        loop {
            let page = async {
                let answer = answer(self.ask(bucket, &query, &[]).await?, PAGE).await.map_err(Failed::Now)?;
                Page::read(&answer.body).map_err(|reason| Failed::Now(format!("the list of names can not be read: {reason}")))
            };
            match page.await {
                Ok(page) => return Ok(page),
                Err(Failed::For(fault)) => return Err(fault),
                Err(Failed::Now(reason)) => tries.failed(reason, false).await?,
            }
        }
    }

    /// Names in a bucket, in their order, page by page, until `take` says that it is enough.
    ///
    /// # Errors
    ///
    /// [`Fault`], after what may pass was tried again.
    pub(crate) fn list(&self, bucket: &str, ask: &Ask<'_>, mut take: impl FnMut(&str) -> bool) -> Result<(), Fault> {
        self.runtime.block_on(self.pages(bucket, ask, |page| page.keys.iter().all(|key| take(key))))
    }

    /// The names in a bucket, page by page, until `take` says that it is enough, or S3 says again where to go on from.
    ///
    /// # Errors
    ///
    /// [`Fault`], after what may pass was tried again.
    pub(super) async fn pages(&self, bucket: &str, ask: &Ask<'_>, mut take: impl FnMut(&mut Page) -> bool) -> Result<(), Fault> {
        let mut token = None;
        loop {
            let mut page = self.page(bucket, &Ask { token: token.as_deref(), ..*ask }).await?;
            if !take(&mut page) || page.next.is_none() || page.next == token {
                return Ok(());
            }
            token = page.next;
        }
    }

    /// The answer to a request that S3 has granted.
    async fn ask(&self, bucket: &str, path: &str, headers: &[(&'static str, String)]) -> Result<reqwest::Response, Failed> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if bucket.is_empty() || !bucket.bytes().all(is_name) || bucket.split('.').any(str::is_empty) {
            return Err(Failed::For(Fault::Other(format!("no bucket has the name `{bucket}`"))));
        }
        loop {
            let region = self.region(bucket).await;
            let signed = Signed::own(SERVICE, &region, path).in_bucket(bucket);
            let request = headers
                .iter()
                .fold(Request::aws(Method::GET, signed, Vec::new()), |request, (name, value)| request.header(name, value.clone()));
            let response = self.sender.open(request, EXCHANGE).await.map_err(Failed::Now)?;
            if response.status().is_success() {
                return Ok(response);
            }
            let told = response.headers().get("x-amz-bucket-region").and_then(|region| region.to_str().ok()).map(str::to_owned);
            match told.filter(|told| *told != region) {
                Some(told) => drop(self.lock().insert(bucket.to_owned(), told)),
                None => return Err(refusal(&answer(response, COMPLAINT).await.map_err(Failed::Now)?)),
            }
        }
    }

    /// A call of a service that takes JSON and tells operations by a header; one that changes nothing.
    ///
    /// # Errors
    ///
    /// In words, with AWS's code and the id of the request, after what may pass was tried again.
    pub(super) fn call(&self, service: Service, region: &str, target: &str, input: &Value) -> Result<Value, String> {
        self.runtime.block_on(async {
            let mut tries = Tries::default();
            loop {
                let request = Request::aws(Method::POST, Signed::own(service, region, "/"), input.to_string().into_bytes());
                let request = request.header("content-type", "application/x-amz-json-1.1").header("x-amz-target", target);
                let failed = match self.sender.ask(request, PAGE).await {
                    Ok(answer) if answer.is_success() => match serde_json::from_str(&answer.body) {
                        Ok(value) => return Ok(value),
                        Err(error) => Failed::Now(format!("the answer is not JSON: {error}")),
                    },
                    Ok(answer) if code(&answer).contains("Throttl") => Failed::Now(code(&answer)),
                    Ok(answer) => refusal(&answer),
                    Err(reason) => Failed::Now(reason),
                };
                match failed {
                    Failed::For(fault) => return Err(fault.words().to_owned()),
                    Failed::Now(reason) => tries.failed(reason, false).await.map_err(|fault| fault.words().to_owned())?,
                }
            }
        })
    }

    async fn region(&self, bucket: &str) -> String {
        let told = self.lock().get(bucket).cloned();
        match told {
            Some(told) => told,
            None => self.config.get().await.region().map_or_else(|| FIRST.to_owned(), ToString::to_string),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.regions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an answer that grants nothing means.
fn refusal(answer: &Answer) -> Failed {
    let said = match fault(answer) {
        said if said.is_empty() => format!("the answer was {}", answer.status),
        said => said,
    };
    let words = answer.request().map_or_else(|| said.clone(), |request| format!("{said} (request {request})"));
    match answer.status {
        408 | 429 | 500.. => Failed::Now(words),
        404 if code(answer) == "NoSuchKey" => Failed::For(Fault::NotFound(words)),
        _ => Failed::For(Fault::Other(words)),
    }
}

/// An object's path: slashes stay what they are.
fn path(key: &str) -> String {
    key.split('/').map(|part| format!("/{}", percent(part))).collect()
}

/// How often a request has failed in a row.
#[derive(Default)]
struct Tries(u32);

impl Tries {
    /// Waits a while, and longer each time. Bytes that came begin the count anew.
    async fn failed(&mut self, reason: String, has_come_on: bool) -> Result<(), Fault> {
        self.0 = if has_come_on { 1 } else { self.0 + 1 };
        if self.0 >= TRIES {
            return Err(Fault::Other(format!("{reason}; it was tried {TRIES} times")));
        }
        tokio::time::sleep(PAUSE * 2_u32.pow(self.0)).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests;

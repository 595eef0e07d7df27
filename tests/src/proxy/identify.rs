//! Which account calls which operation of which service, in which region: read from the request as AWS reads it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::Whole;

/// One call to the local AWS.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Call {
    /// The account that the credentials belong to; empty for an unsigned request.
    pub(crate) account: String,
    /// The region of the signature's credential scope; empty for an unsigned request.
    pub(crate) region: String,
    /// The signing name of the service, for example `events`.
    pub(crate) service: String,
    /// The operation, for example `PutRule`.
    pub(crate) operation: String,
    /// How the service writes its errors.
    pub(crate) protocol: Protocol,
}

/// How a service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Protocol {
    /// JSON bodies; the operation is in `x-amz-target`, or is the path.
    Json,
    /// XML bodies; the operation is the form field `Action` (IAM, STS).
    Query,
}

/// Which calls a fault is for. A member that is left out fits every call.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matcher {
    /// The account that calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The region of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The signing name of the service, for example `events`, `iam`, `sqs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The operation, for example `PutRule`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
}

impl Matcher {
    /// Whether the call fits.
    pub(crate) fn fits(&self, call: &Call) -> bool {
        let fits = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        fits(&self.account, &call.account)
            && fits(&self.region, &call.region)
            && fits(&self.service, &call.service)
            && fits(&self.operation, &call.operation)
    }
}

/// The call that a request makes.
pub(crate) fn call(request: &Whole, sessions: &Sessions) -> Call {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let scope = credential_scope(header("authorization"));
    let (operation, protocol) = match header("x-amz-target").rsplit_once('.') {
        Some((_, operation)) => (operation.to_owned(), Protocol::Json),
        None => match form_field(request.body(), "Action") {
            Some(action) => (action, Protocol::Query),
            None => (operation_of_path(request.uri().path()), Protocol::Json),
        },
    };
    Call { account: sessions.account_of(scope.key), region: scope.region.into(), service: scope.service.into(), operation, protocol }
}

#[derive(Default)]
struct Scope<'a> {
    key: &'a str,
    region: &'a str,
    service: &'a str,
}

/// Reads `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`.
fn credential_scope(authorization: &str) -> Scope<'_> {
    let Some((_, scope)) = authorization.split_once("Credential=") else {
        return Scope::default();
    };
    let mut parts = scope.split([',', '/']);
    let key = parts.next().unwrap_or_default();
    Scope { key, region: parts.nth(1).unwrap_or_default(), service: parts.next().unwrap_or_default() }
}

/// REST operations are known by their path: `/listRegions` is `ListRegions`.
fn operation_of_path(path: &str) -> String {
    let last = path.rsplit('/').next().unwrap_or_default();
    let mut letters = last.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A field of a form body, undecoded: the fields read here are plain words.
fn form_field(body: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    text.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
}

/// The accounts of sessions that AssumeRole made. Any other access key of the stand is the account's own number.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    accounts: Mutex<HashMap<String, String>>,
}

impl Sessions {
    fn account_of(&self, key: &str) -> String {
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.get(key).map_or(key, String::as_str).to_owned()
    }

    /// Learns a session from the answer to AssumeRole.
    pub(crate) fn learn(&self, call: &Call, answer: &[u8]) {
        if call.operation != "AssumeRole" {
            return;
        }
        let text = String::from_utf8_lossy(answer);
        let session = element(&text, "AccessKeyId").zip(element(&text, "Arn").and_then(|arn| arn.split(':').nth(4)));
        if let Some((key, account)) = session {
            let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
            accounts.insert(key.to_owned(), account.to_owned());
        }
    }
}

fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once('<').map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn request(headers: &[(&str, &str)], path: &str, body: &str) -> Whole {
        let mut builder = http::Request::post(path);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(Bytes::from(body.to_owned())).unwrap()
    }

    const SIGNATURE: &str =
        "AWS4-HMAC-SHA256 Credential=111122223333/20260101/eu-west-1/events/aws4_request, SignedHeaders=host, Signature=0";

    #[test]
    fn calls_are_read_from_target_action_or_path() {
        let cases = [
            (request(&[("authorization", SIGNATURE), ("x-amz-target", "AWSEvents.PutRule")], "/", "{}"), "PutRule", Protocol::Json),
            (request(&[("authorization", SIGNATURE)], "/", "Action=GetRole&Version=2010-05-08"), "GetRole", Protocol::Query),
            (request(&[("authorization", SIGNATURE)], "/listRegions", "{}"), "ListRegions", Protocol::Json),
        ];
        for (request, operation, protocol) in cases {
            let call = call(&request, &Sessions::default());
            assert_eq!((call.account.as_str(), call.region.as_str(), call.service.as_str()), ("111122223333", "eu-west-1", "events"));
            assert_eq!((call.operation.as_str(), call.protocol), (operation, protocol));
        }
    }

    #[test]
    fn a_session_belongs_to_the_account_of_its_role() {
        let sessions = Sessions::default();
        let assume = call(&request(&[], "/", "Action=AssumeRole"), &sessions);
        sessions.learn(&assume, b"<r><Arn>arn:aws:sts::444455556666:assumed-role/deploy/me</Arn><AccessKeyId>ASIA1</AccessKeyId></r>");
        assert_eq!(sessions.account_of("ASIA1"), "444455556666");
        assert_eq!(sessions.account_of("111122223333"), "111122223333");
    }

    #[test]
    fn an_unsigned_request_has_no_account() {
        let call = call(&request(&[], "/", ""), &Sessions::default());
        assert_eq!((call.account.as_str(), call.region.as_str(), call.service.as_str()), ("", "", ""));
    }
}

//! Every way in which the SDK fails, in the few words of [`CloudError`].

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use trailwire_engine::fanout::names::Cell;

use crate::cloud::error::{CloudError, Kind, classify};

/// A failure that does not know yet which call it belongs to.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// What failed, where that is not the call itself.
    during: Option<&'static str>,
    kind: Option<Kind>,
    code: String,
    message: String,
    request_id: Option<String>,
    status: Option<u16>,
}

impl Failure {
    /// A failure that AWS did not report, such as a malformed answer.
    pub(super) fn ours(kind: Kind, message: impl Into<String>) -> Self {
        Self { during: None, kind: Some(kind), code: String::new(), message: message.into(), request_id: None, status: None }
    }

    /// An entry that failed in a call that did not.
    pub(super) fn entry(code: Option<&str>, message: Option<&str>, request_id: Option<&str>) -> Self {
        Self {
            during: None,
            kind: None,
            code: code.unwrap_or("FailedEntry").to_owned(),
            message: message.unwrap_or("the entry failed without a reason").to_owned(),
            request_id: request_id.map(str::to_owned),
            status: None,
        }
    }

    /// The same failure with a meaning that only the service's own error type tells.
    pub(super) fn with_kind(self, kind: Kind) -> Self {
        Self { kind: Some(kind), ..self }
    }

    /// The same failure of an operation that came before the call.
    pub(super) fn during(self, operation: &'static str) -> Self {
        Self { during: Some(operation), ..self }
    }

    /// Names the endpoint that could not be reached.
    pub(super) fn through(self, endpoint: Option<&str>) -> Self {
        match endpoint {
            Some(endpoint) if self.kind == Some(Kind::Unreachable) => Self { message: format!("{endpoint}: {}", self.message), ..self },
            _ => self,
        }
    }

    /// Whether the service gave this code, with or without the `Exception` that some spellings end in.
    pub(super) fn says_code(&self, code: &str) -> bool {
        self.code.trim_end_matches("Exception") == code
    }

    pub(super) fn at(self, cell: &Cell, operation: &'static str) -> CloudError {
        let operation = self.during.unwrap_or(operation);
        let kind = self.kind(operation);
        CloudError { kind, code: self.code, message: self.message, request_id: self.request_id, cell: Box::new(cell.clone()), operation }
    }

    /// What the failure means for the given operation.
    pub(super) fn kind(&self, operation: &str) -> Kind {
        self.kind.unwrap_or_else(|| classify(self.during.unwrap_or(operation), &self.code, &self.message, self.status))
    }
}

impl<E> From<SdkError<E, HttpResponse>> for Failure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let request_id = error.request_id().map(str::to_owned);
        let status = error.raw_response().map(|response| response.status().as_u16());
        match &error {
            SdkError::ServiceError(_) | SdkError::ResponseError(_) => {
                let code = error.code().unwrap_or_default().to_owned();
                let fallback = || status.map_or_else(|| chain(&error), |status| format!("the service answered with HTTP status {status}"));
                let message = error.message().map_or_else(fallback, str::to_owned);
                Self { during: None, kind: None, code, message, request_id, status }
            }
            SdkError::TimeoutError(_) => Self::ours(Kind::Unreachable, "no answer in time"),
            _ => {
                let kind = if has_credentials_error(&error) { Kind::NoCredentials } else { Kind::Unreachable };
                Self { request_id, ..Self::ours(kind, chain(&error)) }
            }
        }
    }
}

fn has_credentials_error(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<CredentialsError>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// The messages of an error and of what caused it, each once.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut messages: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let message = error.to_string();
        if !messages.iter().any(|seen| seen.contains(&message)) {
            messages.push(message);
        }
        next = error.source();
    }
    messages.join(": ")
}

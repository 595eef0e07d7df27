//! Errors as AWS writes them.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;

use super::Answer;
use super::identify::Protocol;

/// An error that AWS would answer with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Refusal {
    /// An error of the caller, status 400.
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { status: 400, code: code.to_owned(), message: message.into() }
    }

    /// The answer in the service's protocol. The code is in the body, and in the headers where the SDKs look for it.
    pub(crate) fn into_answer(self, protocol: Protocol) -> Answer {
        let request_id = request_id();
        let fault = if self.status < 500 { "Sender" } else { "Receiver" };
        let (content_type, body) = match protocol {
            Protocol::Json => {
                let body = serde_json::json!({ "__type": self.code, "message": self.message });
                ("application/x-amz-json-1.1", body.to_string())
            }
            Protocol::Query => {
                let body = format!(
                    "<ErrorResponse><Error><Type>{fault}</Type><Code>{}</Code><Message>{}</Message></Error>\
                     <RequestId>{request_id}</RequestId></ErrorResponse>",
                    escape(&self.code),
                    escape(&self.message),
                );
                ("text/xml", body)
            }
        };
        let answer = Response::builder()
            .status(self.status)
            .header("content-type", content_type)
            .header("x-amzn-requestid", &request_id)
            .header("x-amzn-errortype", &self.code)
            .header("x-amzn-query-error", format!("{};{fault}", self.code))
            .body(Full::new(Bytes::from(body)));
        answer.unwrap_or_else(|_| Response::new(Full::new(Bytes::from_static(b"a fault has a code or status that HTTP cannot carry"))))
    }
}

fn request_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("00000000-0000-4000-8000-{:012}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

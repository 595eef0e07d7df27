//! What AWS says in place of an answer.

use trailwire_engine::fanout::names::Cell;

use crate::action::one_line;
use crate::core::Attempt;
use crate::destination::{Answer, code, fault};

/// What was asked, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) called: &'a str,
    pub(super) cell: &'a Cell,
}

/// What an answer is.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    /// One.
    Answer,
    /// What was asked for does not exist.
    NotThere,
    /// A fault.
    Fault(Attempt),
}

/// Codes that ask for fewer calls.
const THROTTLED: [&str; 8] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "SlowDown",
];
/// Codes of a right that is missing, or that is not known everywhere yet.
const DENIED: [&str; 9] = [
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "RequestExpired",
];

impl Place<'_> {
    pub(super) fn failed(&self, reason: &str) -> Attempt {
        Attempt::Failed { reason: self.words(reason), retry_after: None }
    }

    pub(super) fn refused(&self, reason: &str) -> Attempt {
        Attempt::Final { reason: self.words(reason) }
    }

    fn words(&self, reason: &str) -> String {
        format!("query {} in {}: {reason}", self.called, self.cell)
    }

    /// What an answer is, by its status and AWS's code.
    pub(super) fn said(&self, answer: &Answer) -> Said {
        if answer.is_success() {
            return Said::Answer;
        }
        let (code, said) = (code(answer), fault(answer));
        let request = answer.request().map(|id| format!(" (request {id})")).unwrap_or_default();
        let said: String = one_line(&said).chars().take(300).collect();
        let reason = match said.as_str() {
            "" => format!("AWS answered {}{request}", answer.status),
            said => format!("AWS answered {}: {said}{request}", answer.status),
        };
        let is_denied = matches!(answer.status, 401 | 403) || DENIED.contains(&code.as_str());
        let may_work_later = matches!(answer.status, 408 | 429 | 500..) || THROTTLED.contains(&code.as_str());
        if is_denied {
            let help = "let its reading role do it: apply the hub, and look for a policy above it that denies it";
            return Said::Fault(self.failed(&format!("{reason}; {help}")));
        }
        if may_work_later {
            return Said::Fault(Attempt::Failed { reason: self.words(&reason), retry_after: answer.retry_after });
        }
        if is_not_there(answer.status, &code) { Said::NotThere } else { Said::Fault(self.refused(&reason)) }
    }
}

/// Whether AWS says that there is no such thing, and not that it does not know what is asked.
fn is_not_there(status: u16, code: &str) -> bool {
    let ends = ["NotFound", "NotFoundException", "NotFoundFault", "NotFoundError"].iter().any(|end| code.ends_with(end));
    let named = ends || code.starts_with("NoSuch");
    code != "TypeNotFoundException" && (named || (status == 404 && !code.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_says() {
        let cell = Cell::new("111122223333", "eu-west-1");
        let place = Place { called: "ec2:DescribeInstances", cell: &cell };
        let said = |status: u16, code: &str| {
            let body = format!(
                "<Response><Errors><Error><Code>{code}</Code><Message>why</Message></Error></Errors><RequestID>r-1</RequestID></Response>"
            );
            place.said(&Answer { status, retry_after: None, request_id: None, body })
        };
        for (status, code, expected) in [
            (200, "", "answer"),
            (404, "NoSuchEntity", "not there"),
            (400, "InvalidInstanceID.NotFound", "not there"),
            (404, "NoSuchPublicAccessBlockConfiguration", "not there"),
            (404, "ServerSideEncryptionConfigurationNotFoundError", "not there"),
            (400, "TypeNotFoundException", "final"),
            (404, "", "final"),
            (400, "ValidationError", "final"),
            (301, "PermanentRedirect", "final"),
            (400, "Throttling", "failed"),
            (503, "RequestLimitExceeded", "failed"),
            (500, "", "failed"),
            (403, "UnauthorizedOperation", "failed"),
            (400, "AccessDeniedException", "failed"),
        ] {
            let told = match said(status, code) {
                Said::Answer => "answer",
                Said::NotThere => "not there",
                Said::Fault(Attempt::Failed { .. }) => "failed",
                Said::Fault(_) => "final",
            };
            assert_eq!(told, expected, "{status} {code}");
        }
        let reason = "query ec2:DescribeInstances in 111122223333/eu-west-1: AWS answered 403: UnauthorizedOperation: why (request r-1); \
                      let its reading role do it: apply the hub, and look for a policy above it that denies it";
        assert_eq!(said(403, "UnauthorizedOperation"), Said::Fault(Attempt::Failed { reason: reason.to_owned(), retry_after: None }));
    }
}

//! What can go wrong between us and AWS, named so that a person knows what to do.

use std::fmt;

use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::fanout::names::Cell;

/// What an error means for whoever made the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// There is no such thing.
    NotFound,
    /// It is there already.
    Exists,
    /// A condition of a transaction does not hold.
    ConditionFailed,
    /// Too many calls; tried again for as long as was configured.
    Throttled,
    /// A failure of the service that another attempt may mend.
    Transient,
    /// Something made a moment ago is not seen everywhere yet.
    Propagating,
    /// A queue of this name was removed within the last 60 seconds.
    QueueDeletedRecently,
    /// It cannot be removed while something else uses it.
    InUse,
    /// The endpoint cannot be reached, or does not answer in time.
    Unreachable,
    /// There are no credentials, or they cannot be read.
    NoCredentials,
    /// The credentials are expired or not accepted.
    BadCredentials,
    /// The region is enabled and does not accept the credentials' token.
    TokenNotValidHere,
    /// The deploy role of the account cannot be assumed.
    AccountRefused,
    /// The caller may not do this.
    AccessDenied,
    /// A service control policy forbids this.
    ScpDenied,
    /// The region is not enabled in the account.
    RegionDisabled,
    /// A quota is used up.
    Quota,
    /// The user interrupted Terraform; the call was not made, or its outcome was not waited for.
    Interrupted,
    /// The configuration of the provider forbids it or lacks something.
    Configuration,
    /// Anything else.
    Other,
}

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudError {
    /// What it means.
    pub kind: Kind,
    /// AWS's code, or our own word where AWS gave none.
    pub code: String,
    /// AWS's message.
    pub message: String,
    /// AWS's request id.
    pub request_id: Option<String>,
    /// Where; the account is empty while it is not known yet.
    pub cell: Box<Cell>,
    /// Service and operation, `events:PutRule`; empty when no call was made.
    pub operation: &'static str,
}

/// The result of a call.
pub type CloudResult<T> = Result<T, CloudError>;

impl CloudError {
    /// An error of ours: no call was made.
    pub fn ours(kind: Kind, cell: &Cell, message: impl Into<String>) -> Self {
        Self { kind, code: String::new(), message: message.into(), request_id: None, cell: Box::new(cell.clone()), operation: "" }
    }

    /// What AWS said, in one line: code, message and request id.
    pub fn cause(&self) -> String {
        let code = if self.code.is_empty() { String::new() } else { format!("{}: ", self.code) };
        let request = self.request_id.as_ref().map(|id| format!(" (request id {id})")).unwrap_or_default();
        format!("{code}{}{request}", self.message.trim_end_matches('.'))
    }

    /// The operation and what AWS said, in one line of a list.
    pub fn call_and_cause(&self) -> String {
        let operation = if self.operation.is_empty() { String::new() } else { format!("`{}`: ", self.operation) };
        format!("{operation}{}", self.cause())
    }

    /// What to do about it, where we know.
    pub fn help(&self) -> Option<String> {
        self.help_in(&[&self.cell.account], &[&self.cell.region])
    }

    /// The same, when it happened in all of these accounts and regions.
    pub fn help_in(&self, accounts: &[&str], regions: &[&str]) -> Option<String> {
        let exclude = || {
            let names: Vec<String> = regions.iter().map(|region| format!("\"{region}\"")).collect();
            format!("exclude_regions = [{}]", names.join(", "))
        };
        let region = if regions.len() == 1 { "region" } else { "regions" };
        match self.kind {
            Kind::NoCredentials => Some(
                "give the provider credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or `profile` in the provider block".to_owned(),
            ),
            Kind::BadCredentials if EXPIRED.contains(&self.code.as_str()) => {
                Some("the session has expired: log in again and run the same command again; with a role of `assume_role`, raise its `duration`".to_owned())
            }
            Kind::BadCredentials => Some("log in again, or correct the keys, then run the same command again".to_owned()),
            Kind::Unreachable => Some("check the network, the region's name, and AWS_ENDPOINT_URL or `endpoints` in the provider block".to_owned()),
            Kind::AccountRefused => {
                let quoted: Vec<String> = accounts.iter().map(|account| format!("\"{account}\"")).collect();
                Some(format!(
                    "make the deploy role there (examples/bootstrap), trusting the provider's credentials and its `member_external_id`; or give up \
                     what cannot be reached: abandon_accounts = [{}] on the hub",
                    quoted.join(", ")
                ))
            }
            Kind::ScpDenied => {
                Some(format!("a service control policy forbids it there; to leave the {region} out, add to the hub: {}", exclude()))
            }
            Kind::AccessDenied if self.operation.starts_with("organizations:") => Some(
                "only the organisation's management account and its delegated administrators may list its accounts: put the hub there, or name the \
                 accounts in `member_accounts`"
                    .to_owned(),
            ),
            Kind::AccessDenied if !self.operation.is_empty() => Some(format!("allow `{}` to whoever runs Terraform", self.operation)),
            Kind::RegionDisabled => {
                Some(format!("enable the {region} in the account, or leave out on the hub: {}", exclude()))
            }
            Kind::TokenNotValidHere => Some(
                "get the session from a regional STS endpoint (AWS_STS_REGIONAL_ENDPOINTS=regional), or make the global endpoint's tokens valid in all regions"
                    .to_owned(),
            ),
            Kind::Propagating => Some("what was made in IAM was not seen everywhere in time: run the same command again".to_owned()),
            Kind::Throttled => Some("something else calls AWS much: run the same command again, later or with a smaller `max_concurrency`".to_owned()),
            Kind::Transient => Some("AWS failed again and again: run the same command again later".to_owned()),
            Kind::Quota => Some("raise the quota, or use fewer triggers in this region".to_owned()),
            _ => None,
        }
    }

    /// The code of the diagnostic that tells of it.
    pub fn diagnostic_code(&self) -> Code {
        match self.kind {
            Kind::NoCredentials | Kind::BadCredentials | Kind::TokenNotValidHere => Code::AWS_CREDENTIALS,
            Kind::Unreachable => Code::AWS_UNREACHABLE,
            Kind::AccountRefused => Code::ACCOUNT_UNREACHABLE,
            Kind::RegionDisabled => Code::REGION_NOT_ENABLED,
            Kind::NotFound => Code::NOT_FOUND,
            Kind::InUse => Code::IN_USE,
            Kind::Interrupted => Code::INTERRUPTED,
            _ => Code::AWS_CALL,
        }
    }

    /// The diagnostic that tells of it.
    pub fn diagnostic(&self) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.diagnostic_code(), self.to_string());
        match self.help() {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}

impl fmt::Display for CloudError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.cell.account.is_empty() { self.cell.region.clone() } else { self.cell.to_string() };
        let what = match self.kind {
            Kind::NoCredentials => "no AWS credentials were found",
            Kind::BadCredentials => "AWS does not accept the credentials",
            Kind::TokenNotValidHere => "the region is enabled and does not accept the credentials",
            Kind::Unreachable => "AWS cannot be reached",
            Kind::AccountRefused => {
                return write!(f, "account {} cannot be reached, `{}`: {}", self.cell.account, self.operation, self.cause());
            }
            Kind::ScpDenied => "a service control policy denies a call",
            Kind::AccessDenied => "AWS denies a call",
            Kind::RegionDisabled => "the region is not enabled in the account",
            Kind::Interrupted => "interrupted",
            _ if self.operation.is_empty() => return f.write_str(self.message.trim_end_matches('.')),
            _ => "an AWS call failed",
        };
        let operation = if self.operation.is_empty() { String::new() } else { format!(", `{}` in {place}", self.operation) };
        write!(f, "{what}{operation}: {}", self.cause())
    }
}

impl std::error::Error for CloudError {}

/// Finds what an error of AWS means from its code, message and HTTP status.
pub fn classify(operation: &str, code: &str, message: &str, status: Option<u16>) -> Kind {
    let says = |text: &str| message.contains(text);
    match code {
        // A role that Lambda does not know yet, or not yet with its policy; a function whose last change is under way.
        "InvalidParameterValueException" if says("cannot be assumed by Lambda") || says("execution role does not have permissions") => {
            Kind::Propagating
        }
        "ResourceConflictException" if says("in progress") || says("state: Pending") => Kind::Propagating,
        "ResourceConflictException" => Kind::Exists,
        _ if says("cannot be assumed by principal") || (code.contains("MalformedPolicyDocument") && says("Invalid principal")) => {
            Kind::Propagating
        }
        _ if code.contains("QueueDeletedRecently") => Kind::QueueDeletedRecently,
        _ if code.contains("NonExistentQueue") || code.contains("QueueDoesNotExist") => Kind::NotFound,
        "ResourceNotFoundException" | "NoSuchEntity" | "NoSuchEntityException" => Kind::NotFound,
        _ if code.contains("QueueNameExists") || code.contains("QueueAlreadyExists") => Kind::Exists,
        "ResourceAlreadyExistsException" | "EntityAlreadyExists" | "EntityAlreadyExistsException" | "ResourceExistsException" => {
            Kind::Exists
        }
        "ResourceInUseException" if operation == "dynamodb:CreateTable" => Kind::Exists,
        // What feeds a function is being made or changed.
        "ResourceInUseException" if operation.starts_with("lambda:") => Kind::Propagating,
        "ResourceInUseException" | "DeleteConflict" | "DeleteConflictException" => Kind::InUse,
        "ValidationException" if says("has targets") => Kind::InUse,
        "ConditionalCheckFailedException" => Kind::ConditionFailed,
        "InvalidRequestException" if says("scheduled for deletion") => Kind::InUse,
        "CodeStorageExceededException" | "LimitExceededException" | "LimitExceeded" | "ServiceQuotaExceededException" => Kind::Quota,
        "ConcurrentModificationException"
        | "ConcurrentModification"
        | "TransactionInProgressException"
        | "TransactionConflictException" => Kind::Throttled,
        _ if THROTTLING.contains(&code) || status == Some(429) => Kind::Throttled,
        _ if EXPIRED.contains(&code) => Kind::BadCredentials,
        "OptInRequired" => Kind::RegionDisabled,
        "UnrecognizedClientException" | "InvalidClientTokenId" if !operation.starts_with("sts:") => Kind::RegionDisabled,
        "UnrecognizedClientException" | "InvalidClientTokenId" | "SignatureDoesNotMatch" | "InvalidSignatureException" => {
            Kind::BadCredentials
        }
        _ if code.contains("AccessDenied") || code == "UnauthorizedOperation" => {
            if says("service control policy") {
                Kind::ScpDenied
            } else {
                Kind::AccessDenied
            }
        }
        "InternalFailure"
        | "ServiceException"
        | "InternalServerError"
        | "InternalException"
        | "InternalError"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => Kind::Transient,
        _ if status.is_some_and(|status| status >= 500) => Kind::Transient,
        _ => Kind::Other,
    }
}

const THROTTLING: [&str; 11] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "BandwidthLimitExceeded",
    "SlowDown",
    "PriorRequestNotComplete",
];

const EXPIRED: [&str; 5] = ["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired", "AuthFailure"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_aws_are_named() {
        for (operation, code, message, status, kind) in [
            ("events:PutRule", "ThrottlingException", "Rate exceeded", Some(400), Kind::Throttled),
            (
                "events:PutRule",
                "ValidationException",
                "Provided role 'x' cannot be assumed by principal 'events.amazonaws.com'.",
                Some(400),
                Kind::Propagating,
            ),
            (
                "events:PutRule",
                "LimitExceededException",
                "The requested resource exceeds the maximum number allowed.",
                Some(400),
                Kind::Quota,
            ),
            ("events:DeleteRule", "ValidationException", "Rule can't be deleted since it has targets.", Some(400), Kind::InUse),
            ("sqs:GetQueueUrl", "AWS.SimpleQueueService.NonExistentQueue", "", Some(400), Kind::NotFound),
            ("sqs:CreateQueue", "AWS.SimpleQueueService.QueueDeletedRecently", "", Some(400), Kind::QueueDeletedRecently),
            ("dynamodb:CreateTable", "ResourceInUseException", "Table already exists: x", Some(400), Kind::Exists),
            ("dynamodb:DeleteTable", "ResourceInUseException", "", Some(400), Kind::InUse),
            ("sts:GetCallerIdentity", "ExpiredToken", "", Some(403), Kind::BadCredentials),
            ("sts:GetCallerIdentity", "InvalidClientTokenId", "", Some(403), Kind::BadCredentials),
            ("events:ListRules", "UnrecognizedClientException", "", Some(400), Kind::RegionDisabled),
            ("events:PutRule", "AccessDeniedException", "with an explicit deny in a service control policy", Some(400), Kind::ScpDenied),
            ("events:PutRule", "AccessDeniedException", "not authorized", Some(400), Kind::AccessDenied),
            ("events:PutRule", "", "", Some(503), Kind::Transient),
            ("events:PutRule", "InvalidEventPatternException", "", Some(400), Kind::Other),
        ] {
            assert_eq!(classify(operation, code, message, status), kind, "{operation} {code}");
        }
    }

    #[test]
    fn an_error_reads_well() {
        let error = CloudError {
            kind: Kind::ScpDenied,
            code: "AccessDeniedException".to_owned(),
            message: "not authorized, explicit deny in a service control policy.".to_owned(),
            request_id: Some("r-1".to_owned()),
            cell: Box::new(Cell::new("111122223333", "eu-south-1")),
            operation: "events:PutRule",
        };
        assert_eq!(
            error.diagnostic().draw(),
            "error[TW4000]: a service control policy denies a call, `events:PutRule` in 111122223333/eu-south-1: AccessDeniedException: \
             not authorized, explicit deny in a service control policy (request id r-1)\n  \
             = help: a service control policy forbids it there; to leave the region out, add to the hub: exclude_regions = [\"eu-south-1\"]"
        );
    }
}

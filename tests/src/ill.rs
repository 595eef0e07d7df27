//! How a call of AWS may fail, as the tests of faults name it.

use crate::control::{Effect, Fault, Matcher};

/// One way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ill {
    /// Too many calls.
    Throttled,
    /// The service fails.
    Failing,
    /// There is no answer.
    Silent,
    /// The call is carried out, and its answer is lost.
    Cut,
    /// The caller may not do it.
    Denied,
    /// The region is not enabled in the account.
    Disabled,
    /// A role that was made a moment ago is not known everywhere yet.
    NotPropagated,
}

impl Ill {
    /// The fault in these calls. Those that end by themselves strike some calls, the others all.
    pub fn fault(self, calls: Matcher) -> Fault {
        match self {
            Self::Throttled => Fault::new(calls, Effect::Throttle).times(3),
            Self::Failing => Fault::fail(calls, 500, "InternalFailure").times(3),
            Self::Silent => Fault::new(calls, Effect::Hold).times(1),
            Self::Cut => Fault::new(calls, Effect::Cut).after().times(1),
            Self::Denied => Fault::fail(calls, 400, "AccessDeniedException"),
            Self::Disabled => Fault::fail(calls, 400, "UnrecognizedClientException"),
            Self::NotPropagated => {
                let role = "arn:aws:iam::111122223333:role/trailwire/x";
                let message = format!("Provided role '{role}' cannot be assumed by principal 'events.amazonaws.com'.");
                Fault::new(calls, Effect::Fail { status: 400, code: "ValidationException".to_owned(), message }).times(2)
            }
        }
    }

    /// Whether calling again overcomes it.
    pub fn ends_by_itself(self) -> bool {
        !matches!(self, Self::Denied | Self::Disabled)
    }
}

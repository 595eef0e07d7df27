//! Operations on what a hub's function is made of. They are told in the service's own JSON, as alarms are: the engine says what is wanted in that form.

/// An operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionOperation {
    /// The function of this name, with its settings and concurrency.
    Get,
    /// Makes a function.
    Create,
    /// Gives the function of this name other code.
    UpdateCode,
    /// Gives it other settings.
    UpdateSettings,
    /// Removes it.
    Delete,
    /// Keeps invocations for it.
    PutConcurrency,
    /// Keeps none.
    DeleteConcurrency,
    /// Who may invoke it.
    GetPolicy,
    /// Lets somebody invoke it.
    AddPermission,
    /// Lets them no more; the statement is named after a `/`.
    RemovePermission,
    /// What feeds it.
    ListMappings,
    /// Feeds it.
    CreateMapping,
    /// Changes how it is fed, by the mapping's id.
    UpdateMapping,
    /// Feeds it no more.
    DeleteMapping,
    /// Log groups.
    ListLogs,
    /// Makes one.
    CreateLog,
    /// Says how long one keeps what it has.
    KeepLog,
    /// Says that one keeps what it has for ever.
    KeepLogForEver,
    /// Removes one.
    DeleteLog,
    /// Rules of the default bus, with their schedules.
    ListSchedules,
    /// Makes or replaces a rule with a schedule.
    PutSchedule,
    /// What a rule invokes, and with what.
    ListInvoked,
    /// Has a rule invoke something.
    PutInvoked,
}

impl FunctionOperation {
    /// Service and operation as IAM spells them.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Get => "lambda:GetFunction",
            Self::Create => "lambda:CreateFunction",
            Self::UpdateCode => "lambda:UpdateFunctionCode",
            Self::UpdateSettings => "lambda:UpdateFunctionConfiguration",
            Self::Delete => "lambda:DeleteFunction",
            Self::PutConcurrency => "lambda:PutFunctionConcurrency",
            Self::DeleteConcurrency => "lambda:DeleteFunctionConcurrency",
            Self::GetPolicy => "lambda:GetPolicy",
            Self::AddPermission => "lambda:AddPermission",
            Self::RemovePermission => "lambda:RemovePermission",
            Self::ListMappings => "lambda:ListEventSourceMappings",
            Self::CreateMapping => "lambda:CreateEventSourceMapping",
            Self::UpdateMapping => "lambda:UpdateEventSourceMapping",
            Self::DeleteMapping => "lambda:DeleteEventSourceMapping",
            Self::ListLogs => "logs:DescribeLogGroups",
            Self::CreateLog => "logs:CreateLogGroup",
            Self::KeepLog => "logs:PutRetentionPolicy",
            Self::KeepLogForEver => "logs:DeleteRetentionPolicy",
            Self::DeleteLog => "logs:DeleteLogGroup",
            Self::ListSchedules => "events:ListRules",
            Self::PutSchedule => "events:PutRule",
            Self::ListInvoked => "events:ListTargetsByRule",
            Self::PutInvoked => "events:PutTargets",
        }
    }

    /// See [`super::Call::makes_once`].
    pub(super) fn makes_once(self) -> bool {
        matches!(self, Self::Create | Self::AddPermission | Self::CreateMapping | Self::CreateLog)
    }

    /// Whether there may be nothing for it, and that is an answer.
    pub fn may_miss(self) -> bool {
        use FunctionOperation as O;
        matches!(
            self,
            O::Get
                | O::Delete
                | O::DeleteConcurrency
                | O::GetPolicy
                | O::RemovePermission
                | O::DeleteMapping
                | O::DeleteLog
                | O::ListInvoked
                | O::ListMappings
        )
    }
}

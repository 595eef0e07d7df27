//! Every call that the provider makes, and what comes back, in our own words: the SDK's types stop at `cloud/aws`.
//!
//! The same holds for every implementation: what is described but not there is `None`, deleting what is not there is done, lists are
//! complete (all pages).

mod function;
mod reply;
mod write;

use std::collections::BTreeMap;

use serde_json::Value;
use trailwire_engine::fanout::alarms::Alarm;
use trailwire_engine::fanout::rules::{Rule, Target};
pub use trailwire_engine::fanout::tags::Tags;

pub use self::function::FunctionOperation;
pub use self::reply::{Bus, Caller, ListedRule, OrganizationInfo, Region, Reply, Role, SecretInfo, Table};
pub use self::write::{Condition, Write};
use crate::config::Secret;

/// The name of the bus that AWS services send to.
pub const DEFAULT_BUS: &str = "default";

/// One call to one service of one cell.
#[derive(Clone, Debug)]
pub enum Call {
    /// Who calls: [`Reply::Caller`].
    GetCallerIdentity,
    /// The regions of the account: [`Reply::Regions`].
    ListRegions,
    /// The organisation of the account: [`Reply::Organization`].
    DescribeOrganization,
    /// The active accounts of the organisation, or of a root or unit without the units in it: [`Reply::Names`].
    ListAccounts {
        /// The root or unit.
        parent: Option<String>,
    },
    /// The units directly in a root or unit: [`Reply::Names`].
    ListUnits {
        /// The root or unit.
        parent: String,
    },

    /// The trails of the region, with those of other regions and of the organisation that log here, too: [`Reply::Trails`].
    DescribeTrails,
    /// Whether a trail logs now: [`Reply::Is`].
    GetTrailStatus {
        /// Its ARN.
        trail: String,
    },
    /// Whether a trail's selectors keep management events that write: [`Reply::Is`].
    GetEventSelectors {
        /// Its ARN.
        trail: String,
    },

    /// Makes a bus.
    CreateBus {
        /// Its name.
        name: String,
        /// What a person reads in the console.
        description: String,
        /// Its tags.
        tags: Tags,
    },
    /// [`Reply::Bus`].
    DescribeBus {
        /// Its name.
        name: String,
    },
    /// Removes a bus.
    DeleteBus {
        /// Its name.
        name: String,
    },
    /// Replaces the whole policy of a bus.
    PutBusPolicy {
        /// Its name.
        bus: String,
        /// The policy, JSON.
        policy: String,
    },
    /// The rules whose names begin so, all of them for an empty prefix: [`Reply::Rules`].
    ListRules {
        /// The bus.
        bus: String,
        /// The beginning of their names.
        prefix: String,
    },
    /// The names of the rules that send to this ARN: [`Reply::Names`].
    ListRuleNamesByTarget {
        /// The bus of the rules.
        bus: String,
        /// Where they send to.
        target_arn: String,
    },
    /// [`Reply::Targets`].
    ListTargets {
        /// The bus.
        bus: String,
        /// The rule.
        rule: String,
    },
    /// Makes a rule or replaces it whole. Tags count only when it is made.
    PutRule {
        /// The bus.
        bus: String,
        /// The rule; its target is left out.
        rule: Box<Rule>,
        /// Its tags.
        tags: Tags,
    },
    /// Makes or replaces one target of a rule.
    PutTarget {
        /// The bus.
        bus: String,
        /// The rule.
        rule: String,
        /// The target.
        target: Target,
    },
    /// Removes targets of a rule.
    RemoveTargets {
        /// The bus.
        bus: String,
        /// The rule.
        rule: String,
        /// The targets' ids.
        ids: Vec<String>,
    },
    /// Removes a rule that has no targets.
    DeleteRule {
        /// The bus.
        bus: String,
        /// The rule.
        rule: String,
    },

    /// [`Reply::Role`].
    GetRole {
        /// Its name, without the path.
        name: String,
    },
    /// Makes a role: [`Reply::Text`], its ARN.
    CreateRole {
        /// Its name.
        name: String,
        /// Its path.
        path: String,
        /// What a person reads in the console.
        description: String,
        /// Who may take it, JSON.
        trust: String,
        /// The ARN of a policy that bounds it.
        boundary: Option<String>,
        /// Its tags.
        tags: Tags,
    },
    /// Replaces the trust policy.
    UpdateTrust {
        /// The role.
        role: String,
        /// Who may take it, JSON.
        trust: String,
    },
    /// Sets or removes the permissions boundary.
    PutBoundary {
        /// The role.
        role: String,
        /// The ARN of the policy.
        boundary: Option<String>,
    },
    /// Makes or replaces an inline policy.
    PutRolePolicy {
        /// The role.
        role: String,
        /// The policy's name.
        name: String,
        /// JSON.
        policy: String,
    },
    /// An inline policy: [`Reply::Document`].
    GetRolePolicy {
        /// The role.
        role: String,
        /// The policy's name.
        name: String,
    },
    /// The names of a role's inline policies, none where there is no such role: [`Reply::Names`].
    ListRolePolicies {
        /// The role.
        role: String,
    },
    /// Removes an inline policy.
    DeleteRolePolicy {
        /// The role.
        role: String,
        /// The policy's name.
        name: String,
    },
    /// Removes a role that has no policies.
    DeleteRole {
        /// Its name.
        name: String,
    },

    /// Makes a queue, or finds one with the same attributes: [`Reply::Text`], its URL.
    CreateQueue {
        /// Its name.
        name: String,
        /// Its attributes.
        attributes: BTreeMap<String, String>,
        /// Its tags.
        tags: Tags,
    },
    /// The URL of a queue: [`Reply::Document`].
    GetQueueUrl {
        /// Its name.
        name: String,
    },
    /// Every attribute: [`Reply::Attributes`].
    GetQueueAttributes {
        /// The queue's URL.
        url: String,
    },
    /// Changes these attributes and leaves the others.
    SetQueueAttributes {
        /// The queue's URL.
        url: String,
        /// Their new values.
        attributes: BTreeMap<String, String>,
    },
    /// Removes a queue with everything in it.
    DeleteQueue {
        /// The queue's URL.
        url: String,
    },

    /// Makes a table with the two string keys of the hub's table, billed on demand.
    CreateTable {
        /// Its name.
        name: String,
        /// Its tags.
        tags: Tags,
    },
    /// [`Reply::Table`].
    DescribeTable {
        /// Its name.
        name: String,
    },
    /// Removes a table with everything in it.
    DeleteTable {
        /// Its name.
        name: String,
    },
    /// One item, read consistently: [`Reply::Item`].
    GetItem {
        /// The table.
        table: String,
        /// The hash key.
        pk: String,
        /// The range key.
        sk: String,
    },
    /// Every item of a hash key, read consistently: [`Reply::Items`].
    Query {
        /// The table.
        table: String,
        /// The hash key.
        pk: String,
    },
    /// Writes that all happen or none.
    Transact {
        /// The table.
        table: String,
        /// The writes; at most one for each item.
        writes: Vec<Write>,
        /// The same in every attempt: what was written by an attempt whose answer was lost is not written again.
        token: String,
    },

    /// The alarms whose names begin so: [`Reply::Alarms`].
    DescribeAlarms {
        /// The beginning of their names.
        prefix: String,
    },
    /// Makes an alarm or replaces it whole. Tags count only when it is made.
    PutAlarm {
        /// The alarm.
        alarm: Box<Alarm>,
        /// Its tags.
        tags: Tags,
    },
    /// Removes alarms.
    DeleteAlarms {
        /// Their names.
        names: Vec<String>,
    },

    /// Something about a hub's function, or what invokes it: [`Reply::Json`], what the service answers; null where what is asked for is not there.
    Function {
        /// What.
        operation: FunctionOperation,
        /// Whose: a function's name, a mapping's id; nothing where the input says it.
        subject: String,
        /// What the service is given; null for nothing.
        input: Value,
    },

    /// Makes a secret: [`Reply::Text`], its ARN.
    CreateSecret {
        /// Its name.
        name: String,
        /// What a person reads in the console.
        description: String,
        /// Its value.
        value: Secret,
        /// Its tags.
        tags: Tags,
    },
    /// [`Reply::Secret`].
    DescribeSecret {
        /// Its name or ARN.
        id: String,
    },
    /// Gives a secret a new value.
    PutSecretValue {
        /// Its name or ARN.
        id: String,
        /// The value.
        value: Secret,
    },
    /// Removes a secret at once, without a time in which it could be brought back.
    DeleteSecret {
        /// Its name or ARN.
        id: String,
    },

    /// The tags of something: [`Reply::Tags`].
    ListTags {
        /// What.
        of: Tagged,
    },
    /// Adds tags to something, or changes their values.
    Tag {
        /// What.
        of: Tagged,
        /// The tags.
        tags: Tags,
    },
    /// Removes tags from something.
    Untag {
        /// What.
        of: Tagged,
        /// Their keys.
        keys: Vec<String>,
    },
}

/// Something that has tags.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tagged {
    /// A bus or rule, by ARN.
    Events(String),
    /// A queue, by URL.
    Queue(String),
    /// A role, by name.
    Role(String),
    /// A table, by ARN.
    Table(String),
    /// A secret, by ARN or name.
    Secret(String),
    /// An alarm, by ARN.
    Alarm(String),
    /// A Lambda function, by ARN.
    Function(String),
    /// A log group, by ARN.
    LogGroup(String),
}

impl Call {
    /// Service and operation as IAM spells them, `events:PutRule`.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::GetCallerIdentity => "sts:GetCallerIdentity",
            Self::ListRegions => "account:ListRegions",
            Self::DescribeOrganization => "organizations:DescribeOrganization",
            Self::ListAccounts { parent: None } => "organizations:ListAccounts",
            Self::ListAccounts { parent: Some(_) } => "organizations:ListAccountsForParent",
            Self::ListUnits { .. } => "organizations:ListOrganizationalUnitsForParent",
            Self::DescribeTrails => "cloudtrail:DescribeTrails",
            Self::GetTrailStatus { .. } => "cloudtrail:GetTrailStatus",
            Self::GetEventSelectors { .. } => "cloudtrail:GetEventSelectors",
            Self::CreateBus { .. } => "events:CreateEventBus",
            Self::DescribeBus { .. } => "events:DescribeEventBus",
            Self::DeleteBus { .. } => "events:DeleteEventBus",
            Self::PutBusPolicy { .. } => "events:PutPermission",
            Self::ListRules { .. } => "events:ListRules",
            Self::ListRuleNamesByTarget { .. } => "events:ListRuleNamesByTarget",
            Self::ListTargets { .. } => "events:ListTargetsByRule",
            Self::PutRule { .. } => "events:PutRule",
            Self::PutTarget { .. } => "events:PutTargets",
            Self::RemoveTargets { .. } => "events:RemoveTargets",
            Self::DeleteRule { .. } => "events:DeleteRule",
            Self::GetRole { .. } => "iam:GetRole",
            Self::CreateRole { .. } => "iam:CreateRole",
            Self::UpdateTrust { .. } => "iam:UpdateAssumeRolePolicy",
            Self::PutBoundary { boundary: Some(_), .. } => "iam:PutRolePermissionsBoundary",
            Self::PutBoundary { boundary: None, .. } => "iam:DeleteRolePermissionsBoundary",
            Self::PutRolePolicy { .. } => "iam:PutRolePolicy",
            Self::GetRolePolicy { .. } => "iam:GetRolePolicy",
            Self::ListRolePolicies { .. } => "iam:ListRolePolicies",
            Self::DeleteRolePolicy { .. } => "iam:DeleteRolePolicy",
            Self::DeleteRole { .. } => "iam:DeleteRole",
            Self::CreateQueue { .. } => "sqs:CreateQueue",
            Self::GetQueueUrl { .. } => "sqs:GetQueueUrl",
            Self::GetQueueAttributes { .. } => "sqs:GetQueueAttributes",
            Self::SetQueueAttributes { .. } => "sqs:SetQueueAttributes",
            Self::DeleteQueue { .. } => "sqs:DeleteQueue",
            Self::CreateTable { .. } => "dynamodb:CreateTable",
            Self::DescribeTable { .. } => "dynamodb:DescribeTable",
            Self::DeleteTable { .. } => "dynamodb:DeleteTable",
            Self::GetItem { .. } => "dynamodb:GetItem",
            Self::Query { .. } => "dynamodb:Query",
            Self::Transact { .. } => "dynamodb:TransactWriteItems",
            Self::DescribeAlarms { .. } => "cloudwatch:DescribeAlarms",
            Self::PutAlarm { .. } => "cloudwatch:PutMetricAlarm",
            Self::DeleteAlarms { .. } => "cloudwatch:DeleteAlarms",
            Self::Function { operation, .. } => operation.name(),
            Self::CreateSecret { .. } => "secretsmanager:CreateSecret",
            Self::DescribeSecret { .. } => "secretsmanager:DescribeSecret",
            Self::PutSecretValue { .. } => "secretsmanager:PutSecretValue",
            Self::DeleteSecret { .. } => "secretsmanager:DeleteSecret",
            Self::ListTags { of } => of.operations().0,
            Self::Tag { of, .. } => of.operations().1,
            Self::Untag { of, .. } => of.operations().2,
        }
    }
}

impl Call {
    /// Whether finding the thing there already, after an attempt whose answer was lost, means that this very call made it.
    pub fn makes_once(&self) -> bool {
        match self {
            Self::Function { operation, .. } => operation.makes_once(),
            other => matches!(other, Self::CreateBus { .. } | Self::CreateRole { .. }),
        }
    }
}

impl Tagged {
    fn operations(&self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Events(_) => ("events:ListTagsForResource", "events:TagResource", "events:UntagResource"),
            Self::Queue(_) => ("sqs:ListQueueTags", "sqs:TagQueue", "sqs:UntagQueue"),
            Self::Role(_) => ("iam:ListRoleTags", "iam:TagRole", "iam:UntagRole"),
            Self::Table(_) => ("dynamodb:ListTagsOfResource", "dynamodb:TagResource", "dynamodb:UntagResource"),
            Self::Alarm(_) => ("cloudwatch:ListTagsForResource", "cloudwatch:TagResource", "cloudwatch:UntagResource"),
            Self::Function(_) => ("lambda:ListTags", "lambda:TagResource", "lambda:UntagResource"),
            Self::LogGroup(_) => ("logs:ListTagsForResource", "logs:TagResource", "logs:UntagResource"),
            Self::Secret(_) => ("secretsmanager:DescribeSecret", "secretsmanager:TagResource", "secretsmanager:UntagResource"),
        }
    }
}

/// What a call means that reaches an implementation which does not know it: a bug.
pub const UNHANDLED: crate::cloud::error::Kind = crate::cloud::error::Kind::Other;

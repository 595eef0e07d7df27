//! What comes back of calls.

use std::collections::BTreeMap;

use serde_json::Value;
use trailwire_engine::fanout::rules::Target;
use trailwire_engine::fanout::table::Item;
use trailwire_engine::fanout::trails::Trail;

use super::Tags;

/// What came back.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Nothing to tell.
    Done,
    /// Who calls.
    Caller(Caller),
    /// The caller's organisation.
    Organization(OrganizationInfo),
    /// The account's regions.
    Regions(Vec<Region>),
    /// Trails.
    Trails(Vec<Trail>),
    /// Whether something is so.
    Is(bool),
    /// A bus.
    Bus(Option<Bus>),
    /// An ARN or URL.
    Text(String),
    /// A document or URL that may be missing.
    Document(Option<String>),
    /// Names.
    Names(Vec<String>),
    /// Rules.
    Rules(Vec<ListedRule>),
    /// Targets.
    Targets(Vec<Target>),
    /// A role.
    Role(Option<Role>),
    /// Attributes of a queue.
    Attributes(Option<BTreeMap<String, String>>),
    /// A table.
    Table(Option<Table>),
    /// An item.
    Item(Option<Item>),
    /// Items.
    Items(Vec<Item>),
    /// Alarms, by name.
    Alarms(BTreeMap<String, Value>),
    /// What the service answers; null where there is nothing.
    Json(Value),
    /// A secret.
    Secret(Option<SecretInfo>),
    /// Tags.
    Tags(Tags),
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account's twelve digits.
    pub account: String,
    /// The user or role session, where that is known.
    pub arn: Option<String>,
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationInfo {
    /// Its id.
    pub id: String,
    /// Its management account.
    pub management: String,
}

/// A region of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its name.
    pub name: String,
    /// Whether calls to it are accepted.
    pub enabled: bool,
}

/// A bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bus {
    /// Its ARN.
    pub arn: String,
    /// Its policy, JSON.
    pub policy: Option<String>,
}

/// A rule as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedRule {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// Its pattern.
    pub pattern: Option<String>,
    /// Its state.
    pub state: Option<String>,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// Who may take it, JSON.
    pub trust: Option<String>,
    /// The ARN of the policy that bounds it.
    pub boundary: Option<String>,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its ARN.
    pub arn: String,
    /// `ACTIVE`, `CREATING`, `DELETING` and so on.
    pub status: String,
}

/// A secret, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretInfo {
    /// Its ARN.
    pub arn: String,
    /// Whether it is marked for deletion and may not be used.
    pub deleted: bool,
}

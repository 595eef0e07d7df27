//! The `provider "trailwire"` block: its schema, and a typed form that cannot be wrong.

mod parse;
mod schema;
mod secret;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(crate) use parse::check;
pub use schema::{ENDPOINT_SERVICES, schema};
pub(crate) use schema::{account_ids, check_tags, region_names, whole};
pub use secret::Secret;

/// The provider block, checked. Values that were unknown while planning count as not given and are named in `unknown`.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// The region that calls go to unless a resource says otherwise; else the SDK's own chain finds it.
    pub region: Option<String>,
    /// A profile of the shared configuration files.
    pub profile: Option<String>,
    /// Given together with `secret_key`, or not at all.
    pub access_key: Option<String>,
    /// Given together with `access_key`, or not at all.
    pub secret_key: Option<Secret>,
    /// The session token that belongs to the two keys.
    pub token: Option<Secret>,
    /// Attempts after the first; `None` is the SDK's default.
    pub max_retries: Option<u32>,
    /// How retries are paced.
    pub retry_mode: RetryMode,
    /// How many calls may be under way at once, 1 to 1,000.
    pub max_concurrency: usize,
    /// Tags on everything that takes tags.
    pub default_tags: BTreeMap<String, String>,
    /// Tags of others, left alone and not shown.
    pub ignore_tags: IgnoreTags,
    /// Assumed with the credentials found, before anything else.
    pub assume_role: Option<AssumeRole>,
    /// When not empty, only these accounts may be touched.
    pub allowed_account_ids: BTreeSet<String>,
    /// These accounts may not be touched. Empty when `allowed_account_ids` is not.
    pub forbidden_account_ids: BTreeSet<String>,
    /// The role that is assumed in each member account, with its path.
    pub member_role_name: String,
    /// The external id that the trust policies of these roles ask for.
    pub member_external_id: Option<String>,
    /// Service (one of [`ENDPOINT_SERVICES`]) to URL.
    pub endpoints: BTreeMap<String, String>,
    /// A PEM file with more certificate authorities to trust.
    pub custom_ca_bundle: Option<String>,
    /// Do not ask STS who we are: the configuration tells the account.
    pub skip_credentials_validation: bool,
    /// Accept region names that are not known.
    pub skip_region_validation: bool,
    /// What a refresh reads.
    pub refresh: Refresh,
    /// Arguments whose value was not known yet.
    pub unknown: Vec<String>,
}

/// What decides who asks AWS, where, and of which accounts.
const DECIDES: [&str; 12] = [
    "region",
    "profile",
    "access_key",
    "secret_key",
    "token",
    "assume_role",
    "endpoints",
    "allowed_account_ids",
    "forbidden_account_ids",
    "member_role_name",
    "member_external_id",
    "custom_ca_bundle",
];

impl ProviderConfig {
    /// An argument that is not known yet and decides who asks AWS, where, and of which accounts. Until it is, AWS is not asked: the environment's answer would
    /// be that of another caller.
    pub fn unknown_caller(&self) -> Option<&str> {
        self.unknown.iter().map(String::as_str).find(|name| DECIDES.contains(name))
    }
}

/// How retries are paced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RetryMode {
    /// Exponential backoff with jitter.
    #[default]
    Standard,
    /// The same, and the sending rate follows the throttling seen.
    Adaptive,
}

/// What a refresh reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refresh {
    /// The rules of each cell, listed once per process.
    #[default]
    Rules,
    /// Targets, roles and tags too.
    Deep,
    /// Nothing: the state is believed.
    None,
}

/// Tags to leave alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoreTags {
    /// Whole keys.
    pub keys: BTreeSet<String>,
    /// Beginnings of keys.
    pub key_prefixes: BTreeSet<String>,
}

impl IgnoreTags {
    /// Whether a tag with this key is to be left alone.
    pub fn covers(&self, key: &str) -> bool {
        self.keys.contains(key) || self.key_prefixes.iter().any(|prefix| key.starts_with(prefix.as_str()))
    }
}

/// A role to assume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssumeRole {
    /// Its ARN.
    pub role_arn: String,
    /// The external id that its trust policy asks for.
    pub external_id: Option<String>,
    /// The session's name in CloudTrail.
    pub session_name: Option<String>,
    /// How long the session lasts, 15 minutes to 12 hours.
    pub duration: Option<Duration>,
}

//! Forwarders: what goes to the hub for many triggers at once.

use std::collections::BTreeMap;

use serde::Serialize;

use super::model::{OnError, PushDown, Severity, Trigger};
use super::reader::Reader;
use super::trigger_document::{check_account_ids, read_name};
use crate::diagnostic::Code;

/// The members of a forwarder's document; the attributes of a configuration that make it up have the same names.
pub const FORWARDER_MEMBERS: [&str; 9] =
    ["name", "all", "event_names", "event_sources", "include_read_only", "regions", "exclude_regions", "account_ids", "allow"];

/// A broad set of events that goes to the hub, for triggers that name it and so need no rules of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forwarder {
    /// Unique among the forwarders of its hub; `^[a-z][a-z0-9-]{0,39}$`.
    pub name: String,
    /// Whether every event goes. Otherwise names or sources are given, or both.
    pub all: bool,
    /// Exact, case-sensitive, any of them; empty means every name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub event_names: Vec<String>,
    /// Exact, case-sensitive, any of them; empty means every source.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub event_sources: Vec<String>,
    /// Whether read-only management events go, too.
    pub include_read_only: bool,
    /// Narrows the hub's regions to these; empty means all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// Taken out of the regions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude_regions: Vec<String>,
    /// Narrows the hub's accounts to these; empty means all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub account_ids: Vec<String>,
    /// Diagnostics that are not told, each with the reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub allow: BTreeMap<String, String>,
}

impl Forwarder {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let forwarder = Self {
            name: read_name(reader, "name", "forwarder"),
            all: reader.boolean("all", false),
            event_names: reader.texts("event_names"),
            event_sources: reader.texts("event_sources"),
            include_read_only: reader.boolean("include_read_only", false),
            regions: reader.texts("regions"),
            exclude_regions: reader.texts("exclude_regions"),
            account_ids: reader.texts("account_ids"),
            allow: reader.text_map("allow"),
        };
        if reader.is_object() {
            let given: Vec<&str> = ["event_names", "event_sources"].into_iter().filter(|name| !reader.absent(name)).collect();
            match given.as_slice() {
                [] if !forwarder.all => reader.missing("all", "set `all = true`, or name `event_names` or `event_sources`"),
                [first, ..] if forwarder.all => {
                    reader.error(
                        Code::CONFLICT,
                        "all",
                        format!("`all = true` and `{first}` exclude each other"),
                        "take one of the two out",
                    );
                }
                _ => {}
            }
            check_account_ids(reader, &forwarder.account_ids);
        }
        reader.finish();
        forwarder
    }

    /// A trigger, without actions, on every event that the forwarder carries.
    #[must_use]
    pub fn events(&self) -> Trigger {
        Trigger {
            name: self.name.clone(),
            description: None,
            enabled: true,
            severity: Severity::default(),
            event_names: self.event_names.clone(),
            any_event: self.event_names.is_empty(),
            event_sources: self.event_sources.clone(),
            match_expression: None,
            filter_pattern: None,
            event_pattern: None,
            on_error: OnError::default(),
            include_read_only: self.include_read_only,
            include_self: true,
            regions: self.regions.clone(),
            exclude_regions: self.exclude_regions.clone(),
            account_ids: self.account_ids.clone(),
            forwarder: None,
            push_down: PushDown::Names,
            allow: self.allow.clone(),
            threshold: None,
            suppress: None,
            actions: Vec::new(),
            tests: Vec::new(),
        }
    }
}

//! What is configured of a hub beyond its name: kept in its item, so that an import finds it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use trailwire_engine::diagnostic::{Code, Diagnostic, Path};
use trailwire_engine::fanout::names::{Cell, Hub};
use trailwire_engine::fanout::policy::Senders;
use trailwire_engine::fanout::table::{FORMAT_VERSION, HubRecord};

use super::lambda::Lambda;
use crate::apply::cells::{cells_of_text, cells_text};
use crate::apply::coverage::Coverage;
use crate::cloud::call::Tags;
use crate::config::ProviderConfig;
use crate::resource::common::all_tags;
use crate::value::Dynamic;

/// Kept as JSON beside the record. Unknown members are ignored, missing ones have defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// The configured tags.
    pub(crate) tags: Tags,
    /// All tags, those of the provider included.
    pub(crate) tags_all: Tags,
    /// The ARN of a policy that bounds the roles.
    pub(crate) permissions_boundary: Option<String>,
    /// The configured accounts and regions.
    #[serde(flatten)]
    pub(crate) coverage: Coverage,
    /// Whether cells keep what could not be forwarded.
    pub(crate) forward_dead_letter: bool,
    /// What alarms tell; none are made where there is nothing.
    pub(crate) alarm_actions: Vec<String>,
    /// The function that is the runtime; none is made without.
    pub(crate) lambda: Option<Lambda>,
    /// What queries of triggers may call.
    pub(crate) query_operations: Vec<String>,
    /// Whether accounts may have a reading role: there is something to call, or was when it was last looked.
    pub(crate) reading: bool,
    /// Cells that are not in the scope, or not known to be yet, and may hold something: `account/region`, `account, account/region, region`.
    pub(crate) leaving: Vec<String>,
    /// Cells, written likewise, in which a change of `forward_dead_letter` is not finished: targets may still have what was wanted before, or a queue that is
    /// not wanted may be left. A listing of rules does not tell it.
    pub(crate) retarget: Vec<String>,
    /// While a change of tags is not finished everywhere: the tags that there may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tags_before: Option<Tags>,
}

impl Settings {
    /// The same, with these cells to be cleared where they are not in the scope.
    pub(super) fn leaving<'a>(&self, cells: impl IntoIterator<Item = &'a Cell>) -> Self {
        Self { leaving: cells_text(cells), ..self.clone() }
    }

    /// The cells to be cleared where they are not in the scope.
    pub(super) fn leaving_cells(&self) -> Vec<Cell> {
        self.leaving.iter().flat_map(|text| cells_of_text(text)).collect()
    }

    /// The same, with a change of `forward_dead_letter` that is not finished in these cells.
    pub(super) fn retargeting<'a>(&self, cells: impl IntoIterator<Item = &'a Cell>) -> Self {
        Self { retarget: cells_text(cells), ..self.clone() }
    }

    /// The same, with a change from these tags that is not finished everywhere.
    pub(super) fn retagging(&self, before: &Tags) -> Self {
        Self { tags_before: (*before != self.tags_all).then(|| before.clone()), ..self.clone() }
    }

    /// The tags that there may be.
    pub(super) fn tags_there(&self) -> &Tags {
        self.tags_before.as_ref().unwrap_or(&self.tags_all)
    }

    /// The cells in which a change of `forward_dead_letter` is not finished.
    pub(super) fn retarget_cells(&self) -> BTreeSet<Cell> {
        self.retarget.iter().flat_map(|text| cells_of_text(text)).collect()
    }

    pub(super) fn of(config: &Dynamic, planned: &Dynamic, provider: &ProviderConfig) -> Self {
        let tags = config.get_string_map("tags");
        Self {
            tags_all: all_tags(provider, &tags),
            tags,
            permissions_boundary: config.get_str("permissions_boundary").map(str::to_owned),
            coverage: Coverage::of(config),
            forward_dead_letter: planned.get_bool("forward_dead_letter").unwrap_or(true),
            alarm_actions: config.get_strings("alarm_actions"),
            lambda: Lambda::of(planned, config),
            reading: !config.get_strings("query_operations").is_empty(),
            query_operations: config.get_strings("query_operations"),
            leaving: Vec::new(),
            retarget: Vec::new(),
            tags_before: None,
        }
    }

    /// Reads them; what cannot be read counts as missing.
    pub(crate) fn read(json: Option<&str>) -> Self {
        json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whom the hub's bus takes events from, when these accounts are covered.
    pub(super) fn senders<'a>(&'a self, accounts: &'a [String]) -> Senders<'a> {
        match &self.coverage.organization {
            Some(membership) => Senders::Organization(&membership.id),
            None => Senders::Accounts(accounts),
        }
    }

    /// What the hub tells of itself when it covers these cells and has these two queues.
    pub(super) fn record(&self, hub: &Hub, cells: &BTreeSet<Cell>, [queue_url, dead_letter_queue_url]: &[String; 2]) -> HubRecord {
        let account = hub.home().account.clone();
        let record = HubRecord {
            format_version: FORMAT_VERSION,
            name: hub.name().to_owned(),
            region: hub.home().region.clone(),
            bus_arn: hub.arn(),
            queue_url: queue_url.clone(),
            queue_arn: hub.queue_arn(hub.home(), &hub.queue_name()),
            dead_letter_queue_url: dead_letter_queue_url.clone(),
            forward_role_arn: hub.forward_role_arn(&account),
            account_id: account,
            regions: Vec::new(),
            accounts: Vec::new(),
            without: BTreeMap::new(),
            abandoned: self.coverage.abandon_accounts.clone().unwrap_or_default(),
            own_role_arns: self.lambda.iter().map(|_| hub.runtime_role_arn()).collect(),
            forward_dead_letter: self.forward_dead_letter,
            query_operations: self.query_operations.clone(),
        };
        record.covering(cells)
    }
}

/// A scope without any region watches nothing.
pub(super) fn check_not_empty(cells: &BTreeSet<Cell>) -> Result<(), Diagnostic> {
    if cells.is_empty() {
        let message = "no region is left to watch";
        return Err(Diagnostic::error(Code::CONFLICT, message).at(Path::root("exclude_regions")).help("exclude less"));
    }
    Ok(())
}

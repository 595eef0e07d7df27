//! What is configured of a hub beyond its name: kept in its item, so that an import finds it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use trailwire_engine::diagnostic::{Code, Diagnostic, Path};
use trailwire_engine::fanout::names::{Cell, Hub};
use trailwire_engine::fanout::table::{FORMAT_VERSION, HubRecord};

use crate::cloud::Session;
use crate::cloud::call::Tags;
use crate::cloud::error::CloudResult;
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
    /// The configured regions.
    pub(crate) regions: Option<Vec<String>>,
    /// The configured exclusions.
    pub(crate) exclude_regions: Option<Vec<String>>,
    /// Whether cells keep what could not be forwarded.
    pub(crate) forward_dead_letter: bool,
    /// Cells that left the scope and may still hold something, `account/region`.
    pub(crate) leaving: Vec<String>,
}

impl Settings {
    /// The same, with these cells still to be cleared.
    pub(super) fn leaving<'a>(&self, cells: impl IntoIterator<Item = &'a Cell>) -> Self {
        Self { leaving: cells.into_iter().map(Cell::to_string).collect(), ..self.clone() }
    }

    /// The cells that left the scope and may still hold something.
    pub(super) fn leaving_cells(&self) -> Vec<Cell> {
        self.leaving.iter().filter_map(|text| Cell::parse(text)).collect()
    }

    pub(super) fn of(config: &Dynamic, planned: &Dynamic, provider: &ProviderConfig) -> Self {
        let tags = config.get_string_map("tags");
        let list = |name: &str| (!config.get(name).is_null()).then(|| config.get_strings(name));
        Self {
            tags_all: all_tags(provider, &tags),
            tags,
            permissions_boundary: config.get_str("permissions_boundary").map(str::to_owned),
            regions: list("regions"),
            exclude_regions: list("exclude_regions"),
            forward_dead_letter: planned.get_bool("forward_dead_letter").unwrap_or(true),
            leaving: Vec::new(),
        }
    }

    /// Reads them; what cannot be read counts as missing.
    pub(crate) fn read(json: Option<&str>) -> Self {
        json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The regions that are meant now, in order: the configured ones, or every enabled one; without the excluded ones.
    pub(super) async fn resolve(&self, session: &Session) -> CloudResult<Vec<String>> {
        let named: BTreeSet<String> = match &self.regions {
            Some(regions) => regions.iter().cloned().collect(),
            None => session.enabled_regions().await?.clone(),
        };
        let excluded = self.exclude_regions.as_deref().unwrap_or_default();
        Ok(named.into_iter().filter(|region| !excluded.contains(region)).collect())
    }

    pub(super) fn record(&self, hub: &Hub, regions: Vec<String>, queue_url: String, dead_letter_queue_url: String) -> HubRecord {
        let account = hub.home().account.clone();
        let role = hub.forward_role_arn(&account);
        HubRecord {
            format_version: FORMAT_VERSION,
            name: hub.name().to_owned(),
            region: hub.home().region.clone(),
            account_id: account.clone(),
            bus_arn: hub.arn(),
            queue_url,
            queue_arn: hub.queue_arn(hub.home(), &hub.queue_name()),
            dead_letter_queue_url,
            forward_role_arn: role.clone(),
            regions,
            accounts: vec![account],
            own_role_arns: vec![role],
            forward_dead_letter: self.forward_dead_letter,
        }
    }
}

/// A scope without any region watches nothing.
pub(super) fn check_not_empty(regions: &[String]) -> Result<(), Diagnostic> {
    if regions.is_empty() {
        let message = "no region is left to watch";
        return Err(Diagnostic::error(Code::CONFLICT, message).at(Path::root("exclude_regions")).help("exclude less"));
    }
    Ok(())
}

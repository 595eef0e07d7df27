//! What the provider keeps with a trigger's definition: settings that are no part of the document.

use serde::{Deserialize, Serialize};
use trailwire_engine::fanout::pushed::Pushed;

use crate::cloud::call::Tags;

/// Kept as JSON beside the document. Unknown members are ignored, missing ones have defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// The configured tags.
    pub(crate) tags: Tags,
    /// The tags of the rules, those of the provider included.
    pub(crate) tags_all: Tags,
    /// How many cells may fail while creating.
    pub(crate) failure_tolerance: i64,
    /// What the rules carry. Missing where an earlier version wrote the definition.
    pub(crate) pushed: Option<Pushed>,
}

impl Settings {
    /// Reads them; what cannot be read counts as missing.
    pub(crate) fn read(json: Option<&str>) -> Self {
        json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    pub(crate) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

//! What the provider keeps with a destination's definition.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cloud::call::Tags;

/// Kept as JSON beside the document. Unknown members are ignored, missing ones have defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    /// The configured tags.
    pub(super) tags: Tags,
    /// The tags of the secrets, those of the provider included.
    pub(super) tags_all: Tags,
    /// The versions of write-only values, by the last part of the secret's name.
    pub(super) versions: BTreeMap<String, i64>,
    /// The ARNs of the secrets made for them.
    pub(super) secrets: BTreeMap<String, String>,
}

impl Settings {
    pub(super) fn read(json: Option<&str>) -> Self {
        json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    /// The secrets that were made for values which are not given any more: an update that was interrupted has left them.
    pub(super) fn unused(&self) -> BTreeMap<String, String> {
        self.secrets
            .iter()
            .filter(|(field, _)| !self.versions.contains_key(*field))
            .map(|(field, arn)| (field.clone(), arn.clone()))
            .collect()
    }

    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

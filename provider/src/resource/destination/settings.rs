//! What the provider keeps with a destination's definition.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use trailwire_engine::fanout::tags::either;

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
    /// The ARNs of the secrets made for them; the name of one that is about to be made.
    pub(super) secrets: BTreeMap<String, String>,
    /// The secrets whose values are being written: until that is over they have no version, and whatever is configured is written again.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) writing: BTreeSet<String>,
    /// While a change of tags is not finished: the tags that there may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tags_before: Option<Tags>,
}

impl Settings {
    pub(super) fn read(json: Option<&str>) -> Self {
        json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    /// The secrets that were made for values which are not given any more: an update that was interrupted has left them.
    pub(super) fn unused(&self) -> BTreeMap<String, String> {
        self.secrets
            .iter()
            .filter(|(field, _)| !self.versions.contains_key(*field) && !self.writing.contains(*field))
            .map(|(field, arn)| (field.clone(), arn.clone()))
            .collect()
    }

    /// The tags that its secrets may have.
    pub(super) fn tags_there(&self) -> &Tags {
        self.tags_before.as_ref().unwrap_or(&self.tags_all)
    }

    /// The same, while these secrets are given values and all are given these tags.
    pub(super) fn changing<'a>(&self, secrets: impl Iterator<Item = (&'a str, String)>, tags: &Tags) -> Self {
        let mut changing = self.clone();
        for (field, name) in secrets {
            changing.versions.remove(field);
            changing.secrets.entry(field.to_owned()).or_insert(name);
            changing.writing.insert(field.to_owned());
        }
        if self.tags_there() != tags {
            changing.tags_before = Some(either(self.tags_there(), tags));
        }
        changing
    }

    /// What `drifted` says of a change that did not end.
    pub(super) fn unfinished(&self) -> BTreeMap<String, String> {
        let values = self.writing.iter().filter_map(|field| {
            Some((self.secrets.get(field)?.clone(), "whether the secret was given its value is not known: a change did not end".to_owned()))
        });
        let tags = self.tags_before.iter().map(|_| ("tags".to_owned(), "a change of tags is not finished".to_owned()));
        values.chain(tags).collect()
    }

    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

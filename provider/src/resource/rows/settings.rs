//! What the provider keeps with a definition that has rules: settings that are no part of the document.

use serde::{Deserialize, Serialize};
use trailwire_engine::fanout::pushed::Pushed;

use crate::cloud::call::Tags;
use crate::context::Context;
use crate::resource::ApplyRequest;
use crate::resource::common::all_tags;

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
    /// While a change of tags is not finished everywhere: the tags that rules may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tags_before: Option<Tags>,
}

impl Settings {
    /// Those of a definition that is applied, whose rules are to carry this.
    pub(crate) fn of(context: &Context, request: &ApplyRequest, pushed: &Pushed) -> Self {
        let tags = request.config.get_string_map("tags");
        Self {
            tags_all: all_tags(&context.config, &tags),
            tags,
            failure_tolerance: request.planned.get_i64("failure_tolerance").unwrap_or(0),
            pushed: Some(pushed.clone()),
            tags_before: None,
        }
    }

    /// Reads them; what cannot be read counts as missing.
    pub(crate) fn read(json: Option<&str>) -> Self {
        json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    pub(crate) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

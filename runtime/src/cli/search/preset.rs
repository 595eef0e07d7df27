//! Questions that are asked often.

use clap::Args;
use trailwire_engine::search::{Query, quoted};

use super::place::Place;
use crate::explore::files::Selection;
use crate::explore::session;

/// What was refused, as services word it.
pub(in crate::cli) const DENIED: &str = "error:*AccessDenied*,*Unauthorized*,*Forbidden*";

/// Each narrows the search.
#[derive(Debug, Args)]
pub(crate) struct Presets {
    /// What somebody did: a user's, role's or session's name, an ARN, or a service.
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// What was done to a resource: its id, name or ARN, wherever it stands.
    #[arg(long, value_name = "ID")]
    resource: Option<String>,
    /// What was done with an access key, and where it was made, handed out or changed.
    #[arg(long, value_name = "KEY")]
    access_key: Option<String>,
    /// What was refused.
    #[arg(long)]
    denied: bool,
    /// What changed something: no event that only reads.
    #[arg(long)]
    changes: bool,
    /// What was done in the sessions of a role, in whatever account: by the role's name or ARN, a session's name, or an access key of a session. Sessions that
    /// were opened from these are followed, too.
    #[arg(long, value_name = "ROLE", conflicts_with = "as_trigger")]
    session: Option<String>,
}

impl Presets {
    /// Whether one is asked for.
    pub(super) fn any(&self) -> bool {
        self.denied || self.changes || [&self.actor, &self.resource, &self.access_key, &self.session].iter().any(|preset| preset.is_some())
    }

    /// The search with what the presets ask for beside it.
    pub(super) fn with(&self, written: &str) -> String {
        let key = |key: &String| {
            let key = quoted(key);
            ["key", "responseElements.credentials.accessKeyId", "responseElements.accessKey.accessKeyId", "requestParameters.accessKeyId"]
                .map(|field| format!("{field}:{key}"))
                .join(" OR ")
        };
        let presets = [
            self.actor.as_ref().map(|actor| format!("actor:{}", quoted(actor))),
            self.resource.as_ref().map(|resource| quoted(resource)),
            self.access_key.as_ref().map(key),
            self.denied.then(|| format!("{DENIED} OR event:ConsoleLogin responseElements.ConsoleLogin:Failure")),
            self.changes.then(|| "-readOnly:true".to_owned()),
        ];
        let presets: Vec<String> = presets.into_iter().flatten().collect();
        match (written.trim(), presets.as_slice()) {
            (_, []) => written.to_owned(),
            ("" | "*", presets) => presets.iter().map(|preset| format!("({preset})")).collect::<Vec<_>>().join(" "),
            (written, presets) => format!("({written}) ({})", presets.join(") (")),
        }
    }

    /// The search within the sessions that are asked for; they are looked up first.
    pub(super) fn follow(&self, query: Query, place: &Place, selection: &Selection) -> Result<Query, String> {
        let Some(of) = &self.session else { return Ok(query) };
        session::within(query, of, selection, |query, earlier, take| place.search(query, &place.found(earlier), earlier, take).map(drop))
    }
}

//! The sign of life: an item in the hub's table with version, revision and refused documents, written twice a minute. `apply` warns where
//! there is none, and shows what a runtime refuses.

use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use trailwire_engine::fanout::table;

use super::aws::describe;
use super::{Form, Hub};
use super::{HubError, find};
use crate::status::Status;

const EVERY: Duration = Duration::from_secs(30);
/// After a change of definitions the next one comes at once; they are looked for this often.
const LOOK: Duration = Duration::from_secs(2);

/// The id of the runtime that keeps its journal in this directory: made once, so that a restart is the same runtime.
pub(super) fn id(state: &Path) -> std::io::Result<String> {
    std::fs::create_dir_all(state)?;
    let path = state.join("runtime.id");
    match std::fs::read_to_string(&path) {
        Ok(id) if !id.trim().is_empty() => Ok(id.trim().to_owned()),
        _ => {
            let id = random_id()?;
            std::fs::write(path, &id)?;
            Ok(id)
        }
    }
}

/// An id that nobody has.
pub(super) fn random_id() -> std::io::Result<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What the runtimes of a hub told of themselves last, the latest first.
///
/// # Errors
///
/// [`HubError`] when the hub can not be found or read.
pub(crate) async fn statuses(hub: &str) -> Result<Vec<Status>, HubError> {
    let super::Found { config, table: rows, .. } = find(hub).await?;
    let items = rows.query(table::RUNTIME_PK).await.map_err(|error| HubError::Unreadable {
        table: rows.name.clone(),
        region: config.region().map(ToString::to_string).unwrap_or_default(),
        reason: describe(&error),
    })?;
    let status = |item: &table::Item| match item.get(table::STATUS) {
        Some(table::Attribute::Text(text)) => serde_json::from_str::<Status>(text).ok(),
        _ => None,
    };
    let mut statuses: Vec<Status> = items.iter().filter_map(status).collect();
    statuses.sort_by_key(|status| std::cmp::Reverse(status.seen));
    Ok(statuses)
}

impl Hub {
    /// Leaves a sign of life at once, then regularly and after every change of definitions, until it is told to stop. One that can not
    /// be written is logged and changes nothing.
    pub(crate) async fn beat(self: Arc<Self>, stop: CancellationToken) {
        let mut next = tokio::time::Instant::now();
        let mut told = None;
        loop {
            let revision = self.definitions.last().map(|definitions| definitions.revision);
            // The first status comes a moment after the first sign.
            let news = Some((revision, self.status().is_empty()));
            if tokio::time::Instant::now() >= next || news != told {
                self.leave_sign().await;
                told = news;
                next = tokio::time::Instant::now() + EVERY;
            }
            if stop.is_cancelled() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                // Once more: what was done in the end.
                () = stop.cancelled() => told = None,
            }
        }
    }

    /// Takes what the next sign of life tells of this runtime's doings.
    pub(crate) fn tell(&self, status: String) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }

    /// Leaves one sign of life.
    pub(crate) async fn leave_sign(&self) {
        if let Err(error) = self.table.put(&self.sign_of_life()).await {
            tracing::warn!(reason = describe(&error), "the sign of life can not be written");
        }
    }

    fn status(&self) -> String {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn sign_of_life(&self) -> table::Item {
        let definitions = self.definitions.last();
        let now = Timestamp::now();
        let (id, kind) = match self.form {
            Form::Daemon => (self.id.as_str(), "daemon"),
            Form::Lambda => ("lambda", "lambda"),
        };
        let record = json!({
            "format_version": table::FORMAT_VERSION,
            "version": env!("CARGO_PKG_VERSION"),
            "id": id,
            "kind": kind,
            "seen": now.to_string(),
        });
        let refused = definitions.iter().flat_map(|definitions| &definitions.refused).map(
            |refused| json!({"kind": refused.kind, "name": refused.name, "reasons": refused.reasons, "earlier_kept": refused.earlier_kept}),
        );
        let mut item = table::key(table::RUNTIME_PK, id);
        item.insert(table::RECORD.to_owned(), record.to_string().into());
        item.insert(table::STATUS.to_owned(), self.status().into());
        item.insert(table::SEEN.to_owned(), u64::try_from(now.as_second()).unwrap_or_default().into());
        item.insert(table::REVISION.to_owned(), definitions.as_ref().map_or(0, |definitions| definitions.revision).into());
        item.insert(table::REFUSED.to_owned(), refused.collect::<Value>().to_string().into());
        item
    }
}

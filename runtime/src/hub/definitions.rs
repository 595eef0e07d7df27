//! The hub's definitions: one consistent read of the revision for every batch, and all of them anew when it has changed.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use futures::future::BoxFuture;
use thiserror::Error;
use tokio::sync::Mutex;
use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::fanout::table::{Definition, HUB_KEY, HubItem, Item, Kind};
use trailwire_engine::matcher::Scope;
use trailwire_engine::trigger::{Destination, Trigger};

use super::Hub;
use super::aws::describe;
use super::items::Table;
use crate::definitions::{Definitions, Documents};
use crate::driver::{Intake, Latest};
use crate::journal::{Change, Journal, JournalError};

/// Why the definitions can not be read. Nothing is judged without them.
#[derive(Debug, Clone, Error)]
#[error("the definitions can not be read from the table `{table}`: {reason}")]
pub(crate) struct UnreadableDefinitions {
    table: String,
    reason: String,
}

/// The definitions of a hub.
pub(crate) struct HubDefinitions {
    table: Table,
    last: RwLock<Option<Arc<Definitions>>>,
    /// Held while definitions are read anew, so that several receivers do it once.
    reading: Mutex<()>,
    intake: OnceLock<Intake>,
    /// What was in force when the journal was last written, and the journal.
    earlier: OnceLock<(Definitions, Arc<dyn Journal>)>,
}

impl std::fmt::Debug for HubDefinitions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubDefinitions").field("table", &self.table).finish_non_exhaustive()
    }
}

impl HubDefinitions {
    pub(super) fn new(table: Table) -> Self {
        Self { table, last: RwLock::default(), reading: Mutex::default(), intake: OnceLock::new(), earlier: OnceLock::new() }
    }

    /// Keeps the last good version of every definition in this journal from now on, and takes up what it holds: a document that is
    /// bad when the process starts must not take its trigger out of force.
    ///
    /// # Errors
    ///
    /// When the journal can not be read.
    pub(crate) async fn remember_in(&self, journal: Arc<dyn Journal>) -> Result<(), JournalError> {
        let text = journal.remembered().await?.unwrap_or_default();
        drop(self.earlier.set((Definitions::from_text(&text), journal)));
        Ok(())
    }

    /// Tells this driver about every change from now on.
    pub(crate) fn watch(&self, intake: Intake) {
        drop(self.intake.set(intake));
    }

    /// What was in force last.
    pub(crate) fn last(&self) -> Option<Arc<Definitions>> {
        self.last.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The definitions as they are at some time after this was called: the revision is read now, and the definitions with it where it
    /// has changed.
    ///
    /// # Errors
    ///
    /// When the table can not be read, or the hub is gone.
    pub(crate) async fn load(&self) -> Result<Arc<Definitions>, UnreadableDefinitions> {
        let hub = self.hub().await?;
        if let Some(last) = self.last().filter(|last| last.revision == hub.revision) {
            return Ok(last);
        }
        let _reading = self.reading.lock().await;
        loop {
            // Read again, now that nobody else is at it: first the revision, then the definitions, then the revision once more, so
            // that a set is never half of one revision and half of the next.
            let before = self.hub().await?;
            if let Some(last) = self.last().filter(|last| last.revision == before.revision) {
                return Ok(last);
            }
            let documents = self.documents().await?;
            if self.hub().await?.revision != before.revision {
                continue;
            }
            return Ok(self.put_in_force(&before, documents).await);
        }
    }

    async fn put_in_force(&self, hub: &HubItem, documents: Documents) -> Arc<Definitions> {
        let previous = self.last();
        let earlier = previous.as_deref().or(self.earlier.get().map(|(earlier, _)| earlier));
        let mut definitions = Definitions::new(hub.revision, scope(hub), documents, earlier);
        definitions.hub.clone_from(&hub.record);
        let definitions = Arc::new(definitions);
        let (triggers, destinations) = definitions.counts();
        tracing::info!(revision = hub.revision, triggers, destinations, "definitions in force");
        for refused in &definitions.refused {
            let instead = if refused.earlier_kept { "the earlier version stays in force" } else { "it is not in force" };
            tracing::error!(
                kind = refused.kind,
                name = refused.name,
                reasons = refused.reasons.join("; "),
                instead,
                "a document is refused"
            );
        }
        if let Some((_, journal)) = self.earlier.get()
            && let Err(error) = journal.commit(vec![Change::Remember(definitions.to_text())]).await
        {
            tracing::error!(reason = error.to_string(), "the definitions in force can not be kept for a restart");
        }
        // The core hears of them before anybody else can use them.
        if let Some(intake) = self.intake.get() {
            intake.redefine(Arc::clone(&definitions)).await;
        }
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&definitions));
        definitions
    }

    async fn hub(&self) -> Result<HubItem, UnreadableDefinitions> {
        let item = self.table.get(HUB_KEY, HUB_KEY).await.map_err(|error| self.unreadable(describe(&error)))?;
        let item = item.ok_or_else(|| self.unreadable("the hub's item is gone".to_owned()))?;
        let hub = HubItem::read(&item).map_err(|error| self.unreadable(error.to_string()))?;
        if hub.record.is_none() {
            return Err(self.unreadable("the hub is not finished".to_owned()));
        }
        Ok(hub)
    }

    async fn documents(&self) -> Result<Documents, UnreadableDefinitions> {
        let mut documents = Documents::default();
        for kind in [Kind::Trigger, Kind::Destination] {
            let items = self.table.query(kind.as_str()).await.map_err(|error| self.unreadable(describe(&error)))?;
            items.iter().for_each(|item| take(&mut documents, kind, item));
        }
        Ok(documents)
    }

    fn unreadable(&self, reason: String) -> UnreadableDefinitions {
        UnreadableDefinitions { table: self.table.name.clone(), reason }
    }
}

impl Latest for Hub {
    fn latest(&self) -> BoxFuture<'_, Option<Arc<Definitions>>> {
        Box::pin(async move {
            let read = self.definitions.load().await;
            read.inspect_err(|error| {
                tracing::warn!(reason = error.to_string(), "what others left is worked on without looking for deleted triggers")
            })
            .ok()
        })
    }
}

/// Sorts an item into the documents. One that is malformed is a bad document under its name, not the end of all others.
fn take(documents: &mut Documents, kind: Kind, item: &Item) {
    let name = match item.get(trailwire_engine::fanout::table::SK) {
        Some(trailwire_engine::fanout::table::Attribute::Text(name)) => name.clone(),
        _ => return,
    };
    let malformed = |reason: String| vec![Diagnostic::error(Code::NOT_JSON, reason)];
    let document = Definition::read(item).map(|definition| definition.document);
    match (kind, document) {
        (Kind::Trigger, Ok(None)) => drop(documents.claimed.insert(name)),
        (Kind::Destination, Ok(None)) | (Kind::Forwarder, _) => {}
        (Kind::Trigger, Ok(Some(text))) => {
            let parsed = named(Trigger::parse(&text), &name, |trigger| &trigger.name);
            if parsed.is_err() {
                documents.event_names.extend(event_names(&text).map(|names| (name.clone(), names)));
            }
            documents.triggers.insert(name, parsed);
        }
        (Kind::Destination, Ok(Some(text))) => {
            documents.destinations.insert(name.clone(), named(Destination::parse(&text), &name, |destination| &destination.name));
        }
        (Kind::Trigger, Err(error)) => drop(documents.triggers.insert(name, Err(malformed(error.to_string())))),
        (Kind::Destination, Err(error)) => drop(documents.destinations.insert(name, Err(malformed(error.to_string())))),
    }
}

/// The event names in a trigger's document that is bad for some other reason.
fn event_names(text: &str) -> Option<BTreeSet<String>> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let names = value.get("event_names")?.as_array()?;
    let names: Option<BTreeSet<String>> = names.iter().map(|name| name.as_str().map(str::to_owned)).collect();
    names.filter(|names| !names.is_empty() && value.get("any_event") != Some(&serde_json::Value::Bool(true)))
}

/// A document under another name than its own is a bad document.
fn named<T>(parsed: Result<T, Vec<Diagnostic>>, key: &str, name: impl Fn(&T) -> &String) -> Result<T, Vec<Diagnostic>> {
    let parsed = parsed?;
    if name(&parsed) == key {
        return Ok(parsed);
    }
    let message = format!("the document is named `{}` and stored under `{key}`", name(&parsed));
    Err(vec![Diagnostic::error(Code::BAD_NAME, message)])
}

fn scope(hub: &HubItem) -> Scope {
    let Some(record) = &hub.record else { return Scope::default() };
    let set = |list: &[String]| Some(list.iter().cloned().collect::<BTreeSet<String>>());
    Scope { accounts: set(&record.accounts), regions: set(&record.regions), own_role_arns: record.own_roles().into_iter().collect() }
}

//! What all resources of one process share: where the hubs of a name are, and the rules of each cell, listed once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use tokio::sync::{Mutex, OnceCell};
use trailwire_engine::fanout::names::{Carrier, Cell, Hub, Owner};
use trailwire_engine::fanout::rules::{Found, FoundRule, FoundTargets, Step, after};
use trailwire_engine::fanout::table::{Definition, HubItem, Kind};

use super::hubs::Hubs;
use super::planned::{Planned, PlannedForwarders, PlannedQueries};
use super::quota::Ledger;
use super::trails::Trails;
use crate::cloud::Session;
use crate::cloud::call::DEFAULT_BUS;
use crate::cloud::error::CloudResult;
use crate::config::Refresh;
use crate::store::{Store, StoreError};

/// The rules of a hub in one cell; `None` until they are listed.
type View = Arc<Mutex<Option<Found>>>;

/// A hub's table as a refresh sees it: read once, one query for each kind of item, however many resources are refreshed.
#[derive(Debug)]
pub struct Snapshot {
    /// The hub's own item.
    pub hub: Option<HubItem>,
    definitions: BTreeMap<(Kind, String), Definition>,
}

impl Snapshot {
    async fn read(session: &Session, hub: &Hub) -> Result<Self, StoreError> {
        let store = Store::new(session, hub);
        let of = |kind| store.definitions(kind);
        let (hub, triggers, destinations, forwarders) =
            futures::try_join!(store.hub_item(), of(Kind::Trigger), of(Kind::Destination), of(Kind::Forwarder))?;
        let definitions = triggers
            .into_iter()
            .chain(destinations)
            .chain(forwarders)
            .map(|definition| ((definition.kind, definition.name.clone()), definition));
        Ok(Self { hub, definitions: definitions.collect() })
    }

    /// Every definition that may have rules.
    pub fn carriers(&self) -> BTreeSet<(Carrier, String)> {
        self.definitions.keys().filter_map(|(kind, name)| Some((Carrier::of(*kind)?, name.clone()))).collect()
    }

    /// Every definition of a kind.
    pub fn definitions(&self, kind: Kind) -> impl Iterator<Item = &Definition> {
        self.definitions.iter().filter(move |((of, _), _)| *of == kind).map(|(_, definition)| definition)
    }

    /// One definition.
    pub fn definition(&self, kind: Kind, name: &str) -> Option<&Definition> {
        self.definitions.get(&(kind, name.to_owned()))
    }
}

/// Shared by every call of this process.
#[derive(Debug, Default)]
pub struct Shared {
    /// How full the buses are that a plan adds rules to.
    pub ledger: Ledger,
    /// The triggers that were planned.
    pub triggers: Planned,
    /// The forwarders that were planned.
    pub forwarders: PlannedForwarders,
    /// What trails log.
    pub trails: Trails,
    /// What the hubs that were planned let queries call.
    pub queries: PlannedQueries,
    snapshots: StdMutex<HashMap<Hub, Arc<OnceCell<Arc<Snapshot>>>>>,
    hubs: Hubs,
    views: StdMutex<HashMap<(Hub, Cell), View>>,
    /// What this process was asked to plan as a destination, by the reference to its hub and its name: its kind, or nothing where that is not known yet.
    planned: StdMutex<HashMap<(String, String), Option<&'static str>>>,
}

impl Shared {
    /// The hubs that names mean.
    pub fn hubs(&self) -> &Hubs {
        &self.hubs
    }

    /// Forgets a hub that was removed.
    pub fn forget_hub(&self, hub: &Hub) {
        self.hubs.forget(hub);
        self.views.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _), _| of != hub);
    }

    /// The hub's table as it was when the first resource of this process was refreshed. For refreshes only: they come before any change.
    pub async fn snapshot(&self, session: &Session, hub: &Hub) -> Result<Arc<Snapshot>, StoreError> {
        let cell = {
            let mut snapshots = self.snapshots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(snapshots.entry(hub.clone()).or_default())
        };
        cell.get_or_try_init(|| async { Ok(Arc::new(Snapshot::read(session, hub).await?)) }).await.cloned()
    }

    /// Remembers the kind of a destination that is planned. Terraform plans it before a trigger that refers to it, and the table may still know another
    /// kind.
    pub fn plan_destination(&self, hub: &str, name: &str, kind: Option<&'static str>) {
        let key = (hub.to_owned(), name.to_owned());
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).insert(key, kind);
    }

    /// The kind of a destination that was planned by this process, if it is known; `None` when none of this name was.
    pub fn planned_destination(&self, hub: &str, name: &str) -> Option<Option<&'static str>> {
        let key = (hub.to_owned(), name.to_owned());
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied()
    }

    fn view(&self, hub: &Hub, cell: &Cell) -> View {
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(views.entry((hub.clone(), cell.clone())).or_default())
    }

    /// The rules of one trigger or forwarder in a cell. The first caller lists all rules of the hub, two calls; later callers share them.
    pub async fn rules_of(&self, session: &Session, hub: &Hub, cell: &Cell, owner: Owner<'_>) -> CloudResult<Found> {
        let prefix = hub.owner_prefix(owner);
        let is_theirs = |name: &str| hub.owner_of_rule(name).is_some_and(|(of, _)| of == owner);
        self.look(session, hub, cell, |all| {
            let from = all.range(prefix.clone()..).take_while(|(name, _)| name.starts_with(&prefix));
            from.filter(|(name, _)| is_theirs(name)).map(|(name, rule)| (name.clone(), rule.clone())).collect()
        })
        .await
    }

    /// The rules of every trigger and forwarder of the hub in a cell.
    pub async fn rules_in(&self, session: &Session, hub: &Hub, cell: &Cell) -> CloudResult<Found> {
        self.look(session, hub, cell, Found::clone).await
    }

    /// One rule of the hub in a cell, if it is there.
    pub async fn rule(&self, session: &Session, hub: &Hub, cell: &Cell, name: &str) -> CloudResult<Option<FoundRule>> {
        self.look(session, hub, cell, |all| all.get(name).cloned()).await
    }

    async fn look<T>(&self, session: &Session, hub: &Hub, cell: &Cell, at: impl FnOnce(&Found) -> T) -> CloudResult<T> {
        let view = self.view(hub, cell);
        let mut view = view.lock().await;
        if let Some(found) = &*view {
            return Ok(at(found));
        }
        let found = list(session, hub, cell).await?;
        Ok(at(view.insert(found)))
    }

    /// Remembers a step that was done.
    pub(super) async fn note(&self, hub: &Hub, cell: &Cell, step: &Step) {
        if let Some(found) = self.view(hub, cell).lock().await.as_mut() {
            after(found, step);
        }
    }

    /// Forgets what a cell was seen to hold, after a call whose outcome is not known.
    pub(super) async fn forget(&self, hub: &Hub, cell: &Cell) {
        *self.view(hub, cell).lock().await = None;
    }
}

async fn list(session: &Session, hub: &Hub, cell: &Cell) -> CloudResult<Found> {
    let (prefix, arn) = (hub.own_prefix(), hub.arn());
    let (rules, pointing) =
        futures::try_join!(session.list_rules(cell, DEFAULT_BUS, &prefix), session.list_rule_names_by_target(cell, DEFAULT_BUS, &arn))?;
    let mut found = Found::new();
    for rule in rules {
        let targets = match session.config().refresh {
            Refresh::Deep => FoundTargets::Read(session.list_targets(cell, DEFAULT_BUS, &rule.name).await?),
            Refresh::Rules | Refresh::None => FoundTargets::Points(pointing.contains(&rule.name)),
        };
        let there = FoundRule { description: rule.description, pattern: rule.pattern, state: rule.state, targets };
        found.insert(rule.name, there);
    }
    Ok(found)
}

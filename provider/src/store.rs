//! The hub's table: who owns a name, what is declared, and the revision that tells a runtime to read again.
//!
//! *Invariants*: every write is conditional; every change of a definition raises the hub's revision in the same transaction; a name is held by a
//! lease until it is made, so that two states never make the same thing and a killed apply is finished by the next one.

mod lease;
mod watch;

use std::time::{SystemTime, UNIX_EPOCH};

use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::fanout::names::{Cell, Hub};
use trailwire_engine::fanout::table::{
    Claim, DOCUMENT, Definition, HUB_KEY, HubItem, InvalidItem, Item, Kind, LEASE_UNTIL, OWNER, REVISION, SETTINGS, STATE, State, key,
};

pub use self::lease::Lease;
use self::watch::Watched;
use crate::cloud::call::{Condition, Write};
use crate::cloud::error::{CloudError, Kind as ErrorKind};
use crate::cloud::{Session, random_id};

/// The table of one hub.
#[derive(Clone, Debug)]
pub struct Store {
    session: Session,
    hub: Hub,
}

/// Why the table could not be read or written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CloudError),
    /// An item cannot be understood.
    #[error(transparent)]
    Item(#[from] InvalidItem),
    /// The name belongs to somebody else.
    #[error("{message}")]
    Taken {
        /// One sentence.
        message: String,
        /// What to do.
        help: String,
    },
    /// There is no such hub, or it is being removed.
    #[error("there is no hub `{0}`")]
    NoHub(String),
}

impl StoreError {
    /// Whether the user's interrupt, or a timeout, was why.
    pub fn is_interrupted(&self) -> bool {
        matches!(self, Self::Call(error) if error.kind == ErrorKind::Interrupted)
    }

    /// The failure as one of a cell.
    pub fn in_cell(self, cell: &Cell) -> CloudError {
        match self {
            Self::Call(error) => error,
            other => CloudError::ours(ErrorKind::Other, cell, other.to_string()),
        }
    }

    /// The diagnostic that tells of it.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::Call(error) => error.diagnostic(),
            Self::Item(_) => Diagnostic::error(Code::AWS_CALL, self.to_string()).help("use a version of the provider that reads it"),
            Self::Taken { help, .. } => Diagnostic::error(Code::NAME_TAKEN, self.to_string()).help(help),
            Self::NoHub(_) => {
                Diagnostic::error(Code::NOT_FOUND, self.to_string()).help("declare it as a `trailwire_hub`, or correct `hub`")
            }
        }
    }
}

/// How a name was claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Nobody had it.
    New,
    /// Somebody began to make it and gave up: what they made may be there.
    Adopted,
}

/// What is known of an item that somebody holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Who, and whether it is made.
    claim: Claim,
    /// What they wrote beside it.
    pub settings: Option<String>,
}

type StoreResult<T> = Result<T, StoreError>;

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

impl Store {
    /// The table of this hub.
    pub fn new(session: &Session, hub: &Hub) -> Self {
        Self { session: session.clone(), hub: hub.clone() }
    }

    /// The same table, for work that must be done even after an interrupt.
    #[must_use]
    pub fn unstoppable(&self) -> Self {
        Self { session: self.session.unstoppable(), hub: self.hub.clone() }
    }

    /// The name of the hub.
    pub fn hub_name(&self) -> &str {
        self.hub.name()
    }

    /// The hub's own item; `None` when there is no such table or no such item.
    pub async fn hub_item(&self) -> StoreResult<Option<HubItem>> {
        Ok(self.item(HUB_KEY, HUB_KEY).await?.as_ref().map(HubItem::read).transpose()?)
    }

    /// One definition; `None` when there is no such table or no such item.
    pub async fn definition(&self, kind: Kind, name: &str) -> StoreResult<Option<Definition>> {
        Ok(self.item(kind.as_str(), name).await?.as_ref().map(Definition::read).transpose()?)
    }

    /// Every definition of a kind, by name; none when there is no such table.
    pub async fn definitions(&self, kind: Kind) -> StoreResult<Vec<Definition>> {
        match self.session.query(self.hub.home(), &self.hub.table_name(), kind.as_str()).await {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error.into()),
            Ok(items) => Ok(items.iter().map(Definition::read).collect::<Result<_, _>>()?),
        }
    }

    async fn item(&self, pk: &str, sk: &str) -> StoreResult<Option<Item>> {
        match self.session.get_item(self.hub.home(), &self.hub.table_name(), pk, sk).await {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            other => Ok(other?),
        }
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), CloudError> {
        self.session.transact(self.hub.home(), &self.hub.table_name(), writes).await
    }

    /// Claims the hub's own name in its table, which must be there. Nothing is judged by the hub before its record is put. `settings` is told those of a claim
    /// that is adopted, and says those of the new one; what was adopted is returned.
    ///
    /// # Errors
    /// `Taken` when the hub is made already, or is being made by somebody who still renews the lease.
    pub async fn claim_hub(&self, settings: impl Fn(Option<&str>) -> String) -> StoreResult<(Option<Held>, Lease)> {
        let name = self.hub.name().to_owned();
        let taken = Taken { what: format!("hub `{name}`"), address: "trailwire_hub".to_owned(), id: name };
        self.claim_item(HUB_KEY, HUB_KEY, &taken, |claim, condition, before| {
            let mut item = HubItem { record: None, revision: 0, settings: Some(settings(before)), claim }.write();
            item.remove(REVISION);
            let keys = key(HUB_KEY, HUB_KEY);
            item.retain(|name, _| !keys.contains_key(name));
            vec![Write::Update { key: keys, set: item, add: vec![(REVISION, 1)], condition: Some(condition) }]
        })
        .await
    }

    /// Claims a definition's name, and puts its document at once where it is known: a definition is there before its rules.
    ///
    /// # Errors
    /// `Taken` when the name belongs to somebody else, `NoHub` when there is no hub to put it into.
    pub async fn claim(&self, kind: Kind, name: &str, document: Option<&str>, settings: &str) -> StoreResult<(Claimed, Lease)> {
        let id = format!("{}/{name}", self.hub.name());
        let taken = Taken {
            what: format!("{} `{name}` of hub `{}`", kind.as_str(), self.hub.name()),
            address: format!("trailwire_{}", kind.as_str()),
            id,
        };
        let claimed = self.claim_item(kind.as_str(), name, &taken, |claim, condition, _| {
            let document = document.map(str::to_owned);
            let definition = Definition { kind, name: name.to_owned(), document, settings: Some(settings.to_owned()), claim, revision: 1 };
            vec![Write::Put { item: definition.write(), condition: Some(condition) }, self.raise_revision(true)]
        });
        let (adopted, lease) = claimed.await?;
        Ok((adopted.map_or(Claimed::New, |_| Claimed::Adopted), lease))
    }

    async fn require_hub(&self) -> StoreResult<()> {
        match self.hub_item().await? {
            Some(item) if item.claim.state == State::Live => Ok(()),
            _ => Err(StoreError::NoHub(self.hub.name().to_owned())),
        }
    }

    /// Most names are free, so the claim is written at once, and only a refusal is looked into.
    async fn claim_item(
        &self,
        pk: &str,
        sk: &str,
        taken: &Taken,
        writes: impl Fn(Claim, Condition, Option<&str>) -> Vec<Write>,
    ) -> StoreResult<(Option<Held>, Lease)> {
        let owner = random_id();
        let mut adopted: Option<Held> = None;
        let mut condition = Condition::Absent;
        loop {
            let until = now().saturating_add(self.session.timing().lease.as_secs());
            let before = adopted.as_ref().and_then(|held| held.settings.as_deref());
            match self.transact(writes(Claim::creating(&owner, until), condition, before)).await {
                Ok(()) => return Ok((adopted, self.lease(pk, sk, owner, until))),
                Err(error) if error.kind == ErrorKind::ConditionFailed => {}
                Err(error) if error.kind == ErrorKind::NotFound && pk != HUB_KEY => {
                    return Err(StoreError::NoHub(self.hub.name().to_owned()));
                }
                Err(error) => return Err(error.into()),
            }
            if pk != HUB_KEY {
                self.require_hub().await?;
            }
            (adopted, condition) = match self.held(pk, sk).await? {
                None => (None, Condition::Absent),
                // The answer to our own claim was lost.
                Some(held) if held.claim.owner == owner => return Ok((adopted, self.lease(pk, sk, owner, held.claim.lease_until))),
                Some(held) if held.claim.state != State::Creating => return Err(taken.live()),
                Some(held) => match self.watch(pk, sk, &held.claim, &taken.what).await? {
                    Watched::Abandoned => {
                        let condition = unchanged(&held.claim);
                        (Some(held), condition)
                    }
                    Watched::Renewed => return Err(taken.busy()),
                    Watched::Ended => (None, Condition::Absent),
                },
            };
        }
    }

    fn lease(&self, pk: &str, sk: &str, owner: String, until: u64) -> Lease {
        Lease::begin(self.unstoppable(), key(pk, sk), owner, until)
    }

    fn raise_revision(&self, live: bool) -> Write {
        let condition = if live { Condition::Equals(STATE, State::Live.as_str().into()) } else { Condition::Present };
        Write::Update { key: key(HUB_KEY, HUB_KEY), set: Item::new(), add: vec![(REVISION, 1)], condition: Some(condition) }
    }

    /// Puts the record of a hub that was claimed, makes it live and raises its revision.
    ///
    /// # Errors
    /// `Taken` when the lease ran out and somebody else has taken the hub over.
    pub async fn confirm_hub(&self, item: &HubItem, lease: &Lease) -> StoreResult<()> {
        let put = self.transact(vec![put_hub(item, lease.is_ours(), lease.owner())]).await;
        put.map_err(|error| lost(error, HUB_KEY, self.hub.name()))
    }

    /// Removes the item of a hub that was claimed and could not be made, in a table that was there. Nothing to do when it is gone.
    ///
    /// # Errors
    /// `Taken` when the lease ran out and somebody else has taken the hub over.
    pub async fn withdraw_hub(&self, lease: &Lease) -> StoreResult<()> {
        let ours = Condition::Any(vec![Condition::Absent, lease.is_ours()]);
        let delete = self.transact(vec![Write::Delete { key: key(HUB_KEY, HUB_KEY), condition: Some(ours) }]).await;
        delete.map_err(|error| lost(error, HUB_KEY, self.hub.name()))
    }

    /// Puts the hub's record, makes it live and raises its revision.
    pub async fn put_hub(&self, item: &HubItem) -> StoreResult<()> {
        Ok(self.transact(vec![put_hub(item, Condition::Present, "")]).await?)
    }

    /// Puts a definition's new document and settings, makes it live, and raises the revision. Makes the item again when it was removed behind
    /// our back, save when it was claimed with this lease.
    ///
    /// # Errors
    /// `NoHub` when the hub is gone or being removed, `Taken` when the lease is lost.
    pub async fn put(&self, kind: Kind, name: &str, document: &str, settings: &str, lease: Option<&Lease>) -> StoreResult<()> {
        let mut set = Item::new();
        Claim::live().write(&mut set);
        set.extend(lease.map(|lease| (OWNER.to_owned(), lease.owner().into())));
        set.insert(DOCUMENT.to_owned(), document.into());
        set.insert(SETTINGS.to_owned(), settings.into());
        let put = Write::Update { key: key(kind.as_str(), name), set, add: vec![(REVISION, 1)], condition: lease.map(Lease::is_ours) };
        match self.transact(vec![put, self.raise_revision(true)]).await {
            Err(error) if error.kind == ErrorKind::ConditionFailed && lease.is_some() && self.require_hub().await.is_ok() => {
                Err(lost(error, kind.as_str(), name))
            }
            Err(error) if matches!(error.kind, ErrorKind::ConditionFailed | ErrorKind::NotFound) => {
                Err(StoreError::NoHub(self.hub.name().to_owned()))
            }
            other => Ok(other?),
        }
    }

    /// Marks a definition as made, so that nobody adopts it.
    ///
    /// # Errors
    /// `Taken` when the lease ran out and somebody else has taken the name over.
    pub async fn confirm(&self, kind: Kind, name: &str, lease: &Lease) -> StoreResult<()> {
        let mut set = Item::new();
        Claim::live().write(&mut set);
        set.insert(OWNER.to_owned(), lease.owner().into());
        let write = Write::Update { key: key(kind.as_str(), name), set, add: Vec::new(), condition: Some(lease.is_ours()) };
        self.transact(vec![write]).await.map_err(|error| lost(error, kind.as_str(), name))
    }

    /// Removes a definition that was claimed and could not be made. Nothing to do when it is gone.
    ///
    /// # Errors
    /// `Taken` when the lease ran out and somebody else has taken the name over.
    pub async fn withdraw(&self, kind: Kind, name: &str, lease: &Lease) -> StoreResult<()> {
        let ours = Condition::Any(vec![Condition::Absent, lease.is_ours()]);
        let delete = Write::Delete { key: key(kind.as_str(), name), condition: Some(ours) };
        match self.transact(vec![delete, self.raise_revision(false)]).await {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            other => other.map_err(|error| lost(error, kind.as_str(), name)),
        }
    }

    /// Removes a definition and raises the revision. Nothing to do when the definition or the whole hub is gone.
    pub async fn delete(&self, kind: Kind, name: &str) -> StoreResult<()> {
        let delete = Write::Delete { key: key(kind.as_str(), name), condition: None };
        match self.transact(vec![delete, self.raise_revision(false)]).await {
            Err(error) if matches!(error.kind, ErrorKind::ConditionFailed | ErrorKind::NotFound) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Marks the hub as being removed: from here on nothing can be declared in it. Nothing to do when it is gone.
    pub async fn close_hub(&self) -> StoreResult<()> {
        let set = Item::from([(STATE.to_owned(), State::Deleting.as_str().into())]);
        let write = Write::Update { key: key(HUB_KEY, HUB_KEY), set, add: vec![(REVISION, 1)], condition: Some(Condition::Present) };
        match self.transact(vec![write]).await {
            Err(error) if matches!(error.kind, ErrorKind::ConditionFailed | ErrorKind::NotFound) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Takes that mark back, when the hub cannot be removed after all.
    pub async fn reopen_hub(&self) -> StoreResult<()> {
        let set = Item::from([(STATE.to_owned(), State::Live.as_str().into())]);
        Ok(self
            .transact(vec![Write::Update { key: key(HUB_KEY, HUB_KEY), set, add: Vec::new(), condition: Some(Condition::Present) }])
            .await?)
    }
}

fn put_hub(item: &HubItem, condition: Condition, owner: &str) -> Write {
    let keys = key(HUB_KEY, HUB_KEY);
    let mut set = item.write();
    set.retain(|name, _| !keys.contains_key(name) && name != REVISION);
    set.insert(OWNER.to_owned(), owner.into());
    Write::Update { key: keys, set, add: vec![(REVISION, 1)], condition: Some(condition) }
}

/// A condition on our own claim that does not hold.
fn lost(error: CloudError, what: &str, name: &str) -> StoreError {
    if error.kind != ErrorKind::ConditionFailed {
        return error.into();
    }
    StoreError::Taken {
        message: format!("the claim on {what} `{name}` ran out while it was made, and another apply has taken it over"),
        help: "leave it to that one; run `terraform plan` to see what this state makes of it".to_owned(),
    }
}

/// Nobody has touched this claim since it was read.
fn unchanged(claim: &Claim) -> Condition {
    Condition::All(vec![
        Condition::Equals(STATE, claim.state.as_str().into()),
        Condition::Equals(OWNER, claim.owner.as_str().into()),
        Condition::Equals(LEASE_UNTIL, claim.lease_until.into()),
    ])
}

/// Whose name it is, for messages.
struct Taken {
    what: String,
    address: String,
    id: String,
}

impl Taken {
    fn live(&self) -> StoreError {
        StoreError::Taken {
            message: format!("{} exists already", self.what),
            help: format!("choose another name, or bring it under this state: terraform import {}.NAME {}", self.address, self.id),
        }
    }

    fn busy(&self) -> StoreError {
        StoreError::Taken {
            message: format!("{} is being made by another apply", self.what),
            help: "wait until that one is done".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;

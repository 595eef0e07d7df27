//! The accounts of an organisation, asked once for each process.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::try_join_all;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use trailwire_engine::fanout::names::Cell;

use super::Cloud;
use super::call::{Call, OrganizationInfo, Reply};
use super::error::{CloudError, CloudResult, Kind};

/// An organisation as far as it was asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: String,
    /// Its management account.
    pub management: String,
    /// The active accounts that were asked for.
    pub accounts: BTreeSet<String>,
}

/// What was asked, by the units; none stand for the whole organisation.
#[derive(Debug, Default)]
pub(super) struct Organizations(Mutex<HashMap<Vec<String>, Asked>>);

type Asked = Arc<OnceCell<Arc<Organization>>>;

impl Cloud {
    /// The organisation of our account, with its active accounts: all of them, or those of these units and of the units in them.
    pub(super) async fn organization(&self, units: &[String], stop: &CancellationToken) -> CloudResult<Arc<Organization>> {
        let known = {
            let mut all = self.organizations.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(units.to_vec()).or_default())
        };
        let asked = known.get_or_try_init(|| async {
            let cell = self.home(stop).await?.cell.clone();
            let Reply::Organization(OrganizationInfo { id, management }) = self.call(&cell, Call::DescribeOrganization, stop).await? else {
                return Err(unexpected(&cell));
            };
            let accounts = match units {
                [] => self.names(&cell, Call::ListAccounts { parent: None }, stop).await?.into_iter().collect(),
                units => self.accounts_in(&cell, units, stop).await?,
            };
            Ok(Arc::new(Organization { id, management, accounts }))
        });
        asked.await.cloned()
    }

    /// The accounts of these units and of all units in them, level by level.
    async fn accounts_in(&self, cell: &Cell, units: &[String], stop: &CancellationToken) -> CloudResult<BTreeSet<String>> {
        let mut accounts = BTreeSet::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut level: BTreeSet<String> = units.iter().cloned().collect();
        while !level.is_empty() {
            let looks = level.iter().map(|unit| async move {
                let inside = self.names(cell, Call::ListAccounts { parent: Some(unit.clone()) }, stop);
                let below = self.names(cell, Call::ListUnits { parent: unit.clone() }, stop);
                futures::try_join!(inside, below)
            });
            let found = try_join_all(looks).await?;
            seen.append(&mut level);
            for (inside, below) in found {
                accounts.extend(inside);
                level.extend(below.into_iter().filter(|unit| !seen.contains(unit)));
            }
        }
        Ok(accounts)
    }

    async fn names(&self, cell: &Cell, call: Call, stop: &CancellationToken) -> CloudResult<Vec<String>> {
        match self.call(cell, call, stop).await? {
            Reply::Names(names) => Ok(names),
            _ => Err(unexpected(cell)),
        }
    }
}

fn unexpected(cell: &Cell) -> CloudError {
    CloudError::ours(Kind::Other, cell, "the reply is of another kind; this is a bug in the provider")
}

//! How full the buses are that a plan adds rules to: what they hold, listed once for each cell, and what this process has planned.
//!
//! Best effort: what the plan removes counts from when Terraform plans it, no other plan is known, and nothing is told of a bus that cannot be listed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::join_all;
use tokio::sync::OnceCell;
use trailwire_engine::fanout::names::Cell;
use trailwire_engine::fanout::quota::{Pressed, Rules};

use super::coverage::Coverage;
use crate::cloud::Session;
use crate::cloud::call::DEFAULT_BUS;

/// Shared by every call of this process.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By name and home region.
    hubs: Mutex<HashMap<String, BTreeMap<String, Coverage>>>,
    there: Mutex<HashMap<Cell, Arc<OnceCell<Option<Rules>>>>>,
    added: Mutex<Added>,
}

#[derive(Debug, Default)]
struct Added {
    /// By cell, and by the hub and name of the trigger: Terraform may plan one twice.
    rules: HashMap<Cell, BTreeMap<(String, String), Rules>>,
    /// The rules of triggers that go, likewise.
    removed: HashMap<Cell, BTreeMap<(String, String), Rules>>,
    told: BTreeSet<(Cell, Pressed)>,
}

impl Ledger {
    /// Remembers what a hub is to cover. Terraform plans it before the triggers that refer to it.
    pub fn plan_hub(&self, name: &str, region: &str, scope: Coverage) {
        self.hubs.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default().insert(region.to_owned(), scope);
    }

    /// What a hub that was planned by this process is to cover: the one in this region, or the only one of this name.
    pub fn planned_hub(&self, name: &str, region: Option<&str>) -> Option<Coverage> {
        let hubs = self.hubs.lock().unwrap_or_else(PoisonError::into_inner);
        let of_name = hubs.get(name)?;
        match region {
            Some(region) => of_name.get(region).cloned(),
            None => of_name.values().next().filter(|_| of_name.len() == 1).cloned(),
        }
    }

    /// Counts the rules that a trigger adds and gives the quotas that are thereby reached, each once for each cell of this process.
    pub async fn add(&self, session: &Session, trigger: (&str, &str), added: Vec<(Cell, Rules)>) -> Vec<(Cell, Pressed)> {
        let there = added.iter().map(|(cell, _)| async move { (cell.clone(), self.there(session, cell).await) });
        let there: HashMap<Cell, Option<Rules>> = join_all(there).await.into_iter().collect();
        let mut ledger = self.added.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reached = Vec::new();
        for (cell, rules) in added {
            let Some(there) = there.get(&cell).copied().flatten() else { continue };
            let planned = ledger.rules.entry(cell.clone()).or_default();
            planned.insert((trigger.0.to_owned(), trigger.1.to_owned()), rules);
            let all = planned.values().fold(there, |all, rules| all.and(*rules));
            let gone = ledger.removed.get(&cell).into_iter().flat_map(BTreeMap::values);
            let all = all.beyond(gone.fold(Rules::default(), |gone, rules| gone.and(*rules)));
            reached.extend(all.pressed(&cell.region).into_iter().map(|pressed| (cell.clone(), pressed)));
        }
        reached.retain(|reached| ledger.told.insert(reached.clone()));
        reached
    }

    /// Counts the rules of a trigger that goes, or that another one comes in place of.
    pub fn remove(&self, trigger: (&str, &str), cells: Vec<Cell>, rules: Rules) {
        let mut ledger = self.added.lock().unwrap_or_else(PoisonError::into_inner);
        for cell in cells {
            ledger.removed.entry(cell).or_default().insert((trigger.0.to_owned(), trigger.1.to_owned()), rules);
        }
    }

    /// The rules of a cell's default bus, whoever made them; `None` where they cannot be listed.
    async fn there(&self, session: &Session, cell: &Cell) -> Option<Rules> {
        let count = Arc::clone(self.there.lock().unwrap_or_else(PoisonError::into_inner).entry(cell.clone()).or_default());
        let listed = count.get_or_init(|| async {
            let rules = session.list_rules(cell, DEFAULT_BUS, "").await.ok()?;
            Some(Rules::of(rules.iter().map(|rule| rule.pattern.as_deref().unwrap_or_default())))
        });
        *listed.await
    }
}

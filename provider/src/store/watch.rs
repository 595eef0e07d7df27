//! Whether somebody who began to make something still lives.
//!
//! The clocks of two machines differ, so the time that a lease ends says little to others. Its holder raises it four times a lease; so a claim that does not
//! change in front of our eyes for a whole lease, by our own clock, is given up.

use std::time::{Duration, Instant};

use trailwire_engine::fanout::table::{Claim, Definition, HUB_KEY, HubItem, Kind, State};

use super::{Held, Store, StoreResult, now};

/// What a claim did while it was watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watched {
    /// Nothing: it may be adopted.
    Abandoned,
    /// Its holder renewed it.
    Renewed,
    /// It was made, withdrawn, or adopted by somebody else.
    Ended,
}

impl Store {
    /// Watches a claim of somebody else for as long as a lease is, or until it changes.
    pub(super) async fn watch(&self, pk: &str, sk: &str, claim: &Claim, what: &str) -> StoreResult<Watched> {
        if claim.is_long_over(now()) {
            return Ok(Watched::Abandoned);
        }
        let begun = Instant::now();
        while begun.elapsed() < self.session.timing().lease {
            self.wait_a_while(what, begun.elapsed()).await?;
            match self.held(pk, sk).await?.map(|held| held.claim) {
                Some(seen) if seen == *claim => {}
                Some(seen) if seen.state == State::Creating && seen.owner == claim.owner => return Ok(Watched::Renewed),
                _ => return Ok(Watched::Ended),
            }
        }
        Ok(Watched::Abandoned)
    }

    /// Every definition of any kind that somebody made or is making. Claims that may be given up are watched.
    pub async fn declared(&self) -> StoreResult<Vec<Definition>> {
        let first = self.all_definitions().await?;
        let may_be_given_up = |seen: &Definition| {
            let same = |before: &Definition| before.kind == seen.kind && before.name == seen.name && before.claim == seen.claim;
            seen.claim.state == State::Creating && first.iter().any(same)
        };
        let mut all = first.clone();
        all.retain(|definition| !definition.claim.is_long_over(now()));
        let begun = Instant::now();
        while begun.elapsed() < self.session.timing().lease && all.iter().any(may_be_given_up) {
            self.wait_a_while(&format!("something in hub `{}`", self.hub.name()), begun.elapsed()).await?;
            all = self.all_definitions().await?;
            all.retain(|definition| !definition.claim.is_long_over(now()));
        }
        all.retain(|definition| !may_be_given_up(definition));
        Ok(all)
    }

    async fn all_definitions(&self) -> StoreResult<Vec<Definition>> {
        let mut all = Vec::new();
        for kind in Kind::ALL {
            all.extend(self.definitions(kind).await?);
        }
        Ok(all)
    }

    /// Who holds an item; `None` when there is no such item.
    pub(super) async fn held(&self, pk: &str, sk: &str) -> StoreResult<Option<Held>> {
        let Some(item) = self.item(pk, sk).await? else { return Ok(None) };
        Ok(Some(if pk == HUB_KEY {
            let HubItem { claim, settings, .. } = HubItem::read(&item)?;
            Held { claim, settings }
        } else {
            let Definition { claim, settings, .. } = Definition::read(&item)?;
            Held { claim, settings }
        }))
    }

    /// As long as a holder may take to renew its lease.
    async fn wait_a_while(&self, what: &str, already: Duration) -> StoreResult<()> {
        let lease = self.session.timing().lease;
        let left = lease.saturating_sub(already).as_secs_f64();
        let what = format!("another apply's claim on {what} to be renewed or given up, {left:.0} seconds at most");
        tracing::warn!("waiting for {what}; it was begun and perhaps killed");
        Ok(self.session.wait(self.hub.home(), lease / 4, &what).await?)
    }
}

//! A lease that is renewed in the background until it is dropped.

use std::time::Duration;

use tokio::task::JoinHandle;
use trailwire_engine::fanout::table::{Item, LEASE_UNTIL, OWNER, STATE, State};

use super::{Store, now};
use crate::cloud::call::{Condition, Write};

/// Dropping it ends the renewal; the claim itself stays until it is confirmed, removed, or adopted by somebody after the lease is over.
#[derive(Debug)]
pub struct Lease {
    owner: String,
    renewal: JoinHandle<()>,
}

impl Lease {
    /// `until` is what the claim says now.
    pub(super) fn begin(store: Store, key: Item, owner: String, until: u64) -> Self {
        let lease = store.session.timing().lease;
        Self { owner: owner.clone(), renewal: tokio::spawn(renew(store, key, owner, until, lease)) }
    }

    /// What a suspended machine does.
    #[cfg(test)]
    pub(super) fn stop_renewing(&mut self) {
        self.renewal.abort();
    }

    pub(super) fn owner(&self) -> &str {
        &self.owner
    }

    /// Holds while nobody else has taken the claim over. The owner stays in the item when it is made, so that a repeated attempt still fits.
    pub(super) fn is_ours(&self) -> Condition {
        Condition::Equals(OWNER, self.owner.as_str().into())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

async fn renew(store: Store, key: Item, owner: String, mut until: u64, lease: Duration) {
    loop {
        tokio::time::sleep(lease / 4).await;
        // Whoever watches sees it change, whatever the clock does.
        until = now().saturating_add(lease.as_secs()).max(until.saturating_add(1));
        let set = Item::from([(LEASE_UNTIL.to_owned(), until.into())]);
        let ours = Condition::All(vec![
            Condition::Equals(STATE, State::Creating.as_str().into()),
            Condition::Equals(OWNER, owner.as_str().into()),
        ]);
        let write = Write::Update { key: key.clone(), set, add: Vec::new(), condition: Some(ours) };
        if let Err(error) = store.transact(vec![write]).await {
            tracing::debug!(%error, "the lease was not renewed");
        }
    }
}

//! Canaries: each cell's rule is tagged, CloudTrail records that, the rule carries the record to the hub, and a runtime writes down that it arrived.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_eventbridge::types::Tag;
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use trailwire_engine::fanout::canary::{Arrival, TAG, nonce};
use trailwire_engine::fanout::names::Cell;
use trailwire_engine::fanout::table::CANARY_PK;

use super::{AT_ONCE, Health, Look, SILENT_SECONDS, unread};
use crate::hub::aws::describe;

/// How often it is looked for arrivals.
const LOOK: Duration = Duration::from_secs(1);

/// What became of the canary of each cell: how long it took to arrive, or why it did not.
type Canaries = BTreeMap<Cell, Result<Duration, String>>;

impl Look {
    /// Sends a canary from each cell, waits for at most so long, and adds what came of it. Without a runtime nobody would tell of an arrival.
    pub(crate) async fn add_canaries(&self, health: &mut Health, limit: Duration) {
        if health.seen.first().is_none_or(|seconds| *seconds > SILENT_SECONDS) {
            health.home.push("no canary was sent: it is a runtime that tells of their arrival".to_owned());
            return;
        }
        for (cell, canary) in self.canaries(limit).await {
            match canary {
                Ok(after) => drop(health.arrived.insert(cell, after)),
                Err(problem) => health.cells.entry(cell).or_default().push(problem),
            }
        }
    }

    /// Sends a canary from each cell and waits until all have arrived, at most for so long.
    async fn canaries(&self, limit: Duration) -> Canaries {
        let random = random_digits();
        let nonce = nonce(&random);
        let sent = stream::iter(self.record.cells()).map(|cell| {
            let nonce = &nonce;
            async move {
                let sent = self.send(&cell, nonce).await.map(|()| Instant::now());
                (cell, sent)
            }
        });
        let sent: BTreeMap<Cell, Result<Instant, String>> = sent.buffer_unordered(AT_ONCE).collect().await;
        let mut canaries = Canaries::new();
        let mut out: BTreeMap<Cell, Instant> = BTreeMap::new();
        for (cell, sent) in sent {
            match sent {
                Ok(at) => drop(out.insert(cell, at)),
                Err(reason) => drop(canaries.insert(cell, Err(reason))),
            }
        }
        let mut unreadable = None;
        let end = Instant::now() + limit;
        while !out.is_empty() && Instant::now() < end {
            tokio::time::sleep(LOOK).await;
            match self.table.query(CANARY_PK).await.map_err(unread("the hub's table")) {
                Ok(items) => {
                    let arrived = items.iter().filter_map(Arrival::read).filter(|arrival| arrival.nonce == nonce);
                    for arrival in arrived {
                        if let Some(at) = out.remove(&arrival.cell) {
                            canaries.insert(arrival.cell, Ok(at.elapsed()));
                        }
                    }
                    unreadable = None;
                }
                Err(unread) => unreadable = Some(unread),
            }
        }
        let missing = unreadable.unwrap_or_else(|| {
            format!("its canary did not arrive within {} s: no trail logs there, or the event was lost on its way", limit.as_secs())
        });
        canaries.extend(out.into_keys().map(|cell| (cell, Err(missing.clone()))));
        canaries
    }

    /// Tags the rule of a cell: CloudTrail records it, and the rule carries the record.
    async fn send(&self, cell: &Cell, nonce: &str) -> Result<(), String> {
        let config = self.enter(&cell.account).await?;
        let tag = Tag::builder().key(TAG).value(nonce).build().map_err(|error| error.to_string())?;
        let arn = self.hub.rule_arn(cell, &self.hub.canary_rule_name());
        let tagged = self.events(cell, &config).tag_resource().resource_arn(arn).tags(tag).send().await;
        tagged.map(drop).map_err(|error| format!("its canary can not be sent: {}", describe(&error)))
    }
}

/// Random hexadecimal digits, and the time where there is no randomness: no other canary has them.
fn random_digits() -> String {
    let mut random = [0; 8];
    match getrandom::fill(&mut random) {
        Ok(()) => random.iter().map(|byte| format!("{byte:02x}")).collect(),
        Err(_) => Timestamp::now().as_nanosecond().to_string(),
    }
}

//! Whether CloudTrail sends events from where a hub looks: AWS does so only where a trail logs management events.
//!
//! Best effort: a caller who may not look at trails is told that nobody did, and nothing fails for it. A trail of all regions answers for an account with
//! two calls; where there is none, each further cell takes two. Selectors that somebody chose take one call more.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::OnceCell;
use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::fanout::names::Cell;
use trailwire_engine::fanout::trails::Trail;

use super::coverage::Coverage;
use super::told;
use crate::cloud::Session;
use crate::cloud::error::{CloudError, CloudResult, Kind};

/// How long looking may take: an endpoint that does not answer must not hold up a plan.
const LIMIT: Duration = Duration::from_secs(20);

/// What was found, shared by all hubs of a process.
#[derive(Debug, Default)]
pub struct Trails(Mutex<HashMap<Cell, Arc<OnceCell<CloudResult<Logged>>>>>);

/// What is logged of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Logged {
    /// Nothing.
    Nowhere,
    /// This region.
    Here,
    /// Every region of the account.
    Everywhere,
}

impl Trails {
    /// Warnings about cells that no trail logs, and about those that could not be looked at.
    pub async fn check(&self, session: &Session, home_region: &str, coverage: &Coverage, accounts: &BTreeSet<String>) -> Vec<Diagnostic> {
        let looking = session.within(LIMIT);
        let looks = accounts.iter().map(|account| self.account(&looking, Cell::new(account, home_region), coverage));
        let (mut without, mut unseen) = (Vec::new(), BTreeMap::new());
        for (cell, found) in join_all(looks).await.into_iter().flatten() {
            match found {
                Ok(Logged::Nowhere) => without.push(cell),
                Ok(_) => {}
                // Both are told elsewhere, and nothing comes from there.
                Err(error) if matches!(error.kind, Kind::AccountRefused | Kind::RegionDisabled) => {}
                Err(error) if error.kind == Kind::Interrupted && looking.timed_out().is_none() => return Vec::new(),
                Err(error) => {
                    unseen.insert(cell, error);
                }
            }
        }
        tell(&without).into_iter().chain(tell_unseen(&unseen)).collect()
    }

    /// What is logged of the cells of an account; nothing where all of them are.
    async fn account(&self, session: &Session, home: Cell, coverage: &Coverage) -> Vec<(Cell, CloudResult<Logged>)> {
        match self.logged(session, &home, true).await {
            Ok(Logged::Everywhere) => Vec::new(),
            Err(error) => vec![(home, Err(error))],
            Ok(_) => {
                let regions = match coverage.regions_in(session, &home.account).await {
                    Ok(regions) => regions,
                    Err(error) => return vec![(home, Err(error))],
                };
                let looks = regions.into_iter().map(|region| async {
                    let cell = Cell::new(&home.account, region);
                    let found = self.logged(session, &cell, false).await;
                    (cell, found)
                });
                join_all(looks).await
            }
        }
    }

    /// What is logged of a cell, asked once. Trails of all regions are asked about only where this is `first`: they are the same everywhere.
    async fn logged(&self, session: &Session, cell: &Cell, first: bool) -> CloudResult<Logged> {
        let known = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(cell.clone()).or_default())
        };
        known.get_or_init(|| look(session, cell, first)).await.clone()
    }
}

async fn look(session: &Session, cell: &Cell, first: bool) -> CloudResult<Logged> {
    let mut trails = session.describe_trails(cell).await?;
    trails.retain(|trail| if trail.multi_region { first } else { trail.home_region == cell.region });
    trails.sort_by_key(|trail| !trail.multi_region);
    let mut failed = None;
    for trail in trails {
        match logs(session, cell, &trail).await {
            Ok(true) if trail.multi_region => return Ok(Logged::Everywhere),
            Ok(true) => return Ok(Logged::Here),
            Ok(false) => {}
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(Logged::Nowhere), Err)
}

/// Whether a trail logs management events that write. It is asked where it was made.
async fn logs(session: &Session, cell: &Cell, trail: &Trail) -> CloudResult<bool> {
    let made = Cell::new(&cell.account, &trail.home_region);
    Ok(session.is_logging(&made, &trail.arn).await? && (!trail.custom_selectors || session.keeps_writes(&made, &trail.arn).await?))
}

fn tell(without: &[Cell]) -> Option<Diagnostic> {
    if without.is_empty() {
        return None;
    }
    let mut accounts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for cell in without {
        accounts.entry(&cell.account).or_default().push(&cell.region);
    }
    let mut lines: Vec<String> = accounts.iter().map(|(account, regions)| format!("{account}: {}", regions.join(", "))).collect();
    lines.push(
        "make a trail there that logs management events; one of all regions does for an account, and one of an organisation for all its accounts. Where \
         this configuration makes it, let the hub depend on it"
            .to_owned(),
    );
    let cells = if without.len() == 1 { "1 cell".to_owned() } else { format!("{} cells", without.len()) };
    let message = format!("no trail logs what happens in {cells} of the hub, and AWS sends no event from there");
    Some(Diagnostic::warning(Code::NO_TRAIL, message).help(lines.join("\n    ")))
}

fn tell_unseen(unseen: &BTreeMap<Cell, CloudError>) -> Option<Diagnostic> {
    if unseen.is_empty() {
        return None;
    }
    let message = "nobody knows whether a trail logs there, without which AWS sends no event: trails could not be looked at";
    Some(Diagnostic::warning(Code::TRAILS_UNSEEN, message).help(told::lines(unseen).join("\n    ")))
}

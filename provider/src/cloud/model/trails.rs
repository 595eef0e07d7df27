//! The trails of the model.

use trailwire_engine::fanout::names::Cell;
use trailwire_engine::fanout::trails::Trail;

use super::World;
use crate::cloud::call::{Call, Reply};

/// A trail and what it does.
#[derive(Clone, Debug)]
pub struct ModelTrail {
    /// Whose it is; every account's where it is of the organisation.
    pub account: Option<String>,
    /// As it is listed.
    pub trail: Trail,
    /// Whether it logs.
    pub logging: bool,
    /// Whether its selectors keep management events that write.
    pub writes: bool,
}

impl ModelTrail {
    /// A trail of all regions that logs everything.
    pub fn new(account: Option<&str>, home_region: &str) -> Self {
        let trail = Trail {
            arn: format!("trail in {} {home_region}", account.unwrap_or("the organisation")),
            home_region: home_region.to_owned(),
            multi_region: true,
            custom_selectors: false,
        };
        Self { account: account.map(str::to_owned), trail, logging: true, writes: true }
    }
}

pub(super) fn answer(world: &World, cell: &Cell, call: &Call) -> Reply {
    let all = world.trails.clone().unwrap_or_else(|| vec![ModelTrail::new(None, "eu-west-1")]);
    let here = all.into_iter().filter(|one| one.account.as_ref().is_none_or(|account| *account == cell.account));
    let mut here = here.filter(|one| one.trail.multi_region || one.trail.home_region == cell.region);
    match call {
        Call::GetTrailStatus { trail } => Reply::Is(here.any(|one| one.trail.arn == *trail && one.logging)),
        Call::GetEventSelectors { trail } => Reply::Is(here.any(|one| one.trail.arn == *trail && one.writes)),
        _ => Reply::Trails(here.map(|one| one.trail).collect()),
    }
}

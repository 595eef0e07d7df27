//! Whether the rules that a trigger adds fit on their buses, as far as that can be known while planning.

use std::collections::{BTreeMap, BTreeSet};

use trailwire_engine::check::is_silenced;
use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::fanout::names::{Cell, Hub};
use trailwire_engine::fanout::quota::{Pressed, Rules};
use trailwire_engine::fanout::table::HubRecord;

use super::check::parse;
use super::document::pushed_of;
use crate::apply::cells::cells_of;
use crate::apply::scope::narrowed;
use crate::cloud::Session;
use crate::context::Context;
use crate::resource::PlanRequest;
use crate::value::Dynamic;

/// What decides in which cells the trigger has rules, and what is allowed.
const DECIDES: [&str; 4] = ["regions", "exclude_regions", "account_ids", "allow"];

/// The quotas that the trigger's rules reach, with those that the bus holds and those that this plan added before.
pub(super) async fn plan(context: &Context, session: &Session, request: &PlanRequest, planned: &Dynamic) -> Vec<Diagnostic> {
    let known = DECIDES.iter().all(|name| request.config.get(name).is_wholly_known());
    let (Some(trigger), Some(wanted)) = (parse(&request.config).ok().filter(|_| known), pushed_of(planned)) else { return Vec::new() };
    let Some(cells) = cells(context, session, request).await else { return Vec::new() };
    let after = Rules::of(wanted.patterns.iter().map(String::as_str));
    let before = pushed_of(&request.prior).map_or(Rules::default(), |before| Rules::of(before.patterns.iter().map(String::as_str)));
    let had: BTreeSet<Cell> = cells_of(&request.prior).into_iter().collect();
    let added = narrowed(cells, &trigger).into_iter().map(|cell| {
        let rules = if had.contains(&cell) { after.beyond(before) } else { after };
        (cell, rules)
    });
    let added: Vec<(Cell, Rules)> = added.filter(|(_, rules)| *rules != Rules::default()).collect();
    let hub = request.config.get_str("hub").unwrap_or_default();
    let mut reached: BTreeMap<Pressed, Vec<Cell>> = BTreeMap::new();
    for (cell, pressed) in context.shared.ledger.add(session, (hub, &trigger.name), added).await {
        reached.entry(pressed).or_default().push(cell);
    }
    let told = reached.iter().filter_map(|(pressed, cells)| diagnostic(*pressed, cells));
    told.filter(|diagnostic| !is_silenced(&trigger, diagnostic.code)).collect()
}

/// Counts out the rules that a trigger's state tells of.
pub(super) fn remove(context: &Context, prior: &Dynamic) {
    let Some(pushed) = pushed_of(prior) else { return };
    let rules = Rules::of(pushed.patterns.iter().map(String::as_str));
    let names = (prior.get_str("hub_arn").unwrap_or_default(), prior.get_str("name").unwrap_or_default());
    context.shared.ledger.remove(names, cells_of(prior), rules);
}

fn diagnostic(pressed: Pressed, cells: &[Cell]) -> Option<Diagnostic> {
    let (first, others) = cells.split_first()?;
    let others = match others {
        [] => String::new(),
        [_] => " (and one other)".to_owned(),
        others => format!(" (and {} others)", others.len()),
    };
    let bus = format!("the default bus of {first}{others}, with what it holds and what this plan adds,");
    Some(pressed.diagnostic(&bus, &first.region))
}

/// The cells of the hub: as this plan will have them, or as its table tells. `None` where neither is at hand without a search.
pub(super) async fn cells(context: &Context, session: &Session, request: &PlanRequest) -> Option<Vec<Cell>> {
    let reference = request.config.get_str("hub")?;
    let named = Hub::from_arn(reference);
    let name = named.as_ref().map_or(reference, Hub::name);
    if let Some(coverage) = context.shared.ledger.planned_hub(name) {
        let home = session.home().await.ok()?.cell.account;
        return Some(coverage.resolve(session, &home).await.ok()?.cells.into_iter().collect());
    }
    let stored = request.prior.get_str("hub_arn").and_then(Hub::from_arn);
    let hub = stored.or_else(|| named.clone()).or_else(|| context.shared.known_hub(name))?;
    let snapshot = context.shared.snapshot(session, &hub).await.ok()?;
    snapshot.hub.as_ref()?.record.as_ref().map(HubRecord::cells)
}

//! Whether the rules that a definition adds fit on their buses, as far as that can be known while planning.

use std::collections::{BTreeMap, BTreeSet};

use trailwire_engine::check::is_silenced;
use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::fanout::names::{Carrier, Cell, Hub, Owner};
use trailwire_engine::fanout::quota::{Pressed, Rules};
use trailwire_engine::fanout::table::HubRecord;
use trailwire_engine::trigger::Trigger;

use super::carried::pushed_of;
use crate::apply::cells::cells_of;
use crate::apply::scope::narrowed;
use crate::cloud::Session;
use crate::context::Context;
use crate::resource::PlanRequest;
use crate::value::Dynamic;

/// What decides in which cells there are rules, and what is allowed.
const DECIDES: [&str; 4] = ["regions", "exclude_regions", "account_ids", "allow"];

/// The quotas that the rules reach, with those that the bus holds and those that this plan added before. `events` is the trigger, or one on everything that a
/// forwarder carries, where it can be read.
pub(crate) async fn plan(
    context: &Context,
    session: &Session,
    request: &PlanRequest,
    (carrier, events): (Carrier, Option<Trigger>),
    planned: &Dynamic,
) -> Vec<Diagnostic> {
    let known = DECIDES.iter().all(|name| request.config.get(name).is_wholly_known());
    let Some(events) = events.filter(|_| known) else { return Vec::new() };
    let Some(wanted) = pushed_of(planned) else {
        if planned.get("pushed_pattern").is_null() {
            remove(context, carrier, &request.prior);
        }
        return Vec::new();
    };
    let Some(cells) = cells(context, session, request).await else { return Vec::new() };
    let after = Rules::of(wanted.patterns.iter().map(String::as_str));
    let before = pushed_of(&request.prior).map_or(Rules::default(), |before| Rules::of(before.patterns.iter().map(String::as_str)));
    let had: BTreeSet<Cell> = cells_of(&request.prior).into_iter().collect();
    let added = narrowed(cells, &events).into_iter().map(|cell| {
        let rules = if had.contains(&cell) { after.beyond(before) } else { after };
        (cell, rules)
    });
    let added: Vec<(Cell, Rules)> = added.filter(|(_, rules)| *rules != Rules::default()).collect();
    let (hub, owner) = (request.config.get_str("hub").unwrap_or_default(), Owner { carrier, name: &events.name }.to_string());
    let mut reached: BTreeMap<Pressed, Vec<Cell>> = BTreeMap::new();
    for (cell, pressed) in context.shared.ledger.add(session, (hub, &owner), added).await {
        reached.entry(pressed).or_default().push(cell);
    }
    let told = reached.iter().filter_map(|(pressed, cells)| diagnostic(*pressed, cells));
    told.filter(|diagnostic| !is_silenced(&events, diagnostic.code)).collect()
}

/// Counts out the rules that a state tells of.
pub(crate) fn remove(context: &Context, carrier: Carrier, prior: &Dynamic) {
    let Some(pushed) = pushed_of(prior) else { return };
    let rules = Rules::of(pushed.patterns.iter().map(String::as_str));
    let owner = Owner { carrier, name: prior.get_str("name").unwrap_or_default() }.to_string();
    context.shared.ledger.remove((prior.get_str("hub_arn").unwrap_or_default(), &owner), cells_of(prior), rules);
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
pub(crate) async fn cells(context: &Context, session: &Session, request: &PlanRequest) -> Option<Vec<Cell>> {
    let reference = request.config.get_str("hub")?;
    let named = Hub::from_arn(reference);
    let name = named.as_ref().map_or(reference, Hub::name);
    if let Some(coverage) = context.shared.ledger.planned_hub(name, named.as_ref().map(|hub| hub.home().region.as_str())) {
        let home = session.home().await.ok()?.cell.account;
        return Some(coverage.resolve(session, &home).await.ok()?.cells.into_iter().collect());
    }
    let stored = request.prior.get_str("hub_arn").and_then(Hub::from_arn);
    let hub = stored.or_else(|| named.clone()).or_else(|| context.shared.hubs().only(name))?;
    let snapshot = context.shared.snapshot(session, &hub).await.ok()?;
    snapshot.hub.as_ref()?.record.as_ref().map(HubRecord::cells)
}

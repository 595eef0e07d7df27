//! What the hub, and the other triggers of the plan, tell of a trigger.

use trailwire_engine::check::check_hub;
use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::fanout::set::Beside;

use super::check::parse;
use crate::cloud::Session;
use crate::context::Context;
use crate::resource::PlanRequest;
use crate::resource::rows::quota::cells;

/// Events that the hub's regions leave out, and events that another trigger of this plan tells, too. Warnings; nothing of what is not known yet.
pub(super) async fn plan(context: &Context, session: &Session, request: &PlanRequest) -> Vec<Diagnostic> {
    let Ok(trigger) = parse(&request.config) else { return Vec::new() };
    let mut diagnostics = Vec::new();
    if let Some(cells) = cells(context, session, request).await {
        let regions: Vec<String> = cells.into_iter().map(|cell| cell.region).collect();
        diagnostics.extend(check_hub(&trigger, &|name| request.config.get(name).is_wholly_known(), &regions));
    }
    if let Some(hub) = request.config.get_str("hub").filter(|_| request.config.is_wholly_known()) {
        diagnostics.extend(context.shared.triggers.set_beside(hub, Beside::of(trigger)));
    }
    diagnostics
}

//! The regions that a definition narrows itself to, as far as they can be checked while planning.

use std::collections::BTreeSet;

use trailwire_engine::diagnostic::Diagnostic;

use super::quota::cells;
use crate::apply::scope::check_regions;
use crate::cloud::Session;
use crate::context::Context;
use crate::resource::PlanRequest;

/// Named regions that are not enabled in the hub's account; one that the hub covers in another account is right.
pub(crate) async fn plan(context: &Context, session: &Session, request: &PlanRequest) -> Vec<Diagnostic> {
    let named = ["regions", "exclude_regions"].map(|attribute| (attribute, request.config.get_strings(attribute)));
    if context.config.unknown_caller().is_some() || named.iter().all(|(_, regions)| regions.is_empty()) {
        return Vec::new();
    }
    let home = match session.home().await {
        Ok(home) => BTreeSet::from([home.cell.account]),
        Err(error) => return vec![error.diagnostic()],
    };
    let covered = cells(context, session, request).await.unwrap_or_default();
    let mut diagnostics = Vec::new();
    for (attribute, mut regions) in named {
        regions.retain(|region| !covered.iter().any(|cell| cell.region == *region && !home.contains(&cell.account)));
        diagnostics.extend(check_regions(session, attribute, &regions, &home).await);
    }
    diagnostics
}

//! Whole events go to destinations that take them.
//!
//! While planning, the kind of a destination is known if the same configuration declares it, or the hub's table has it. What is not known then is
//! looked up in apply, before anything is changed. A name that nobody declares is no mistake here: what is sent to it is tried again until it is there.

use trailwire_engine::diagnostic::{Diagnostic, Path};
use trailwire_engine::fanout::table::Kind;
use trailwire_engine::trigger::{Destination, DestinationKind, notifications_only};

use crate::apply::scope::find_hub;
use crate::cloud::Session;
use crate::context::Context;
use crate::resource::PlanRequest;
use crate::store::{Store, StoreError};
use crate::value::Dynamic;

/// The destinations that a configuration names in `send`, as far as they are known, with their places.
fn named(config: &Dynamic) -> Vec<(&str, Path)> {
    let mut named = Vec::new();
    for (index, action) in config.get_list("action").iter().enumerate() {
        let name = action.get_block("send").and_then(|send| send.get_str("destination"));
        named.extend(name.map(|name| (name, Path::root("action").index(index).attribute("send").index(0).attribute("destination"))));
    }
    named
}

/// What is wrong as far as it can be known while planning. What cannot be read then is read in apply.
pub(super) async fn plan(context: &Context, session: &Session, request: &PlanRequest) -> Vec<Diagnostic> {
    let Some(reference) = request.config.get_str("hub") else { return Vec::new() };
    let mut diagnostics = Vec::new();
    let mut unplanned = Vec::new();
    for (name, path) in named(&request.config) {
        match context.shared.planned_destination(reference, name) {
            Some(Some(kind)) if !DestinationKind::takes_events(kind) => diagnostics.push(notifications_only(name, kind).at(path)),
            Some(_) => {}
            None => unplanned.push((name, path)),
        }
    }
    if unplanned.is_empty() {
        return diagnostics;
    }
    if let Ok(hub) = find_hub(session, &context.shared, reference, request.prior.get_str("hub_arn")).await {
        diagnostics.extend(refused(&Store::new(session, &hub), &unplanned).await.unwrap_or_default());
    }
    diagnostics
}

/// What is wrong, by the hub's table.
pub(super) async fn check(store: &Store, config: &Dynamic) -> Result<Vec<Diagnostic>, StoreError> {
    refused(store, &named(config)).await
}

async fn refused(store: &Store, named: &[(&str, Path)]) -> Result<Vec<Diagnostic>, StoreError> {
    let mut diagnostics = Vec::new();
    for (name, path) in named {
        let definition = store.definition(Kind::Destination, name).await?;
        let destination = definition.and_then(|definition| Destination::parse(&definition.document?).ok());
        diagnostics.extend(destination.and_then(|destination| destination.refuses_events()).map(|refused| refused.at(path.clone())));
    }
    Ok(diagnostics)
}

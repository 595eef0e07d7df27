//! Queries call what the hub allows.
//!
//! While planning that is known if the same configuration declares the hub, or its table is there. What is not known then is looked up in apply.

use trailwire_engine::check::check_allowed;
use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::fanout::names::Hub;
use trailwire_engine::trigger::{Action, Trigger};

use super::check::{is_premature, parse};
use crate::apply::scope::find_hub;
use crate::cloud::Session;
use crate::context::Context;
use crate::resource::PlanRequest;
use crate::store::{Store, StoreError};

/// What is wrong as far as it can be known while planning.
pub(super) async fn plan(context: &Context, session: &Session, request: &PlanRequest) -> Vec<Diagnostic> {
    let config = &request.config;
    let (Some(reference), Ok(trigger)) = (config.get_str("hub"), parse(config)) else { return Vec::new() };
    if !asks(&trigger) {
        return Vec::new();
    }
    let name = Hub::from_arn(reference).map_or_else(|| reference.to_owned(), |hub| hub.name().to_owned());
    let mut refused = match context.shared.queries.planned(&name) {
        Some(Some(allowed)) => check_allowed(&trigger, &name, &allowed),
        Some(None) => Vec::new(),
        None => match find_hub(session, &context.shared, reference, request.prior.get_str("hub_arn")).await {
            Ok(hub) => check(&Store::new(session, &hub), &trigger).await.unwrap_or_default(),
            Err(_) => Vec::new(),
        },
    };
    refused.retain(|diagnostic| !is_premature(config, diagnostic));
    refused
}

/// What is wrong, by the hub's table.
pub(super) async fn check(store: &Store, trigger: &Trigger) -> Result<Vec<Diagnostic>, StoreError> {
    if !asks(trigger) {
        return Ok(Vec::new());
    }
    let record = store.hub_item().await?.and_then(|item| item.record);
    Ok(record.map(|record| check_allowed(trigger, &record.name, &record.query_operations)).unwrap_or_default())
}

fn asks(trigger: &Trigger) -> bool {
    trigger.actions.iter().any(|action| matches!(action, Action::Query(_)))
}

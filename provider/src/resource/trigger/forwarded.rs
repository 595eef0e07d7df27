//! Whether the forwarder that a trigger relies on is there and carries all of its events.
//!
//! While planning, a forwarder is known if this process has planned it, or the hub's table has it. In apply the table alone counts.

use trailwire_engine::diagnostic::{Code, Diagnostic, Path};
use trailwire_engine::fanout::cover;
use trailwire_engine::fanout::names::Hub;
use trailwire_engine::fanout::table::Kind;
use trailwire_engine::trigger::{Forwarder, Trigger};

use super::check::parse;
use crate::apply::scope::find_hub;
use crate::cloud::Session;
use crate::context::Context;
use crate::resource::PlanRequest;
use crate::store::{Store, StoreError};

/// What is wrong as far as it can be known while planning. What cannot be read then is read in apply.
pub(super) async fn plan(context: &Context, session: &Session, request: &PlanRequest) -> Option<Diagnostic> {
    let config = &request.config;
    let (reference, name) = (config.get_str("hub")?, config.get_str("forwarder")?);
    if !cover::DECIDES.iter().all(|attribute| config.get(attribute).is_wholly_known()) {
        return None;
    }
    let trigger = parse(config).ok()?;
    if let Some(planned) = context.shared.forwarders.planned(reference, name) {
        return cover::check(&trigger, &planned?);
    }
    match find_hub(session, &context.shared, reference, request.prior.get_str("hub_arn")).await {
        Ok(hub) => check(&Store::new(session, &hub), &trigger).await.ok().flatten(),
        Err(_) => {
            let named = Hub::from_arn(reference);
            let hub = named.as_ref().map_or(reference, Hub::name);
            let region = named.as_ref().map(|hub| hub.home().region.as_str());
            context.shared.ledger.planned_hub(hub, region).map(|_| missing(hub, name))
        }
    }
}

/// What is wrong, by the hub's table.
pub(super) async fn check(store: &Store, trigger: &Trigger) -> Result<Option<Diagnostic>, StoreError> {
    let Some(name) = trigger.forwarder.as_deref() else { return Ok(None) };
    let Some(definition) = store.definition(Kind::Forwarder, name).await? else { return Ok(Some(missing(store.hub_name(), name))) };
    Ok(match definition.document.as_deref().map(Forwarder::parse) {
        Some(Ok(forwarder)) => cover::check(trigger, &forwarder),
        _ => {
            let message = format!("the definition of forwarder `{name}` in the hub's table cannot be read");
            let help = "apply the forwarder, or use the version of the provider that wrote it";
            Some(Diagnostic::error(Code::DOCUMENT_REFUSED, message).at(Path::root("forwarder")).help(help))
        }
    })
}

fn missing(hub: &str, name: &str) -> Diagnostic {
    let message = format!("hub `{hub}` has no forwarder `{name}`");
    let help = "declare it, and refer to it, so that it is made first: `forwarder = trailwire_forwarder.NAME.name`";
    Diagnostic::error(Code::NOT_FOUND, message).at(Path::root("forwarder")).help(help)
}

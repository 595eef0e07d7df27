//! Reading a definition and its rules.

use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::fanout::names::Carrier;
use trailwire_engine::trigger::Trigger;

use super::Settings;
use super::carried::{set_pushed, stored};
use super::drift::Drift;
use crate::config::Refresh;
use crate::context::Context;
use crate::resource::common::RETAGGED;
use crate::resource::definition::{find, identify, or_unchanged, unreadable};
use crate::resource::{ReadRequest, ReadResponse};
use crate::value::Dynamic;

/// `attributes` gives those that a definition and its settings say.
pub(crate) async fn read(
    context: &Context,
    request: ReadRequest,
    carrier: Carrier,
    attributes: fn(&Trigger, &Settings) -> Dynamic,
) -> ReadResponse {
    let as_it_was = request.state.clone();
    or_unchanged(try_read(context, request, carrier, attributes).await, as_it_was)
}

async fn try_read(
    context: &Context,
    request: ReadRequest,
    carrier: Carrier,
    attributes: fn(&Trigger, &Settings) -> Dynamic,
) -> Result<ReadResponse, Diagnostic> {
    let state = request.state;
    let imported = state.get("cells").is_null();
    if context.config.refresh == Refresh::None && !imported {
        return Ok(ReadResponse { state, ..ReadResponse::default() });
    }
    let session = context.cloud.session(&request.stop);
    let (hub, name) = find(context, &session, &state, state.get_str("hub_arn")).await?;
    let snapshot = context.shared.snapshot(&session, &hub).await.map_err(|error| error.diagnostic())?;
    let record = snapshot.hub.as_ref().and_then(|item| item.record.as_ref());
    let (Some(definition), Some(record)) = (snapshot.definition(carrier.kind(), name), record) else {
        return Ok(ReadResponse::default());
    };
    let Some(stored) = stored(definition) else {
        return Ok(unreadable(state.clone(), carrier.kind(), name));
    };
    let (rules, settings) = stored.map_err(|error| Diagnostic::error(Code::OUT_OF_RANGE, error.to_string()))?;
    let mut new = attributes(&rules.events, &settings);
    set_pushed(&mut new, carrier, settings.pushed.as_ref().unwrap_or(&rules.pushed));
    let mut drift = Drift::of(context, &session, (&hub, record), &rules, &state).await?;
    if settings.tags_before.is_some() {
        drift.add(hub.home(), RETAGGED);
    }
    new.set("hub", state.get("hub").clone());
    new.set("timeouts", state.get("timeouts").clone());
    identify(&mut new, &hub, name);
    drift.tell(&mut new, &hub, &rules);
    Ok(ReadResponse { state: new, diagnostics: drift.diagnostics, private: None })
}

//! Reading and importing a trigger.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::fanout::names::{Cell, Hub};
use trailwire_engine::fanout::pushed::{Pushed, pushed_after};
use trailwire_engine::fanout::rules::drift;
use trailwire_engine::fanout::table::{HubRecord, Kind};
use trailwire_engine::trigger::Trigger;

use super::document::{attributes, rule_names, set_pushed, wanted};
use super::settings::Settings;
use crate::apply::cells::{cells_value, drifted_value};
use crate::apply::coverage::unread;
use crate::apply::scope::{known_cells, trigger_cells};
use crate::cloud::Session;
use crate::cloud::error::Kind as ErrorKind;
use crate::config::Refresh;
use crate::context::Context;
use crate::resource::definition::{find, identify, or_unchanged, unreadable};
use crate::resource::{ReadRequest, ReadResponse};
use crate::value::Dynamic;

pub(super) async fn read(context: &Context, request: ReadRequest) -> ReadResponse {
    let as_it_was = request.state.clone();
    or_unchanged(try_read(context, request).await, as_it_was)
}

async fn try_read(context: &Context, request: ReadRequest) -> Result<ReadResponse, Diagnostic> {
    let state = request.state;
    let imported = state.get("cells").is_null();
    if context.config.refresh == Refresh::None && !imported {
        return Ok(ReadResponse { state, ..ReadResponse::default() });
    }
    let session = context.cloud.session(&request.stop);
    let (hub, name) = find(context, &session, &state, state.get_str("hub_arn")).await?;
    let snapshot = context.shared.snapshot(&session, &hub).await.map_err(|error| error.diagnostic())?;
    let record = snapshot.hub.as_ref().and_then(|item| item.record.as_ref());
    let (Some(definition), Some(record)) = (snapshot.definition(Kind::Trigger, name), record) else {
        return Ok(ReadResponse::default());
    };
    let Some(trigger) = definition.document.as_deref().and_then(|document| Trigger::parse(document).ok()) else {
        return Ok(unreadable(state.clone(), Kind::Trigger, name));
    };
    let settings = Settings::read(definition.settings.as_deref());
    let pushed = pushed_after(&trigger, settings.pushed.as_ref());
    let pushed = pushed.map_err(|error| Diagnostic::error(Code::OUT_OF_RANGE, error.to_string()))?;
    let mut new = attributes(&trigger, &settings);
    set_pushed(&mut new, settings.pushed.as_ref().unwrap_or(&pushed));
    let scope = trigger_cells(record, &trigger);
    let Drift { reasons, left, diagnostics } = drift_of(context, &session, &hub, record, (&trigger, &pushed), &state).await?;
    new.set("hub", state.get("hub").clone());
    new.set("timeouts", state.get("timeouts").clone());
    identify(&mut new, &hub, name);
    new.set("rule_names", Dynamic::strings(rule_names(&hub, name, &pushed)));
    new.set("cells", cells_value(scope.into_iter().chain(left)));
    new.set("drifted", drifted_value(reasons));
    Ok(ReadResponse { state: new, diagnostics, private: None })
}

/// What a refresh found.
#[derive(Default)]
struct Drift {
    /// Cell to reason.
    reasons: BTreeMap<String, String>,
    /// Cells outside the scope in which something is left.
    left: Vec<Cell>,
    diagnostics: Vec<Diagnostic>,
}

/// What differs, cell by cell, in the scope, in the rest of the hub's cells and in those that the state knows: outside the scope any rule is too much.
/// A cell that cannot be read keeps what the state says of it, with a warning.
async fn drift_of(
    context: &Context,
    session: &Session,
    hub: &Hub,
    record: &HubRecord,
    (trigger, pushed): (&Trigger, &Pushed),
    state: &Dynamic,
) -> Result<Drift, Diagnostic> {
    let scope: BTreeSet<Cell> = trigger_cells(record, trigger).into_iter().collect();
    let known: BTreeSet<Cell> = known_cells(state, Some(record)).into_iter().collect();
    let mut unread_cells = BTreeMap::new();
    let all: BTreeSet<Cell> = scope.iter().cloned().chain(known.iter().cloned()).chain(record.cells()).collect();
    let looks = all.into_iter().map(|cell| async move {
        let found = context.shared.rules_of(session, hub, &cell, &trigger.name).await;
        (cell, found)
    });
    let mut drifted = Drift::default();
    for (cell, found) in join_all(looks).await {
        let inside = scope.contains(&cell);
        match found {
            Ok(found) => {
                let rules = if inside { wanted(hub, record, (trigger, pushed), &cell) } else { Vec::new() };
                let reasons = drift(&rules, &found, |_| true);
                if !reasons.is_empty() {
                    drifted.reasons.insert(cell.to_string(), reasons.join("; "));
                    drifted.left.extend((!inside).then_some(cell));
                }
            }
            Err(error) if error.kind == ErrorKind::Interrupted => return Err(error.diagnostic()),
            Err(error) if error.kind == ErrorKind::RegionDisabled => {
                let told = "the region is not enabled in the account any more".to_owned();
                drifted.reasons.extend(inside.then(|| (cell.to_string(), told)));
            }
            Err(error) => {
                let before = state.get("drifted").get_str(&cell.to_string());
                drifted.reasons.extend(before.map(|reason| (cell.to_string(), reason.to_owned())));
                drifted.left.extend((!inside && known.contains(&cell)).then(|| cell.clone()));
                unread_cells.insert(cell, error);
            }
        }
    }
    drifted.diagnostics = unread(&unread_cells);
    Ok(drifted)
}

//! Reading and importing a hub.

use std::collections::{BTreeMap, BTreeSet};

use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::fanout::names::{Cell, Hub, check_hub_name};
use trailwire_engine::fanout::table::{HubRecord, Kind};

use super::apply::hub_of;
use super::column::Columns;
use super::home::{Home, Mode};
use super::{Settings, set_identity};
use crate::apply::cells::{cells_of, cells_value, drifted_value};
use crate::apply::scope::{find_hub, hub_cells};
use crate::cloud::Session;
use crate::cloud::error::CloudError;
use crate::config::Refresh;
use crate::context::Context;
use crate::resource::common::{optional_set, optional_tags, optional_text, tags_value};
use crate::resource::trigger::unread;
use crate::resource::{ImportRequest, ImportResponse, ReadRequest, ReadResponse};
use crate::store::{Store, StoreError};
use crate::value::Dynamic;

pub(super) async fn read(context: &Context, request: ReadRequest) -> ReadResponse {
    let as_it_was = request.state.clone();
    match try_read(context, request).await {
        Ok(response) => response,
        Err(diagnostic) => ReadResponse { state: as_it_was, diagnostics: vec![diagnostic], private: None },
    }
}

async fn try_read(context: &Context, request: ReadRequest) -> Result<ReadResponse, Diagnostic> {
    let old = request.state;
    let imported = old.get("cells").is_null();
    if context.config.refresh == Refresh::None && !imported {
        return Ok(ReadResponse { state: old, ..ReadResponse::default() });
    }
    let session = context.cloud.session(&request.stop);
    let hub = hub_of(&session, &old).await?;
    let snapshot = context.shared.snapshot(&session, &hub).await.map_err(|error| error.diagnostic())?;
    let Some(item) = &snapshot.hub else {
        // A create that was interrupted may have left the table alone. The state says so by being tainted; a destroy removes it.
        let is_begun = !imported && old.get("queue_url").is_null();
        let is_left = is_begun && is_table_there(&session, &hub).await?;
        return Ok(if is_left { ReadResponse { state: old, ..ReadResponse::default() } } else { ReadResponse::default() });
    };
    let Some(record) = item.record.as_ref() else {
        // Begun and not finished; the state says so by being tainted.
        return Ok(ReadResponse { state: old, ..ReadResponse::default() });
    };
    let settings = Settings::read(item.settings.as_deref());
    let home = Home { session: &session, hub: &hub, settings: &settings, mode: Mode::Look };
    let columns = Columns { session: &session, shared: &context.shared, hub: &hub, settings: &settings, force: false };
    let cells = hub_cells(record);
    let outside: BTreeSet<Cell> = cells_of(&old).into_iter().chain(settings.leaving_cells()).filter(|cell| !cells.contains(cell)).collect();
    let outside: Vec<Cell> = outside.into_iter().collect();
    let declared = snapshot.names(Kind::Trigger);
    let (looked, inside, left) = futures::join!(home.all(), columns.look(&cells, &declared), columns.look_outside(&outside));
    let unread_cells: BTreeMap<Cell, CloudError> = inside.unread.into_iter().chain(left.unread).collect();
    let mut drifted: BTreeMap<String, String> = inside.drifted.into_iter().chain(left.drifted).collect();
    let still = outside.into_iter().filter(|cell| drifted.contains_key(&cell.to_string()) || unread_cells.contains_key(cell));
    let all_cells: Vec<Cell> = cells.iter().cloned().chain(still).collect();
    let mut diagnostics: Vec<Diagnostic> = unread_cells.iter().map(|(cell, error)| unread(cell, error)).collect();
    let kept = unread_cells.keys().filter_map(|cell| Some((cell.to_string(), old.get("drifted").get_str(&cell.to_string())?.to_owned())));
    drifted.extend(kept);
    match looked {
        Ok((reasons, _)) if reasons.is_empty() => {}
        Ok((reasons, _)) => {
            let here = drifted.entry(hub.home().to_string()).or_default();
            let all: Vec<String> = std::iter::once(std::mem::take(here)).filter(|text| !text.is_empty()).chain(reasons).collect();
            *here = all.join("; ");
        }
        Err(error) => diagnostics.push(unread(hub.home(), &error)),
    }
    match settings.resolve(&session).await {
        Ok(regions) => drifted.extend(scope_drift(record, &regions)),
        Err(error) => diagnostics.push(unread(hub.home(), &error)),
    }
    let mut state = state_of(&hub, record, &settings);
    state.set("cells", cells_value(all_cells));
    for kept in ["force_destroy", "timeouts"] {
        state.set(kept, old.get(kept).clone());
    }
    if imported {
        state.set("force_destroy", Dynamic::Bool(false));
    }
    state.set("drifted", drifted_value(drifted));
    Ok(ReadResponse { state, diagnostics, private: None })
}

async fn is_table_there(session: &Session, hub: &Hub) -> Result<bool, Diagnostic> {
    let table = session.describe_table(hub.home(), &hub.table_name()).await;
    Ok(table.map_err(|error| error.diagnostic())?.is_some())
}

/// Regions that were enabled, or disabled, in the account since the hub was applied.
fn scope_drift(record: &HubRecord, wanted: &[String]) -> Vec<(String, String)> {
    let cell = |region: &String| Cell::new(record.account_id.clone(), region).to_string();
    let new = wanted.iter().filter(|region| !record.regions.contains(region));
    let gone = record.regions.iter().filter(|region| !wanted.contains(region));
    let new = new.map(|region| (cell(region), "the region is enabled and not watched yet".to_owned()));
    new.chain(gone.map(|region| (cell(region), "the region is not meant to be watched any more".to_owned()))).collect()
}

/// The attributes that a record and its settings say.
pub(crate) fn state_of(hub: &Hub, record: &HubRecord, settings: &Settings) -> Dynamic {
    let list = |regions: &Option<Vec<String>>| regions.as_deref().map_or(Dynamic::Null, optional_set);
    let mut state = Dynamic::object([
        ("regions", list(&settings.regions)),
        ("exclude_regions", list(&settings.exclude_regions)),
        ("forward_dead_letter", Dynamic::Bool(settings.forward_dead_letter)),
        ("permissions_boundary", optional_text(settings.permissions_boundary.as_deref())),
        ("tags", optional_tags(&settings.tags)),
        ("tags_all", tags_value(&settings.tags_all)),
        ("queue_url", Dynamic::String(record.queue_url.clone())),
        ("dead_letter_queue_url", Dynamic::String(record.dead_letter_queue_url.clone())),
        ("cells", cells_value(hub_cells(record))),
    ]);
    set_identity(&mut state, hub);
    state
}

pub(super) async fn import(context: &Context, request: ImportRequest) -> ImportResponse {
    match try_import(context, request).await {
        Ok(state) => ImportResponse { state, diagnostics: Vec::new() },
        Err(diagnostic) => ImportResponse { state: Dynamic::Null, diagnostics: vec![diagnostic] },
    }
}

async fn try_import(context: &Context, request: ImportRequest) -> Result<Dynamic, Diagnostic> {
    let reference = &request.id;
    if Hub::from_arn(reference).is_none() && check_hub_name(reference).is_err() {
        return Err(Diagnostic::error(Code::BAD_IMPORT_ID, format!("`{reference}` does not name a hub"))
            .help("write the hub's name, or the ARN of its bus"));
    }
    let session = context.cloud.session(&request.stop);
    let hub = find_hub(&session, &context.shared, reference, None).await.map_err(without_path)?;
    match Store::new(&session, &hub).hub_item().await.map_err(|error| error.diagnostic())? {
        Some(item) if item.record.is_some() => {
            let mut state = Dynamic::object([("id", Dynamic::String(hub.name().to_owned()))]);
            set_identity(&mut state, &hub);
            Ok(state)
        }
        _ => Err(without_path(StoreError::NoHub(reference.clone()).diagnostic())),
    }
}

/// An import has no attributes to point at.
fn without_path(mut diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.path = trailwire_engine::diagnostic::Path::default();
    diagnostic
}

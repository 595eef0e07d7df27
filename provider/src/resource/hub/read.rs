//! Reading and importing a hub.

use std::collections::BTreeSet;

use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::fanout::names::{Cell, Hub, check_hub_name};
use trailwire_engine::fanout::table::HubRecord;

use super::apply::hub_of;
use super::column::{Columns, Looked, Place};
use super::home::{Home, Mode};
use super::lambda::Lambda;
use super::made::Made;
use super::role::accounts_of;
use super::{Settings, set_function, set_identity};
use crate::apply::cells::{cells_value, drifted_value};
use crate::apply::coverage::{Coverage, Membership, unread};
use crate::apply::scope::{find_hub, known_cells};
use crate::cloud::Session;
use crate::config::Refresh;
use crate::context::Context;
use crate::resource::common::{RETAGGED, optional_set, optional_tags, optional_text, tags_value};
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
    context.shared.hubs().meet(&hub);
    let settings = Settings::read(item.settings.as_deref());
    let made = &Made::default();
    let home =
        Home { session: &session, hub: &hub, settings: &settings, senders: settings.senders(&record.accounts), mode: Mode::Look, made };
    let columns = Columns { session: &session, shared: &context.shared, hub: &hub, settings: &settings, force: false, made };
    let cells = record.cells();
    let outside = outside(&home, record, known_cells(&old, Some(record)));
    let declared = snapshot.carriers();
    let looks = futures::join!(
        home.look(record),
        columns.look(&cells, &declared),
        columns.look_outside(&outside),
        home.look_for_left_roles(record, &outside),
        look_at_scope(&session, record, &settings.coverage)
    );
    let mut looked = looks.0.and(looks.1).and(looks.2).and(looks.3).and(looks.4);
    looked.add(hub.home(), Ok(settings.tags_before.iter().map(|_| RETAGGED.to_owned()).collect()), Place::Inside);
    let still = outside.into_iter().filter(|cell| looked.tells_of(cell));
    let all_cells: Vec<Cell> = cells.iter().cloned().chain(still).collect();
    let diagnostics = unread(&looked.unread);
    let mut state = state_of(&hub, record, &settings);
    state.set("cells", cells_value(&all_cells));
    for kept in ["force_destroy", "timeouts"] {
        state.set(kept, old.get(kept).clone());
    }
    if imported {
        state.set("force_destroy", Dynamic::Bool(false));
    }
    state.set("drifted", drifted_value(looked.reasons(&old.get_string_map("drifted"))));
    Ok(ReadResponse { state, diagnostics, private: None })
}

async fn is_table_there(session: &Session, hub: &Hub) -> Result<bool, Diagnostic> {
    let table = session.describe_table(hub.home(), &hub.table_name()).await;
    Ok(table.map_err(|error| error.diagnostic())?.is_some())
}

/// The cells that are known and not in scope, and for each account that is not in scope at all the one under which its role is told.
fn outside(home: &Home<'_>, record: &HubRecord, known: Vec<Cell>) -> BTreeSet<Cell> {
    let scope: BTreeSet<Cell> = record.cells().into_iter().collect();
    let leaving = home.settings.leaving_cells().into_iter().filter(|cell| !record.abandoned.contains(&cell.account));
    let outside: BTreeSet<Cell> = known.into_iter().chain(leaving).filter(|cell| !scope.contains(cell)).collect();
    let gone = accounts_of(&outside).into_iter().filter(|account| !record.accounts.contains(account));
    let roles: Vec<Cell> = gone.map(|account| home.role_cell(&account)).collect();
    outside.into_iter().chain(roles).collect()
}

/// Regions that were enabled or disabled, and accounts that came or went, since the hub was applied.
async fn look_at_scope(session: &Session, record: &HubRecord, coverage: &Coverage) -> Looked {
    let mut looked = Looked::default();
    let home = Cell::new(&record.account_id, &record.region);
    let wanted = match coverage.resolve(session, &record.account_id).await {
        Ok(wanted) => wanted,
        Err(error) => {
            looked.add(&home, Err(error), Place::Inside);
            return looked;
        }
    };
    for (account, error) in &wanted.failed {
        looked.add(&Cell::new(account, &record.region), Err(error.clone()), Place::Inside);
    }
    let covered: BTreeSet<Cell> = record.cells().into_iter().filter(|cell| !wanted.failed.contains_key(&cell.account)).collect();
    let meant = accounts_of(&wanted.cells);
    for cell in wanted.cells.difference(&covered) {
        let known = record.accounts.contains(&cell.account);
        let told = if known { "the region is enabled and not watched yet" } else { "the account is in scope and not watched yet" };
        looked.add(cell, Ok(vec![told.to_owned()]), Place::Inside);
    }
    for cell in covered.difference(&wanted.cells) {
        let known = meant.contains(&cell.account);
        let told = if known { "the region is not meant to be watched any more" } else { "the account is not in scope any more" };
        looked.add(cell, Ok(vec![told.to_owned()]), Place::Inside);
    }
    looked
}

/// The attributes that a record and its settings say.
pub(crate) fn state_of(hub: &Hub, record: &HubRecord, settings: &Settings) -> Dynamic {
    let list = |names: &Option<Vec<String>>| names.as_deref().map_or(Dynamic::Null, optional_set);
    let coverage = &settings.coverage;
    let mut state = Dynamic::object([
        ("regions", list(&coverage.regions)),
        ("exclude_regions", list(&coverage.exclude_regions)),
        ("member_accounts", list(&coverage.member_accounts)),
        ("organization", coverage.organization.as_ref().map_or_else(|| Dynamic::List(Vec::new()), Membership::value)),
        ("abandon_accounts", list(&coverage.abandon_accounts)),
        ("forward_dead_letter", Dynamic::Bool(settings.forward_dead_letter)),
        ("lambda", settings.lambda.as_ref().map_or_else(|| Dynamic::List(Vec::new()), Lambda::value)),
        ("alarm_actions", optional_set(&settings.alarm_actions)),
        ("query_operations", optional_set(&settings.query_operations)),
        ("permissions_boundary", optional_text(settings.permissions_boundary.as_deref())),
        ("tags", optional_tags(&settings.tags)),
        ("tags_all", tags_value(&settings.tags_all)),
        ("queue_url", Dynamic::String(record.queue_url.clone())),
        ("dead_letter_queue_url", Dynamic::String(record.dead_letter_queue_url.clone())),
        ("cells", cells_value(&record.cells())),
    ]);
    set_identity(&mut state, hub, !settings.query_operations.is_empty());
    set_function(&mut state, hub, settings.lambda.as_ref());
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
            set_identity(&mut state, &hub, false);
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

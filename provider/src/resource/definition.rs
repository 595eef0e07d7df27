//! What triggers, destinations and forwarders have in common: each is a definition in the table of a hub, and is called `HUB/NAME`.

use std::collections::BTreeMap;

use trailwire_engine::diagnostic::{Code, Diagnostic, Path};
use trailwire_engine::fanout::names::Hub;
use trailwire_engine::fanout::table::Kind;

use super::common::{calm, planned_tags_all};
use super::{ApplyResponse, ImportRequest, ImportResponse, PlanRequest, PlanResponse, ReadResponse, plan};
use crate::apply::cells::drifted_value;
use crate::apply::scope::{check_meaning, find_hub};
use crate::cloud::Session;
use crate::context::Context;
use crate::schema::Schema;
use crate::store::{Store, StoreError};
use crate::value::Dynamic;

/// What came of an apply; an `Err` means that nothing was changed.
pub(super) type Done = Result<ApplyResponse, Vec<Diagnostic>>;

/// What was done, or what was there before and why nothing was changed.
pub(super) fn or_prior(done: Done, prior: Dynamic) -> ApplyResponse {
    done.unwrap_or_else(|diagnostics| ApplyResponse { state: prior, diagnostics, private: None })
}

/// The diagnostics of one failure.
pub(super) fn one(error: &StoreError) -> Vec<Diagnostic> {
    vec![error.diagnostic()]
}

/// The hub and the name that a configuration or a state gives. `stored` is the ARN that the state keeps.
pub(super) async fn find<'a>(
    context: &Context,
    session: &Session,
    value: &'a Dynamic,
    stored: Option<&str>,
) -> Result<(Hub, &'a str), Diagnostic> {
    let hub = find_hub(session, &context.shared, value.get_str("hub").unwrap_or_default(), stored).await?;
    Ok((hub, value.get_str("name").unwrap_or_default()))
}

/// Says in a state which definition it is.
pub(super) fn identify(state: &mut Dynamic, hub: &Hub, name: &str) {
    state.set("id", Dynamic::String(format!("{}/{name}", hub.name())));
    state.set("hub_arn", Dynamic::String(hub.arn()));
}

/// The plan of a create or update. `settle` says what the schema does not tell; `volatile` are the attributes that tell of cells.
pub(super) fn planned(
    context: &Context,
    schema: &Schema,
    request: &PlanRequest,
    volatile: &[&str],
    settle: impl FnOnce(&mut Dynamic),
) -> PlanResponse {
    let mut response = plan::propose(schema, request);
    if let Some(reference) = request.config.get_str("hub").filter(|_| request.is_create()) {
        response.diagnostics.extend(context.shared.hubs().check(reference));
    }
    settle(&mut response.planned);
    response.planned.set("tags_all", planned_tags_all(&context.config, request));
    let same_hub = same_hub(&request.prior, &request.config);
    if same_hub {
        response.requires_replace.retain(|path| *path != Path::root("hub"));
    }
    if !request.is_create() {
        let unimportant: &[&str] = if same_hub { &["timeouts", "hub"] } else { &["timeouts"] };
        calm(&mut response.planned, &request.prior, volatile, unimportant);
    }
    if !response.requires_replace.is_empty() {
        plan::mark_unknown(&mut response.planned, &["id", "hub_arn"]);
    }
    response
}

/// What a caller in another region than the definition's hub would get wrong.
pub(super) async fn check_caller(context: &Context, request: &PlanRequest) -> Vec<Diagnostic> {
    let stored = request.prior.get_str("hub_arn").and_then(Hub::from_arn).filter(|_| context.config.unknown_caller().is_none());
    let (Some(stored), Some(reference)) = (stored, request.config.get_str("hub")) else { return Vec::new() };
    let session = context.cloud.session(&request.stop);
    check_meaning(&session, &context.shared, reference, &stored).await.err().into_iter().collect()
}

/// Whether the configured reference means the hub that the state knows: its name and its ARN are the same hub.
fn same_hub(prior: &Dynamic, config: &Dynamic) -> bool {
    let Some(stored) = prior.get_str("hub_arn").and_then(Hub::from_arn) else { return false };
    config.get_str("hub").is_some_and(|reference| reference == stored.name() || reference == stored.arn())
}

/// What was read, or the state as it was and why it could not be read.
pub(super) fn or_unchanged(read: Result<ReadResponse, Diagnostic>, as_it_was: Dynamic) -> ReadResponse {
    read.unwrap_or_else(|diagnostic| ReadResponse { state: as_it_was, diagnostics: vec![diagnostic], private: None })
}

/// The name is claimed and the document not there, or not to be understood by this version: the next apply writes it.
pub(super) fn unreadable(mut state: Dynamic, kind: Kind, name: &str) -> ReadResponse {
    let reason = "the definition in the hub's table cannot be read".to_owned();
    state.set("drifted", drifted_value(BTreeMap::from([("table".to_owned(), reason)])));
    let message = format!("the definition of {} `{name}` in the hub's table cannot be read", kind.as_str());
    let warning = Diagnostic::warning(Code::DOCUMENT_REFUSED, message).help("the next apply writes it anew");
    ReadResponse { state, diagnostics: vec![warning], private: None }
}

/// Imports a definition named `HUB/NAME`; what it is, the read that follows tells.
pub(super) async fn import(context: &Context, request: &ImportRequest, kind: Kind) -> ImportResponse {
    match try_import(context, request, kind).await {
        Ok(state) => ImportResponse { state, diagnostics: Vec::new() },
        Err(diagnostic) => ImportResponse { state: Dynamic::Null, diagnostics: vec![diagnostic] },
    }
}

async fn try_import(context: &Context, request: &ImportRequest, kind: Kind) -> Result<Dynamic, Diagnostic> {
    let Some((reference, name)) = request.id.rsplit_once('/').filter(|(hub, name)| !hub.is_empty() && !name.is_empty()) else {
        let word = kind.as_str();
        return Err(Diagnostic::error(Code::BAD_IMPORT_ID, format!("`{}` does not name a {word}", request.id))
            .help("write HUB/NAME, such as `security/root-login`"));
    };
    let session = context.cloud.session(&request.stop);
    let hub = find_hub(&session, &context.shared, reference, None).await?;
    if Store::new(&session, &hub).definition(kind, name).await.map_err(|error| error.diagnostic())?.is_none() {
        return Err(Diagnostic::error(Code::NOT_FOUND, format!("hub `{}` has no {} `{name}`", hub.name(), kind.as_str())));
    }
    let mut state = Dynamic::object([("hub", Dynamic::String(reference.to_owned())), ("name", Dynamic::String(name.to_owned()))]);
    identify(&mut state, &hub, name);
    Ok(state)
}

//! Reading and importing a destination.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::fanout::names::Hub;
use trailwire_engine::fanout::policy::destination_policy;
use trailwire_engine::fanout::table::Kind;
use trailwire_engine::trigger::{Destination, DestinationKind};

use super::kinds::FIELDS;
use super::settings::Settings;
use super::{policy, schema};
use crate::apply::cells::drifted_value;
use crate::cloud::Session;
use crate::config::Refresh;
use crate::context::Context;
use crate::resource::common::{optional_tags, optional_text, tags_value};
use crate::resource::definition::{find, identify, or_unchanged, unreadable};
use crate::resource::{ReadRequest, ReadResponse};
use crate::schema::NestedBlock;
use crate::value::Dynamic;

pub(super) async fn read(context: &Context, request: ReadRequest) -> ReadResponse {
    let as_it_was = request.state.clone();
    or_unchanged(try_read(context, request).await, as_it_was)
}

async fn try_read(context: &Context, request: ReadRequest) -> Result<ReadResponse, Diagnostic> {
    let state = request.state;
    let imported = state.get("secret_arns").is_null();
    if context.config.refresh == Refresh::None && !imported {
        return Ok(ReadResponse { state, ..ReadResponse::default() });
    }
    let session = context.cloud.session(&request.stop);
    let (hub, name) = find(context, &session, &state, state.get_str("hub_arn")).await?;
    let snapshot = context.shared.snapshot(&session, &hub).await.map_err(|error| error.diagnostic())?;
    let Some(definition) = snapshot.definition(Kind::Destination, name) else {
        return Ok(ReadResponse::default());
    };
    let settings = Settings::read(definition.settings.as_deref());
    let Some(destination) = definition.document.as_deref().and_then(|document| Destination::parse(document).ok()) else {
        return Ok(unreadable(state.clone(), Kind::Destination, name));
    };
    let mut new = attributes(&destination, &settings);
    new.set("hub", state.get("hub").clone());
    new.set("timeouts", state.get("timeouts").clone());
    identify(&mut new, &hub, name);
    new.set("secret_arns", tags_value(&settings.secrets));
    new.set("runtime_policy_json", optional_text(destination_policy(&hub, &destination).as_deref()));
    let mut drifted = missing_secrets(&session, &hub, &settings).await?;
    drifted.extend(unused(&settings.unused()));
    drifted.extend(settings.unfinished());
    if policy::has_function(snapshot.hub.as_ref()) {
        let fault = policy::fault(&session, &hub, &destination).await.map_err(|error| error.diagnostic())?;
        drifted.extend(fault.map(|fault| (hub.runtime_role_name(), fault)));
    }
    new.set("drifted", drifted_value(drifted));
    Ok(ReadResponse { state: new, ..ReadResponse::default() })
}

async fn missing_secrets(session: &Session, hub: &Hub, settings: &Settings) -> Result<BTreeMap<String, String>, Diagnostic> {
    let mut missing = BTreeMap::new();
    for (field, arn) in settings.secrets.iter().filter(|(field, _)| settings.versions.contains_key(*field)) {
        let found = session.describe_secret(hub.home(), arn).await.map_err(|error| error.diagnostic())?;
        if found.is_none_or(|secret| secret.deleted) {
            missing.insert(field.clone(), format!("secret {arn} is missing"));
        }
    }
    Ok(missing)
}

/// What `drifted` says of secrets that nothing names any more and that are not removed yet.
pub(super) fn unused(secrets: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    secrets.values().map(|arn| (arn.clone(), "the secret is not used any more".to_owned())).collect()
}

fn attributes(destination: &Destination, settings: &Settings) -> Dynamic {
    let members = destination.kind.members();
    let blocks = schema::schema().block.blocks.into_iter().filter(|block| DestinationKind::NAMES.contains(&block.name));
    let mut attributes = Dynamic::object(blocks.map(|block| {
        let is_kind = block.name == destination.kind.name();
        let bodies = is_kind.then(|| kind_block(&block, &members, settings));
        (block.name, Dynamic::List(bodies.into_iter().collect()))
    }));
    attributes.set("name", Dynamic::String(destination.name.clone()));
    attributes.set("tags", optional_tags(&settings.tags));
    attributes.set("tags_all", tags_value(&settings.tags_all));
    attributes
}

/// A kind's block as the configuration gave it: the document's members, the versions of write-only values, and of ARNs of secrets not those that
/// were made for such values.
fn kind_block(block: &NestedBlock, members: &Map<String, Value>, settings: &Settings) -> Dynamic {
    let fields = || FIELDS.iter().filter(|field| field.kind == block.name);
    Dynamic::object(block.block.attributes.iter().map(|attribute| {
        let written = members.get(attribute.name);
        let owned = fields().find(|field| field.arn == attribute.name).and_then(|field| settings.secrets.get(field.secret));
        let version = fields().find(|field| field.version == attribute.name).and_then(|field| settings.versions.get(field.secret));
        let value = match (version, written) {
            (Some(version), _) => Dynamic::from(*version),
            (None, Some(Value::String(arn))) if owned == Some(arn) => Dynamic::Null,
            (None, written) => written.map_or(Dynamic::Null, from_json),
        };
        (attribute.name, value)
    }))
}

/// What a member of a document is as an attribute: a text, a list or a map of texts.
fn from_json(value: &Value) -> Dynamic {
    match value {
        Value::String(text) => Dynamic::String(text.clone()),
        Value::Array(elements) => Dynamic::List(elements.iter().map(from_json).collect()),
        Value::Object(members) => Dynamic::object(members.iter().map(|(name, value)| (name.clone(), from_json(value)))),
        _ => Dynamic::Null,
    }
}

//! Reading and importing a destination.

use std::collections::BTreeMap;

use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::fanout::names::Hub;
use trailwire_engine::fanout::table::Kind;
use trailwire_engine::trigger::{Destination, DestinationKind, Secret, Slack, Url, Webhook};

use super::settings::Settings;
use crate::apply::cells::drifted_value;
use crate::cloud::Session;
use crate::config::Refresh;
use crate::context::Context;
use crate::resource::common::{optional_map, optional_tags, optional_text, tags_value};
use crate::resource::definition::{find, identify, or_unchanged, unreadable};
use crate::resource::{ReadRequest, ReadResponse};
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
    let mut drifted = missing_secrets(&session, &hub, &settings).await?;
    drifted.extend(unused(&settings.unused()));
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
    let (webhook, slack) = match &destination.kind {
        DestinationKind::Webhook(webhook) => (vec![webhook_block(webhook, settings)], vec![]),
        DestinationKind::Slack(slack) => (vec![], vec![slack_block(slack, settings)]),
    };
    Dynamic::object([
        ("name", Dynamic::String(destination.name.clone())),
        ("webhook", Dynamic::List(webhook)),
        ("slack", Dynamic::List(slack)),
        ("tags", optional_tags(&settings.tags)),
        ("tags_all", tags_value(&settings.tags_all)),
    ])
}

/// The ARN of a secret as the configuration gave it: not those that were made for write-only values.
fn named(secret: Option<&Secret>, field: &str, settings: &Settings) -> Dynamic {
    match secret {
        Some(Secret::Arn(arn)) if settings.secrets.get(field) != Some(arn) => Dynamic::String(arn.clone()),
        _ => Dynamic::Null,
    }
}

fn version(field: &str, settings: &Settings) -> Dynamic {
    settings.versions.get(field).map_or(Dynamic::Null, |version| Dynamic::from(*version))
}

fn webhook_block(webhook: &Webhook, settings: &Settings) -> Dynamic {
    let (plain, secret) = match &webhook.url {
        Url::Plain(address) => (Some(address.as_str()), None),
        Url::Secret(secret) => (None, Some(secret)),
    };
    Dynamic::object([
        ("url", optional_text(plain)),
        ("url_wo", Dynamic::Null),
        ("url_wo_version", version("webhook-url", settings)),
        ("secret_arn", named(secret, "webhook-url", settings)),
        ("signing_secret_wo", Dynamic::Null),
        ("signing_secret_wo_version", version("webhook-signing-secret", settings)),
        ("signing_secret_arn", named(webhook.signing_secret.as_ref(), "webhook-signing-secret", settings)),
        ("headers", optional_map(&webhook.headers)),
    ])
}

fn slack_block(slack: &Slack, settings: &Settings) -> Dynamic {
    Dynamic::object([
        ("webhook_url_wo", Dynamic::Null),
        ("webhook_url_wo_version", version("slack-webhook-url", settings)),
        ("secret_arn", named(Some(&slack.webhook_url), "slack-webhook-url", settings)),
    ])
}

//! The write-only values of each kind, and the document that names their secrets.

use serde_json::{Value, json};
use trailwire_engine::diagnostic::{Code, Diagnostic, Path};
use trailwire_engine::fanout::names::Hub;
use trailwire_engine::fanout::table::{Definition, State};
use trailwire_engine::trigger::{Destination, DestinationKind, which_kind};

use super::settings::Settings;
use crate::value::Dynamic;

/// One value that is given by the configuration alone and kept in Secrets Manager.
#[derive(Debug)]
pub(crate) struct Field {
    /// The kind block.
    pub(crate) kind: &'static str,
    /// The write-only attribute.
    pub(crate) attribute: &'static str,
    /// Its version.
    pub(crate) version: &'static str,
    /// The attribute that names a secret which exists instead, and the document's member.
    pub(crate) arn: &'static str,
    /// The last part of the secret's name.
    pub(crate) secret: &'static str,
    /// Whether it is an address that must be checked.
    pub(crate) is_url: bool,
}

/// Every such value.
pub(crate) const FIELDS: [Field; 8] = [
    Field { kind: "webhook", attribute: "url_wo", version: "url_wo_version", secret: "webhook-url", ..ADDRESS },
    Field {
        kind: "webhook",
        attribute: "signing_secret_wo",
        version: "signing_secret_wo_version",
        arn: "signing_secret_arn",
        secret: "webhook-signing-secret",
        is_url: false,
    },
    Field { kind: "slack", secret: "slack-webhook-url", ..ADDRESS },
    Field {
        kind: "slack",
        attribute: "token_wo",
        version: "token_wo_version",
        arn: "token_secret_arn",
        secret: "slack-token",
        is_url: false,
    },
    Field { kind: "teams", secret: "teams-webhook-url", ..ADDRESS },
    Field { kind: "pagerduty", attribute: "routing_key_wo", version: "routing_key_wo_version", secret: "pagerduty-routing-key", ..KEY },
    Field { kind: "opsgenie", secret: "opsgenie-api-key", ..KEY },
    Field { kind: "jira_service_management", secret: "jira-service-management-api-key", ..KEY },
];

const ADDRESS: Field = Field { attribute: "webhook_url_wo", version: "webhook_url_wo_version", is_url: true, ..KEY };
const KEY: Field = Field { kind: "", attribute: "api_key_wo", version: "api_key_wo_version", arn: "secret_arn", secret: "", is_url: false };

impl Field {
    /// The kind block of a configuration or state.
    fn block<'a>(&self, value: &'a Dynamic) -> Option<&'a Dynamic> {
        value.get_block(self.kind)
    }

    /// The version in a configuration or state; `None` when there is none.
    pub(crate) fn version_of(&self, value: &Dynamic) -> Option<i64> {
        self.block(value)?.get_i64(self.version)
    }

    fn path(&self, attribute: &str) -> Path {
        self.block_path().attribute(attribute)
    }

    /// Where to point for the write-only attribute: Terraform quotes the line that a diagnostic points at, and the value may be written there.
    fn block_path(&self) -> Path {
        Path::root(self.kind).index(0)
    }
}

/// The kind block that is there; `None` where that is not known yet.
pub(crate) fn kind(config: &Dynamic) -> Option<&'static str> {
    DestinationKind::NAMES.into_iter().find(|kind| config.get_block(kind).is_some())
}

/// The write-only value behind a secret, in a configuration.
pub(crate) fn value<'a>(config: &'a Dynamic, secret: &str) -> Option<&'a Dynamic> {
    let field = FIELDS.iter().find(|field| field.secret == secret)?;
    Some(field.block(config)?.get(field.attribute))
}

/// What is wrong with the write-only values and what stands beside them. Messages never show a value.
pub(crate) fn check(config: &Dynamic) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let kinds = DestinationKind::NAMES.iter().filter(|kind| config.get_block(kind).is_some()).count();
    if kinds != 1 && !DestinationKind::NAMES.iter().any(|kind| config.get(kind).is_unknown()) {
        let message = format!("a destination has exactly one kind, this one has {kinds}");
        diagnostics.push(Diagnostic::error(Code::BLOCK_COUNT, message).help(which_kind()));
        return diagnostics;
    }
    for field in &FIELDS {
        let Some(block) = field.block(config) else { continue };
        let given = |name: &str| !block.get(name).is_null();
        if given(field.attribute) && !given(field.version) {
            let message = format!("`{}` is needed with `{}`", field.version, field.attribute);
            diagnostics.push(
                Diagnostic::error(Code::MISSING, message).at(field.block_path()).help(format!(
                    "write {} = 1, and raise it whenever the value changes: Terraform cannot see that it did",
                    field.version
                )),
            );
        }
        if given(field.version) && !given(field.attribute) {
            let message = format!("`{}` is needed with `{}`", field.attribute, field.version);
            diagnostics.push(Diagnostic::error(Code::MISSING, message).at(field.path(field.version)));
        }
        let others = [field.arn, "url"].into_iter().filter(|other| *other == field.arn || (field.kind == "webhook" && field.is_url));
        for other in others.filter(|other| given(other) && given(field.attribute)) {
            let message = format!("`{}` and `{other}` exclude each other", field.attribute);
            diagnostics.push(Diagnostic::error(Code::CONFLICT, message).at(field.path(other)).help("take one of the two out"));
        }
        if let Some(address) = block.get_str(field.attribute).filter(|_| field.is_url) {
            diagnostics.extend(check_url(address).into_iter().map(|diagnostic| Diagnostic {
                message: format!("`{}`: {}", field.attribute, diagnostic.message),
                ..diagnostic.at(field.block_path())
            }));
        }
    }
    diagnostics
}

/// The checks of an address that is written in the open, for one that must not be shown.
fn check_url(address: &str) -> Vec<Diagnostic> {
    let document = json!({ "name": "secret", "webhook": [{ "url": address }] });
    let found = Destination::from_value(&document).err().into_iter().flatten();
    // An address with a user or a password is what a secret may be for.
    found
        .filter(|diagnostic| !diagnostic.message.contains("user or a password"))
        .map(|diagnostic| Diagnostic { excerpt: None, ..diagnostic })
        .collect()
}

/// The members of a document: its name and its kind.
pub(crate) fn members() -> Vec<&'static str> {
    std::iter::once("name").chain(DestinationKind::NAMES).collect()
}

/// The document of a configuration in JSON form: write-only values and versions become the ARN of the secret that `secret` tells by its last part.
pub(crate) fn document(mut config: Value, secret: &dyn Fn(&str) -> Option<String>) -> Value {
    for field in &FIELDS {
        let block = config.get_mut(field.kind).and_then(|blocks| blocks.get_mut(0)).and_then(Value::as_object_mut);
        let Some(block) = block else { continue };
        let given = block.remove(field.version).is_some();
        let given = block.remove(field.attribute).is_some() || given;
        if let Some(arn) = secret(field.secret).filter(|_| given) {
            block.insert(field.arn.to_owned(), Value::String(arn));
        }
    }
    config
}

/// The secrets that a destination owns, by ARN; by name where its making was begun and never told.
pub(crate) fn owned_secrets(hub: &Hub, definition: &Definition) -> Vec<String> {
    let told = Settings::read(definition.settings.as_deref()).secrets.into_values();
    let begun = FIELDS.iter().filter(|_| definition.claim.state == State::Creating);
    told.chain(begun.map(|field| hub.secret_name(&definition.name, field.secret))).collect()
}

#[cfg(test)]
mod tests {
    use trailwire_engine::trigger::SECRETS;

    use super::*;

    #[test]
    fn every_secret_of_the_engine_has_its_write_only_value() {
        let told = FIELDS.iter().map(|field| (field.kind, field.attribute.to_owned(), field.arn, field.is_url));
        let known = SECRETS.iter().map(|secret| (secret.kind, format!("{}_wo", secret.what), secret.arn, secret.is_url));
        assert_eq!(told.collect::<Vec<_>>(), known.collect::<Vec<_>>());
        assert!(FIELDS.iter().all(|field| field.version == format!("{}_version", field.attribute)));
    }
}

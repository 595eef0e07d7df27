//! The write-only values of each kind, and the document that names their secrets.

use serde_json::{Value, json};
use trailwire_engine::diagnostic::{Code, Diagnostic, Path};
use trailwire_engine::fanout::names::Hub;
use trailwire_engine::fanout::table::{Definition, State};
use trailwire_engine::trigger::Destination;

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

/// Every kind block.
const KINDS: [&str; 2] = ["webhook", "slack"];

/// Every such value.
pub(crate) const FIELDS: [Field; 3] = [
    Field { kind: "webhook", attribute: "url_wo", version: "url_wo_version", arn: "secret_arn", secret: "webhook-url", is_url: true },
    Field {
        kind: "webhook",
        attribute: "signing_secret_wo",
        version: "signing_secret_wo_version",
        arn: "signing_secret_arn",
        secret: "webhook-signing-secret",
        is_url: false,
    },
    Field {
        kind: "slack",
        attribute: "webhook_url_wo",
        version: "webhook_url_wo_version",
        arn: "secret_arn",
        secret: "slack-webhook-url",
        is_url: true,
    },
];

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
    KINDS.into_iter().find(|kind| config.get_block(kind).is_some())
}

/// The write-only value behind a secret, in a configuration.
pub(crate) fn value<'a>(config: &'a Dynamic, secret: &str) -> Option<&'a Dynamic> {
    let field = FIELDS.iter().find(|field| field.secret == secret)?;
    Some(field.block(config)?.get(field.attribute))
}

/// What is wrong with the write-only values and what stands beside them. Messages never show a value.
pub(crate) fn check(config: &Dynamic) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let kinds = KINDS.iter().filter(|kind| config.get_block(kind).is_some()).count();
    if kinds != 1 && !config.get("webhook").is_unknown() && !config.get("slack").is_unknown() {
        let message = format!("a destination has exactly one kind, this one has {kinds}");
        diagnostics.push(Diagnostic::error(Code::BLOCK_COUNT, message).help("write one of the blocks `webhook`, `slack`"));
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

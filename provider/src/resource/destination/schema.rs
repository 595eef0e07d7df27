//! The schema of `trailwire_destination`. What the engine checks of a document has no rules here: it would be told twice.

use trailwire_engine::diagnostic::Code;

use crate::resource::common::{tags_all_attribute, tags_attribute, timeouts_block};
use crate::schema::{Attribute, NestedBlock, Schema, Type};
use crate::value::Dynamic;

pub(super) fn schema() -> Schema {
    Schema::new(0, "A named place to notify or send to, shared by the triggers of a hub.")
        .attribute(
            Attribute::string("hub").required().not_empty().force_new().describe("The hub: its `id`, its name, or the ARN of its bus."),
        )
        .attribute(
            Attribute::string("name")
                .required()
                .not_empty()
                .force_new()
                .describe("Unique in the hub: lower-case letters, digits and `-`, beginning with a letter, at most 40 characters."),
        )
        .attribute(tags_attribute())
        .attribute(tags_all_attribute())
        .attribute(Attribute::string("id").computed().describe("`HUB/NAME`."))
        .attribute(Attribute::string("hub_arn").computed().describe("The ARN of the hub's bus."))
        .attribute(
            Attribute::map("secret_arns", Type::String)
                .volatile()
                .describe("The secrets that were made for write-only values, by what they hold."),
        )
        .attribute(
            Attribute::map("drifted", Type::String)
                .volatile()
                .describe("What is not as declared, found by refresh. Anything in it makes the next apply repair it."),
        )
        .block(webhook())
        .block(slack())
        .block(timeouts_block())
}

fn webhook() -> NestedBlock {
    NestedBlock::optional("webhook", "A POST of JSON, signed as Standard Webhooks ask. Give one of `url`, `url_wo` and `secret_arn`.")
        .attribute(Attribute::string("url").describe("The address in the open: `https`, or `http` to a loopback address."))
        .attribute(
            Attribute::string("url_wo")
                .write_only()
                .not_empty()
                .describe("The address, kept in Secrets Manager and never in state or plan."),
        )
        .attribute(version("url_wo_version").describe("Raise it whenever `url_wo` changes."))
        .attribute(Attribute::string("secret_arn").describe("A secret that exists and holds the address."))
        .attribute(
            Attribute::string("signing_secret_wo")
                .write_only()
                .not_empty()
                .describe("The secret that signs, kept in Secrets Manager. Without one there is no `webhook-signature` header."),
        )
        .attribute(version("signing_secret_wo_version").describe("Raise it whenever `signing_secret_wo` changes."))
        .attribute(Attribute::string("signing_secret_arn").describe("A secret that exists and holds the signing secret."))
        .attribute(
            Attribute::map("headers", Type::String).not_empty().describe("Further headers. They are stored in the open: no secrets here."),
        )
}

fn slack() -> NestedBlock {
    NestedBlock::optional("slack", "A Slack channel by incoming webhook. Give one of `webhook_url_wo` and `secret_arn`.")
        .attribute(
            Attribute::string("webhook_url_wo")
                .write_only()
                .not_empty()
                .describe("The incoming webhook's address, kept in Secrets Manager and never in state or plan."),
        )
        .attribute(version("webhook_url_wo_version").describe("Raise it whenever `webhook_url_wo` changes."))
        .attribute(Attribute::string("secret_arn").describe("A secret that exists and holds the address."))
}

fn version(name: &'static str) -> Attribute {
    Attribute::number(name).check(Code::OUT_OF_RANGE, whole)
}

fn whole(value: &Dynamic) -> Result<(), String> {
    match value.as_i64() {
        Some(0..) => Ok(()),
        _ => Err("must be a whole number from 0".to_owned()),
    }
}

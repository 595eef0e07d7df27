//! The schema of `trailwire_destination`. What the engine checks of a document has no rules here: it would be told twice.

mod aws;

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
        .attribute(Attribute::string("runtime_policy_json").volatile().describe(
            "The policy that the runtime's role needs for this destination, beside the hub's `runtime_policy_json`; null where it needs none. With `role_arn` it is \
             the leave to assume that role, whose own policy is up to you. A hub with `lambda` has it attached to its function's role by the destination itself, \
             as `destination-NAME`.",
        ))
        .block(webhook())
        .block(slack())
        .block(teams())
        .block(pagerduty())
        .block(opsgenie())
        .block(jira_service_management())
        .blocks(aws::blocks())
        .block(timeouts_block())
}

fn webhook() -> NestedBlock {
    NestedBlock::optional("webhook", "A POST of JSON, signed as Standard Webhooks ask. Give one of `url`, `url_wo` and `secret_arn`.")
        .attribute(Attribute::string("url").describe("The address in the open: `https`, or `http` to a loopback address."))
        .attribute(write_only("url_wo").describe("The address, kept in Secrets Manager and never in state or plan."))
        .attribute(version("url_wo_version").describe("Raise it whenever `url_wo` changes."))
        .attribute(Attribute::string("secret_arn").describe("A secret that exists and holds the address."))
        .attribute(
            write_only("signing_secret_wo")
                .describe("The secret that signs, kept in Secrets Manager. Without one there is no `webhook-signature` header."),
        )
        .attribute(version("signing_secret_wo_version").describe("Raise it whenever `signing_secret_wo` changes."))
        .attribute(Attribute::string("signing_secret_arn").describe("A secret that exists and holds the signing secret."))
        .attribute(
            Attribute::map("headers", Type::String).not_empty().describe("Further headers. They are stored in the open: no secrets here."),
        )
}

fn slack() -> NestedBlock {
    NestedBlock::optional(
        "slack",
        "A Slack channel: by incoming webhook, with one of `webhook_url_wo` and `secret_arn`, or by an app, with `channel` and one of `token_wo` and \
         `token_secret_arn`. Takes notifications only.",
    )
    .attribute(write_only("webhook_url_wo").describe("The incoming webhook's address, kept in Secrets Manager and never in state or plan."))
    .attribute(version("webhook_url_wo_version").describe("Raise it whenever `webhook_url_wo` changes."))
    .attribute(Attribute::string("secret_arn").describe("A secret that exists and holds the address."))
    .attribute(write_only("token_wo").describe("The app's bot token (scope `chat:write`), kept in Secrets Manager and never in state or plan."))
    .attribute(version("token_wo_version").describe("Raise it whenever `token_wo` changes."))
    .attribute(Attribute::string("token_secret_arn").describe("A secret that exists and holds the token."))
    .attribute(Attribute::string("channel").describe("The channel's id, such as `C0123456789`, or its name. The app must be in it."))
}

fn teams() -> NestedBlock {
    NestedBlock::optional(
        "teams",
        "A Microsoft Teams channel, by a workflow that begins when a webhook request is received. Give one of `webhook_url_wo` and `secret_arn`. Takes \
         notifications only.",
    )
    .attribute(write_only("webhook_url_wo").describe("The workflow's address, kept in Secrets Manager and never in state or plan."))
    .attribute(version("webhook_url_wo_version").describe("Raise it whenever `webhook_url_wo` changes."))
    .attribute(Attribute::string("secret_arn").describe("A secret that exists and holds the address."))
}

fn pagerduty() -> NestedBlock {
    let block = NestedBlock::optional(
        "pagerduty",
        "A PagerDuty service, by Events API v2. Give one of `routing_key_wo` and `secret_arn`. Takes notifications only.",
    );
    block
        .attribute(
            write_only("routing_key_wo").describe("The integration's routing key, kept in Secrets Manager and never in state or plan."),
        )
        .attribute(version("routing_key_wo_version").describe("Raise it whenever `routing_key_wo` changes."))
        .attribute(Attribute::string("secret_arn").describe("A secret that exists and holds the key."))
        .attribute(
            Attribute::string("endpoint")
                .describe("Another address of the API: `https://events.eu.pagerduty.com/v2/enqueue` for accounts in the EU, or a proxy's."),
        )
}

fn opsgenie() -> NestedBlock {
    let block = NestedBlock::optional(
        "opsgenie",
        "Opsgenie, by its alert API. Give one of `api_key_wo` and `secret_arn`. Takes notifications only. Opsgenie ends in April 2027.",
    );
    api_key(block).attribute(Attribute::string("region").describe("Where the account lives: `us` (the default) or `eu`."))
}

fn jira_service_management() -> NestedBlock {
    let block = NestedBlock::optional(
        "jira_service_management",
        "Jira Service Management, which takes the alerts that Opsgenie took. Give one of `api_key_wo` and `secret_arn`. Takes notifications only.",
    );
    api_key(block).attribute(Attribute::string("region").describe("As for `opsgenie`; the API has one address for all regions."))
}

fn api_key(block: NestedBlock) -> NestedBlock {
    block
        .attribute(write_only("api_key_wo").describe("The integration's API key, kept in Secrets Manager and never in state or plan."))
        .attribute(version("api_key_wo_version").describe("Raise it whenever `api_key_wo` changes."))
        .attribute(Attribute::string("secret_arn").describe("A secret that exists and holds the key."))
        .attribute(Attribute::string("endpoint").describe("Another address of the API, such as a proxy's."))
}

fn write_only(name: &'static str) -> Attribute {
    Attribute::string(name).write_only().not_empty()
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

//! The schema of `trailwire_hub`.

use trailwire_engine::diagnostic::Code;

use crate::config::account_ids;
use crate::resource::common::{cells_attribute, drifted_attribute, tags_all_attribute, tags_attribute, timeouts_block};
use crate::schema::{Attribute, Schema, Type};

pub(super) fn schema() -> Schema {
    let given = Schema::new(0, "The receiving side in one region: what happens in every region of its scope arrives in its queue.")
        .attribute(
            Attribute::string("name").required().not_empty().force_new().describe(
                "Unique in account and region: lower-case letters, digits and `-`, beginning with a letter, at most 32 characters.",
            ),
        )
        .attribute(
            Attribute::string("region").optional_computed().not_empty().force_new().describe("The home region. Omitted: the provider's."),
        )
        .attribute(
            Attribute::set("regions", Type::String)
                .not_empty()
                .describe("The regions to watch. Omitted: every region that is enabled in each account."),
        )
        .attribute(Attribute::set("exclude_regions", Type::String).not_empty().describe("Taken out of the regions."))
        .attribute(
            Attribute::set("member_accounts", Type::String)
                .not_empty()
                .check(Code::BAD_AWS_NAME, account_ids)
                .describe("Accounts to watch beside the hub's own: in each, `member_role_name` of the provider is assumed. At most 249."),
        )
        .attribute(
            Attribute::set("abandon_accounts", Type::String)
                .not_empty()
                .check(Code::BAD_AWS_NAME, account_ids)
                .describe("Accounts that can no longer be reached, given up: what may still be in them is forgotten without any call."),
        )
        .attribute(
            Attribute::bool("forward_dead_letter")
                .default_to(true)
                .describe("Whether every cell keeps a queue for events that could not be forwarded from there. Default `true`."),
        )
        .attribute(Attribute::string("permissions_boundary").not_empty().describe("ARN of a policy that bounds the roles made here."))
        .attribute(
            Attribute::bool("force_destroy").default_to(false).describe(
                "Whether destroying the hub also removes triggers and destinations that are still declared in it. Default `false`.",
            ),
        )
        .attribute(tags_attribute());
    told(given.attribute(tags_all_attribute())).attribute(cells_attribute()).attribute(drifted_attribute()).block(timeouts_block())
}

/// Adds what is told of a hub, by the resource and by the data source.
pub(crate) fn told(schema: Schema) -> Schema {
    let text = |name, description| Attribute::string(name).computed().describe(description);
    schema
        .attribute(text("id", "The hub's name."))
        .attribute(text("arn", "The hub's ARN, which is its bus's."))
        .attribute(text("account_id", "The hub's own account."))
        .attribute(text("bus_arn", "The bus that all events are forwarded to."))
        .attribute(text("queue_url", "The queue that the runtime reads."))
        .attribute(text("queue_arn", "The ARN of that queue."))
        .attribute(text("dead_letter_queue_url", "The queue of what could not be judged or delivered."))
        .attribute(text("table_name", "The table of what is declared."))
        .attribute(text("forward_role_name", "The role by which EventBridge forwards events to the bus."))
        .attribute(text("runtime_policy_json", "The policy that a role of your own needs to run `trailwire run` for this hub."))
}

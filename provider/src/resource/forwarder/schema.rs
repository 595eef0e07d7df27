//! The schema of `trailwire_forwarder`. What the engine checks of a document has no rules here: it would be told twice.

use crate::resource::common::{
    drifted_attribute, failure_tolerance_attribute, shared_cells_attribute, tags_all_attribute, tags_attribute, timeouts_block,
};
use crate::schema::{Attribute, Schema, Type};

pub(super) fn schema() -> Schema {
    Schema::new(0, "Sends a broad set of events from every region of a hub to it, in as few rules as fit, for every trigger that names it: such a trigger makes no rules of its own.")
        .attribute(Attribute::string("hub").required().not_empty().force_new().describe("The hub: its `id`, its name, or the ARN of its bus."))
        .attribute(Attribute::string("name").required().force_new().describe("Unique among the hub's forwarders: lower-case letters, digits and `-`, beginning with a letter, at most 40 characters."))
        .attribute(Attribute::bool("all").default_to(false).describe("Whether every event goes to the hub that AWS sends by way of CloudTrail: API calls, sign-in events in both of their spellings, service events and insights. Default `false`: name `event_names`, `event_sources` or both."))
        .attribute(Attribute::list("event_names", Type::String).describe("CloudTrail event names, exact and case-sensitive, any of them. Omitted: every name."))
        .attribute(Attribute::list("event_sources", Type::String).describe("CloudTrail event sources such as `iam.amazonaws.com`, any of them. Omitted: every source."))
        .attribute(Attribute::bool("include_read_only").default_to(false).describe("Whether read-only management events go, too. They are the greater part of all events. Default `false`."))
        .attribute(Attribute::set("regions", Type::String).describe("Narrows the hub's regions to these. Omitted: all of them."))
        .attribute(Attribute::set("exclude_regions", Type::String).describe("Taken out of the regions."))
        .attribute(Attribute::set("account_ids", Type::String).describe("Narrows the hub's accounts to these. Omitted: all of them."))
        .attribute(Attribute::map("allow", Type::String).not_empty().describe("Code of a diagnostic to the reason why it is right here, such as `TW2425 = \"the archive wants them\"`: it is not told for this forwarder. The [list of diagnostics](../guides/diagnostics.md) says which can be silenced."))
        .attribute(failure_tolerance_attribute())
        .attribute(tags_attribute())
        .attribute(tags_all_attribute())
        .attribute(Attribute::string("id").computed().describe("`HUB/NAME`."))
        .attribute(Attribute::string("hub_arn").computed().describe("The ARN of the hub's bus."))
        .attribute(Attribute::list("rule_names", Type::String).volatile().describe("The EventBridge rules, by the same names in every cell."))
        .attribute(Attribute::string("pushed_pattern").computed().describe("The event pattern that the rules carry, as JSON; an array of patterns where there are several rules."))
        .attribute(Attribute::string("pattern_sha256").computed().describe("The SHA-256 of `pushed_pattern`, in hexadecimal."))
        .attribute(shared_cells_attribute())
        .attribute(drifted_attribute())
        .block(timeouts_block())
}

//! The schema of `trailwire_hub`.

use trailwire_engine::diagnostic::Code;
use trailwire_engine::operations;

use crate::config::{account_ids, region_names};
use crate::resource::common::{cells_attribute, drifted_attribute, tags_all_attribute, tags_attribute, timeouts_block};
use crate::schema::{Attribute, NestedBlock, Schema, Type};
use crate::value::Dynamic;

pub(super) fn schema() -> Schema {
    let given = Schema::new(0, "The receiving side in one region: what happens in every region of its scope arrives in its queue.")
        .attribute(
            Attribute::string("name").required().not_empty().force_new().describe(
                "Unique in account and region: lower-case letters, digits and `-`, beginning with a letter, at most 32 characters.",
            ),
        )
        .attribute(
            Attribute::string("region").optional_computed().not_empty().force_new().check(Code::BAD_AWS_NAME, region_names).describe(
                "The home region. Omitted: the provider's, and the hub is then changed and destroyed only with a provider of the same region.",
            ),
        )
        .attribute(
            Attribute::set("regions", Type::String)
                .not_empty()
                .check(Code::BAD_AWS_NAME, region_names)
                .describe("The regions to watch. Omitted: every region that is enabled in each account."),
        )
        .attribute(Attribute::set("exclude_regions", Type::String).not_empty().check(Code::BAD_AWS_NAME, region_names).describe("Taken out of the regions."))
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
        .attribute(Attribute::string("permissions_boundary").not_empty().describe(
            "ARN of a policy that bounds the roles made here: in each other account that account's policy of the same name, unless it is one of AWS's.",
        ))
        .attribute(Attribute::set("alarm_actions", Type::String).not_empty().describe(
            "ARNs that CloudWatch alarms tell, such as an SNS topic's, at most 5 and in the home region: of events that wait for longer than ten minutes, of \
             dead letters, and of a queue that no runtime has asked for ten minutes. What could not be sent from a cell waits in a queue there, which `trailwire \
             doctor` looks at and no alarm does. Omitted: no alarms.",
        ))
        .attribute(Attribute::set("query_operations", Type::String).not_empty().check(Code::UNKNOWN_OPERATION, known_operations).describe(
            "What `query` actions may call, such as `ec2:DescribeInstances`; the [guide](../guides/queries.md) lists what there is. Every account in scope gets a role by which the \
             runtime may call just these, and `runtime_policy_json` lets the runtime take it. Omitted: no queries and no such roles.",
        ))
        .attribute(
            Attribute::bool("force_destroy").default_to(false).describe(
                "Whether destroying the hub also removes what is still declared in it: triggers, forwarders, destinations with their secrets, and what its queues \
                 hold. That includes a replacement (`-replace`, or a hub that is tainted), after which nothing is declared until the next apply, unless each names \
                 the hub in `lifecycle { replace_triggered_by = [trailwire_hub.NAME] }`. Default `false`.",
            ),
        )
        .attribute(tags_attribute());
    told(given.attribute(tags_all_attribute()))
        .attribute(cells_attribute())
        .attribute(drifted_attribute())
        .block(organization_block())
        .block(super::lambda::block())
        .block(timeouts_block())
}

fn known_operations(value: &Dynamic) -> Result<(), String> {
    let unknown = value.as_strings().into_iter().find(|name| operations::named(name.as_str()).is_none());
    unknown.map_or(Ok(()), |name| {
        let (message, help) = operations::unknown(&name);
        Err(format!("holds something else: {message}; {help}"))
    })
}

fn organization_block() -> NestedBlock {
    NestedBlock::optional(
        "organization",
        "Watches the active accounts of an AWS organisation beside the hub's own, which must be its management account or a delegated administrator. \
         Accounts that join or leave are a difference in the next plan. Stack sets make no role in the management account: leave it out where it is not \
         the hub's own and has none. Conflicts with `member_accounts`.",
    )
    .attribute(Attribute::string("id").required().check(Code::BAD_AWS_NAME, organization_id).describe("The organisation's id, `o-…`."))
    .attribute(
        Attribute::set("organizational_unit_ids", Type::String)
            .not_empty()
            .check(Code::BAD_AWS_NAME, unit_ids)
            .describe("Only the accounts of these units, `ou-…` or a root `r-…`, and of the units in them. Omitted: the whole organisation."),
    )
    .attribute(
        Attribute::set("exclude_account_ids", Type::String)
            .not_empty()
            .check(Code::BAD_AWS_NAME, account_ids)
            .describe("Accounts that are left out."),
    )
}

fn organization_id(value: &Dynamic) -> Result<(), String> {
    let text = value.as_str().unwrap_or_default();
    let rest = text.strip_prefix("o-").unwrap_or_default();
    let fits = (10..=32).contains(&rest.len()) && is_lower_alphanumeric(rest);
    if fits { Ok(()) } else { Err(format!("is `{text}`, which is not an organisation's id (`o-` and 10 to 32 letters and digits)")) }
}

fn unit_ids(value: &Dynamic) -> Result<(), String> {
    let fits = |id: &str| match id.split('-').collect::<Vec<_>>().as_slice() {
        ["r", root] => (4..=32).contains(&root.len()) && is_lower_alphanumeric(root),
        ["ou", root, unit] => (8..=32).contains(&unit.len()) && is_lower_alphanumeric(root) && is_lower_alphanumeric(unit),
        _ => false,
    };
    let wrong = value.as_strings().into_iter().find(|id| !fits(id));
    wrong.map_or(Ok(()), |id| Err(format!("holds `{id}`, which is not the id of an organisational unit (`ou-…`) or root (`r-…`)")))
}

fn is_lower_alphanumeric(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
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
        .attribute(text("runtime_role_arn", "The role of the Lambda function; null without `lambda`."))
        .attribute(text("lambda_arn", "The ARN of the Lambda function; null without `lambda`."))
        .attribute(text("lambda_code_sha256", "The SHA-256, in base64, of the package that the function runs; null without `lambda`."))
        .attribute(text("runtime_policy_json", "The policy that a role of your own needs to run `trailwire run` for this hub."))
}

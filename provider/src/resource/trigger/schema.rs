//! The schema of `trailwire_trigger`. What the engine checks of a document has no rules here: it would be told twice.

use crate::resource::common::{
    drifted_attribute, failure_tolerance_attribute, shared_cells_attribute, tags_all_attribute, tags_attribute, timeouts_block,
};
use crate::schema::{Attribute, NestedBlock, Schema, Type};

pub(super) fn schema() -> Schema {
    Schema::new(0, "Watches for events in every region of a hub, and says what to do when one happens.")
        .attribute(Attribute::string("hub").required().not_empty().force_new().describe("The hub: its `id`, its name, or the ARN of its bus."))
        .attribute(Attribute::string("name").required().force_new().describe("Unique in the hub: lower-case letters, digits and `-`, beginning with a letter, at most 40 characters."))
        .attribute(Attribute::string("description").describe("For people."))
        .attribute(Attribute::bool("enabled").default_to(true).describe("A disabled trigger judges nothing, and its rules carry nothing; runs under way finish. Default `true`."))
        .attribute(Attribute::string("severity").default_to("medium").describe("How bad it is that this fires: `info`, `low`, `medium` (the default), `high` or `critical`."))
        .attribute(Attribute::list("event_names", Type::String).describe("CloudTrail event names, exact and case-sensitive, any of them. Required unless `any_event` is true."))
        .attribute(Attribute::bool("any_event").default_to(false).describe("Whether every event name is meant. Default `false`."))
        .attribute(Attribute::list("event_sources", Type::String).describe("CloudTrail event sources such as `ec2.amazonaws.com`, any of them. Omitted: every source."))
        .attribute(Attribute::string("match_expression").describe("JMESPath over the whole event, the CloudTrail record under `detail`. The trigger fires where the result is true in JavaScript's sense. At most one of this, `filter_pattern` and `event_pattern`; without any, every event of the names and sources fires it."))
        .attribute(Attribute::string("filter_pattern").describe("In place of `match_expression`: a CloudWatch Logs filter pattern. Its `$` is the CloudTrail record."))
        .attribute(Attribute::string("event_pattern").describe("In place of `match_expression`: an EventBridge event pattern over the whole event, as JSON. It holds beside event names and sources."))
        .attribute(Attribute::string("push_down").default_to("safe").describe("How much of the match the rules in AWS carry, so that events which cannot match never travel: `safe` (the default), all that needs no wildcards; `full`, wildcards too, of which a bus takes few (30 rules); `names`, event names and sources alone. The runtime judges every event again, whatever is pushed down."))
        .attribute(Attribute::string("on_error").default_to("no_match").describe("What an expression that errs on an event means: `no_match` (the default) or `match`."))
        .attribute(Attribute::bool("include_read_only").default_to(false).describe("Whether read-only management events count, too. They are many. Default `false`."))
        .attribute(Attribute::bool("include_self").default_to(false).describe("Whether events count that the hub's own roles made. Default `false`."))
        .attribute(Attribute::set("regions", Type::String).describe("Narrows the hub's regions to these. Omitted: all of them."))
        .attribute(Attribute::set("exclude_regions", Type::String).describe("Taken out of the regions."))
        .attribute(Attribute::set("account_ids", Type::String).describe("Narrows the hub's accounts to these. Omitted: all of them."))
        .attribute(Attribute::string("forwarder").describe("The name of a `trailwire_forwarder` of the hub that carries all of the trigger's events: `trailwire_forwarder.NAME.name`. The trigger then makes no rules and needs no rights in the cells; the runtime judges the events all the same. Omitted: the trigger has rules of its own."))
        .attribute(Attribute::map("allow", Type::String).not_empty().describe("Code of a diagnostic to the reason why it is right here, such as `TW2405 = \"the trail selects it\"`: it is not told for this trigger. What would not work cannot be silenced; the [list of diagnostics](../guides/diagnostics.md) says which can."))
        .attribute(failure_tolerance_attribute())
        .attribute(tags_attribute())
        .attribute(tags_all_attribute())
        .attribute(Attribute::string("id").computed().describe("`HUB/NAME`."))
        .attribute(Attribute::string("hub_arn").computed().describe("The ARN of the hub's bus."))
        .attribute(Attribute::list("rule_names", Type::String).volatile().describe("The EventBridge rules, by the same names in every cell."))
        .attribute(Attribute::string("pushed_pattern").computed().describe("The event pattern that the rules carry, as JSON; an array of patterns where the names need several rules; null where a forwarder carries the events. It keeps every event that fires the trigger. Once deployed it stays as it is until something that decides it is changed, whatever later versions of the provider would push down."))
        .attribute(Attribute::string("pattern_sha256").computed().describe("The SHA-256 of `pushed_pattern`, in hexadecimal."))
        .attribute(Attribute::string("residual").computed().describe("What of the match the pattern does not decide and the runtime does, as written; null where the pattern decides all of it."))
        .attribute(shared_cells_attribute())
        .attribute(drifted_attribute())
        .block(threshold())
        .block(suppress())
        .block(action())
        .block(test())
        .block(timeouts_block())
}

fn test() -> NestedBlock {
    NestedBlock::list(
        "test",
        "An event and what the trigger makes of it. Every plan runs all of them; one that comes out otherwise is an error that says why.",
    )
    .attribute(Attribute::string("name").required().describe("What the event shows."))
    .attribute(
        Attribute::string("event")
            .required()
            .describe("One event as JSON: what EventBridge delivers, or a CloudTrail record. Usually `file(\"…\")`."),
    )
    .attribute(Attribute::bool("expect").required().describe("Whether the trigger fires for it."))
}

fn threshold() -> NestedBlock {
    NestedBlock::optional("threshold", "Lets the actions run when so many events match within a window, in place of running for each. The trigger is then in one of three states, which `trailwire status` shows: `INSUFFICIENT_DATA` until the first window after it was enabled has passed, `ALARM`, and `OK`. The actions run on the change to `ALARM`, for the event that made it. The alarm is over when a whole window has passed in which nothing came that keeps it up.")
        .attribute(Attribute::number("count").required().describe("How many events it takes, 1 to 1000."))
        .attribute(Attribute::string("window").required().describe("Such as `90s`, `5m` or `1d`, up to 7 days: it slides over the time that the events themselves tell (`eventTime`). An event that comes late counts as long as its time is within the window that ends with the latest."))
        .attribute(Attribute::string("group_by").describe("JMESPath over the event: events are counted apart for each of its values, and each has a state of its own. An error counts as null. Beyond 1,000 groups at a time all others are counted as one. Omitted: all events are counted together."))
        .attribute(Attribute::bool("notify_recovery").default_to(false).describe("Whether the `notify` actions run once more when the alarm is over. Default `false`."))
}

fn suppress() -> NestedBlock {
    NestedBlock::optional("suppress", "Lets the actions run once in a while: within the window after the first run of a key the others are counted, and do not run. When the window is over and there were any, the `notify` actions tell how many.")
        .attribute(Attribute::string("window").required().describe("Such as `90s`, `10m` or `1d`, up to 7 days. It begins with the first run."))
        .attribute(Attribute::string("key").describe("JMESPath over the event: each of its values has a window of its own. An error counts as null. Omitted: the trigger has one window."))
}

fn action() -> NestedBlock {
    let notify = NestedBlock::optional("notify", "Tells people.")
        .attribute(Attribute::list("destinations", Type::String).required().describe("Names of destinations."))
        .attribute(Attribute::string("title").describe("Template. Omitted: event name and actor."))
        .attribute(Attribute::string("message").describe("Template. Omitted: who did what, where and when."))
        .attribute(Attribute::map("fields", Type::String).not_empty().describe("Label to JMESPath over the event; shown in label order."));
    let wait = NestedBlock::optional("wait", "Lets time pass before the next action.")
        .attribute(Attribute::string("duration").required().describe("Such as `90s`, `10m`, `2h` or `1d`, up to 365 days."));
    let query = NestedBlock::optional("query", "Asks AWS, in the account and region of the event; the result is a variable in the templates of the actions after it. The hub's `query_operations` must name the operation. The [guide](../guides/queries.md) lists the operations and tells what happens when one fails.")
        .attribute(Attribute::string("service").required().describe("Such as `ec2` or `autoscaling`."))
        .attribute(Attribute::string("operation").required().describe("Such as `DescribeInstances`."))
        .attribute(Attribute::string("parameters").describe("The operation's parameters as JSON, usually `jsonencode({ … })`. Its texts may be templates, such as `\"{{ detail.requestParameters.roleName }}\"`; one that gives nothing ends the query. Omitted: no parameters."))
        .attribute(Attribute::string("result").describe("JMESPath over the answer, all pages in one, with AWS's own names. What it gives may have 16 KB as JSON. Omitted: all of the answer."))
        .attribute(Attribute::string("as").required().describe("The variable that holds the result: lower-case letters, digits and `_`, beginning with a letter, at most 40 characters."));
    let send = NestedBlock::optional("send", "Sends the whole event on. It travels as `{\"type\": \"trailwire.event\", \"timestamp\": …, \"data\": {\"trigger\": …, \"severity\": …, \"event\": …}}`.")
        .attribute(Attribute::string("destination").required().describe("Name of a destination of a kind that takes data: `webhook` and those in AWS but for `email`. Those that people read take notifications only."));
    NestedBlock::list("action", "What happens when the trigger fires, in order. Each has exactly one block inside.")
        .min(1)
        .block(notify)
        .block(wait)
        .block(query)
        .block(send)
}

//! Something in the place of a value that is not known yet, so that the rest of a trigger can be read.

use serde_json::json;

use crate::value::Value;

/// What a member of this name may be; `None` where the member may as well be missing.
///
/// Nothing that is found at the place of such a value, or that depends on it, may be told.
#[must_use]
pub fn placeholder(name: &str) -> Option<Value> {
    match name {
        "name" | "destination" => Some(json!("unknown")),
        "event_names" | "event_sources" | "destinations" => Some(json!(["unknown"])),
        "account_ids" => Some(json!(["000000000000"])),
        "regions" | "exclude_regions" => Some(json!(["unknown-unknown-1"])),
        "count" => Some(json!(1)),
        "window" | "duration" => Some(json!("1m")),
        "event" => Some(json!("{}")),
        "expect" => Some(json!(false)),
        "service" => Some(json!("ec2")),
        "operation" => Some(json!("DescribeInstances")),
        "as" => Some(json!("unknown")),
        "action" => Some(json!([{ "wait": [{ "duration": "1m" }] }])),
        _ => None,
    }
}

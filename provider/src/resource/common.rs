//! What the resources have in common: tags, timeouts, the JSON form of a configuration.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};
use trailwire_engine::diagnostic::{Code, Diagnostic, Path, Step};
use trailwire_engine::fanout::tags::either;
use trailwire_engine::trigger::{DestinationKind, duration};

use super::PlanRequest;
use crate::cloud::call::Tags;
use crate::config::{ProviderConfig, check_tags};
use crate::schema::{Attribute, NestedBlock, Type};
use crate::value::Dynamic;

/// How long a change may take unless `timeouts` says otherwise.
const TIMEOUT: Duration = Duration::from_secs(20 * 60);

/// Why something has drifted whose tags were changed, not everywhere yet.
pub const RETAGGED: &str = "a change of tags is not finished";

/// The attribute `tags`.
pub fn tags_attribute() -> Attribute {
    Attribute::map("tags", Type::String)
        .not_empty()
        .check(Code::OUT_OF_RANGE, check_tags)
        .describe("Tags on everything in AWS that this makes, beside `default_tags` of the provider.")
}

/// The attribute `tags_all`.
pub fn tags_all_attribute() -> Attribute {
    Attribute::map("tags_all", Type::String).computed().describe("All tags, those of the provider's `default_tags` included.")
}

/// The attribute `drifted`.
pub fn drifted_attribute() -> Attribute {
    Attribute::map("drifted", Type::String)
        .volatile()
        .describe("What is not as declared, `account/region` to reason, found by refresh. Anything in it makes the next apply repair it.")
}

/// The attribute `cells` of a hub.
pub fn cells_attribute() -> Attribute {
    Attribute::map("cells", Type::list(Type::String)).volatile().describe("What is covered: account to regions.")
}

/// The attribute `cells` of a definition with rules.
pub fn shared_cells_attribute() -> Attribute {
    let about = "What is covered: account to regions. Beyond 100 cells, accounts with the same regions share an entry, their ids joined by `, `: \
                 `{ \"111122223333, 444455556666\" = [\"eu-west-1\", \"us-east-1\"] }`. Whether a region is watched in every account, in either form: \
                 `alltrue([for regions in values(cells) : contains(regions, \"eu-west-1\")])`. Account to regions, from either: \
                 `merge([for accounts, regions in cells : { for account in split(\", \", accounts) : account => regions }]...)`; the hub's `cells` has an \
                 entry for each account however many there are.";
    Attribute::map("cells", Type::list(Type::String)).volatile().describe(about)
}

/// The attribute `failure_tolerance`.
pub fn failure_tolerance_attribute() -> Attribute {
    Attribute::number("failure_tolerance")
        .default_to(0)
        .check(Code::OUT_OF_RANGE, tolerance)
        .describe("How many cells may fail while creating; what failed is in `drifted`, and the next apply repairs it. Default `0`.")
}

fn tolerance(value: &Dynamic) -> Result<(), String> {
    match value.as_i64() {
        Some(0..=1_000_000) => Ok(()),
        _ => Err("must be a whole number from 0".to_owned()),
    }
}

/// All tags of a resource with these tags: the provider's, overridden by its own, without those that are left to others.
pub fn all_tags(config: &ProviderConfig, own: &Tags) -> Tags {
    let mut all = config.default_tags.clone();
    all.extend(own.clone());
    all.retain(|key, _| !config.ignore_tags.covers(key));
    all
}

/// The planned `tags_all`: known whenever the tags are.
pub fn planned_tags_all(config: &ProviderConfig, request: &PlanRequest) -> Dynamic {
    let tags = request.config.get("tags");
    if tags.is_wholly_known() && !config.unknown.iter().any(|name| name.starts_with("default_tags")) {
        tags_value(&all_tags(config, &request.config.get_string_map("tags")))
    } else {
        Dynamic::Unknown
    }
}

/// The tags that things of a resource may have: those of its state, and where the table keeps others, `(all, before)`, those too: `all` are what they were to
/// get last, and `before` what they may still have where that did not end.
pub fn tags_before(prior: &Dynamic, stored: Option<(&Tags, Option<&Tags>)>) -> Tags {
    let told = prior.get_string_map("tags_all");
    let Some((all, before)) = stored else { return told };
    let tags = either(&told, all);
    before.map_or_else(|| tags.clone(), |before| either(&tags, before))
}

/// Tags as a value; an empty map, not null.
pub fn tags_value(tags: &Tags) -> Dynamic {
    Dynamic::object(tags.iter().map(|(key, value)| (key.clone(), Dynamic::String(value.clone()))))
}

/// Tags as a value of an optional attribute; null when there are none.
pub fn optional_tags(tags: &Tags) -> Dynamic {
    if tags.is_empty() { Dynamic::Null } else { tags_value(tags) }
}

/// The block `timeouts`.
pub fn timeouts_block() -> NestedBlock {
    let block = NestedBlock::optional("timeouts", "How long a change may take before it is given up, such as `30m`. Default `20m`.");
    ["create", "update", "delete"].into_iter().fold(block, |block, name| {
        let attribute = Attribute::string(name).not_empty().check(Code::BAD_DURATION, check_duration);
        block.attribute(attribute.describe("Such as `90s`, `30m` or `1h`."))
    })
}

fn check_duration(value: &Dynamic) -> Result<(), String> {
    duration::parse(value.as_str().unwrap_or_default()).map(|_| ()).map_err(|invalid| invalid.to_string())
}

/// Takes back what a generic plan made unknown, when nothing differs but `unimportant` attributes: they concern the provider alone. `volatile` are the
/// attributes that tell of cells. A drifted resource always has work to do.
pub fn calm(planned: &mut Dynamic, prior: &Dynamic, volatile: &[&str], unimportant: &[&str]) {
    let drifted = prior.get("drifted").as_map().is_some_and(|drifted| !drifted.is_empty());
    let mut same = planned.clone();
    for name in volatile.iter().chain(unimportant) {
        same.set(name, prior.get(name).clone());
    }
    for name in volatile {
        let value = if drifted || same != *prior { Dynamic::Unknown } else { prior.get(name).clone() };
        planned.set(name, value);
    }
}

/// Whether an apply has nothing to do in AWS: see [`calm`].
pub fn is_calm(planned: &Dynamic) -> bool {
    !planned.get("drifted").is_unknown()
}

/// The timeout of one operation in a configuration or state.
pub fn timeout(value: &Dynamic, operation: &str) -> Duration {
    let text = value.get_block("timeouts").and_then(|timeouts| timeouts.get_str(operation));
    text.and_then(|text| duration::parse(text).ok()).unwrap_or(TIMEOUT)
}

/// What an unknown value is taken for while checking, so that what is known is checked all the same. `None` leaves it out.
pub type Placeholder = fn(&str) -> Option<Value>;

/// The JSON form of a configuration: nulls and empty blocks left out, unknown values replaced. Only the named members of the root are taken.
pub fn to_json(value: &Dynamic, members: &[&str], placeholder: Placeholder) -> Value {
    let mut object = Map::new();
    for name in members {
        if let Some(json) = member(name, value.get(name), placeholder) {
            object.insert((*name).to_owned(), json);
        }
    }
    Value::Object(object)
}

fn member(name: &str, value: &Dynamic, placeholder: Placeholder) -> Option<Value> {
    match value {
        Dynamic::Null => None,
        Dynamic::Unknown => placeholder(name),
        Dynamic::Bool(value) => Some(Value::Bool(*value)),
        Dynamic::Number(number) => Some(number.as_i64().map_or(Value::Null, Value::from)),
        Dynamic::String(text) => Some(Value::String(text.clone())),
        Dynamic::List(items) if items.is_empty() && is_block(name) => None,
        Dynamic::List(items) => Some(Value::Array(items.iter().filter_map(|item| element(name, item, placeholder)).collect())),
        Dynamic::Map(members) if is_map(name) => {
            let members = members.iter().filter_map(|(key, value)| Some((key.clone(), element(name, value, placeholder)?)));
            Some(Value::Object(members.collect()))
        }
        Dynamic::Map(members) => {
            let members = members.iter().filter_map(|(name, value)| Some((name.clone(), member(name, value, placeholder)?)));
            Some(Value::Object(members.collect()))
        }
    }
}

fn element(name: &str, value: &Dynamic, placeholder: Placeholder) -> Option<Value> {
    match value {
        Dynamic::Unknown => match placeholder(name)? {
            Value::Array(items) => items.into_iter().next(),
            other => Some(other),
        },
        Dynamic::Null => Some(Value::Null),
        other => member(name, other, placeholder),
    }
}

/// Maps whose keys the user chooses: a null in them was written.
fn is_map(name: &str) -> bool {
    matches!(name, "fields" | "headers" | "allow")
}

/// Blocks that are not written arrive as empty lists; an attribute that is an empty list was written so.
fn is_block(name: &str) -> bool {
    matches!(name, "threshold" | "suppress" | "action" | "notify" | "wait" | "send" | "test") || DestinationKind::NAMES.contains(&name)
}

/// Ends paths at sets: Terraform cannot address their elements.
pub fn without_set_elements(mut diagnostic: Diagnostic, sets: &[&str]) -> Diagnostic {
    if let [Step::Attribute(name), Step::Index(_), ..] = diagnostic.path.0.as_slice()
        && sets.contains(&name.as_str())
    {
        diagnostic.path = Path::root(name);
    }
    diagnostic
}

/// A map of strings as a value of an optional attribute; null when it is empty.
pub fn optional_map(map: &BTreeMap<String, String>) -> Dynamic {
    optional_tags(map)
}

/// An optional list; null when it is empty.
pub fn optional_list(items: &[String]) -> Dynamic {
    if items.is_empty() { Dynamic::Null } else { Dynamic::strings(items.iter().cloned()) }
}

/// An optional set; null when it is empty.
pub fn optional_set(items: &[String]) -> Dynamic {
    let sorted: std::collections::BTreeSet<&String> = items.iter().collect();
    if sorted.is_empty() { Dynamic::Null } else { Dynamic::strings(sorted.into_iter().cloned()) }
}

/// An optional text.
pub fn optional_text(text: Option<&str>) -> Dynamic {
    text.map_or(Dynamic::Null, |text| Dynamic::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_configuration_becomes_a_document() {
        let config = Dynamic::object([
            ("name", Dynamic::String("a".to_owned())),
            ("description", Dynamic::Null),
            ("event_names", Dynamic::List(vec![Dynamic::String("A".to_owned()), Dynamic::Unknown])),
            ("enabled", Dynamic::Unknown),
            ("regions", Dynamic::List(vec![])),
            ("id", Dynamic::String("not asked for".to_owned())),
            (
                "action",
                Dynamic::List(vec![Dynamic::object([
                    ("wait", Dynamic::List(vec![Dynamic::object([("duration", Dynamic::Unknown)])])),
                    ("notify", Dynamic::List(vec![])),
                ])]),
            ),
        ]);
        let placeholder: Placeholder = |name| match name {
            "duration" => Some(json!("1m")),
            "event_names" => Some(json!(["x"])),
            _ => None,
        };
        let members = ["name", "description", "event_names", "enabled", "regions", "action"];
        assert_eq!(
            to_json(&config, &members, placeholder),
            json!({"name": "a", "event_names": ["A", "x"], "regions": [], "action": [{"wait": [{"duration": "1m"}]}]})
        );
    }

    #[test]
    fn a_timeout_is_read_or_twenty_minutes() {
        let config = Dynamic::object([("timeouts", Dynamic::List(vec![Dynamic::object([("create", Dynamic::String("90s".to_owned()))])]))]);
        assert_eq!(timeout(&config, "create"), Duration::from_secs(90));
        assert_eq!(timeout(&config, "delete"), TIMEOUT);
        assert_eq!(timeout(&Dynamic::Null, "delete"), TIMEOUT);
    }
}

//! A Terraform plan as `terraform show -json` prints it, read as a document.
//!
//! Each `trailwire_trigger` and `trailwire_destination` of the planned values gives one definition. What only Terraform knows (the hub,
//! computed attributes, tags, timeouts) is left out, and so is every null. A secret that the provider keeps in Secrets Manager has no ARN before
//! it is applied; such a destination takes its secret from an environment variable instead: `TRAILWIRE_<NAME>_<WHAT>`, in capitals
//! with `_` for `-`, such as `TRAILWIRE_SECURITY_SLACK_WEBHOOK_URL`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::fanout::names::Hub;
use trailwire_engine::trigger::{
    DestinationKind, Document, FORMAT_VERSION, FORWARDER_MEMBERS, Forwarder, MEMBERS, SECRETS, SecretMember, placeholder,
};

/// Whether a JSON text is a plan or a state.
pub(super) fn is_plan(value: &Value) -> bool {
    value.get("terraform_version").is_some() && (value.get("planned_values").is_some() || value.get("values").is_some())
}

pub(super) fn document(plan: &Value) -> Result<Document, Vec<Diagnostic>> {
    Document::from_value(&read(plan).document)
}

/// A plan as a document that is not read yet, and where its triggers and destinations come from.
#[derive(Debug)]
pub(super) struct Planned<'a> {
    pub(super) document: Value,
    /// One for each trigger of the document.
    pub(super) triggers: Vec<Resource<'a>>,
    /// One for each destination of the document.
    pub(super) destinations: Vec<Resource<'a>>,
    hubs: Vec<Resource<'a>>,
    forwarders: Vec<Resource<'a>>,
}

impl Planned<'_> {
    /// The regions of the hub that a trigger refers to by name or ARN. `None` where the plan does not say: the hub is declared in another place, is not
    /// known yet, or covers whatever regions are enabled.
    pub(super) fn hub_regions(&self, trigger: &Resource<'_>) -> Option<Vec<String>> {
        let name = hub_name(trigger)?;
        let hub = self.hubs.iter().find(|hub| hub.values.get("name").and_then(Value::as_str) == Some(&name))?;
        let regions = |attribute: &str| {
            let is_known = hub.unknown.get(attribute).is_none_or(|unknown| !holds_true(unknown));
            let listed = hub.values.get(attribute).and_then(Value::as_array).into_iter().flatten();
            is_known.then(|| listed.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
        };
        let (mut named, excluded) = (regions("regions")?, regions("exclude_regions")?);
        named.retain(|region| !excluded.contains(region));
        (!named.is_empty()).then_some(named)
    }

    /// The forwarder that a trigger relies on, where the plan has it and knows all of it.
    pub(super) fn forwarder(&self, trigger: &Resource<'_>) -> Option<Forwarder> {
        let (hub, name) = (hub_name(trigger)?, trigger.values.get("forwarder")?.as_str()?);
        let is_meant =
            |one: &&Resource<'_>| one.values.get("name").and_then(Value::as_str) == Some(name) && hub_name(one).as_ref() == Some(&hub);
        let found = self.forwarders.iter().find(is_meant)?;
        let is_known = FORWARDER_MEMBERS.iter().all(|member| found.unknown.get(*member).is_none_or(|unknown| !holds_true(unknown)));
        Forwarder::from_value(&kept(found.values, &FORWARDER_MEMBERS)).ok().filter(|_| is_known)
    }
}

/// The name of the hub that a resource refers to by name or ARN.
fn hub_name(resource: &Resource<'_>) -> Option<String> {
    let reference = resource.values.get("hub")?.as_str()?;
    Some(Hub::from_arn(reference).map_or_else(|| reference.to_owned(), |hub| hub.name().to_owned()))
}

/// Whether something of a value is not known yet, in the form in which a plan tells it.
pub(super) fn holds_true(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::Array(items) => items.iter().any(holds_true),
        Value::Object(members) => members.values().any(holds_true),
        _ => false,
    }
}

/// A managed resource of a plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resource<'a> {
    pub(super) address: &'a str,
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
    /// The address of its module; empty for the root.
    pub(super) module: &'a str,
    values: &'a Value,
    /// What of it is not known before apply: `true` in the place of each such value.
    pub(super) unknown: &'a Value,
}

pub(super) fn read(plan: &Value) -> Planned<'_> {
    let changes = plan.get("resource_changes").and_then(Value::as_array).into_iter().flatten();
    let unknown = changes.filter_map(|change| Some((change.get("address")?.as_str()?, change.pointer("/change/after_unknown")?))).collect();
    let root = plan.pointer("/planned_values/root_module").or_else(|| plan.pointer("/values/root_module"));
    let mut resources = Vec::new();
    collect(root.unwrap_or(&Value::Null), &unknown, &mut resources);
    let of = |kind: &str| resources.iter().filter(|resource| resource.kind == kind).copied().collect::<Vec<_>>();
    let (triggers, destinations) = (of("trailwire_trigger"), of("trailwire_destination"));
    let (hubs, forwarders) = (of("trailwire_hub"), of("trailwire_forwarder"));
    let document = json!({
        "format_version": FORMAT_VERSION,
        "triggers": triggers.iter().map(|resource| kept(&filled(resource.values, resource.unknown), &MEMBERS)).collect::<Vec<_>>(),
        "destinations": destinations.iter().map(|resource| destination(resource.values)).collect::<Vec<_>>(),
    });
    Planned { document, triggers, destinations, hubs, forwarders }
}

/// The managed resources of a module and of those below it.
fn collect<'a>(module: &'a Value, unknown: &BTreeMap<&'a str, &'a Value>, resources: &mut Vec<Resource<'a>>) {
    let list = |name: &str| module.get(name).and_then(Value::as_array).into_iter().flatten();
    for resource in list("resources") {
        let text = |name: &str| resource.get(name).and_then(Value::as_str);
        if let (Some("managed"), Some(kind), Some(values)) = (text("mode"), text("type"), resource.get("values")) {
            resources.push(Resource {
                address: text("address").unwrap_or_default(),
                kind,
                name: text("name").unwrap_or_default(),
                module: module.get("address").and_then(Value::as_str).unwrap_or_default(),
                values,
                unknown: text("address").and_then(|address| unknown.get(address).copied()).unwrap_or(&Value::Null),
            });
        }
    }
    list("child_modules").for_each(|child| collect(child, unknown, resources));
}

/// Values with something in the place of those that are not known yet.
fn filled(values: &Value, unknown: &Value) -> Value {
    let (Value::Object(values), Value::Object(unknown)) = (values, unknown) else { return values.clone() };
    let mut filled = values.clone();
    for (name, unknown) in unknown {
        let value = match (values.get(name), unknown) {
            (_, Value::Bool(true)) => placeholder(name),
            (Some(Value::Array(items)), Value::Array(unknown)) => Some(filled_items(name, items, unknown)),
            _ => None,
        };
        filled.extend(value.map(|value| (name.clone(), value)));
    }
    Value::Object(filled)
}

fn filled_items(name: &str, items: &[Value], unknown: &[Value]) -> Value {
    let item = |(index, item): (usize, &Value)| match unknown.get(index) {
        Some(Value::Bool(true)) => placeholder(name).and_then(|list| list.get(0).cloned()).unwrap_or_default(),
        Some(unknown) => filled(item, unknown),
        None => item.clone(),
    };
    items.iter().enumerate().map(item).collect()
}

/// The members of a document; everything else in a plan is Terraform's.
fn kept(values: &Value, members: &[&str]) -> Value {
    let kept = members.iter().filter_map(|name| Some(((*name).to_owned(), clean(values.get(name)?)?)));
    Value::Object(kept.collect())
}

/// Without nulls and without empty lists: in a plan both mean that nothing was written.
fn clean(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Array(elements) => {
            let kept: Vec<Value> = elements.iter().filter_map(clean).collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        Value::Object(members) => {
            Some(Value::Object(members.iter().filter_map(|(name, value)| Some((name.clone(), clean(value)?))).collect()))
        }
        other => Some(other.clone()),
    }
}

fn destination(values: &Value) -> Value {
    let name = values.get("name").and_then(Value::as_str).unwrap_or_default();
    let mut document = Map::from_iter([("name".to_owned(), json!(name))]);
    for kind in DestinationKind::NAMES {
        if let Some(Value::Object(block)) = values.get(kind).and_then(|blocks| blocks.get(0)) {
            document.insert(kind.to_owned(), json!([block_without_terraform(name, kind, block)]));
        }
    }
    Value::Object(document)
}

fn block_without_terraform(destination: &str, kind: &str, block: &Map<String, Value>) -> Value {
    let written = |name: &str| block.get(name).is_some_and(|value| !value.is_null());
    let variable = |what: &str| json!(format!("TRAILWIRE_{destination}_{what}").to_uppercase().replace('-', "_"));
    let is_terraforms = |name: &str| name.ends_with("_wo") || name.ends_with("_wo_version");
    let kept = block.iter().filter(|(name, _)| !is_terraforms(name)).filter_map(|(name, value)| Some((name.clone(), clean(value)?)));
    let mut kept: Map<String, Value> = kept.collect();
    let (first, others): (Vec<&SecretMember>, Vec<_>) =
        SECRETS.iter().filter(|secret| secret.kind == kind).partition(|secret| secret.arn == "secret_arn");
    for secret in others {
        // A Slack channel is posted to with a token.
        let is_needed = written(&format!("{}_wo_version", secret.what)) || secret.what == "token" && written("channel");
        if is_needed && !kept.contains_key(secret.arn) {
            kept.insert(secret.env.to_owned(), variable(secret.what));
        }
    }
    let has_one = |name: &str| kept.contains_key(name);
    let is_given = ["url", "secret_arn", "token_secret_arn", "token_secret_env"].into_iter().any(has_one);
    if let Some(secret) = first.first().filter(|_| !is_given) {
        kept.insert(secret.env.to_owned(), variable(secret.what));
    }
    Value::Object(kept)
}

#[cfg(test)]
mod tests {
    use trailwire_engine::trigger::{Secret, Slack};

    use super::*;

    #[test]
    fn a_plan_is_read_as_a_document() {
        let plan = json!({"format_version": "1.2", "terraform_version": "1.9.0", "planned_values": {"root_module": {
            "resources": [
                {"mode": "managed", "type": "trailwire_hub", "values": {"name": "security"}},
                {"mode": "data", "type": "trailwire_trigger", "values": {"name": "not-this"}},
                {"mode": "managed", "type": "trailwire_trigger", "values": {"name": "users", "hub": "security", "description": null,
                    "event_names": ["CreateUser"], "event_sources": null, "regions": [], "rule_names": null, "tags_all": {}, "timeouts": null,
                    "action": [{"notify": [{"destinations": ["slack"], "title": null, "fields": {"User": "detail.x"}}], "wait": [], "send": []}]}},
            ],
            "child_modules": [{"resources": [
                {"mode": "managed", "type": "trailwire_destination", "values": {"name": "sec-slack", "hub": "security", "webhook": [],
                    "slack": [{"webhook_url_wo": null, "webhook_url_wo_version": 1, "secret_arn": null}]}},
                {"mode": "managed", "type": "trailwire_destination", "values": {"name": "hook", "slack": [],
                    "webhook": [{"url": "https://example.com", "signing_secret_wo_version": 2, "headers": null}]}},
            ]}],
        }}});
        assert!(is_plan(&plan));
        let document = document(&plan).unwrap();
        assert_eq!(document.triggers.iter().map(|trigger| trigger.name.as_str()).collect::<Vec<_>>(), ["users"]);
        let slack = Slack::Webhook(Secret::Env("TRAILWIRE_SEC_SLACK_WEBHOOK_URL".to_owned()));
        assert_eq!(document.destinations[0].kind, DestinationKind::Slack(slack));
        let DestinationKind::Webhook(hook) = &document.destinations[1].kind else { panic!("{document:?}") };
        assert_eq!(hook.signing_secret, Some(Secret::Env("TRAILWIRE_HOOK_SIGNING_SECRET".to_owned())));
    }

    #[test]
    fn a_document_is_no_plan() {
        assert!(!is_plan(&json!({"format_version": 1, "triggers": []})));
    }
}

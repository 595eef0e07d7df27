//! Cloud Custodian policies of mode `cloudtrail`: events and the filters on the event are carried over. What Custodian asks of the
//! resource itself, and what it does with it, is told.

mod filters;

pub(super) use filters::escaped;

use serde_json::Value;

use super::carried::Carried;
use super::draft::{Draft, one_line};
use super::{Imported, yaml};

/// The events that policies name without saying of which service they are, and their source and name in CloudTrail.
/// Source: Cloud Custodian, c7n/cwe.py.
const SHORTCUTS: &[(&str, &str, &str)] = &[
    ("ConsoleLogin", "signin.amazonaws.com", "ConsoleLogin"),
    ("CreateAutoScalingGroup", "autoscaling.amazonaws.com", "CreateAutoScalingGroup"),
    ("UpdateAutoScalingGroup", "autoscaling.amazonaws.com", "UpdateAutoScalingGroup"),
    ("CreateBucket", "s3.amazonaws.com", "CreateBucket"),
    ("CreateCluster", "redshift.amazonaws.com", "CreateCluster"),
    ("CreateLoadBalancer", "elasticloadbalancing.amazonaws.com", "CreateLoadBalancer"),
    ("CreateLoadBalancerPolicy", "elasticloadbalancing.amazonaws.com", "CreateLoadBalancerPolicy"),
    ("CreateDBInstance", "rds.amazonaws.com", "CreateDBInstance"),
    ("CreateVolume", "ec2.amazonaws.com", "CreateVolume"),
    ("SetLoadBalancerPoliciesOfListener", "elasticloadbalancing.amazonaws.com", "SetLoadBalancerPoliciesOfListener"),
    ("CreateElasticsearchDomain", "es.amazonaws.com", "CreateElasticsearchDomain"),
    ("CreateTable", "dynamodb.amazonaws.com", "CreateTable"),
    ("CreateFunction", "lambda.amazonaws.com", "CreateFunction20150331"),
    ("RunInstances", "ec2.amazonaws.com", "RunInstances"),
    ("CreateNotebookInstance", "sagemaker.amazonaws.com", "CreateNotebookInstance"),
];

/// # Errors
///
/// Where the text is not YAML, or has no policies.
pub(super) fn import(text: &str) -> Result<Imported, String> {
    let documents = yaml::documents(text)?;
    let policies: Vec<&Value> =
        documents.iter().filter_map(|document| document.get("policies")).filter_map(Value::as_array).flatten().collect();
    if policies.is_empty() {
        return Err("there is no list `policies` in it".to_owned());
    }
    let mut imported = Imported::default();
    for policy in policies {
        let name = policy.get("name").and_then(Value::as_str).unwrap_or("without a name");
        match draft(name, policy) {
            Ok(draft) => imported.drafts.push(draft),
            Err(reason) => imported.leave_out(name, reason),
        }
    }
    Ok(imported)
}

fn draft(name: &str, policy: &Value) -> Result<Draft, String> {
    let mode = policy.get("mode").unwrap_or(&Value::Null);
    match mode.get("type").and_then(Value::as_str) {
        Some("cloudtrail") => {}
        Some(other) => return Err(format!("its mode is `{other}`, and only `cloudtrail` is about CloudTrail's events")),
        None => return Err("it has no mode: it looks at resources, not at events".to_owned()),
    }
    let mut draft = Draft::new(name);
    draft.origin = vec![format!("From the Cloud Custodian policy `{name}`.")];
    let texts = ["description", "comment", "comments"].into_iter().filter_map(|field| policy.get(field)?.as_str());
    draft.description = texts.map(one_line).find(|text| !text.is_empty());
    events(mode, &mut draft)?;
    if mode.get("pattern").is_some() {
        draft.notes.push("`mode.pattern`".to_owned());
    }
    let filters = policy.get("filters").and_then(Value::as_array).cloned().unwrap_or_default();
    let condition = Carried::all(filters.iter().map(|filter| filters::carried(filter, &mut draft.notes)).collect());
    if let Some(expr) = condition.expr {
        draft.matching = Some((trailwire_engine::lang::Language::JmesPath, Value::from(expr.to_string())));
    }
    let actions: Vec<String> = policy.get("actions").and_then(Value::as_array).into_iter().flatten().map(kind).collect();
    if !actions.is_empty() {
        draft.notes.push(format!("the actions {}", actions.join(", ")));
    }
    Ok(draft)
}

/// The type of a filter or an action, as a person would name it.
fn kind(element: &Value) -> String {
    let text = match element {
        Value::String(text) => Some(text.as_str()),
        Value::Object(members) => members.get("type").and_then(Value::as_str).or_else(|| members.keys().next().map(String::as_str)),
        _ => None,
    };
    format!("`{}`", text.unwrap_or("?"))
}

/// Names and sources. Custodian makes one rule of all of them, too: any name from any source.
fn events(mode: &Value, draft: &mut Draft) -> Result<(), String> {
    for event in mode.get("events").and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| event.get(name).and_then(Value::as_str);
        let (source, name) = match event {
            Value::String(shortcut) => {
                let known = SHORTCUTS.iter().find(|(name, ..)| name == shortcut);
                known.map(|(_, source, name)| (*source, *name)).ok_or_else(|| format!("`{shortcut}` is no event that Custodian knows"))?
            }
            _ => text("source").zip(text("event")).ok_or("one of its events has no `source` or no `event`")?,
        };
        for (list, value) in [(&mut draft.event_sources, source), (&mut draft.event_names, name)] {
            if !list.iter().any(|known| known == value) {
                list.push(value.to_owned());
            }
        }
    }
    if draft.event_names.is_empty() { Err("it names no events".to_owned()) } else { Ok(()) }
}

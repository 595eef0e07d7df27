//! Rules of default buses, kept and answered here instead of in the emulator, when that is asked for: the emulator answers some hundred calls a second,
//! and a bench of the provider is none of the emulator. Nothing is delivered by these rules.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use serde_json::{Map, Value, json};

use super::Answer;
use super::identify::Call;

/// EventBridge lists a hundred at once.
const PAGE: usize = 100;

#[derive(Debug, Default)]
pub(super) struct Answerer {
    is_on: AtomicBool,
    rules: Mutex<HashMap<(String, String), BTreeMap<String, Rule>>>,
}

#[derive(Debug, Default)]
struct Rule {
    members: Map<String, Value>,
    /// Id to ARN.
    targets: BTreeMap<String, String>,
}

fn text<'a>(members: &'a Value, name: &str) -> &'a str {
    members[name].as_str().unwrap_or_default()
}

impl Answerer {
    /// From now on, or no more.
    pub(super) fn turn(&self, on: bool) {
        self.is_on.store(on, Ordering::Relaxed);
    }

    /// The answer, unless the call is the emulator's.
    pub(super) fn answer(&self, call: &Call, body: &[u8]) -> Option<Answer> {
        if call.service != "events" || !self.is_on.load(Ordering::Relaxed) {
            return None;
        }
        let asked: Value = serde_json::from_slice(body).ok()?;
        if !matches!(text(&asked, "EventBusName"), "" | "default") {
            return None;
        }
        let mut cells = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let rules = cells.entry((call.account.clone(), call.region.clone())).or_default();
        let answer = match call.operation.as_str() {
            "PutRule" => {
                let Value::Object(members) = asked else { return None };
                let name = members.get("Name").and_then(Value::as_str).unwrap_or_default().to_owned();
                let arn = format!("arn:aws:events:{}:{}:rule/{name}", call.region, call.account);
                rules.entry(name).or_default().members = members;
                json!({ "RuleArn": arn })
            }
            "PutTargets" => {
                let rule = rules.get_mut(text(&asked, "Rule"))?;
                let targets = asked["Targets"].as_array().into_iter().flatten();
                rule.targets.extend(targets.map(|target| (text(target, "Id").to_owned(), text(target, "Arn").to_owned())));
                json!({ "FailedEntryCount": 0, "FailedEntries": [] })
            }
            "RemoveTargets" => {
                let ids = asked["Ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
                if let Some(rule) = rules.get_mut(text(&asked, "Rule")) {
                    ids.for_each(|id| drop(rule.targets.remove(id)));
                }
                json!({ "FailedEntryCount": 0, "FailedEntries": [] })
            }
            "DeleteRule" => {
                rules.remove(text(&asked, "Name"));
                json!({})
            }
            "ListRules" => {
                let fitting = rules.iter().filter(|(name, _)| name.starts_with(text(&asked, "NamePrefix")));
                page("Rules", fitting.map(|(_, rule)| Value::Object(rule.members.clone())), &asked)
            }
            "ListRuleNamesByTarget" => {
                let pointing = rules.iter().filter(|(_, rule)| rule.targets.values().any(|arn| arn == text(&asked, "TargetArn")));
                page("RuleNames", pointing.map(|(name, _)| json!(name)), &asked)
            }
            _ => return None,
        };
        let answer =
            Response::builder().header("content-type", "application/x-amz-json-1.1").body(Full::new(Bytes::from(answer.to_string())));
        answer.ok()
    }
}

fn page(name: &str, all: impl Iterator<Item = Value>, asked: &Value) -> Value {
    let from: usize = text(asked, "NextToken").parse().unwrap_or(0);
    let mut rest = all.skip(from);
    let page: Vec<Value> = rest.by_ref().take(PAGE).collect();
    let next = rest.next().map(|_| (from + PAGE).to_string());
    let mut answer = json!({ name: page });
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    answer
}

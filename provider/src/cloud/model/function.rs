//! Functions of the model, with what feeds and invokes them, and their logs.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use trailwire_engine::fanout::names::Cell;
use trailwire_engine::fanout::rules::{Rule, RuleState, Target};

use super::{Answer, ModelRule, World, here, refuse};
use crate::cloud::call::{FunctionOperation as Operation, Reply, Tagged, Tags};
use crate::cloud::error::Kind;

/// What there is, by the function's name; mappings by their id, log groups by name.
#[derive(Debug, Default)]
pub struct Lambda {
    /// As `GetFunction` tells them.
    pub functions: BTreeMap<String, Value>,
    /// The statements of their policies.
    pub policies: BTreeMap<String, Vec<Value>>,
    /// As a list tells them.
    pub mappings: BTreeMap<String, Value>,
    /// How long each is kept.
    pub logs: BTreeMap<String, Value>,
    /// The schedule of a rule.
    pub schedules: BTreeMap<String, String>,
    /// What a rule's target is given.
    pub inputs: BTreeMap<String, Value>,
}

impl Lambda {
    /// Whether nothing is left; a schedule goes with its rule.
    pub fn is_empty(&self) -> bool {
        self.functions.is_empty() && self.mappings.is_empty() && self.logs.is_empty()
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn tags(input: &Value, name: &str) -> Tags {
    let given = input[name].as_object().into_iter().flatten();
    given.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

fn done(value: Value) -> Answer {
    Ok(Reply::Json(value))
}

pub(super) fn answer(world: &mut World, cell: &Cell, operation: Operation, subject: &str, input: &Value) -> Answer {
    let name = subject.to_owned();
    let arn = |name: &str| format!("arn:aws:lambda:{}:{}:function:{name}", cell.region, cell.account);
    let is_there = world.lambda.functions.contains_key(&name);
    match operation {
        Operation::Get => done(world.lambda.functions.get(&name).cloned().unwrap_or_default()),
        Operation::Create => {
            let name = text(input, "FunctionName");
            if world.lambda.functions.contains_key(&name) {
                return refuse(Kind::Exists, "Function already exist");
            }
            if !world.roles.values().any(|role| role.arn == input["Role"]) {
                return refuse(Kind::Other, "The role defined for the function cannot be assumed by Lambda.");
            }
            world.tags.insert((here(cell), Tagged::Function(arn(&name))), tags(input, "Tags"));
            let mut configuration = input.clone();
            configuration["CodeSha256"] = sha256(&input["Code"]);
            configuration["State"] = json!("Active");
            world.lambda.functions.insert(name, json!({ "Configuration": configuration }));
            done(configuration)
        }
        Operation::UpdateCode | Operation::UpdateSettings if !is_there => refuse(Kind::NotFound, "no such function"),
        Operation::UpdateCode => {
            let configuration = &mut world.lambda.functions.entry(name).or_default()["Configuration"];
            configuration["CodeSha256"] = sha256(input);
            configuration["Architectures"] = input["Architectures"].clone();
            done(configuration.clone())
        }
        Operation::UpdateSettings => {
            let configuration = &mut world.lambda.functions.entry(name).or_default()["Configuration"];
            change(configuration, input);
            done(configuration.clone())
        }
        Operation::Delete => {
            world.lambda.functions.remove(&name);
            world.lambda.policies.remove(&name);
            done(Value::Null)
        }
        Operation::PutConcurrency => {
            world.lambda.functions.entry(name).or_default()["Concurrency"] = input.clone();
            done(Value::Null)
        }
        Operation::DeleteConcurrency => {
            world.lambda.functions.entry(name).and_modify(|function| function["Concurrency"] = Value::Null);
            done(Value::Null)
        }
        other => around(world, cell, other, subject, input),
    }
}

fn around(world: &mut World, cell: &Cell, operation: Operation, subject: &str, input: &Value) -> Answer {
    let name = subject.to_owned();
    match operation {
        Operation::GetPolicy => {
            let policy = world.lambda.policies.get(&name).map(|statements| json!({ "Statement": statements }).to_string());
            done(policy.map_or(Value::Null, |policy| json!({ "Policy": policy })))
        }
        Operation::AddPermission => {
            let statements = world.lambda.policies.entry(name).or_default();
            if statements.iter().any(|statement| statement["Sid"] == input["StatementId"]) {
                return refuse(Kind::Exists, "The statement id provided already exists");
            }
            statements.push(json!({ "Sid": input["StatementId"], "Condition": { "ArnLike": { "AWS:SourceArn": input["SourceArn"] } } }));
            done(Value::Null)
        }
        Operation::RemovePermission => {
            let (function, sid) = subject.split_once('/').unwrap();
            world.lambda.policies.entry(function.to_owned()).or_default().retain(|statement| statement["Sid"] != sid);
            done(Value::Null)
        }
        Operation::ListMappings => {
            let fits = |mapping: &&Value| ["EventSourceArn", "FunctionName"].iter().all(|name| mapping[*name] == input[*name]);
            done(json!({ "EventSourceMappings": world.lambda.mappings.values().filter(fits).collect::<Vec<_>>() }))
        }
        Operation::CreateMapping => {
            if world.lambda.mappings.values().any(|mapping| mapping["EventSourceArn"] == input["EventSourceArn"]) {
                return refuse(Kind::Exists, "An event source mapping with SQS arn already exists");
            }
            let id = format!("mapping-{}", world.lambda.mappings.len());
            let mut mapping = input.clone();
            (mapping["UUID"], mapping["State"]) = (json!(id), json!("Enabled"));
            world.lambda.mappings.insert(id, mapping);
            done(Value::Null)
        }
        Operation::UpdateMapping => {
            let mapping = world.lambda.mappings.entry(name).or_default();
            change(mapping, input);
            mapping["State"] = json!(if input["Enabled"] == false { "Disabled" } else { "Enabled" });
            done(Value::Null)
        }
        Operation::DeleteMapping => {
            world.lambda.mappings.remove(&name);
            done(Value::Null)
        }
        Operation::ListLogs | Operation::CreateLog | Operation::KeepLog | Operation::KeepLogForEver | Operation::DeleteLog => {
            logs(world, cell, operation, input)
        }
        other => schedules(world, cell, other, input),
    }
}

fn change(value: &mut Value, input: &Value) {
    for (member, given) in input.as_object().into_iter().flatten() {
        value[member] = given.clone();
    }
}

fn logs(world: &mut World, cell: &Cell, operation: Operation, input: &Value) -> Answer {
    let group = text(input, "logGroupName");
    match operation {
        Operation::ListLogs => {
            let prefix = text(input, "logGroupNamePrefix");
            let groups = world.lambda.logs.iter().filter(|(name, _)| name.starts_with(&prefix));
            let groups: Vec<Value> = groups.map(|(name, days)| json!({ "logGroupName": name, "retentionInDays": days })).collect();
            return done(json!({ "logGroups": groups }));
        }
        Operation::CreateLog => {
            if world.lambda.logs.contains_key(&group) {
                return refuse(Kind::Exists, "The specified log group already exists");
            }
            let arn = format!("arn:aws:logs:{}:{}:log-group:{group}", cell.region, cell.account);
            world.tags.insert((here(cell), Tagged::LogGroup(arn)), tags(input, "tags"));
            world.lambda.logs.insert(group, Value::Null);
        }
        Operation::KeepLog => drop(world.lambda.logs.insert(group, input["retentionInDays"].clone())),
        Operation::KeepLogForEver => drop(world.lambda.logs.insert(group, Value::Null)),
        _ => drop(world.lambda.logs.remove(&group)),
    }
    done(Value::Null)
}

fn schedules(world: &mut World, cell: &Cell, operation: Operation, input: &Value) -> Answer {
    let rule = text(input, if operation == Operation::PutSchedule { "Name" } else { "Rule" });
    let place = (here(cell), format!("default/{rule}"));
    match operation {
        Operation::ListSchedules => {
            let prefix = format!("default/{}", text(input, "NamePrefix"));
            let rules = world.rules.iter().filter(|((region, name), _)| *region == here(cell) && name.starts_with(&prefix));
            let told = |found: &ModelRule| {
                let (name, state) = (&found.rule.name, found.rule.state.as_str());
                json!({ "Name": name, "State": state, "ScheduleExpression": world.lambda.schedules.get(name) })
            };
            done(json!({ "Rules": rules.map(|(_, found)| told(found)).collect::<Vec<_>>() }))
        }
        Operation::PutSchedule => {
            let target = Target { id: String::new(), arn: String::new(), role_arn: None, dead_letter_arn: None, altered: false };
            let description = text(input, "Description");
            let made = Rule { name: rule.clone(), description, pattern: String::new(), state: RuleState::Enabled, target };
            world.lambda.schedules.insert(rule, text(input, "ScheduleExpression"));
            world.rules.entry(place).and_modify(|found| found.rule = made.clone()).or_insert(ModelRule { rule: made, targets: vec![] });
            done(Value::Null)
        }
        Operation::ListInvoked => {
            let targets = world.rules.get(&place).map(|found| found.targets.clone()).unwrap_or_default().into_iter();
            let told = targets.map(|target| json!({ "Id": target.id, "Arn": target.arn, "Input": world.lambda.inputs.get(&rule) }));
            done(json!({ "Targets": told.collect::<Vec<_>>() }))
        }
        Operation::PutInvoked => {
            let Some(found) = world.rules.get_mut(&place) else { return refuse(Kind::NotFound, "no such rule") };
            let given = &input["Targets"][0];
            world.lambda.inputs.insert(rule, given["Input"].clone());
            let target = Target { id: text(given, "Id"), arn: text(given, "Arn"), role_arn: None, dead_letter_arn: None, altered: true };
            found.targets.retain(|other| other.id != target.id);
            found.targets.push(target);
            done(json!({ "FailedEntryCount": 0, "FailedEntries": [] }))
        }
        other => refuse(Kind::Other, format!("the model does not know {other:?}")),
    }
}

/// Of an object in S3 the model takes its key for what is in it.
fn sha256(code: &Value) -> Value {
    let bytes = code["ZipFile"].as_str().and_then(|zip| STANDARD.decode(zip).ok());
    crate::resource::hub::sha256(&bytes.unwrap_or_else(|| text(code, "S3Key").into_bytes())).into()
}

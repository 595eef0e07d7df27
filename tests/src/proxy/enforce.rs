//! What AWS enforces and the emulator does not. Each check names the documented limit; requests are completed where AWS
//! fills in what was left out.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::Whole;
use super::identify::{Call, Protocol};
use super::model::{Model, Rule};
use super::refusal::Refusal;

/// EventBridge quotas: rules and wildcard rules of a bus, targets of a rule, characters of a pattern and of a name.
const RULES_PER_BUS: usize = 300;
const WILDCARD_RULES_PER_BUS: usize = 30;
const TARGETS_PER_RULE: usize = 5;
const PATTERN_LENGTH: usize = 2_048;
const NAME_LENGTH: usize = 64;
/// SQS: the name of a deleted queue is taken for 60 seconds.
const QUEUE_NAME_HOLD: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Enforcer {
    model: Mutex<Model>,
    queue_name_hold: Mutex<Duration>,
}

impl Default for Enforcer {
    fn default() -> Self {
        Self { model: Mutex::default(), queue_name_hold: Mutex::new(QUEUE_NAME_HOLD) }
    }
}

type Members = Map<String, Value>;

impl Enforcer {
    /// Sets for how long a deleted queue keeps its name.
    pub(super) fn hold_queue_names(&self, hold: Duration) {
        *self.queue_name_hold.lock().unwrap_or_else(PoisonError::into_inner) = hold;
    }

    /// The request as AWS understands it, or the error that AWS answers with.
    pub(super) fn check(&self, call: &Call, request: Whole) -> Result<Whole, Refusal> {
        let Some(mut members) = members(call, request.body()) else {
            return Ok(request);
        };
        match (call.service.as_str(), call.operation.as_str()) {
            ("events", operation) => {
                let bus = normalise_bus(&mut members);
                match operation {
                    "PutRule" => self.put_rule(call, &bus, &mut members)?,
                    "PutTargets" => self.put_targets(call, &bus, &members)?,
                    "RemoveTargets" => self.remove_targets(call, &bus, &members)?,
                    "DeleteRule" => self.delete_rule(call, &bus, &members)?,
                    "DeleteEventBus" => self.delete_event_bus(call, &members)?,
                    _ => {}
                }
            }
            ("sqs", "CreateQueue") => self.create_queue(call, &members)?,
            ("secretsmanager", "CreateSecret") => self.create_secret(call, &members)?,
            _ => return Ok(request),
        }
        let (parts, _) = request.into_parts();
        Ok(Whole::from_parts(parts, Bytes::from(Value::Object(members).to_string())))
    }

    /// Remembers what a successful call changed.
    pub(super) fn learn(&self, call: &Call, body: &[u8]) {
        let Some(mut members) = members(call, body) else {
            return;
        };
        let mut model = self.model();
        match (call.service.as_str(), call.operation.as_str()) {
            ("events", "PutRule") => {
                let bus = normalise_bus(&mut members);
                let rule = model.rules(call, &bus).entry(text(&members, "Name").to_owned()).or_default();
                rule.has_wildcard = has_wildcard(text(&members, "EventPattern"));
            }
            ("events", "PutTargets") => {
                let bus = normalise_bus(&mut members);
                if let Some(rule) = model.rules(call, &bus).get_mut(text(&members, "Rule")) {
                    rule.targets.extend(target_ids(&members).map(str::to_owned));
                }
            }
            ("events", "RemoveTargets") => {
                let bus = normalise_bus(&mut members);
                if let Some(rule) = model.rules(call, &bus).get_mut(text(&members, "Rule")) {
                    let removed = list(&members, "Ids").iter().filter_map(Value::as_str);
                    removed.for_each(|id| {
                        rule.targets.remove(id);
                    });
                }
            }
            ("events", "DeleteRule") => {
                let bus = normalise_bus(&mut members);
                model.rules(call, &bus).remove(text(&members, "Name"));
            }
            ("sqs", "DeleteQueue") => {
                let url = text(&members, "QueueUrl");
                model.queue_was_deleted(call, url.rsplit('/').next().unwrap_or(url));
            }
            ("secretsmanager", "DeleteSecret") => {
                let name = secret_name(text(&members, "SecretId"));
                match members.get("ForceDeleteWithoutRecovery") {
                    Some(Value::Bool(true)) => model.secret_is_free(call, name),
                    _ => model.secret_was_scheduled(call, name),
                }
            }
            ("secretsmanager", "RestoreSecret") => model.secret_is_free(call, secret_name(text(&members, "SecretId"))),
            _ => {}
        }
    }

    /// PutRule replaces the whole rule: what is left out is reset. Tags count only when the rule is new.
    fn put_rule(&self, call: &Call, bus: &str, members: &mut Members) -> Result<(), Refusal> {
        let name = text(members, "Name").to_owned();
        check_name("name", &name)?;
        let pattern = text(members, "EventPattern");
        if pattern.is_empty() && text(members, "ScheduleExpression").is_empty() {
            return Err(invalid("Parameter(s) EventPattern or ScheduleExpression must be specified."));
        }
        if pattern.chars().count() > PATTERN_LENGTH {
            return Err(Refusal::new("LimitExceededException", format!("The event pattern is longer than {PATTERN_LENGTH} characters.")));
        }
        let has_wildcard = has_wildcard(pattern);
        let mut model = self.model();
        let rules = model.rules(call, bus);
        let known = rules.get(&name);
        if known.is_none() && rules.len() >= RULES_PER_BUS {
            return Err(Refusal::new(
                "LimitExceededException",
                format!("The requested resource exceeds the maximum number allowed ({RULES_PER_BUS} rules)."),
            ));
        }
        let others = rules.iter().filter(|(other, rule)| **other != name && rule.has_wildcard).count();
        if has_wildcard && others >= WILDCARD_RULES_PER_BUS {
            return Err(Refusal::new(
                "LimitExceededException",
                format!("More than {WILDCARD_RULES_PER_BUS} rules of the bus have wildcards."),
            ));
        }
        if known.is_some() {
            members.remove("Tags");
        }
        for (member, default) in [("State", "ENABLED"), ("Description", ""), ("RoleArn", "")] {
            members.entry(member).or_insert_with(|| json!(default));
        }
        Ok(())
    }

    fn put_targets(&self, call: &Call, bus: &str, members: &Members) -> Result<(), Refusal> {
        let mut model = self.model();
        let known = model.rules(call, bus).get(text(members, "Rule"));
        let mut targets = known.map(|rule| rule.targets.clone()).unwrap_or_default();
        for id in target_ids(members) {
            check_name("targets.id", id)?;
            targets.insert(id.to_owned());
        }
        if targets.len() > TARGETS_PER_RULE {
            return Err(Refusal::new(
                "LimitExceededException",
                format!("The requested resource exceeds the maximum number allowed ({TARGETS_PER_RULE} targets)."),
            ));
        }
        Ok(())
    }

    fn remove_targets(&self, call: &Call, bus: &str, members: &Members) -> Result<(), Refusal> {
        let name = text(members, "Rule");
        match self.model().rules(call, bus).contains_key(name) {
            true => Ok(()),
            false => Err(Refusal::new("ResourceNotFoundException", format!("Rule {name} does not exist on EventBus {bus}."))),
        }
    }

    fn delete_rule(&self, call: &Call, bus: &str, members: &Members) -> Result<(), Refusal> {
        let mut model = self.model();
        let known = model.rules(call, bus).get(text(members, "Name"));
        if known.is_some_and(|rule: &Rule| !rule.targets.is_empty()) {
            return Err(invalid("Rule can't be deleted since it has targets."));
        }
        Ok(())
    }

    fn delete_event_bus(&self, call: &Call, members: &Members) -> Result<(), Refusal> {
        match self.model().rules(call, text(members, "Name")).is_empty() {
            true => Ok(()),
            false => Err(invalid("EventBus can't be deleted since it has rules.")),
        }
    }

    fn create_queue(&self, call: &Call, members: &Members) -> Result<(), Refusal> {
        let hold = *self.queue_name_hold.lock().unwrap_or_else(PoisonError::into_inner);
        match self.model().is_queue_name_held(call, text(members, "QueueName"), hold) {
            false => Ok(()),
            true => Err(Refusal::new(
                "AWS.SimpleQueueService.QueueDeletedRecently",
                "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
            )),
        }
    }

    fn create_secret(&self, call: &Call, members: &Members) -> Result<(), Refusal> {
        match self.model().is_secret_scheduled(call, text(members, "Name")) {
            false => Ok(()),
            true => Err(Refusal::new(
                "InvalidRequestException",
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            )),
        }
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn members(call: &Call, body: &[u8]) -> Option<Members> {
    match (call.protocol, serde_json::from_slice(body)) {
        (Protocol::Json, Ok(Value::Object(members))) => Some(members),
        _ => None,
    }
}

/// AWS takes the name or the ARN of a bus; the emulator the name alone.
fn normalise_bus(members: &mut Members) -> String {
    let given = text(members, "EventBusName");
    if given.is_empty() {
        return "default".to_owned();
    }
    let name = given.rsplit_once(":event-bus/").map_or(given, |(_, name)| name).to_owned();
    members.insert("EventBusName".to_owned(), json!(name));
    name
}

/// A secret's ARN ends in its name, a hyphen and six letters.
fn secret_name(id: &str) -> &str {
    let name = id.rsplit_once(":secret:").map(|(_, name)| name);
    name.map_or(id, |name| name.get(..name.len().saturating_sub(7)).unwrap_or(name))
}

fn check_name(member: &str, name: &str) -> Result<(), Refusal> {
    let constraint = if name.is_empty() {
        "Member must have length greater than or equal to 1"
    } else if name.chars().count() > NAME_LENGTH {
        "Member must have length less than or equal to 64"
    } else if !name.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-_".contains(letter)) {
        "Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+"
    } else {
        return Ok(());
    };
    Err(invalid(format!("1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: {constraint}")))
}

fn has_wildcard(pattern: &str) -> bool {
    pattern.contains("\"wildcard\"")
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("ValidationException", message)
}

fn text<'a>(members: &'a Members, name: &str) -> &'a str {
    members.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(members: &'a Members, name: &str) -> &'a [Value] {
    members.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn target_ids(members: &Members) -> impl Iterator<Item = &str> {
    list(members, "Targets").iter().filter_map(|target| target.get("Id")?.as_str())
}

//! The hub's Lambda function with everything that belongs to it: looked at, and repaired where that is asked for. In the order in which it must be made: role,
//! log, function, schedule, mapping.

use serde_json::{Value, json};
use trailwire_engine::fanout::function::{SWEEP_EVERY, SWEEP_INPUT, SWEEP_STATEMENT, difference, lets_sweep};
use trailwire_engine::fanout::names::TARGET_ID;
use trailwire_engine::fanout::objects::Role;

use super::home::{Home, Reasons};
use super::lambda::Lambda;
use super::made::{Part, Thing};
use crate::apply::rules::delete_rule;
use crate::cloud::call::{DEFAULT_BUS, FunctionOperation as Operation, Tagged};
use crate::cloud::error::{CloudError, CloudResult, Kind};
use crate::resource::destination::policy::put_all;

impl Home<'_> {
    /// The function and all that belongs to it. The queue must be there.
    pub(super) async fn function(&self, lambda: &Lambda) -> CloudResult<Reasons> {
        let role = Role::function(self.hub, !self.settings.query_operations.is_empty(), self.settings.permissions_boundary.clone());
        let (role, is_new) = self.one_role(self.hub.home(), &role).await?;
        if is_new && self.repairs() {
            self.made.note(Thing::Function(Part::Role));
            put_all(self.session, self.hub).await.map_err(|error| error.in_cell(self.hub.home()))?;
        }
        let log = self.log(lambda).await?;
        let code = self.code_and_settings(lambda).await?;
        let schedule = self.schedule().await?;
        let mapping = self.mapping(lambda).await?;
        Ok([role, log, code, schedule, mapping].concat())
    }

    /// What of it has tags.
    pub(super) fn tagged_function(&self) -> [Tagged; 4] {
        [
            Tagged::Function(self.hub.function_arn()),
            Tagged::LogGroup(self.hub.log_group_arn()),
            Tagged::Events(self.hub.sweep_rule_arn()),
            Tagged::Role(self.hub.runtime_role_name()),
        ]
    }

    async fn ask(&self, operation: Operation, subject: &str, input: Value) -> CloudResult<Value> {
        self.session.function(self.hub.home(), operation, subject, input).await
    }

    fn refused(&self, message: String) -> CloudError {
        CloudError::ours(Kind::Other, self.hub.home(), message)
    }

    async fn log(&self, lambda: &Lambda) -> CloudResult<Reasons> {
        let name = self.hub.log_group_name();
        let listed = self.ask(Operation::ListLogs, "", json!({ "logGroupNamePrefix": name })).await?;
        let groups = listed.get("logGroups").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let found = groups.iter().find(|group| group.get("logGroupName").and_then(Value::as_str) == Some(name.as_str()));
        let wanted = Some(lambda.function.log_retention_in_days).filter(|days| *days > 0);
        let kept = found.and_then(|group| group.get("retentionInDays")?.as_u64());
        let mut reasons = Reasons::new();
        if found.is_none() {
            reasons.push(format!("log group {name} is missing"));
            if self.repairs() {
                self.made.note(Thing::Function(Part::Log));
                let input = json!({ "logGroupName": name, "tags": self.all_tags() });
                match self.ask(Operation::CreateLog, "", input).await {
                    Err(error) if error.kind == Kind::Exists => {}
                    other => drop(other?),
                }
            }
        } else if kept != wanted.map(u64::from) {
            reasons.push(format!("log group {name} keeps what it has for another time"));
        }
        if !reasons.is_empty() && self.repairs() {
            match wanted {
                Some(days) => drop(self.ask(Operation::KeepLog, "", json!({ "logGroupName": name, "retentionInDays": days })).await?),
                None if kept.is_some() => drop(self.ask(Operation::KeepLogForEver, "", json!({ "logGroupName": name })).await?),
                None => {}
            }
        }
        Ok(reasons)
    }

    async fn code_and_settings(&self, lambda: &Lambda) -> CloudResult<Reasons> {
        let (name, wanted) = (self.hub.function_name(), lambda.function.settings(self.hub));
        let architectures = json!([lambda.function.architecture]);
        let found = self.ask(Operation::Get, &name, Value::Null).await?;
        let mut reasons = Reasons::new();
        match found.get("Configuration") {
            None => {
                reasons.push(format!("function {name} is missing"));
                if self.repairs() {
                    self.made.note(Thing::Function(Part::Code));
                    let more = json!({ "FunctionName": name, "Architectures": architectures, "Code": self.code(lambda)?, "PackageType": "Zip",
                        "Tags": self.all_tags() });
                    let made = self.ask(Operation::Create, "", joined(&wanted, &more)).await?;
                    self.is_ready(lambda, &made).await?;
                }
            }
            Some(there) => {
                let is = |member: &str, wanted: &Value| there.get(member) == Some(wanted);
                if !is("CodeSha256", &json!(lambda.code_sha256)) || !is("Architectures", &architectures) {
                    reasons.push(format!("function {name} runs another package"));
                    if self.repairs() {
                        let changed = joined(&self.code(lambda)?, &json!({ "Architectures": architectures }));
                        let made = self.ask(Operation::UpdateCode, &name, changed).await?;
                        if let Err(error) = self.is_what_was_meant(lambda, &made) {
                            // It runs already, and must not be given events: they wait in the queue until a package is applied that is what was meant.
                            self.stop_feeding().await?;
                            return Err(error);
                        }
                        self.is_ready(lambda, &made).await?;
                    }
                }
                if let Some(differing) = difference(&wanted, there) {
                    reasons.push(format!("function {name} differs in {differing}"));
                    if self.repairs() {
                        self.ask(Operation::UpdateSettings, &name, wanted).await?;
                        self.is_ready(lambda, &Value::Null).await?;
                    }
                }
            }
        }
        let reserved = lambda.function.reserved_concurrent_executions;
        let kept = found.pointer("/Concurrency/ReservedConcurrentExecutions").and_then(Value::as_u64);
        if kept != reserved.map(u64::from) {
            if reasons.is_empty() {
                reasons.push(format!("function {name} has other reserved invocations"));
            }
            if self.repairs() {
                match reserved {
                    Some(most) => self.ask(Operation::PutConcurrency, &name, json!({ "ReservedConcurrentExecutions": most })).await?,
                    None => self.ask(Operation::DeleteConcurrency, &name, Value::Null).await?,
                };
            }
        }
        Ok(reasons)
    }

    fn code(&self, lambda: &Lambda) -> CloudResult<Value> {
        lambda.code().map_err(|reason| self.refused(reason))
    }

    fn is_what_was_meant(&self, lambda: &Lambda, made: &Value) -> CloudResult<()> {
        let hash = made.get("CodeSha256").and_then(Value::as_str);
        hash.map_or(Ok(()), |hash| lambda.check_hash(hash).map_err(|reason| self.refused(reason)))
    }

    async fn stop_feeding(&self) -> CloudResult<()> {
        for mapping in self.mappings().await? {
            let id = mapping.get("UUID").and_then(Value::as_str).unwrap_or_default();
            self.ask(Operation::UpdateMapping, id, json!({ "Enabled": false })).await?;
        }
        Ok(())
    }

    /// Waits until a function takes the next change, and checks that what it was given is what was meant.
    async fn is_ready(&self, lambda: &Lambda, made: &Value) -> CloudResult<()> {
        let name = self.hub.function_name();
        self.is_what_was_meant(lambda, made)?;
        loop {
            let found = self.ask(Operation::Get, &name, Value::Null).await?;
            let text = |member: &str| found.pointer(&format!("/Configuration/{member}")).and_then(Value::as_str);
            match (text("State"), text("LastUpdateStatus")) {
                (Some("Failed"), _) | (_, Some("Failed")) => {
                    let reason = text("StateReason").or(text("LastUpdateStatusReason")).unwrap_or("no reason is told");
                    return Err(self.refused(format!("function {name} can not be used: {reason}")));
                }
                (Some("Pending"), _) | (_, Some("InProgress")) => {}
                _ => return Ok(()),
            }
            self.session.wait(self.hub.home(), self.session.timing().poll, &format!("function {name} to be ready")).await?;
        }
    }

    /// The rule that asks the function for a sweep, its leave to do so, and the rule's target.
    async fn schedule(&self) -> CloudResult<Reasons> {
        let (rule, function) = (self.hub.sweep_rule_name(), self.hub.function_name());
        let mut reasons = Reasons::new();
        let listed = self.ask(Operation::ListSchedules, "", json!({ "NamePrefix": rule, "EventBusName": DEFAULT_BUS })).await?;
        let wanted = json!({ "Name": rule, "ScheduleExpression": SWEEP_EVERY, "State": "ENABLED" });
        if !entries(&listed, "Rules").iter().any(|found| difference(&wanted, found).is_none()) {
            reasons.push(format!("rule {rule} is missing, or has another schedule"));
            if self.repairs() {
                if entries(&listed, "Rules").iter().all(|found| found.get("Name") != wanted.get("Name")) {
                    self.made.note(Thing::Function(Part::Schedule));
                }
                let tags: Vec<Value> = self.all_tags().iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
                let about = json!({ "Description": format!("Trailwire: has the runtime of hub {} look for what is due", self.hub.name()), "Tags": tags });
                self.ask(Operation::PutSchedule, "", joined(&wanted, &about)).await?;
            }
        }
        let policy = self.ask(Operation::GetPolicy, &function, Value::Null).await?;
        if !policy.get("Policy").and_then(Value::as_str).is_some_and(|policy| lets_sweep(self.hub, policy)) {
            reasons.push(format!("function {function} may not be invoked by rule {rule}"));
            if self.repairs() {
                self.ask(Operation::RemovePermission, &format!("{function}/{SWEEP_STATEMENT}"), Value::Null).await?;
                let leave = json!({ "StatementId": SWEEP_STATEMENT, "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com",
                    "SourceArn": self.hub.sweep_rule_arn() });
                self.ask(Operation::AddPermission, &function, leave).await?;
            }
        }
        let target = json!({ "Id": TARGET_ID, "Arn": self.hub.function_arn(), "Input": SWEEP_INPUT });
        let invoked = self.ask(Operation::ListInvoked, "", json!({ "Rule": rule, "EventBusName": DEFAULT_BUS })).await?;
        if !entries(&invoked, "Targets").iter().any(|found| difference(&target, found).is_none()) {
            reasons.push(format!("rule {rule} invokes something else"));
            if self.repairs() {
                self.ask(Operation::PutInvoked, "", json!({ "Rule": rule, "EventBusName": DEFAULT_BUS, "Targets": [target] })).await?;
            }
        }
        Ok(reasons)
    }

    /// The mapping by which the queue feeds the function.
    async fn mapping(&self, lambda: &Lambda) -> CloudResult<Reasons> {
        let (found, queue) = (self.mappings().await?, self.hub.queue_name());
        let (wanted, switch) = (lambda.function.mapping(), json!({ "Enabled": true }));
        let Some(found) = found.first() else {
            if self.repairs() {
                self.made.note(Thing::Function(Part::Mapping));
                let between =
                    json!({ "EventSourceArn": self.hub.queue_arn(self.hub.home(), &queue), "FunctionName": self.hub.function_name() });
                self.ask(Operation::CreateMapping, "", joined(&joined(&wanted, &switch), &between)).await?;
            }
            return Ok(vec![format!("queue {queue} does not feed the function")]);
        };
        let is_off = matches!(found.get("State").and_then(Value::as_str), Some("Disabled" | "Disabling"));
        let reason = match difference(&wanted, found) {
            Some(differing) => format!("what feeds the function differs in {differing}"),
            None if is_off => "what feeds the function is switched off".to_owned(),
            None => return Ok(Reasons::new()),
        };
        if self.repairs() {
            let id = found.get("UUID").and_then(Value::as_str).unwrap_or_default();
            self.ask(Operation::UpdateMapping, id, joined(&wanted, &switch)).await?;
        }
        Ok(vec![reason])
    }

    async fn mappings(&self) -> CloudResult<Vec<Value>> {
        let (queue, function) = (self.hub.queue_arn(self.hub.home(), &self.hub.queue_name()), self.hub.function_name());
        let listed = self.ask(Operation::ListMappings, "", json!({ "EventSourceArn": queue, "FunctionName": function })).await?;
        let stays = |found: &&Value| found.get("State").and_then(Value::as_str) != Some("Deleting");
        Ok(entries(&listed, "EventSourceMappings").iter().filter(stays).cloned().collect())
    }

    /// Removes what `goes` of the function and all that belongs to it: first what invokes it.
    pub(super) async fn remove_function(&self, goes: impl Fn(Part) -> bool) -> CloudResult<()> {
        let (cell, name) = (self.hub.home(), self.hub.function_name());
        if goes(Part::Mapping) {
            for mapping in self.mappings().await? {
                let id = mapping.get("UUID").and_then(Value::as_str).unwrap_or_default();
                self.ask(Operation::DeleteMapping, id, Value::Null).await?;
            }
        }
        if goes(Part::Schedule) {
            match delete_rule(self.session, cell, DEFAULT_BUS, &self.hub.sweep_rule_name()).await {
                Err(error) if error.kind == Kind::NotFound => {}
                other => other?,
            }
        }
        if goes(Part::Code) {
            self.ask(Operation::Delete, &name, Value::Null).await?;
        }
        if goes(Part::Log) {
            self.ask(Operation::DeleteLog, "", json!({ "logGroupName": self.hub.log_group_name() })).await?;
        }
        if goes(Part::Role) {
            let role = self.hub.runtime_role_name();
            let policies = self.session.list_role_policies(cell, &role).await?;
            self.remove_role(cell, &role, policies.iter().map(String::as_str)).await?;
        }
        Ok(())
    }
}

fn entries<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn joined(one: &Value, other: &Value) -> Value {
    let members = [one, other].into_iter().filter_map(Value::as_object).flatten();
    Value::Object(members.map(|(name, value)| (name.clone(), value.clone())).collect())
}

//! The Lambda function of a hub that has one: what is wrong with it, with what feeds it and with what asks it for a sweep.

use serde_json::Value;
use trailwire_engine::fanout::function::{Function, SWEEP_EVERY, SWEEP_INPUT, difference, lets_sweep};
use trailwire_engine::fanout::names::Hub;

use super::{DEFAULT_BUS, Look, Unread, unread};
use crate::destination::{Sender, percent};
use crate::secrets::Secrets;

/// What Lambda and EventBridge have.
#[derive(Debug, Default)]
struct Found {
    /// What `GetFunction` tells.
    function: Option<Value>,
    /// Who may invoke it.
    policy: Option<Value>,
    /// What `ListEventSourceMappings` tells of the hub's queue and it.
    mappings: Value,
    /// The rule that asks for a sweep: its schedule and its state.
    schedule: Option<(String, String)>,
    /// What that rule invokes, with what.
    invoked: Vec<(String, String)>,
}

impl Look {
    /// What is wrong with the function; nothing where the hub has none.
    pub(super) async fn function(&self) -> Vec<String> {
        let Some(wanted) = Function::stored(self.settings.as_deref()) else { return vec![] };
        match self.found().await {
            Ok(found) => problems(&self.hub, &wanted, &found),
            Err(unread) => vec![unread],
        }
    }

    async fn found(&self) -> Result<Found, Unread> {
        let name = self.hub.function_name();
        let sender = Sender::new(Secrets::with(&self.config)).map_err(|error| error.to_string())?;
        let ask = async |path: &str| sender.ask_lambda(path).await.map_err(|reason| format!("function {name} can not be read: {reason}"));
        let function = format!("/2015-03-31/functions/{}", percent(&name));
        let queue = self.hub.queue_arn(self.hub.home(), &self.hub.queue_name());
        let mappings = format!("/2015-03-31/event-source-mappings/?EventSourceArn={}&FunctionName={}", percent(&queue), percent(&name));
        let (events, rule) = (self.events(self.hub.home(), &self.config), self.hub.sweep_rule_name());
        let listed = events.list_rules().event_bus_name(DEFAULT_BUS).name_prefix(&rule).send().await;
        let listed = listed.map_err(unread(&format!("rule {rule}")))?.rules.unwrap_or_default();
        let schedule = listed.into_iter().find(|found| found.name.as_deref() == Some(&rule)).map(|found| {
            let state = found.state.map(|state| state.as_str().to_owned());
            (found.schedule_expression.unwrap_or_default(), state.unwrap_or_default())
        });
        let mut invoked = Vec::new();
        if schedule.is_some() {
            let targets = events.list_targets_by_rule().event_bus_name(DEFAULT_BUS).rule(&rule).send().await;
            let targets = targets.map_err(unread(&format!("what rule {rule} invokes")))?.targets.unwrap_or_default();
            invoked.extend(targets.into_iter().map(|target| (target.arn, target.input.unwrap_or_default())));
        }
        Ok(Found {
            function: ask(&function).await?,
            policy: ask(&format!("{function}/policy")).await?,
            mappings: ask(&mappings).await?.unwrap_or_default(),
            schedule,
            invoked,
        })
    }
}

fn problems(hub: &Hub, wanted: &Function, found: &Found) -> Vec<String> {
    let (name, rule) = (hub.function_name(), hub.sweep_rule_name());
    let mut problems = Vec::new();
    match found.function.as_ref().and_then(|function| function.get("Configuration")) {
        None => problems.push(format!("function {name} is missing")),
        Some(there) => {
            problems.extend(difference(&wanted.settings(hub), there).map(|differing| format!("function {name} differs in {differing}")));
            let text = |member: &str| there.get(member).and_then(Value::as_str);
            if text("State") == Some("Failed") {
                problems.push(format!("function {name} can not be used: {}", text("StateReason").unwrap_or("no reason is told")));
            }
        }
    }
    let mappings = found.mappings.get("EventSourceMappings").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let state = |mapping: &Value| mapping.get("State").and_then(Value::as_str).unwrap_or_default().to_owned();
    match mappings.iter().find(|mapping| state(mapping) != "Deleting") {
        None => problems.push(format!("queue {} does not feed function {name}", hub.queue_name())),
        Some(mapping) => {
            let differing = difference(&wanted.mapping(), mapping);
            problems.extend(differing.map(|differing| format!("what feeds function {name} differs in {differing}")));
            if ["Disabled", "Disabling"].contains(&state(mapping).as_str()) {
                problems.push(format!("what feeds function {name} is switched off"));
            }
        }
    }
    match &found.schedule {
        None => problems.push(format!("rule {rule} is missing: nobody asks function {name} for a sweep")),
        Some((schedule, state)) if schedule != SWEEP_EVERY || state != "ENABLED" => {
            problems.push(format!("rule {rule} has the schedule `{schedule}` and is {state}, not `{SWEEP_EVERY}` and ENABLED"));
        }
        Some(_) => {
            let is_it = |(arn, input): &(String, String)| *arn == hub.function_arn() && input == SWEEP_INPUT;
            if !found.invoked.iter().any(is_it) {
                problems.push(format!("rule {rule} does not invoke function {name}"));
            }
        }
    }
    let policy = found.policy.as_ref().and_then(|policy| policy.get("Policy")).and_then(Value::as_str).unwrap_or_default();
    if found.function.is_some() && !lets_sweep(hub, policy) {
        problems.push(format!("function {name} may not be invoked by rule {rule}"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use trailwire_engine::fanout::function::SWEEP_STATEMENT;
    use trailwire_engine::fanout::names::Cell;

    use super::*;

    fn wanted() -> Function {
        Function {
            memory_size: 256,
            timeout: 60,
            architecture: "arm64".to_owned(),
            reserved_concurrent_executions: None,
            maximum_concurrency: 10,
            log_retention_in_days: 30,
        }
    }

    fn sound(hub: &Hub) -> Found {
        let mut mapping = wanted().mapping();
        mapping["State"] = json!("Enabled");
        let leave = json!({"Statement": [{"Sid": SWEEP_STATEMENT, "Condition": {"ArnLike": {"AWS:SourceArn": hub.sweep_rule_arn()}}}]});
        Found {
            function: Some(json!({"Configuration": wanted().settings(hub)})),
            policy: Some(json!({"Policy": leave.to_string()})),
            mappings: json!({"EventSourceMappings": [mapping]}),
            schedule: Some((SWEEP_EVERY.to_owned(), "ENABLED".to_owned())),
            invoked: vec![(hub.function_arn(), SWEEP_INPUT.to_owned())],
        }
    }

    #[test]
    fn what_keeps_a_function_from_its_work_is_told() {
        let hub = Hub::new("security", Cell::new("111122223333", "eu-west-1"));
        assert_eq!(problems(&hub, &wanted(), &sound(&hub)), [""; 0]);
        let mut broken = sound(&hub);
        let configuration = &mut broken.function.as_mut().unwrap()["Configuration"];
        (configuration["Timeout"], configuration["State"], configuration["StateReason"]) = (json!(3), json!("Failed"), json!("no role"));
        broken.mappings["EventSourceMappings"][0]["State"] = json!("Disabled");
        broken.mappings["EventSourceMappings"][0]["BatchSize"] = json!(1);
        (broken.schedule, broken.policy) = (Some(("rate(1 day)".to_owned(), "DISABLED".to_owned())), None);
        let name = hub.function_name();
        let rule = hub.sweep_rule_name();
        let expected = [
            format!("function {name} differs in Timeout"),
            format!("function {name} can not be used: no role"),
            format!("what feeds function {name} differs in BatchSize"),
            format!("what feeds function {name} is switched off"),
            format!("rule {rule} has the schedule `rate(1 day)` and is DISABLED, not `{SWEEP_EVERY}` and ENABLED"),
            format!("function {name} may not be invoked by rule {rule}"),
        ];
        assert_eq!(problems(&hub, &wanted(), &broken), expected);
        let invoked = Found { invoked: vec![(hub.function_arn(), "{}".to_owned())], ..sound(&hub) };
        assert_eq!(problems(&hub, &wanted(), &invoked), [format!("rule {rule} does not invoke function {name}")]);
        let expected = [
            format!("function {name} is missing"),
            format!("queue {} does not feed function {name}", hub.queue_name()),
            format!("rule {rule} is missing: nobody asks function {name} for a sweep"),
        ];
        assert_eq!(problems(&hub, &wanted(), &Found::default()), expected);
    }
}

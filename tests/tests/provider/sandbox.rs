//! A hub and a trigger in an account of their own, and what Terraform would do with them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use trailwire_tests::control::{Control, Matcher};
use trailwire_tests::leftovers;
use trailwire_tests::plugin::{Answer, Planned, Plugin, State};
use trailwire_tests::process;
use trailwire_tests::stand::Stand;

pub(crate) const HOME: &str = "us-east-1";
/// The regions of the hub, in order, as Terraform sends sets. Faults strike in the one that is not home.
pub(crate) const REGIONS: [&str; 2] = [AWAY, HOME];
pub(crate) const AWAY: &str = "eu-west-1";
pub(crate) const HUB: &str = "trailwire_hub";
pub(crate) const TRIGGER: &str = "trailwire_trigger";
pub(crate) const FORWARDER: &str = "trailwire_forwarder";
pub(crate) const DESTINATION: &str = "trailwire_destination";

/// The resources, by type: what Terraform knows of them.
pub(crate) type States = BTreeMap<&'static str, State>;

pub(crate) struct Sandbox {
    pub(crate) stand: &'static Stand,
    pub(crate) account: String,
    pub(crate) states: States,
}

pub(crate) fn hub(regions: &[&str], team: &str) -> Value {
    json!({ "name": "security", "regions": regions, "tags": { "team": team }, "force_destroy": true })
}

/// A trigger that needs one rule, or two: its names fit into no fewer patterns.
pub(crate) fn trigger(rules: usize, first: &str) -> Value {
    let names = (0..rules * 60 - 59).map(|number| format!("{first}{number:040}"));
    json!({ "hub": "security", "name": "a", "event_names": names.collect::<Vec<_>>(), "action": [{ "send": [{ "destination": "d" }] }] })
}

impl Sandbox {
    pub(crate) async fn new() -> Self {
        let stand = Stand::shared();
        stand.control().hold_queue_names(Duration::ZERO).await;
        Self { stand, account: stand.new_account(), states: States::new() }
    }

    pub(crate) fn control(&self) -> &Control {
        self.stand.control()
    }

    pub(crate) fn calls(&self, service: &str, operation: &str) -> Matcher {
        Matcher::operation(service, operation).by(&self.account)
    }

    /// A new process of the provider, as each command of Terraform has one.
    pub(crate) async fn provider(&self) -> Plugin {
        self.provider_with(&json!({ "region": HOME })).await
    }

    /// The same with another provider block.
    pub(crate) async fn provider_with(&self, block: &Value) -> Plugin {
        let mut environment = self.stand.environment(&self.account, HOME);
        environment.push(("TRAILWIRE_LEASE_SECONDS".to_owned(), "1".to_owned()));
        let provider = process::built("terraform-provider-trailwire");
        Plugin::start(&provider, &environment, block).await.expect("the provider starts")
    }

    pub(crate) fn state(&self, resource: &'static str) -> State {
        self.states.get(resource).cloned().unwrap_or_default()
    }

    /// Plans and applies in a process of its own, and keeps the state, whatever came of it.
    pub(crate) async fn apply(&mut self, resource: &'static str, config: &Value) -> Answer {
        let provider = self.provider().await;
        let answer = self.apply_with(&provider, resource, config).await;
        provider.end().await;
        answer
    }

    /// The same with a provider that runs.
    pub(crate) async fn apply_with(&mut self, provider: &Plugin, resource: &'static str, config: &Value) -> Answer {
        let planned = self.plan_with(provider, resource, config).await;
        self.carry_out(provider, resource, planned).await
    }

    pub(crate) async fn plan_with(&self, provider: &Plugin, resource: &'static str, config: &Value) -> Planned {
        provider.plan(resource, &self.state(resource), config).await.expect("the provider answers")
    }

    pub(crate) async fn carry_out(&mut self, provider: &Plugin, resource: &'static str, planned: Planned) -> Answer {
        let answer = provider.carry_out(planned).await.expect("the provider answers");
        self.states.insert(resource, answer.state.clone());
        answer
    }

    /// What `terraform apply` does after one that failed: what is tainted is replaced, and what exists is refreshed first.
    pub(crate) async fn apply_again(&mut self, resource: &'static str, config: &Value, is_tainted: bool) {
        let provider = self.provider().await;
        self.refresh_with(&provider, resource).await;
        if is_tainted && !self.state(resource).is_none() {
            self.apply_with(&provider, resource, &Value::Null).await.ok();
        }
        self.apply_with(&provider, resource, config).await.ok();
        provider.end().await;
    }

    /// A process refreshes before it changes anything.
    pub(crate) async fn refresh_with(&mut self, provider: &Plugin, resource: &'static str) {
        let state = self.state(resource);
        if !state.is_none() {
            let read = provider.read(resource, &state).await.expect("the provider answers");
            self.states.insert(resource, read.ok());
        }
    }

    /// Asserts that a refresh and a plan find nothing to do, with a provider that has changed nothing yet.
    pub(crate) async fn assert_settled_with(&mut self, provider: &Plugin, resource: &'static str, config: &Value) {
        self.refresh_with(provider, resource).await;
        let read = self.state(resource);
        let plan = self.plan_with(provider, resource, config).await.told().clone().ok();
        assert_eq!(plan.attributes(), read.attributes(), "the plan of {resource} is not empty in {}", self.account);
    }

    /// How many rules of triggers each region has; all rules send to the hub's bus.
    pub(crate) async fn rules(&self) -> Vec<usize> {
        let mut counts = Vec::new();
        for region in REGIONS {
            let rules = leftovers::rules(self.stand, &self.account, region, "default").await;
            counts.push(rules.iter().filter(|rule| !leftovers::is_canary(rule)).count());
            let events = aws_sdk_eventbridge::Client::new(&self.stand.sdk(&self.account, region).await);
            for rule in rules {
                let name = rule.name().unwrap_or_default();
                let targets =
                    events.list_targets_by_rule().rule(name).send().await.expect("targets are listed").targets.unwrap_or_default();
                assert!(
                    targets.len() == 1 && targets[0].arn().ends_with("event-bus/trailwire-security"),
                    "{name} in {region}: {targets:?}"
                );
            }
        }
        counts
    }

    pub(crate) async fn leftovers(&self) -> Vec<String> {
        leftovers::of(self.stand, &self.account, &REGIONS).await
    }
}

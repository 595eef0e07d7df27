//! A small Terraform for tests of resources: plans, applies, reads and imports as the real one does, against AWS in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use trailwire_engine::diagnostic::{Diagnostic, any_error};
use trailwire_engine::fanout::names::Cell;

use super::{
    ApplyRequest, ApplyResponse, ImportRequest, PlanRequest, PlanResponse, Progress, ReadRequest, ReadResponse, Resource, ValidateRequest,
};
use crate::cloud::Cloud;
use crate::cloud::call::Call;
use crate::cloud::model::Model;
use crate::cloud::retry::Timing;
use crate::config::ProviderConfig;
use crate::context::Context;
use crate::schema::{Attribute, Block, conform};
use crate::value::Dynamic;

/// One user with one AWS account.
pub(crate) struct Bench {
    pub(crate) model: Model,
    pub(crate) stop: CancellationToken,
    /// The provider block.
    pub(crate) provider: Value,
    /// An argument of it that is not known yet.
    pub(crate) unknown: Option<&'static str>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { model: Model::default(), stop: CancellationToken::new(), provider: Value::Null, unknown: None }
    }

    /// A new process of the provider.
    pub(crate) fn context(&self) -> Context {
        let mut provider = dynamic(&self.provider);
        if let Some(name) = self.unknown {
            provider = if provider.is_null() { Dynamic::object([("", Dynamic::Null); 0]) } else { provider };
            provider.set(name, Dynamic::Unknown);
        }
        let config = Arc::new(ProviderConfig::parse(&provider).unwrap());
        let cloud = Arc::new(Cloud::with_door(Arc::clone(&config), Arc::new(self.model.clone()), Timing::fast()));
        Context { cloud, config, shared: Arc::default() }
    }

    pub(crate) async fn plan(&self, resource: &dyn Resource, prior: &Dynamic, config: &Dynamic) -> PlanResponse {
        let block = resource.schema().block;
        let wrong = resource.validate(&ValidateRequest { config: config.clone() });
        assert!(!any_error(&wrong), "{wrong:?}");
        let request = PlanRequest {
            prior: prior.clone(),
            proposed: conform::without_write_only(proposed(&block, config, prior), &block),
            config: config.clone(),
            private: Vec::new(),
            stop: self.stop.clone(),
        };
        let mut response = resource.plan(&self.context(), request).await;
        response.planned = conform::without_write_only(response.planned, &block);
        response
    }

    /// Plans and applies. `config` is null to destroy.
    pub(crate) async fn apply(&self, resource: &dyn Resource, prior: &Dynamic, config: &Value) -> ApplyResponse {
        let block = resource.schema().block;
        let config = self.config(resource, config);
        let planned = if config.is_null() {
            Dynamic::Null
        } else {
            let plan = self.plan(resource, prior, &config).await;
            assert!(!any_error(&plan.diagnostics), "{:?}", plan.diagnostics);
            assert_eq!(plan.requires_replace, [], "a replacement is planned");
            plan.planned
        };
        let progress = Progress::default();
        let request =
            ApplyRequest { prior: prior.clone(), planned: planned.clone(), config, private: Vec::new(), stop: self.stop.clone(), progress };
        let mut response = resource.apply(&self.context(), request).await;
        if !any_error(&response.diagnostics) {
            assert!(response.state.is_wholly_known(), "{:?}", response.state);
            assert_planned(&planned, &response.state);
        }
        response.state = conform::conform(response.state, &block);
        response
    }

    /// Applies and is killed in the n-th call, once it is carried out. How many calls were made where nobody was killed: one more
    /// for each renewal of a lease, of which a slow machine needs some.
    pub(crate) async fn kill_in(&self, resource: &dyn Resource, moment: usize, prior: &Dynamic, config: &Value) -> usize {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        self.kill_when(resource, prior, config, move |_, _| counted.fetch_add(1, Ordering::Relaxed) + 1 == moment).await;
        count.load(Ordering::Relaxed)
    }

    /// Applies and is killed in the call that this is true of, once it is carried out. Whether there was one.
    pub(crate) async fn kill_when(
        &self,
        resource: &dyn Resource,
        prior: &Dynamic,
        config: &Value,
        is_last: impl Fn(&Cell, &Call) -> bool + Send + 'static,
    ) -> bool {
        let reached = Arc::new(Notify::new());
        let notify = Arc::clone(&reached);
        self.model.fail(move |cell, call| {
            if is_last(cell, call) {
                notify.notify_one();
            }
            None
        });
        let killed = tokio::select! {
            biased;
            () = reached.notified() => true,
            done = self.apply(resource, prior, config) => { drop(done); false }
        };
        self.model.heal();
        killed
    }

    /// Applies what must succeed, and checks that the next plan is empty.
    pub(crate) async fn ok(&self, resource: &dyn Resource, prior: &Dynamic, config: &Value) -> Dynamic {
        let response = self.apply(resource, prior, config).await;
        assert!(!any_error(&response.diagnostics), "{:?}", response.diagnostics);
        if !config.is_null() {
            self.settled(resource, &response.state, config).await;
        }
        response.state
    }

    /// Applies what must fail, and returns the errors as the user reads them.
    pub(crate) async fn fails(&self, resource: &dyn Resource, prior: &Dynamic, config: &Value) -> (Dynamic, String) {
        let response = self.apply(resource, prior, config).await;
        assert!(any_error(&response.diagnostics), "nothing failed");
        (response.state, drawn(&response.diagnostics))
    }

    pub(crate) async fn read(&self, resource: &dyn Resource, state: &Dynamic) -> ReadResponse {
        let request = ReadRequest { state: state.clone(), private: Vec::new(), stop: self.stop.clone() };
        let mut response = super::read(resource, &self.context(), request).await;
        response.state = conform::conform(response.state, &resource.schema().block);
        response
    }

    /// Refreshes and plans: nothing may be left to do. Returns the refreshed state.
    pub(crate) async fn settled(&self, resource: &dyn Resource, state: &Dynamic, config: &Value) -> Dynamic {
        let read = self.read(resource, state).await;
        assert_eq!(drawn(&read.diagnostics), "");
        let plan = self.plan(resource, &read.state, &self.config(resource, config)).await;
        assert_eq!(plan.planned, read.state, "the plan is not empty");
        read.state
    }

    pub(crate) async fn import(&self, resource: &dyn Resource, id: &str) -> Result<Dynamic, String> {
        let response = resource.import(&self.context(), ImportRequest { id: id.to_owned(), stop: self.stop.clone() }).await;
        if any_error(&response.diagnostics) {
            Err(drawn(&response.diagnostics))
        } else {
            Ok(conform::conform(response.state, &resource.schema().block))
        }
    }

    /// A configuration as Terraform sends it.
    pub(crate) fn config(&self, resource: &dyn Resource, json: &Value) -> Dynamic {
        conform::conform(dynamic(json), &resource.schema().block)
    }
}

pub(crate) fn drawn(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(Diagnostic::draw).collect::<Vec<_>>().join("\n")
}

/// What was known in the plan must not change in apply.
fn assert_planned(planned: &Dynamic, state: &Dynamic) {
    match (planned, state) {
        (Dynamic::Unknown, _) => {}
        (Dynamic::Map(planned), Dynamic::Map(state)) => {
            for (name, planned) in planned {
                assert_planned(planned, state.get(name).unwrap_or(&Dynamic::Null));
            }
        }
        (planned, state) => assert_eq!(planned, state, "apply changed a planned value"),
    }
}

/// Terraform's merge of a configuration with the prior state.
fn proposed(block: &Block, config: &Dynamic, prior: &Dynamic) -> Dynamic {
    let mut proposed = config.clone();
    let kept = |attribute: &&Attribute| attribute.is_computed() && config.get(attribute.name).is_null();
    for attribute in block.attributes.iter().filter(kept) {
        proposed.set(attribute.name, prior.get(attribute.name).clone());
    }
    proposed
}

fn dynamic(json: &Value) -> Dynamic {
    match json {
        Value::Null => Dynamic::Null,
        Value::Bool(value) => Dynamic::Bool(*value),
        Value::Number(number) => Dynamic::from(number.as_i64().unwrap()),
        Value::String(text) => Dynamic::String(text.clone()),
        Value::Array(items) => Dynamic::List(items.iter().map(dynamic).collect()),
        Value::Object(members) => Dynamic::object(members.iter().map(|(name, value)| (name.clone(), dynamic(value)))),
    }
}

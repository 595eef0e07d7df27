//! One file per call: decode, call, encode. Here is what they share.
//!
//! A call never fails on the transport: whatever goes wrong is a diagnostic, and the answer then carries the state that Terraform sent, so that nothing is lost.

pub(crate) mod apply_resource_change;
pub(crate) mod call_function;
pub(crate) mod configure;
pub(crate) mod get_functions;
pub(crate) mod get_metadata;
pub(crate) mod get_schema;
mod guard;
pub(crate) mod import_resource_state;
pub(crate) mod move_resource_state;
pub(crate) mod plan_resource_change;
pub(crate) mod prepare_provider_config;
pub(crate) mod read_data_source;
pub(crate) mod read_resource;
pub(crate) mod stop;
pub(crate) mod upgrade_resource_state;
pub(crate) mod validate_data_source_config;
pub(crate) mod validate_resource_config;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::RwLock;
use tokio_util::sync::CancellationToken;
use trailwire_engine::diagnostic::{Code, Diagnostic, Path};

use crate::context::Context;
use crate::function::Function;
use crate::registry;
use crate::resource::{DataSource, Resource};
use crate::schema::{Block, conform};
use crate::value::Dynamic;
use crate::wire::message::{DynamicValue, ServerCapabilities};
use crate::wire::{self, InvalidValue};

pub use guard::install_panic_hook;

/// The provider as Terraform calls it: what there is, and what Terraform said so far.
pub struct Server {
    resources: BTreeMap<&'static str, Arc<dyn Resource>>,
    data_sources: BTreeMap<&'static str, Arc<dyn DataSource>>,
    functions: BTreeMap<&'static str, Arc<dyn Function>>,
    context: Mutex<Option<Context>>,
    stop: CancellationToken,
    /// Held for reading by every handler that runs.
    running: Arc<RwLock<()>>,
}

impl Server {
    /// A server of everything in the registry.
    pub fn new() -> Server {
        Server::offering(registry::resources(), registry::data_sources(), registry::functions())
    }

    /// A server of these, for tests.
    pub fn offering(
        resources: Vec<Arc<dyn Resource>>,
        data_sources: Vec<Arc<dyn DataSource>>,
        functions: Vec<Arc<dyn Function>>,
    ) -> Server {
        Server {
            resources: resources.into_iter().map(|resource| (resource.name(), resource)).collect(),
            data_sources: data_sources.into_iter().map(|source| (source.name(), source)).collect(),
            functions: functions.into_iter().map(|function| (function.name(), function)).collect(),
            context: Mutex::new(None),
            stop: CancellationToken::new(),
            running: Arc::default(),
        }
    }

    /// Cancelled when Terraform says Stop, or is gone.
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    fn resource(&self, name: &str) -> Result<Arc<dyn Resource>, Failure> {
        self.resources.get(name).cloned().ok_or_else(|| unknown_name("resource", name))
    }

    fn data_source(&self, name: &str) -> Result<Arc<dyn DataSource>, Failure> {
        self.data_sources.get(name).cloned().ok_or_else(|| unknown_name("data source", name))
    }

    fn context(&self) -> Result<Context, Failure> {
        let context = self.context.lock().unwrap_or_else(PoisonError::into_inner).clone();
        context.ok_or_else(|| Diagnostic::error(Code::NOT_CONFIGURED, "the provider was used before it was configured").into())
    }

    fn configure(&self, context: Context) {
        *self.context.lock().unwrap_or_else(PoisonError::into_inner) = Some(context);
    }
}

impl Default for Server {
    fn default() -> Server {
        Server::new()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("resources", &self.resources.keys())
            .field("data_sources", &self.data_sources.keys())
            .finish_non_exhaustive()
    }
}

fn unknown_name(what: &str, name: &str) -> Failure {
    Diagnostic::error(Code::WIRE, format!("there is no {what} `{name}` in this version of the provider")).into()
}

/// Why a call could not be answered as asked.
#[derive(Debug)]
struct Failure(Vec<Diagnostic>);

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Failure {
        Failure(vec![diagnostic])
    }
}

impl From<Vec<Diagnostic>> for Failure {
    fn from(diagnostics: Vec<Diagnostic>) -> Failure {
        Failure(diagnostics)
    }
}

impl From<InvalidValue> for Failure {
    fn from(invalid: InvalidValue) -> Failure {
        Diagnostic::from(invalid).into()
    }
}

/// What we tell Terraform of ourselves. Schemas are optional: no call needs `GetSchema` before it.
fn capabilities() -> ServerCapabilities {
    ServerCapabilities { plan_destroy: true, get_provider_schema_optional: true, move_resource_state: false }
}

/// A value to return: made to fit the block, without write-only values.
fn answer(value: Dynamic, block: &Block) -> Result<DynamicValue, Failure> {
    let value = conform::without_write_only(conform::conform(value, block), block);
    let bug = |invalid: InvalidValue| {
        Diagnostic::error(Code::PROVIDER_BUG, format!("the provider made a value that does not fit its schema: {}", invalid.what))
            .at(invalid.path)
    };
    wire::encode(&value, &block.implied_type()).map_err(|invalid| bug(invalid).help(guard::REPORT).into())
}

/// What the schema's rules found and then what the resource found, without saying of one place the same thing twice.
fn merged(mut rules: Vec<Diagnostic>, own: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let known: Vec<(Code, Path)> = rules.iter().map(|found| (found.code, found.path.clone())).collect();
    rules.extend(own.into_iter().filter(|found| !known.contains(&(found.code, found.path.clone()))));
    rules
}

/// Only what stops the work: a check that was made before has already shown its warnings.
fn errors_only(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.retain(Diagnostic::is_error);
    diagnostics
}

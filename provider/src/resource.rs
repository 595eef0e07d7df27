//! What a resource and a data source must be able to do. `server/` calls it, knows Terraform's protocol and keeps its promises where that can be
//! done for all of them (see [`plan`] and [`crate::schema::conform`]); resources know AWS.
//!
//! What the server does for every resource, so that none has to: rules of attributes are checked (in validation and in plan), write-only values are nulled in
//! everything returned, values are made to fit the schema, private state survives when the resource does not mention it, a panic becomes a
//! diagnostic and keeps the state in [`Progress`].

pub mod common;
mod definition;
pub mod destination;
pub mod forwarder;
pub mod hub;
pub mod plan;
mod rows;
#[cfg(test)]
pub(crate) mod testing;
pub mod trigger;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;
use trailwire_engine::diagnostic::{Code, Diagnostic, Path};

use crate::context::Context;
use crate::schema::Schema;
use crate::value::Dynamic;

/// A future in a box, so that the traits are object safe.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What exists now, as far as AWS may be asked: a state is kept as it is while the provider block is not known.
pub async fn read(resource: &dyn Resource, context: &Context, request: ReadRequest) -> ReadResponse {
    let Some(name) = context.config.unknown_caller() else { return resource.read(context, request).await };
    let message = format!("`{name}` of the provider block is not known yet, and the state is kept as it is");
    let help = "what it says may not be true any more; plan again once what it comes from is applied";
    let told = Diagnostic::warning(Code::AWS_CREDENTIALS, message).help(help);
    ReadResponse { state: request.state, diagnostics: vec![told], private: None }
}

/// A managed resource.
pub trait Resource: Send + Sync {
    /// Its type name, `trailwire_trigger`.
    fn name(&self) -> &'static str;

    /// Its schema. Asked often: cheap to build.
    fn schema(&self) -> Schema;

    /// Checks a configuration in which anything may still be unknown, without Terraform's knowledge of the provider: no [`Context`], no network. The rules of
    /// attributes were checked before. Runs again while planning.
    fn validate(&self, request: &ValidateRequest) -> Vec<Diagnostic> {
        let _ = request;
        Vec::new()
    }

    /// Rewrites state that was stored by schema version `version`, older than the present one. The server drops and adds attributes afterwards.
    ///
    /// # Errors
    /// Why the state cannot be understood.
    fn upgrade(&self, version: i64, state: Dynamic) -> Result<Dynamic, Vec<Diagnostic>> {
        let _ = version;
        Ok(state)
    }

    /// What exists now. A null state in the answer says that it is gone.
    fn read<'a>(&'a self, context: &'a Context, request: ReadRequest) -> Boxed<'a, ReadResponse>;

    /// What apply will do. The generic answer is [`plan::propose`], which a resource may adjust.
    ///
    /// Called for destroy too: then `request.proposed` is null, and what is returned must have a null `planned`.
    fn plan<'a>(&'a self, context: &'a Context, request: PlanRequest) -> Boxed<'a, PlanResponse> {
        let _ = context;
        Box::pin(std::future::ready(plan::propose(&self.schema(), &request)))
    }

    /// Creates (prior is null), updates, or destroys (planned is null).
    fn apply<'a>(&'a self, context: &'a Context, request: ApplyRequest) -> Boxed<'a, ApplyResponse>;

    /// Finds what `terraform import` named. Terraform reads it afterwards, so the members that identify it are enough.
    fn import<'a>(&'a self, context: &'a Context, request: ImportRequest) -> Boxed<'a, ImportResponse>;
}

/// A data source.
pub trait DataSource: Send + Sync {
    /// Its type name.
    fn name(&self) -> &'static str;

    /// Its schema.
    fn schema(&self) -> Schema;

    /// As [`Resource::validate`].
    fn validate(&self, request: &ValidateRequest) -> Vec<Diagnostic> {
        let _ = request;
        Vec::new()
    }

    /// Reads it. The configuration is wholly known.
    fn read<'a>(&'a self, context: &'a Context, request: ReadDataRequest) -> Boxed<'a, ReadResponse>;
}

/// A configuration to check.
#[derive(Clone, Debug)]
pub struct ValidateRequest {
    /// The configuration; anything in it may be unknown.
    pub config: Dynamic,
}

/// A data source to read.
#[derive(Clone, Debug)]
pub struct ReadDataRequest {
    /// The configuration, fitted to the schema.
    pub config: Dynamic,
    /// Cancelled when the user interrupts Terraform.
    pub stop: CancellationToken,
}

/// A resource to refresh.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    /// What the state says. Never null. After an import it is what `import` returned.
    pub state: Dynamic,
    /// Private state.
    pub private: Vec<u8>,
    /// Cancelled when the user interrupts Terraform.
    pub stop: CancellationToken,
}

/// What a read found.
#[derive(Clone, Debug, Default)]
pub struct ReadResponse {
    /// What exists; null when it is gone. With an error among the diagnostics Terraform keeps the old state.
    pub state: Dynamic,
    /// Private state; `None` keeps it.
    pub private: Option<Vec<u8>>,
    /// What to tell the user.
    pub diagnostics: Vec<Diagnostic>,
}

impl From<Result<Dynamic, Diagnostic>> for ReadResponse {
    fn from(read: Result<Dynamic, Diagnostic>) -> Self {
        match read {
            Ok(state) => Self { state, ..Self::default() },
            Err(diagnostic) => Self { diagnostics: vec![diagnostic], ..Self::default() },
        }
    }
}

/// A change to plan.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// The refreshed state; null for a create.
    pub prior: Dynamic,
    /// Terraform's merge: the configuration, and the prior value where a computed attribute is not configured. Null for a destroy.
    /// Defaults are not to be read from here. Write-only values are nulled.
    pub proposed: Dynamic,
    /// The configuration; null for a destroy. Holds the write-only values.
    pub config: Dynamic,
    /// Private state.
    pub private: Vec<u8>,
    /// Cancelled when the user interrupts Terraform.
    pub stop: CancellationToken,
}

impl PlanRequest {
    /// Whether this plans a create (also the second half of a replacement).
    pub fn is_create(&self) -> bool {
        self.prior.is_null()
    }

    /// Whether this plans a destroy.
    pub fn is_destroy(&self) -> bool {
        self.proposed.is_null()
    }
}

/// A planned change.
#[derive(Clone, Debug, Default)]
pub struct PlanResponse {
    /// The state after apply as far as it is known. Equal to prior when there is nothing to do. Configured values may not be altered.
    pub planned: Dynamic,
    /// The attributes whose change needs a replacement.
    pub requires_replace: Vec<Path>,
    /// Private state for apply; `None` keeps it.
    pub private: Option<Vec<u8>>,
    /// What to tell the user.
    pub diagnostics: Vec<Diagnostic>,
}

/// A change to make.
#[derive(Clone, Debug)]
pub struct ApplyRequest {
    /// The state before; null for a create.
    pub prior: Dynamic,
    /// The planned state; null for a destroy. What is unknown in it must be known in the answer, the rest must stay.
    pub planned: Dynamic,
    /// The configuration; null for a destroy. Holds the write-only values, which must not be logged, stored or put in diagnostics.
    pub config: Dynamic,
    /// Private state from the plan.
    pub private: Vec<u8>,
    /// Cancelled when the user interrupts Terraform: finish or undo the call in flight, then answer with truthful state.
    pub stop: CancellationToken,
    /// Where to record what exists as it comes to be, in case of a panic.
    pub progress: Progress,
}

impl ApplyRequest {
    /// Whether this creates.
    pub fn is_create(&self) -> bool {
        self.prior.is_null()
    }

    /// Whether this destroys.
    pub fn is_destroy(&self) -> bool {
        self.planned.is_null()
    }
}

/// What an apply did.
#[derive(Clone, Debug, Default)]
pub struct ApplyResponse {
    /// What exists now, wholly known. With an error: after create null saves nothing and anything else is saved tainted;
    /// after update and destroy it is saved as it is.
    pub state: Dynamic,
    /// Private state; `None` keeps what the plan had.
    pub private: Option<Vec<u8>>,
    /// What to tell the user.
    pub diagnostics: Vec<Diagnostic>,
}

/// What to import.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// The text after the address in `terraform import`.
    pub id: String,
    /// Cancelled when the user interrupts Terraform.
    pub stop: CancellationToken,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct ImportResponse {
    /// An object with the members that identify it, or null with an error.
    pub state: Dynamic,
    /// What to tell the user.
    pub diagnostics: Vec<Diagnostic>,
}

/// The best-known state of a running apply. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<Option<Dynamic>>>);

impl Progress {
    /// Says what exists now: null for nothing. Unknown members are stored as null.
    pub fn record(&self, state: Dynamic) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
    }

    /// What was recorded last; `None` when nothing was, so that the prior state holds.
    pub fn latest(&self) -> Option<Dynamic> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

//! `trailwire_destination`: one definition in the hub's table, and the secrets that it owns in Secrets Manager.
//!
//! *Invariants*: a secret's value is only ever in the configuration and in Secrets Manager; the document names the secret; a secret is there before the
//! document that names it, and goes after it.

mod apply;
mod kinds;
pub(in crate::resource) mod policy;
mod read;
mod schema;
mod settings;

use serde_json::{Value, json};
use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::fanout::table::Kind;
use trailwire_engine::trigger::Destination;

use super::common::to_json;
use super::{
    ApplyRequest, ApplyResponse, Boxed, ImportRequest, ImportResponse, PlanRequest, PlanResponse, ReadRequest, ReadResponse, Resource,
    ValidateRequest, definition,
};
use crate::context::Context;
use crate::schema::Schema;
use crate::value::Dynamic;

pub(crate) use kinds::owned_secrets;

/// The resource.
#[derive(Debug, Clone, Copy)]
pub struct DestinationResource;

/// What is checked in place of a value that is not known yet.
fn placeholder(name: &str) -> Option<Value> {
    match name {
        "name" => Some(json!("unknown")),
        "url" => Some(json!("https://unknown.invalid/")),
        "secret_arn" | "signing_secret_arn" | "token_secret_arn" => Some(json!("arn:aws:secretsmanager:unknown")),
        "endpoint" | "queue_url" => Some(json!("https://unknown.invalid/")),
        "topic_arn" => Some(json!("arn:aws:sns:::unknown")),
        "stream_arn" => Some(json!("arn:aws:kinesis:::unknown")),
        "bus_arn" => Some(json!("arn:aws:events:::unknown")),
        "function_arn" => Some(json!("arn:aws:lambda:::unknown")),
        "state_machine_arn" => Some(json!("arn:aws:states:::unknown")),
        "role_arn" => Some(json!("arn:aws:iam::unknown:role/unknown")),
        "from" => Some(json!("unknown@unknown.invalid")),
        "to" => Some(json!(["unknown@unknown.invalid"])),
        "stream_name" | "index" | "channel" => Some(json!("unknown")),
        _ => None,
    }
}

/// Everything that is wrong with a configuration.
fn check(config: &Dynamic) -> Vec<Diagnostic> {
    let mut diagnostics = kinds::check(config);
    if diagnostics.is_empty() {
        let document =
            kinds::document(to_json(config, &kinds::members(), placeholder), &|_| Some("arn:aws:secretsmanager:unknown".to_owned()));
        diagnostics.extend(Destination::from_value(&document).err().into_iter().flatten());
    }
    diagnostics
}

impl Resource for DestinationResource {
    fn name(&self) -> &'static str {
        "trailwire_destination"
    }

    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn validate(&self, request: &ValidateRequest) -> Vec<Diagnostic> {
        check(&request.config)
    }

    fn read<'a>(&'a self, context: &'a Context, request: ReadRequest) -> Boxed<'a, ReadResponse> {
        Box::pin(read::read(context, request))
    }

    fn plan<'a>(&'a self, context: &'a Context, request: PlanRequest) -> Boxed<'a, PlanResponse> {
        Box::pin(async move {
            if request.is_destroy() {
                return PlanResponse::default();
            }
            let mut response =
                definition::planned(context, &self.schema(), &request, &["secret_arns", "runtime_policy_json", "drifted"], |_| ());
            if !request.is_create() {
                response.diagnostics.extend(definition::check_caller(context, &request).await);
                response.diagnostics.extend(unchanged_versions(&request));
            }
            if let (Some(hub), Some(name)) = (request.config.get_str("hub"), request.config.get_str("name")) {
                context.shared.plan_destination(hub, name, kinds::kind(&request.config));
            }
            response
        })
    }

    fn apply<'a>(&'a self, context: &'a Context, request: ApplyRequest) -> Boxed<'a, ApplyResponse> {
        Box::pin(apply::apply(context, request))
    }

    fn import<'a>(&'a self, context: &'a Context, request: ImportRequest) -> Boxed<'a, ImportResponse> {
        Box::pin(async move { definition::import(context, &request, Kind::Destination).await })
    }
}

/// A secret that vanished can only be made again from the configuration.
fn unchanged_versions(request: &PlanRequest) -> Vec<Diagnostic> {
    let drifted = request.prior.get("drifted").as_map().into_iter().flatten();
    let missing = drifted.filter(|(field, _)| kinds::value(&request.config, field).is_none_or(Dynamic::is_null));
    let told = missing.filter(|(field, _)| kinds::FIELDS.iter().any(|known| known.secret == field.as_str()));
    told.map(|(field, _)| {
        Diagnostic::error(Code::MISSING, format!("the secret `{field}` is gone, and the configuration does not give its value"))
            .help("give the write-only value, so that the secret can be made again")
    })
    .collect()
}

#[cfg(test)]
mod tests;

//! What the plans of triggers and forwarders have in common.

use trailwire_engine::fanout::names::Carrier;

use super::{quota, regions};
use crate::cloud::Session;
use crate::context::Context;
use crate::resource::definition::{check_caller, planned};
use crate::resource::{PlanRequest, PlanResponse};
use crate::schema::Schema;
use crate::value::Dynamic;

/// The plan as far as it does not depend on what the definition says; `None` of a destroy. `settle` says what the schema does not tell.
pub(crate) async fn begin(
    context: &Context,
    request: &PlanRequest,
    (carrier, schema): (Carrier, &Schema),
    settle: impl FnOnce(&mut Dynamic),
) -> Option<(Session, PlanResponse)> {
    if request.is_destroy() {
        quota::remove(context, carrier, &request.prior);
        return None;
    }
    let mut response = planned(context, schema, request, &["rule_names", "cells", "drifted"], settle);
    let session = context.cloud.session(&request.stop);
    response.diagnostics.extend(check_caller(context, request).await);
    response.diagnostics.extend(regions::plan(context, &session, request).await);
    if !response.requires_replace.is_empty() {
        quota::remove(context, carrier, &request.prior);
    }
    Some((session, response))
}

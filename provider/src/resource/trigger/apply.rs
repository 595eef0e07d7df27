//! Creating, updating and destroying a trigger.

use trailwire_engine::diagnostic::{Code, Diagnostic, any_error};
use trailwire_engine::fanout::names::Carrier;
use trailwire_engine::fanout::wanted::Rules;

use super::check::check;
use super::document::choose;
use super::{forwarded, send};
use crate::context::Context;
use crate::resource::definition::{one, or_prior};
use crate::resource::rows::apply::{Work, checked, without_work};
use crate::resource::{ApplyRequest, ApplyResponse};

pub(super) async fn apply(context: &Context, request: ApplyRequest) -> ApplyResponse {
    let done = match without_work(context, &request, Carrier::Trigger).await {
        Some(done) => done,
        None => match prepare(context, &request).await {
            Ok(work) => work.apply(&request).await,
            Err(diagnostics) => Err(diagnostics),
        },
    };
    or_prior(done, request.prior)
}

/// Everything that can be wrong without a change in AWS.
async fn prepare<'a>(context: &'a Context, request: &ApplyRequest) -> Result<Work<'a>, Vec<Diagnostic>> {
    let (trigger, late) = checked(request, check)?;
    let pushed = choose(&trigger, &request.prior, &request.planned)
        .map_err(|error| vec![Diagnostic::error(Code::OUT_OF_RANGE, error.to_string())])?;
    let rules = Rules { carrier: Carrier::Trigger, events: trigger.clone(), pushed };
    let work = Work::begin(context, request, rules, &trigger, late).await?;
    let mut wrong = send::check(&work.store, &request.config).await.map_err(|error| one(&error))?;
    wrong.extend(forwarded::check(&work.store, &trigger).await.map_err(|error| one(&error))?);
    if any_error(&wrong) { Err(wrong) } else { Ok(work) }
}

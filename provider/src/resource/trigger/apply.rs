//! Creating, updating and destroying a trigger.

use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::fanout::names::Carrier;
use trailwire_engine::fanout::wanted::Rules;

use super::check::check;
use super::document::choose;
use super::{forwarded, queries, send};
use crate::context::Context;
use crate::resource::definition::{Done, or_prior};
use crate::resource::rows::apply::{Work, checked, without_work};
use crate::resource::{ApplyRequest, ApplyResponse};

pub(super) async fn apply(context: &Context, request: ApplyRequest) -> ApplyResponse {
    let done = match without_work(context, &request, Carrier::Trigger).await {
        Some(done) => done,
        None => try_apply(context, &request).await,
    };
    or_prior(done, request.prior)
}

async fn try_apply(context: &Context, request: &ApplyRequest) -> Done {
    let (trigger, late) = checked(request, check)?;
    let pushed = choose(&trigger, &request.prior, &request.planned)
        .map_err(|error| vec![Diagnostic::error(Code::OUT_OF_RANGE, error.to_string())])?;
    let rules = Rules { carrier: Carrier::Trigger, events: trigger.clone(), pushed };
    let work = Work::begin(context, request, rules, &trigger, late).await?;
    let store = work.store.clone();
    let checks = async {
        let checks = (send::check(&store, &request.config), forwarded::check(&store, &trigger), queries::check(&store, &trigger));
        let (sent, forwarded, refused) = futures::try_join!(checks.0, checks.1, checks.2)?;
        Ok(sent.into_iter().chain(forwarded).chain(refused).collect())
    };
    work.apply(request, checks).await
}

//! Creating, updating and destroying a forwarder.

use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::fanout::cover::check_relied;
use trailwire_engine::fanout::names::Carrier;
use trailwire_engine::fanout::table::Kind;
use trailwire_engine::fanout::wanted::Rules;
use trailwire_engine::trigger::{Forwarder, Trigger};

use super::document::{check, choose};
use super::trigger;
use crate::context::Context;
use crate::resource::common::timeout;
use crate::resource::definition::{Done, find, one, or_prior};
use crate::resource::rows::apply::{Work, checked, without_work};
use crate::resource::{ApplyRequest, ApplyResponse};
use crate::store::Store;

pub(super) async fn apply(context: &Context, request: ApplyRequest) -> ApplyResponse {
    or_prior(try_apply(context, &request).await, request.prior.clone())
}

async fn try_apply(context: &Context, request: &ApplyRequest) -> Done {
    if request.is_destroy() {
        let session = context.cloud.session(&request.stop).within(timeout(&request.prior, "delete"));
        let (hub, name) = find(context, &session, &request.prior, request.prior.get_str("hub_arn")).await.map_err(|error| vec![error])?;
        refuse_where_relied(&Store::new(&session, &hub), name, None).await?;
    }
    if let Some(done) = without_work(context, request, Carrier::Forwarder).await {
        return done;
    }
    let (forwarder, late) = checked(request, check)?;
    let pushed = choose(&forwarder, &request.prior, &request.planned)
        .map_err(|error| vec![Diagnostic::error(Code::OUT_OF_RANGE, error.to_string())])?;
    let rules = Rules { carrier: Carrier::Forwarder, events: forwarder.events(), pushed };
    let work = Work::begin(context, request, rules, &forwarder, late).await?;
    refuse_where_relied(&work.store, &forwarder.name, Some(&forwarder)).await?;
    work.apply(request).await
}

/// `forwarder` is what it is to become; nothing where it goes.
async fn refuse_where_relied(store: &Store, name: &str, forwarder: Option<&Forwarder>) -> Result<(), Vec<Diagnostic>> {
    let definitions = store.definitions(Kind::Trigger).await.map_err(|error| one(&error))?;
    let triggers: Vec<Trigger> = definitions.iter().filter_map(trigger).collect();
    check_relied(name, forwarder, &triggers).map_or(Ok(()), |refusal| Err(vec![refusal]))
}

//! Creating, updating and destroying a forwarder.

use trailwire_engine::diagnostic::{Code, Diagnostic, any_error};
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
use crate::store::{Store, StoreError};

pub(super) async fn apply(context: &Context, request: ApplyRequest) -> ApplyResponse {
    or_prior(try_apply(context, &request).await, request.prior.clone())
}

async fn try_apply(context: &Context, request: &ApplyRequest) -> Done {
    if request.is_destroy() {
        let session = context.cloud.session(&request.stop).within(timeout(&request.prior, "delete"));
        let (hub, name) = find(context, &session, &request.prior, request.prior.get_str("hub_arn")).await.map_err(|error| vec![error])?;
        let refused = relied(&Store::new(&session, &hub), name, None).await.map_err(|error| one(&error))?;
        if any_error(&refused) {
            return Err(refused);
        }
    }
    if let Some(done) = without_work(context, request, Carrier::Forwarder).await {
        return done;
    }
    let (forwarder, late) = checked(request, check)?;
    let pushed = choose(&forwarder, &request.prior, &request.planned)
        .map_err(|error| vec![Diagnostic::error(Code::OUT_OF_RANGE, error.to_string())])?;
    let rules = Rules { carrier: Carrier::Forwarder, events: forwarder.events(), pushed };
    let work = Work::begin(context, request, rules, &forwarder, late).await?;
    let store = work.store.clone();
    work.apply(request, relied(&store, &forwarder.name, Some(&forwarder))).await
}

/// Refusals where triggers rely on it. `forwarder` is what it is to become; nothing where it goes.
async fn relied(store: &Store, name: &str, forwarder: Option<&Forwarder>) -> Result<Vec<Diagnostic>, StoreError> {
    let definitions = store.definitions(Kind::Trigger).await?;
    let triggers: Vec<Trigger> = definitions.iter().filter_map(trigger).collect();
    Ok(check_relied(name, forwarder, &triggers).into_iter().collect())
}

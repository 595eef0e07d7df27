//! Everything that the provider offers, in one list.

use std::sync::Arc;

use crate::data::deploy_policy::DeployPolicyData;
use crate::data::event_names::EventNamesData;
use crate::data::hub::HubData;
use crate::data::regions::RegionsData;
use crate::function::Function;
use crate::function::event_names::EventNames;
use crate::function::event_pattern::EventPattern;
use crate::function::explain::Explain;
use crate::function::from_filter_pattern::FromFilterPattern;
use crate::function::matches::Match;
use crate::resource::destination::DestinationResource;
use crate::resource::forwarder::ForwarderResource;
use crate::resource::hub::HubResource;
use crate::resource::trigger::TriggerResource;
use crate::resource::{DataSource, Resource};

/// The managed resources.
pub fn resources() -> Vec<Arc<dyn Resource>> {
    vec![Arc::new(HubResource), Arc::new(DestinationResource), Arc::new(TriggerResource), Arc::new(ForwarderResource)]
}

/// The data sources.
pub fn data_sources() -> Vec<Arc<dyn DataSource>> {
    vec![Arc::new(DeployPolicyData), Arc::new(HubData), Arc::new(EventNamesData), Arc::new(RegionsData)]
}

/// The functions.
pub fn functions() -> Vec<Arc<dyn Function>> {
    vec![Arc::new(EventNames), Arc::new(EventPattern), Arc::new(Explain), Arc::new(FromFilterPattern), Arc::new(Match)]
}

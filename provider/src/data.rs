//! Data sources.

pub mod deploy_policy;
pub mod event_names;
pub mod hub;
pub mod regions;

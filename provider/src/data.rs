//! Data sources.

pub mod event_names;
pub mod hub;
pub mod regions;

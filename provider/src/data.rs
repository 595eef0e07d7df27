//! Data sources.

pub mod hub;

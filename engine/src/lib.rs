//! Trailwire engine.

pub mod actor;
pub mod fanout;
pub mod template;

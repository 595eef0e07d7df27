//! Trailwire engine.

pub mod text;
pub mod diagnostic;
pub mod actor;
pub mod fanout;
pub mod template;

//! Trailwire engine.

pub mod fanout;

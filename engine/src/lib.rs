//! Trailwire engine.

//! The runtime on the stand: `trailwire run --hub` at a hub whose objects are made here by hand, so that only the runtime is under test, and what reads the logs of a trail in a bucket.

mod crash;
mod definitions;
mod destinations;
mod failures;
mod dlq;
mod duckdb;
mod lambda;
mod queue;
mod replay;
mod shared;
mod trail;

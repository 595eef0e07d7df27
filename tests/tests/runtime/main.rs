//! `trailwire run --hub` on the stand: the hub's objects are made here by hand, so that only the runtime is under test.

mod crash;
mod definitions;
mod destinations;
mod failures;
mod dlq;
mod lambda;
mod queue;
mod replay;
mod shared;

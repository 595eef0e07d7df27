//! The stand behaves as AWS does where Trailwire depends on it, and fails when it is told to.

mod delivery;
mod faults;
mod limits;
mod program;
mod sink;
mod world;

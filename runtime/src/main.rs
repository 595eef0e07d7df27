//! Trailwire's runtime: it matches CloudTrail events against triggers and acts on them without losing one.
#![forbid(unsafe_code)]

mod action;
mod cli;
mod core;
mod definitions;
mod destination;
mod driver;
mod explore;
mod hub;
mod journal;
mod lambda;
mod lookups;
mod query;
mod secrets;
mod source;
mod status;
mod telemetry;

use std::process::ExitCode;

fn main() -> ExitCode {
    if lambda::is_here() { lambda::main() } else { cli::main() }
}

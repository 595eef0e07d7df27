//! The stand of Trailwire: a local AWS that behaves and fails as AWS does, a place for notifications to arrive, and drivers for Terraform
//! and the runtime. The end-to-end tests and the demo are written against it.
//!
//! ```text
//! provider, runtime --> proxy (counts, enforces, injects faults) --> emulator (MiniStack with our delivery)
//!         |
//!         +-----------> sink (records notifications)
//! ```
//!
//! Everything listens on loopback and ends with the [`stand::Stand`] that started it.
#![forbid(unsafe_code)]

pub mod bucket;
pub mod cloudtrail;
pub mod control;
pub mod diagnostics;
pub mod function;
pub mod hcl;
pub mod hub;
pub mod ill;
pub mod json;
pub mod leftovers;
pub mod members;
pub mod plugin;
pub mod process;
pub mod runtime;
pub mod sink;
pub mod stand;
pub mod terraform;
pub mod trails;
pub mod venv;

mod emulator;
mod proxy;

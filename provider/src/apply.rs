//! Work on many cells at once, and what all resources of a process share.

pub mod cells;
pub mod coverage;
pub mod hubs;
pub mod planned;
pub(crate) mod progress;
pub mod quota;
pub mod rules;
pub mod scope;
mod shared;
mod told;
pub mod trails;

pub use shared::Shared;

//! Trailwire's engine: everything that can be decided without asking the world.
//!
//! Bytes become an [`event::Event`]; a trigger's languages become one tree ([`expr::Expr`]); the matcher judges the event;
//! templates and the actor tell people about it. The engine does no I/O, reads no clock and no environment: callers pass in
//! what it needs, and a linter refuses the rest.
//!
//! The modules stand in reading order, and a module imports only those before it (a test in `tests/` holds that).

#![deny(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "the engine does no I/O and asks for no time"
)]

#[cfg(test)]
mod testing;
pub mod text;
pub mod diagnostic;
pub mod value;
pub mod event;
pub mod pattern;
pub mod expr;
pub mod eval;
pub mod lang;
pub mod shape;
pub mod pushdown;
pub mod catalogue;
pub mod operations;
pub mod trigger;
pub mod matcher;
pub mod search;
pub mod explain;
pub mod check;
pub mod template;
pub mod actor;
pub mod fanout;

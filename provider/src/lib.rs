//! The Terraform provider of Trailwire.
//!
//! Terraform speaks tfplugin5 over a socket: `handshake` opens it, `wire` turns messages into values, `server` has one file per call and keeps the protocol's
//! promises, `registry` lists what there is. Resources know nothing of all that: they see [`value::Dynamic`], [`schema::Schema`] and the traits in [`resource`].

#![forbid(unsafe_code)]

pub mod apply;
pub mod cloud;
pub mod config;
pub mod context;
pub mod data;
pub mod function;
pub mod handshake;
pub mod registry;
pub mod resource;
pub mod schema;
pub mod store;
pub mod server;
pub mod value;
pub mod wire;

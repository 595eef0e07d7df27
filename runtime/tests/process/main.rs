//! The runtime as a process, without AWS: what goes in, what arrives at destinations, and what survives being killed.
#![cfg(test)]

mod check;
mod ci;
mod commands;
mod crash;
mod destinations;
mod events;
mod handed_over;
mod explore;
mod http;
mod input;
mod languages;
mod metrics;
mod program;
mod restraints;
mod replay;
mod search;
mod sink;
mod ui;

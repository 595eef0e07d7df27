//! The fuzz targets, on their seeds: what libFuzzer found worth keeping is checked here without libFuzzer.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test fails by panicking, and the targets are shared with fuzz/"
)]

use std::fs;
use std::path::Path;

#[path = "../../fuzz/src/lib.rs"]
mod targets;

/// Every seed of a target, and every text cut off at its middle.
#[track_caller]
fn holds_on_seeds(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let seeds: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(seeds.len() >= 50, "{} has {} seeds", folder.display(), seeds.len());
    for seed in seeds {
        let bytes = fs::read(&seed).unwrap();
        check(&bytes);
        check(&bytes[..bytes.len() / 2]);
    }
}

#[test]
fn jmespath() {
    holds_on_seeds("jmespath", targets::jmespath::check);
}

#[test]
fn filter_pattern() {
    holds_on_seeds("filter_pattern", targets::filter_pattern::check);
}

#[test]
fn event_pattern() {
    holds_on_seeds("event_pattern", targets::event_pattern::check);
}

#[test]
fn matcher() {
    holds_on_seeds("matcher", targets::matcher::check);
}

#[test]
fn push_down() {
    holds_on_seeds("push_down", targets::push_down::check);
}

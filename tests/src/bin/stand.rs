//! The stand.
fn main() {}

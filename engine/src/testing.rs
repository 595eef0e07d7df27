//! What the engine's own tests share.

use proptest::test_runner::Config;

/// How many cases a property test tries: the usual number, or as many as `PROPTEST_CASES` says.
///
/// ```text
/// PROPTEST_CASES=1000000 cargo test --release -p trailwire-engine
/// ```
pub(crate) fn cases(usual: u32) -> Config {
    // Proptest reads the variable itself; without it, its own number stands there.
    const UNSET: u32 = 256;
    let set = Config::default();
    if set.cases == UNSET { Config { cases: usual, ..set } } else { set }
}

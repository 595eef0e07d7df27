//! What the engine's own tests share.

use proptest::test_runner::Config;

/// How many cases every property test tries: 10,000, or as many as `PROPTEST_CASES` says. `make properties` runs a million.
pub(crate) fn cases() -> Config {
    const USUAL: u32 = 10_000;
    // Proptest reads the variable itself; without it, its own number stands there.
    const UNSET: u32 = 256;
    let set = Config { failure_persistence: None, ..Config::default() };
    if set.cases == UNSET { Config { cases: USUAL, ..set } } else { set }
}

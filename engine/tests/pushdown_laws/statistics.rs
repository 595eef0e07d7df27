//! That the laws' cases are worth something: how often a trigger fires, errs, is pushed down, and is told exactly.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use trailwire_engine::eval::search;
use trailwire_engine::expr::Expr;
use trailwire_engine::lang::jmespath;
use trailwire_engine::pushdown::{Asked, Errors, Frame, Mode, Written, push_down};
use trailwire_engine::shape::Schema;

use super::events::{anything, event};
use super::expressions::{any_path, expression, known_path};
use super::judges::{Sent, verdict};

const CASES: usize = 2_000;

/// Shares of the cases, in percent.
#[derive(Debug, Clone, Copy, Default)]
struct Shares {
    /// The expression is accepted.
    accepted: usize,
    /// Its pattern says something.
    pushed: usize,
    /// Its pattern is exact.
    exact: usize,
    /// The expression is true of the event.
    holds: usize,
    /// It errs on the event.
    errs: usize,
    /// It is true of the event, and there is a pattern that might lose the event.
    could_be_lost: usize,
    /// The pattern keeps away an event for which the expression does not hold.
    kept_away: usize,
    /// The event satisfies an exact pattern.
    is_told_exactly: usize,
}

fn shares(paths: BoxedStrategy<String>, event: fn(&Expr, u64) -> Value, schema: Schema) -> Shares {
    let mut runner = TestRunner::deterministic();
    let cases = (expression(paths), any::<u64>());
    let mut counts = Shares::default();
    for _ in 0..CASES {
        let (text, seed) = cases.new_tree(&mut runner).unwrap().current();
        let Some(tree) = jmespath::parse(&text).0 else { continue };
        let event = event(&tree, seed);
        let written = Some(Written { tree: &tree, text: &text });
        let pushed = push_down(Asked { expression: written, schema, frame: Frame::Bare, mode: Mode::Full, ..Asked::default() });
        let says = pushed.pattern.is_some();
        let holds = verdict(&tree, &event, Errors::NoMatch);
        let kept = Sent::read(&pushed).keeps(&event);
        for (count, is) in [
            (&mut counts.accepted, true),
            (&mut counts.pushed, says),
            (&mut counts.exact, says && pushed.exact),
            (&mut counts.holds, holds),
            (&mut counts.errs, search(&tree, &event).is_err()),
            (&mut counts.could_be_lost, says && holds),
            (&mut counts.kept_away, says && !kept),
            (&mut counts.is_told_exactly, says && pushed.exact && kept),
        ] {
            *count += usize::from(is);
        }
    }
    let Shares { accepted, pushed, exact, holds, errs, could_be_lost, kept_away, is_told_exactly } = &mut counts;
    for count in [accepted, pushed, exact, holds, errs, could_be_lost, kept_away, is_told_exactly] {
        *count = *count * 100 / CASES;
    }
    counts
}

#[test]
fn typed_events_try_the_laws() {
    let shares = shares(known_path(), event, Schema::CloudTrail);
    println!("{shares:?}");
    let Shares { accepted, pushed, exact, holds, errs, could_be_lost, kept_away, is_told_exactly } = shares;
    assert!(accepted >= 80 && pushed >= 25 && exact >= 4 && holds >= 20 && errs >= 15, "{shares:?}");
    assert!(could_be_lost >= 8 && kept_away >= 8 && is_told_exactly >= 2, "{shares:?}");
}

#[test]
fn any_json_tries_the_laws() {
    let shares = shares(any_path(), anything, Schema::None);
    println!("{shares:?}");
    let Shares { accepted, pushed, holds, errs, could_be_lost, kept_away, .. } = shares;
    assert!(accepted >= 80 && pushed >= 20 && holds >= 20 && errs >= 15, "{shares:?}");
    assert!(could_be_lost >= 2 && kept_away >= 8, "{shares:?}");
}

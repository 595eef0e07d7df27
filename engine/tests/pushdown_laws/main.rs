//! The laws of push-down, each with its own generator. The judges are the evaluator and the pattern's obvious matcher.
//!
//! Each property runs 10,000 cases; `make properties` runs a million.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod events;
mod expressions;
mod judges;
mod statistics;
#[path = "../../src/testing.rs"]
mod testing;

use proptest::prelude::*;
use serde_json::Value;
use trailwire_engine::expr::Expr;
use trailwire_engine::lang::jmespath;
use trailwire_engine::pushdown::{Asked, Frame, Mode, Written, push_down};
use trailwire_engine::shape::Schema;

use events::{anything, event};
use expressions::{any_path, errors, expression, known_path, mode, names};
use judges::{Sent, fires, has_plain_names, is_delivered, shown, trigger, verdict};

/// Events are made for the expression, from seeds.
fn seeds(count: usize) -> impl Strategy<Value = Vec<u64>> {
    proptest::collection::vec(any::<u64>(), count)
}

fn events(tree: &Expr, seeds: &[u64], event: fn(&Expr, u64) -> Value) -> Vec<Value> {
    seeds.iter().map(|seed| event(tree, *seed)).collect()
}

proptest! {
    #![proptest_config(testing::cases())]

    /// P1, P3 and P4, with `never`: over events of E and whole triggers.
    #[test]
    fn p1_nothing_that_matches_is_lost(
        text in expression(known_path()), names in names(), errors in errors(), mode in mode(), include_read_only in any::<bool>(),
        seeds in seeds(6),
    ) {
        let Some(tree) = jmespath::parse(&text).0 else { return Ok(()) };
        let trigger = trigger(&names, &text, errors, include_read_only);
        let asked = Asked { names: &names, expression: Some(Written { tree: &tree, text: &text }), errors, mode, ..Asked::default() };
        let pushed = push_down(asked);
        prop_assert_eq!(&pushed, &push_down(asked), "the same input, the same bytes");
        let sent = Sent::read(&pushed);
        if let Sent::Pattern(pattern) = &sent {
            prop_assert!(mode == Mode::Full || pattern.wildcards() == 0);
        }
        for event in &events(&tree, &seeds, event) {
            if fires(&trigger, event, errors) {
                prop_assert!(is_delivered(event, include_read_only), "{}", event);
                prop_assert!(sent.keeps(event), "{}\n{} loses {}\nfor {:?}", text, shown(&pushed), event, errors);
            }
        }
    }

    /// P1s: with no schema, over any JSON without repeated names.
    #[test]
    fn p1s_nothing_that_matches_is_lost_whatever_it_looks_like(
        text in expression(any_path()), errors in errors(), mode in mode(), seeds in seeds(8),
    ) {
        let Some(tree) = jmespath::parse(&text).0 else { return Ok(()) };
        let written = Some(Written { tree: &tree, text: &text });
        let pushed = push_down(Asked { expression: written, errors, mode, schema: Schema::None, frame: Frame::Bare, ..Asked::default() });
        let sent = Sent::read(&pushed);
        for event in &events(&tree, &seeds, anything) {
            if verdict(&tree, event, errors) {
                prop_assert!(sent.keeps(event), "{}\n{} loses {}\nfor {:?}", text, shown(&pushed), event, errors);
            }
        }
    }

    /// P2: whatever satisfies an exact pattern and is delivered matches. (An event that does not tell its region is out of scope.)
    #[test]
    fn p2_exact_means_that_nothing_else_is_kept(
        text in expression(known_path()), names in names(), errors in errors(), seeds in seeds(6),
    ) {
        let Some(tree) = jmespath::parse(&text).0 else { return Ok(()) };
        let trigger = trigger(&names, &text, errors, true);
        let written = Some(Written { tree: &tree, text: &text });
        let pushed = push_down(Asked { names: &names, expression: written, errors, mode: Mode::Full, ..Asked::default() });
        if pushed.pattern.is_none() {
            return Ok(());
        }
        prop_assert_eq!(pushed.exact, pushed.residual.is_empty());
        if !pushed.exact {
            return Ok(());
        }
        let sent = Sent::read(&pushed);
        for event in events(&tree, &seeds, event) {
            if sent.keeps(&event) && has_plain_names(&event) && event["region"].is_string() {
                prop_assert!(fires(&trigger, &event, errors), "{}\n{} keeps {}", text, shown(&pushed), event);
            }
        }
    }

    /// P5: without any one of its conjuncts, P1 holds for what is left.
    #[test]
    fn p5_any_conjunct_can_be_left_out(
        parts in proptest::collection::vec(expression(known_path()), 2..4), errors in errors(), seeds in seeds(2),
    ) {
        for left_out in 0..parts.len() {
            let kept: Vec<&str> = parts.iter().enumerate().filter(|(index, _)| *index != left_out).map(|(_, part)| part.as_str()).collect();
            let text = kept.join(" && ");
            let Some(tree) = jmespath::parse(&text).0 else { continue };
            let written = Some(Written { tree: &tree, text: &text });
            let pushed = push_down(Asked { expression: written, errors, frame: Frame::Bare, ..Asked::default() });
            let sent = Sent::read(&pushed);
            for event in &events(&tree, &seeds, event) {
                if verdict(&tree, event, errors) {
                    prop_assert!(sent.keeps(event), "{}\n{} loses {}", text, shown(&pushed), event);
                }
            }
        }
    }
}

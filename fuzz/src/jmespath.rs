//! Any text as a JMESPath expression: it is parsed or refused with its place; its printed tree is the same expression; the
//! evaluator and `explain` come to an end and to the same outcome.

use trailwire_engine::eval::search;
use trailwire_engine::explain;
use trailwire_engine::lang::jmespath::{LONGEST, parse};

/// Panics where something does not hold.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (tree, diagnostics) = parse(text);
    super::are_told(text, tree.is_some(), &diagnostics);
    let Some(tree) = tree else { return };
    super::has_its_places(&tree, text);

    let printed = tree.to_string();
    let again = parse(&printed).0;
    assert!(again.is_some() || printed.len() > LONGEST, "{text:?} is printed as {printed:?}, which is refused");
    for event in super::events() {
        let outcome = search(&tree, &event).map_err(|error| error.message);
        if let Some(again) = &again {
            assert_eq!(again.to_string(), printed, "{text:?}");
            assert_eq!(search(again, &event).map_err(|error| error.message), outcome, "{text:?} is printed as {printed:?}");
        }
        let explained = explain::expression(text, &tree, &event);
        assert_eq!(explained.outcome.clone().map_err(|error| error.message), outcome, "{text:?}");
    }
}

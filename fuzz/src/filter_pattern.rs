//! Any text as a filter pattern: it is parsed or refused with its place; it errs on no event; the JMESPath text that it is
//! translated to says the same.

use trailwire_engine::eval::{MOST_STEPS, search, truthy};
use trailwire_engine::lang::{filter, jmespath};

/// Panics where something does not hold.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (tree, diagnostics) = filter::parse(text);
    super::are_told(text, tree.is_some(), &diagnostics);
    let Some(tree) = tree else { return };
    super::has_its_places(&tree, text);

    let translation = tree.to_string();
    let translated = jmespath::parse(&translation).0;
    let translated = translated.unwrap_or_else(|| panic!("{text:?} is translated to {translation:?}, which is refused"));
    for event in super::events() {
        let verdict = |tree| match search(tree, &event) {
            Ok(value) => truthy(&value),
            Err(error) => panic!("{text:?} errs within {MOST_STEPS} steps on {event}: {error}"),
        };
        assert_eq!(verdict(&tree), verdict(&translated), "{text:?} and {translation:?} on {event}");
    }
}

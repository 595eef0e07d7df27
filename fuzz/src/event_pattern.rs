//! Any text as an EventBridge event pattern: it is taken or refused with its place; its printed form is the same pattern; it
//! matches whatever its trigger matches, and comes to an end.

use trailwire_engine::eval::{search, truthy};
use trailwire_engine::lang::Language;
use trailwire_engine::pattern::{MOST_CHARACTERS, Pattern, length};

/// Panics where something does not hold.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (pattern, diagnostics) = Pattern::parse(text);
    super::are_told(text, pattern.is_some(), &diagnostics);
    let Some(pattern) = pattern else { return };

    let printed = pattern.to_string();
    match Pattern::parse(&printed).0 {
        Some(again) => assert_eq!(again, pattern, "{text:?} is printed as {printed:?}"),
        None => assert!(length(&printed) > MOST_CHARACTERS, "{text:?} is printed as {printed:?}, which is refused"),
    }
    let tree = Language::EventPattern.parse(text).0.expect("was taken before");
    for event in super::events() {
        let matches = pattern.matches(&event);
        if let Ok(value) = search(&tree, &event) {
            assert_eq!(truthy(&value), matches, "{text:?} on {event}");
        }
    }
}

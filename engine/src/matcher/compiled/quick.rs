//! Most events are nobody's: none of the set's event names occurs in them. To know that takes less than taking fields out.

use super::hash::Names;
use super::scan::Tape;

/// Whether an event surely has none of the names, neither as an envelope nor as a bare record, and is no envelope with a `detail`
/// that is no object. If so, no trigger matches or errs, whatever else is in it. `false` says nothing.
///
/// Without escapes members `eventName` and `detail` are spelt just so, and the pass over the structure told where they can be;
/// whether they are the record's own or stand deeper is not asked.
pub(super) fn names_nobody(event: &[u8], tape: &Tape, names: &Names) -> bool {
    let Some(marks) = tape.marks() else { return false };
    !tape.has_backslash() && marks.iter().all(|place| is_harmless(event.get(*place as usize..).unwrap_or_default(), names))
}

fn is_harmless(rest: &[u8], names: &Names) -> bool {
    if let Some(value) = rest.strip_prefix(b"\"eventName\":") {
        // Anything but a string is no name.
        return value.strip_prefix(b"\"").is_none_or(|text| until_quote(text).is_some_and(|name| names.get(name).is_none()));
    }
    rest.strip_prefix(b"\"detail\":").is_none_or(|value| value.first() == Some(&b'{'))
}

/// What is likely the event's name, to have its triggers at hand when it is known.
pub(super) fn likely_name<'e>(event: &'e [u8], tape: &Tape) -> Option<&'e [u8]> {
    let value = |place: &u32| event.get(*place as usize..)?.strip_prefix(b"\"eventName\":\"");
    tape.marks()?.iter().find_map(value).and_then(until_quote)
}

fn until_quote(text: &[u8]) -> Option<&[u8]> {
    text.get(..memchr::memchr(b'"', text)?)
}

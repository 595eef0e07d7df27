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
    !tape.has_backslash() && marks.iter().all(|place| is_harmless(event, *place, names))
}

/// Whether a member that is called `eventName` has none of the names, and one that is called `detail` an object.
fn is_harmless(event: &[u8], colon: u32, names: &Names) -> bool {
    if is_behind(event, colon, b"\"eventName\":") {
        // Anything but a string is no name.
        return text_behind(event, colon).is_none_or(|text| until_quote(text).is_some_and(|name| names.get(name).is_none()));
    }
    !is_behind(event, colon, b"\"detail\":") || event.get(colon as usize + 1) == Some(&b'{')
}

/// What is likely the event's name, to have its triggers at hand when it is known.
pub(super) fn likely_name<'e>(event: &'e [u8], tape: &Tape) -> Option<&'e [u8]> {
    let colon = tape.marks()?.iter().find(|place| is_behind(event, **place, b"\"eventName\":"))?;
    until_quote(text_behind(event, *colon)?)
}

/// Whether a name and its colon end at a place.
#[inline]
fn is_behind<const LENGTH: usize>(event: &[u8], colon: u32, name: &[u8; LENGTH]) -> bool {
    event.get(..=colon as usize).and_then(<[u8]>::last_chunk) == Some(name)
}

/// What is behind the first quote of a text.
#[inline]
fn text_behind(event: &[u8], colon: u32) -> Option<&[u8]> {
    event.get(colon as usize + 1..)?.strip_prefix(b"\"")
}

fn until_quote(text: &[u8]) -> Option<&[u8]> {
    text.get(..memchr::memchr(b'"', text)?)
}

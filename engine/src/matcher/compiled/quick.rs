//! Most events are nobody's: none of the set's event names occurs in them. To know that takes less than taking fields out.

use memchr::memmem;

use super::hash::Names;
use super::scan::Tape;

const MEMBER: &[u8] = b"\"eventName\"";

/// Whether an event is surely an envelope whose record has none of the names. If so, no trigger matches, whatever else is in
/// it. `false` says nothing.
///
/// Without escapes a member `eventName` is spelt just so; where it stands, be it in the record or deeper, is not asked.
pub(super) fn names_nobody(event: &[u8], tape: &Tape, names: &Names) -> bool {
    !tape.has_backslash() && is_envelope(event, tape) == Some(true) && !may_have_name(event, names)
}

fn may_have_name(event: &[u8], names: &Names) -> bool {
    memmem::find_iter(event, MEMBER).any(|start| {
        let value = event.get(start + MEMBER.len()..).and_then(|rest| rest.strip_prefix(b":\""));
        // Anything but a string is no name.
        let name = value.and_then(|value| value.get(..memchr::memchr(b'"', value)?));
        name.is_none_or(|name| names.get(name).is_some())
    })
}

/// Walks the envelope's own members; `None` where one is not as it must be. An object as the last `detail` makes an envelope.
fn is_envelope(event: &[u8], tape: &Tape) -> Option<bool> {
    let end = event.len() - 1;
    let mut before = 0;
    let mut found = false;
    loop {
        let colon = tape.next(before + 1)?;
        if event.get(colon) != Some(&b':') || event.get(before + 1) != Some(&b'"') {
            return None;
        }
        let next = tape.next(colon + 1)?;
        let is_detail = event.get(before + 1..colon) == Some(b"\"detail\"");
        let follows = if next == colon + 1 {
            let open = *event.get(next)?;
            let closing = tape.closing(next)?;
            if !matches!(open, b'{' | b'[') || event.get(closing)?.wrapping_sub(open) != 2 {
                return None;
            }
            if is_detail {
                found = open == b'{';
            }
            closing + 1
        } else {
            found &= !is_detail;
            next
        };
        match event.get(follows)? {
            b',' => before = follows,
            b'}' if follows == end => return Some(found),
            _ => return None,
        }
    }
}

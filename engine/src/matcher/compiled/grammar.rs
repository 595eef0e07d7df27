//! The full grammar of JSON, for those who want the whole event checked: the runtime's door does.

use super::numbers::is_number;
use super::scan::Tape;

/// Whether `serde_json` would read the event as a value. The event is compact and its structural characters are listed.
///
/// What the pass made sure of is not asked again: strings are closed and touch a structural character on both sides, brackets
/// open and close in number, and all bytes are UTF-8.
pub(super) fn is_json(event: &[u8], tape: &Tape) -> bool {
    check(event, tape).is_some()
}

/// What stands between two structural characters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Nothing,
    Text,
    Bare,
}

fn check(event: &[u8], tape: &Tape) -> Option<()> {
    // A bit for each open bracket, the innermost lowest: 1 is an object. Deeper than 127 is no event.
    let mut objects = 0_u128;
    let tokens = tape.tokens();
    let mut place = tokens.first()?.position as usize;
    let mut number = 0;
    let mut depth = 0_u32;
    loop {
        let token = *event.get(place)?;
        match token {
            b'{' | b'[' => {
                objects = objects << 1 | u128::from(token == b'{');
                depth += 1;
            }
            b'}' | b']' => {
                if (objects & 1 == 1) != (token == b'}') {
                    return None;
                }
                objects >>= 1;
                depth = depth.checked_sub(1)?;
            }
            _ => {}
        }
        number += 1;
        let Some(next) = tokens.get(number).map(|token| token.position as usize) else {
            return (depth == 0 && place + 1 == event.len()).then_some(());
        };
        let follows = *event.get(next)?;
        let content = content(event.get(place + 1..next)?, tape)?;
        let in_object = objects & 1 == 1;
        let fits = match token {
            b'{' => content == Content::Text && follows == b':' || content == Content::Nothing && follows == b'}',
            b'[' if content == Content::Nothing => matches!(follows, b'{' | b'[' | b']'),
            b',' if in_object => content == Content::Text && follows == b':',
            b':' | b'[' | b',' if content == Content::Nothing => matches!(follows, b'{' | b'['),
            b':' | b'[' | b',' => matches!(follows, b',' | b'}' | b']'),
            _ => content == Content::Nothing && matches!(follows, b',' | b'}' | b']'),
        };
        if !fits {
            return None;
        }
        place = next;
    }
}

/// What it is, if it is right.
#[inline]
fn content(text: &[u8], tape: &Tape) -> Option<Content> {
    match text.first() {
        None => Some(Content::Nothing),
        Some(b'"') if tape.has_backslash() && memchr::memchr(b'\\', text).is_some() => {
            serde_json::from_slice::<String>(text).ok().map(|_| Content::Text)
        }
        Some(b'"') => Some(Content::Text),
        Some(_) => (matches!(text, b"true" | b"false" | b"null") || is_number(text)).then_some(Content::Bare),
    }
}

//! An event as it is judged where a value that nobody reads is faulty: with null in its place.
//!
//! Where a value ends is told by counting brackets, of whichever kind: `[1,{2]}` is one faulty value.

use serde_json::{Map, Value};

/// The event with every faulty value as null and without members that have no name; `None` where not
/// all brackets and quotes are closed.
pub(crate) fn repaired(event: &[u8]) -> Option<Value> {
    let (piece, rest) = piece(event)?;
    rest.is_empty().then(|| value(piece))
}

fn value(text: &[u8]) -> Value {
    let text = trimmed(text);
    if let Ok(value) = serde_json::from_slice(text) {
        return value;
    }
    match text {
        [b'{', inside @ .., b'}'] => {
            pieces(inside).map_or(Value::Null, |members| members.into_iter().filter_map(member).collect::<Map<String, Value>>().into())
        }
        [b'[', inside @ .., b']'] => pieces(inside).map_or(Value::Null, |elements| elements.into_iter().map(value).collect()),
        _ => Value::Null,
    }
}

fn member(text: &[u8]) -> Option<(String, Value)> {
    let text = trimmed(text);
    let end = string_end(text)?;
    let (name, rest) = text.split_at_checked(end)?;
    let name = serde_json::from_slice(name).ok()?;
    match trimmed(rest) {
        [b':', rest @ ..] => Some((name, value(rest))),
        _ => None,
    }
}

/// What stands between commas; `None` where a bracket has no partner.
fn pieces(mut inside: &[u8]) -> Option<Vec<&[u8]>> {
    let mut pieces = Vec::new();
    loop {
        let (first, rest) = piece(inside)?;
        pieces.push(first);
        match rest {
            [] => return Some(pieces),
            [b',', rest @ ..] => inside = rest,
            _ => return None,
        }
    }
}

/// The text up to the next comma or closing bracket outside of strings and brackets, and what follows.
fn piece(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut open = 0_usize;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at += string_end(text.get(at..)?)? - 1,
            b'{' | b'[' => open += 1,
            b',' | b'}' | b']' if open == 0 => return text.split_at_checked(at),
            b'}' | b']' => open -= 1,
            _ => {}
        }
        at += 1;
    }
    (open == 0).then_some((text, &[]))
}

/// The length of the string that the text begins with, quotes included.
fn string_end(text: &[u8]) -> Option<usize> {
    let [b'"', ..] = text else { return None };
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] | [rest @ .., b' ' | b'\t' | b'\n' | b'\r'] = text {
        text = rest;
    }
    text
}

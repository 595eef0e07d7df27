//! JSON as Terraform stores state, read without losing a digit.
//!
//! A reader of our own, because the usual ones turn `0.1` into the nearest binary float and Terraform compares exactly.

use std::collections::BTreeMap;

use trailwire_engine::diagnostic::Path;

use crate::value::Dynamic;
use crate::wire::InvalidValue;

/// Deeper state than this does not exist; deeper input is refused instead of overflowing the stack.
const MAX_DEPTH: usize = 128;

/// Reads a JSON document. Of repeated members the last counts.
///
/// # Errors
/// Anything that is not one JSON document in UTF-8, or is nested more than 128 deep.
pub fn read(bytes: &[u8]) -> Result<Dynamic, InvalidValue> {
    let text = std::str::from_utf8(bytes).map_err(|_| invalid("the state is not UTF-8"))?;
    let mut rest = text;
    let value = read_value(&mut rest, 0)?;
    if rest.trim_ascii_start().is_empty() { Ok(value) } else { Err(not_json()) }
}

fn read_value(rest: &mut &str, depth: usize) -> Result<Dynamic, InvalidValue> {
    if depth > MAX_DEPTH {
        return Err(invalid("the state is nested too deeply"));
    }
    *rest = rest.trim_ascii_start();
    match rest.as_bytes().first() {
        Some(b'n') if eat(rest, "null") => Ok(Dynamic::Null),
        Some(b't') if eat(rest, "true") => Ok(Dynamic::Bool(true)),
        Some(b'f') if eat(rest, "false") => Ok(Dynamic::Bool(false)),
        Some(b'"') => read_text(rest).map(Dynamic::String),
        Some(b'[') => read_list(rest, depth),
        Some(b'{') => read_object(rest, depth),
        Some(b'-' | b'0'..=b'9') => read_number(rest),
        _ => Err(not_json()),
    }
}

fn read_list(rest: &mut &str, depth: usize) -> Result<Dynamic, InvalidValue> {
    let mut items = Vec::new();
    eat(rest, "[");
    if eat(rest, "]") {
        return Ok(Dynamic::List(items));
    }
    loop {
        items.push(read_value(rest, depth + 1)?);
        if eat(rest, "]") {
            return Ok(Dynamic::List(items));
        }
        need(rest, ",")?;
    }
}

fn read_object(rest: &mut &str, depth: usize) -> Result<Dynamic, InvalidValue> {
    let mut members = BTreeMap::new();
    eat(rest, "{");
    if eat(rest, "}") {
        return Ok(Dynamic::Map(members));
    }
    loop {
        *rest = rest.trim_ascii_start();
        let name = read_text(rest)?;
        need(rest, ":")?;
        members.insert(name, read_value(rest, depth + 1)?);
        if eat(rest, "}") {
            return Ok(Dynamic::Map(members));
        }
        need(rest, ",")?;
    }
}

fn read_number(rest: &mut &str) -> Result<Dynamic, InvalidValue> {
    let length = rest.bytes().take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')).count();
    let (text, after) = rest.split_at_checked(length).ok_or_else(not_json)?;
    *rest = after;
    text.parse().map(Dynamic::Number).map_err(|_| not_json())
}

/// Takes a quoted string; what stands between the quotes is left to the JSON library.
fn read_text(rest: &mut &str) -> Result<String, InvalidValue> {
    let mut escaped = false;
    let end = rest.bytes().skip(1).position(|byte| {
        let end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        end
    });
    let (quoted, after) = end.and_then(|end| rest.split_at_checked(end + 2)).ok_or_else(not_json)?;
    *rest = after;
    serde_json::from_str(quoted).map_err(|_| not_json())
}

fn eat(rest: &mut &str, token: &str) -> bool {
    match rest.trim_ascii_start().strip_prefix(token) {
        Some(after) => {
            *rest = after;
            true
        }
        None => false,
    }
}

fn need(rest: &mut &str, token: &str) -> Result<(), InvalidValue> {
    if eat(rest, token) { Ok(()) } else { Err(not_json()) }
}

fn not_json() -> InvalidValue {
    invalid("the state is not JSON")
}

fn invalid(what: &str) -> InvalidValue {
    InvalidValue::new(&Path::default(), what)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_escapes_and_nesting_survive() {
        let read =
            read(br#" {"a": [1, 0.1, -2.50e1, 12345678901234567890.5], "b\"\n": "\u00e9\\", "c": {}, "d": [], "e": [null, true, false]} "#)
                .unwrap();
        let numbers: Vec<String> = read.get_list("a").iter().map(|number| number.as_number().unwrap().to_string()).collect();
        assert_eq!(numbers, ["1", "0.1", "-25", "12345678901234567890.5"]);
        assert_eq!(read.get_str("b\"\n"), Some("é\\"));
        assert_eq!(read.get("c"), &Dynamic::Map(BTreeMap::new()));
        assert_eq!(read.get_list("e"), [Dynamic::Null, Dynamic::Bool(true), Dynamic::Bool(false)]);
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in ["", "{", "[1,]", "{\"a\"}", "nul", "1 2", "\"a", "{\"a\":1,}", "[1 2]", "'a'", "\"\\x\"", "+1", "--1"] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(read(&[0xff]).is_err());
        assert!(read("[".repeat(100_000).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]{}\",:0-9a-z\\\\ .é-]{0,60}") {
            let _ = read(text.as_bytes());
        }
    }
}

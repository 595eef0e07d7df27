//! Random choices from one seed, so that a failing case is told by a number.

use crate::value::{Map, Number, Value};

#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed ^ 0x9E37_79B9_7F4A_7C15)
    }

    pub(super) fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((value ^ (value >> 31)) % below.max(1) as u64) as usize
    }

    pub(super) fn one_in(&mut self, count: usize) -> bool {
        self.roll(count) == 0
    }

    pub(super) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.roll(from.len())]
    }
}

pub(super) const NAMES: [&str; 11] = ["a", "b", "c", "list", "x", "eventName", "detail", "q\"uote", "é", "source", ""];
const TEXTS: [&str; 14] =
    ["", "x", "y", "xy", "yx", "xyx", "é", "10.0.0.1", "192.168.1.1", "quote\"d", "back\\slash", "line\nfeed", "\u{1f600}x", "false"];
pub(super) const NUMBERS: [&str; 14] = [
    "0",
    "-0",
    "1",
    "-1",
    "5",
    "5.0",
    "5e0",
    "0.5",
    "9007199254740993",
    "9007199254740992.0",
    "18446744073709551615",
    "123456789012345678901234567890",
    "1e300",
    "-0.0",
];

/// Any value, `depth` deep at most.
pub(super) fn value(dice: &mut Dice, depth: usize) -> Value {
    match dice.roll(if depth == 0 { 7 } else { 10 }) {
        0 => Value::Null,
        1 => Value::Bool(dice.one_in(2)),
        2 => serde_json::from_str(dice.pick(&NUMBERS)).unwrap(),
        3 => Value::Number(Number::from(dice.roll(7))),
        4..=6 => Value::from(dice.pick(&TEXTS)),
        7 => (0..dice.roll(4)).map(|_| value(dice, depth - 1)).collect(),
        _ => Value::Object(members(dice, depth - 1)),
    }
}

pub(super) fn members(dice: &mut Dice, depth: usize) -> Map<String, Value> {
    let count = dice.roll(5);
    (0..count).map(|_| (dice.pick(&NAMES).to_owned(), value(dice, depth))).collect()
}

/// Writes a value as any of its texts: with white space, escapes and members that a later one of the same name replaces.
pub(super) fn write(dice: &mut Dice, value: &Value, loose: bool, into: &mut String) {
    let blank = |dice: &mut Dice, into: &mut String| {
        if loose && dice.one_in(6) {
            into.push_str(dice.pick(&[" ", "\n", "\t\r\n", "  "]));
        }
    };
    blank(dice, into);
    match value {
        Value::Array(elements) => {
            into.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    into.push(',');
                }
                write(dice, element, loose, into);
            }
            blank(dice, into);
            into.push(']');
        }
        Value::Object(members) => {
            into.push('{');
            for (index, (name, member)) in members.iter().enumerate() {
                if index > 0 {
                    into.push(',');
                }
                if dice.one_in(12) {
                    text(dice, name, into);
                    into.push(':');
                    let replaced = super::dice::value(dice, 2);
                    write(dice, &replaced, loose, into);
                    into.push(',');
                }
                blank(dice, into);
                text(dice, name, into);
                blank(dice, into);
                into.push(':');
                write(dice, member, loose, into);
            }
            blank(dice, into);
            into.push('}');
        }
        Value::String(string) => text(dice, string, into),
        Value::Number(_) if dice.one_in(30) => into.push_str(dice.pick(&NUMBERS)),
        other => into.push_str(&other.to_string()),
    }
    blank(dice, into);
}

fn text(dice: &mut Dice, text: &str, into: &mut String) {
    if !dice.one_in(6) {
        into.push_str(&Value::from(text).to_string());
        return;
    }
    into.push('"');
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii_alphanumeric() && dice.one_in(2) => into.push(char::from(byte)),
            _ => into.push_str(&format!("\\u{unit:04x}")),
        }
    }
    into.push('"');
}

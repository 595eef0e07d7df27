//! Values between JSON, in which tests write them, and msgpack, in which a provider answers.

use serde_json::{Map, Value, json};

use super::message::Block;

/// The object with every member that Terraform sends for a block.
pub(super) fn complete(value: &Value, block: &Block) -> Value {
    let Value::Object(members) = value else { return value.clone() };
    let known = |name: &String| block.attributes.iter().any(|one| one.name == *name) || block.blocks.iter().any(|one| one.name == *name);
    if let Some(unknown) = members.keys().find(|name| !known(name)) {
        panic!("the schema has no {unknown}");
    }
    let mut whole = Map::new();
    for attribute in &block.attributes {
        whole.insert(attribute.name.clone(), members.get(&attribute.name).cloned().unwrap_or_default());
    }
    for nested in &block.blocks {
        let inner = nested.block.clone().unwrap_or_default();
        let value = match members.get(&nested.name) {
            Some(Value::Array(items)) => items.iter().map(|item| complete(item, &inner)).collect(),
            Some(value) => complete(value, &inner),
            None if nested.nesting == 1 => Value::Null,
            None => json!([]),
        };
        whole.insert(nested.name.clone(), value);
    }
    Value::Object(whole)
}

/// What Terraform proposes: the configuration, with prior values of what is computed and not configured.
pub(super) fn proposed(config: &Value, prior: &Value, block: &Block) -> Value {
    let mut proposed = config.clone();
    for attribute in block.attributes.iter().filter(|attribute| attribute.computed && config[&attribute.name].is_null()) {
        if let (Some(members), Some(before)) = (proposed.as_object_mut(), prior.get(&attribute.name)) {
            members.insert(attribute.name.clone(), before.clone());
        }
    }
    proposed
}

/// Reads msgpack. What is unknown becomes the text `(unknown)`.
///
/// # Panics
/// When the bytes are no msgpack that Terraform would understand.
pub(super) fn read(bytes: &[u8]) -> Value {
    let mut rest = bytes;
    let value = next(&mut rest);
    assert!(rest.is_empty(), "bytes follow the end of a value");
    value
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, after) = rest.split_at(length);
    *rest = after;
    taken
}

fn number(rest: &mut &[u8], width: usize) -> u64 {
    take(rest, width).iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn length(rest: &mut &[u8], width: usize) -> usize {
    usize::try_from(number(rest, width)).expect("a length fits")
}

fn next(rest: &mut &[u8]) -> Value {
    let marker = take(rest, 1)[0];
    match marker {
        0xc0 => Value::Null,
        0xc2 | 0xc3 => Value::Bool(marker == 0xc3),
        0x00..=0x7f => json!(marker),
        0xe0..=0xff => json!(i64::from(i8::from_be_bytes([marker]))),
        0xcc..=0xcf => json!(number(rest, 1 << (marker - 0xcc))),
        0xd0..=0xd3 => {
            let bits = 8 << (marker - 0xd0);
            json!((number(rest, bits / 8) << (64 - bits)) as i64 >> (64 - bits))
        }
        0xcb => json!(f64::from_bits(number(rest, 8))),
        0xa0..=0xbf => text(rest, usize::from(marker & 0x1f)),
        0xd9..=0xdb => {
            let length = length(rest, 1 << (marker - 0xd9));
            text(rest, length)
        }
        0x90..=0x9f => list(rest, usize::from(marker & 0x0f)),
        0xdc | 0xdd => {
            let length = length(rest, 2 << (marker - 0xdc));
            list(rest, length)
        }
        0x80..=0x8f => map(rest, usize::from(marker & 0x0f)),
        0xde | 0xdf => {
            let length = length(rest, 2 << (marker - 0xde));
            map(rest, length)
        }
        0xd4..=0xd8 => {
            take(rest, 1 + (1 << (marker - 0xd4)));
            json!("(unknown)")
        }
        0xc7..=0xc9 => {
            let length = length(rest, 1 << (marker - 0xc7));
            take(rest, length + 1);
            json!("(unknown)")
        }
        other => panic!("no msgpack of Terraform's begins with {other:#x}"),
    }
}

fn text(rest: &mut &[u8], length: usize) -> Value {
    Value::String(String::from_utf8(take(rest, length).to_vec()).expect("text is UTF-8"))
}

fn list(rest: &mut &[u8], length: usize) -> Value {
    (0..length).map(|_| next(rest)).collect()
}

fn map(rest: &mut &[u8], length: usize) -> Value {
    let member = |rest: &mut &[u8]| {
        let Value::String(name) = next(rest) else { panic!("a member's name is text") };
        (name, next(rest))
    };
    Value::Object((0..length).map(|_| member(rest)).collect())
}

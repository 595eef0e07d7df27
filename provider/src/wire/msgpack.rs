//! Terraform's msgpack, read and written by type.
//!
//! - Numbers come as integers, binary floats or decimal text (`0.1` is text); they are written in the same three forms, whichever is exact.
//! - Any extension is an unknown value: code 0 is plainly unknown, code 12 unknown with refinements, which may be forgotten.
//! - Depth is bounded by the type, and no length is believed before the bytes are there, so hostile input cannot ask for more than a multiple of its own size.

mod reader;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;

use rmp::Marker;
use trailwire_engine::diagnostic::Path;

use crate::schema::Type;
use crate::value::{Dynamic, Number};
use crate::wire::InvalidValue;
use reader::{Reader, expected};

pub use write::encode;

/// Reads one value of this type from the whole of `bytes`.
///
/// # Errors
/// Another type than asked for, missing or unexpected members, bytes that end early or go on.
pub fn decode(bytes: &[u8], kind: &Type) -> Result<Dynamic, InvalidValue> {
    let mut reader = Reader::new(bytes);
    let value = read(&mut reader, kind, &Path::default())?;
    if reader.is_at_end() { Ok(value) } else { Err(InvalidValue::new(&Path::default(), "bytes follow the end of the value")) }
}

fn read(reader: &mut Reader<'_>, kind: &Type, path: &Path) -> Result<Dynamic, InvalidValue> {
    let marker = reader.marker(path)?;
    if reader.skip_extension(marker, path)? {
        return Ok(Dynamic::Unknown);
    }
    match (marker, kind) {
        (Marker::Null, _) => Ok(Dynamic::Null),
        (Marker::True, Type::Bool) => Ok(Dynamic::Bool(true)),
        (Marker::False, Type::Bool) => Ok(Dynamic::Bool(false)),
        (_, Type::Bool) => Err(expected("a bool", path)),
        (marker, Type::Number) => read_number(reader, marker, path).map(Dynamic::Number),
        (marker, Type::String) => Ok(Dynamic::String(reader.text(marker, path)?)),
        (marker, Type::List(element)) => read_list(reader, marker, path, |reader, index| read(reader, element, &path.index(index))),
        (marker, Type::Set(element)) => read_list(reader, marker, path, |reader, _| read(reader, element, path)),
        (marker, Type::Map(element)) => read_map(reader, marker, path, element),
        (marker, Type::Object(members)) => read_object(reader, marker, path, members),
    }
}

fn read_number(reader: &mut Reader<'_>, marker: Marker, path: &Path) -> Result<Number, InvalidValue> {
    let no_number = |_| InvalidValue::new(path, "a number is not one that can be held exactly");
    Ok(match marker {
        Marker::FixPos(value) => Number::from(u64::from(value)),
        Marker::FixNeg(value) => Number::from(i64::from(value)),
        Marker::U8 => Number::from(u64::from(u8::from_be_bytes(reader.array(path)?))),
        Marker::U16 => Number::from(u64::from(u16::from_be_bytes(reader.array(path)?))),
        Marker::U32 => Number::from(u64::from(u32::from_be_bytes(reader.array(path)?))),
        Marker::U64 => Number::from(u64::from_be_bytes(reader.array(path)?)),
        Marker::I8 => Number::from(i64::from(i8::from_be_bytes(reader.array(path)?))),
        Marker::I16 => Number::from(i64::from(i16::from_be_bytes(reader.array(path)?))),
        Marker::I32 => Number::from(i64::from(i32::from_be_bytes(reader.array(path)?))),
        Marker::I64 => Number::from(i64::from_be_bytes(reader.array(path)?)),
        Marker::F32 => Number::from_f64(f64::from(f32::from_be_bytes(reader.array(path)?))).map_err(no_number)?,
        Marker::F64 => Number::from_f64(f64::from_be_bytes(reader.array(path)?)).map_err(no_number)?,
        marker => reader.text(marker, path).map_err(|_| expected("a number", path))?.parse().map_err(no_number)?,
    })
}

fn read_list<'a>(
    reader: &mut Reader<'a>,
    marker: Marker,
    path: &Path,
    mut element: impl FnMut(&mut Reader<'a>, usize) -> Result<Dynamic, InvalidValue>,
) -> Result<Dynamic, InvalidValue> {
    let mut items = Vec::new();
    for _ in 0..reader.list_length(marker, path)? {
        items.push(element(reader, items.len())?);
    }
    Ok(Dynamic::List(items))
}

fn read_map(reader: &mut Reader<'_>, marker: Marker, path: &Path, element: &Type) -> Result<Dynamic, InvalidValue> {
    let mut members = BTreeMap::new();
    for _ in 0..reader.map_length(marker, "a map", path)? {
        let key = reader.key(path)?;
        let value = read(reader, element, &path.key(&key))?;
        members.insert(key, value);
    }
    Ok(Dynamic::Map(members))
}

fn read_object(reader: &mut Reader<'_>, marker: Marker, path: &Path, kinds: &BTreeMap<String, Type>) -> Result<Dynamic, InvalidValue> {
    let mut members = BTreeMap::new();
    for _ in 0..reader.map_length(marker, "an object", path)? {
        let name = reader.key(path)?;
        let kind = kinds.get(&name).ok_or_else(|| InvalidValue::new(path, "an object has a member that the schema does not know"))?;
        let value = read(reader, kind, &path.attribute(&name))?;
        members.insert(name, value);
    }
    match kinds.keys().find(|name| !members.contains_key(*name)) {
        Some(missing) => Err(InvalidValue::new(&path.attribute(missing), format!("an object lacks its member `{missing}`"))),
        None => Ok(Dynamic::Map(members)),
    }
}

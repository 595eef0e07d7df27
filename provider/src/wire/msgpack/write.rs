//! Values to bytes.

use rmp::encode;
use trailwire_engine::diagnostic::Path;

use crate::schema::Type;
use crate::value::{Dynamic, Number};
use crate::wire::InvalidValue;

/// An unknown value as Terraform reads it: extension 0 with one byte.
const UNKNOWN: [u8; 3] = [0xd4, 0x00, 0x00];

/// Writes a value of this type.
///
/// # Errors
/// A value of another type, or an object without one of its members or with a foreign one.
pub fn encode(value: &Dynamic, kind: &Type) -> Result<Vec<u8>, InvalidValue> {
    let mut bytes = Vec::new();
    write(&mut bytes, value, kind, &Path::default())?;
    Ok(bytes)
}

fn write(bytes: &mut Vec<u8>, value: &Dynamic, kind: &Type, path: &Path) -> Result<(), InvalidValue> {
    match (value, kind) {
        (Dynamic::Null, _) => bytes.push(rmp::Marker::Null.to_u8()),
        (Dynamic::Unknown, _) => bytes.extend_from_slice(&UNKNOWN),
        (Dynamic::Bool(true), Type::Bool) => bytes.push(rmp::Marker::True.to_u8()),
        (Dynamic::Bool(false), Type::Bool) => bytes.push(rmp::Marker::False.to_u8()),
        (Dynamic::Number(number), Type::Number) => write_number(bytes, number, path)?,
        (Dynamic::String(text), Type::String) => write_text(bytes, text, path)?,
        (Dynamic::List(items), Type::List(element) | Type::Set(element)) => {
            written(encode::write_array_len(bytes, length(items.len(), path)?), path)?;
            items.iter().enumerate().try_for_each(|(index, item)| write(bytes, item, element, &path.index(index)))?;
        }
        (Dynamic::Map(members), Type::Map(element)) => {
            written(encode::write_map_len(bytes, length(members.len(), path)?), path)?;
            for (key, member) in members {
                write_text(bytes, key, path)?;
                write(bytes, member, element, &path.key(key))?;
            }
        }
        (Dynamic::Map(members), Type::Object(kinds)) => {
            if let Some(foreign) = members.keys().find(|name| !kinds.contains_key(*name)) {
                return Err(InvalidValue::new(
                    &path.attribute(foreign),
                    format!("an object has a member `{foreign}` that the schema does not know"),
                ));
            }
            written(encode::write_map_len(bytes, length(kinds.len(), path)?), path)?;
            for (name, kind) in kinds {
                let missing = || InvalidValue::new(&path.attribute(name), format!("an object lacks its member `{name}`"));
                write_text(bytes, name, path)?;
                write(bytes, members.get(name).ok_or_else(missing)?, kind, &path.attribute(name))?;
            }
        }
        (value, kind) => {
            return Err(InvalidValue::new(path, format!("{} was expected here, not {}", kind.title().to_lowercase(), value.kind())));
        }
    }
    Ok(())
}

fn write_number(bytes: &mut Vec<u8>, number: &Number, path: &Path) -> Result<(), InvalidValue> {
    if let Some(value) = number.as_i64() {
        written(encode::write_sint(bytes, value), path)
    } else if let Some(value) = number.as_u64() {
        written(encode::write_uint(bytes, value), path)
    } else if let Some(value) = number.as_exact_f64() {
        written(encode::write_f64(bytes, value), path)
    } else {
        write_text(bytes, &number.to_string(), path)
    }
}

fn write_text(bytes: &mut Vec<u8>, text: &str, path: &Path) -> Result<(), InvalidValue> {
    length(text.len(), path)?;
    written(encode::write_str(bytes, text), path)
}

fn length(length: usize, path: &Path) -> Result<u32, InvalidValue> {
    u32::try_from(length).map_err(|_| too_long(path))
}

/// Writing into memory does not fail; the signature of the library says it might.
fn written<T, E>(result: Result<T, E>, path: &Path) -> Result<(), InvalidValue> {
    result.map(|_| ()).map_err(|_| too_long(path))
}

fn too_long(path: &Path) -> InvalidValue {
    InvalidValue::new(path, "a value is too long to be sent")
}

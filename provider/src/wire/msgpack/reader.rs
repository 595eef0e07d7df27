//! Bytes, taken one piece after the other.

use rmp::Marker;
use trailwire_engine::diagnostic::Path;

use crate::wire::InvalidValue;

/// The bytes not read yet. Paths are there for errors alone.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn marker(&mut self, path: &Path) -> Result<Marker, InvalidValue> {
        let [byte] = self.array(path)?;
        Ok(Marker::from_u8(byte))
    }

    pub(super) fn array<const N: usize>(&mut self, path: &Path) -> Result<[u8; N], InvalidValue> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| ends_early(path))?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(super) fn text(&mut self, marker: Marker, path: &Path) -> Result<String, InvalidValue> {
        let length = match marker {
            Marker::FixStr(length) => u32::from(length),
            Marker::Str8 => u32::from(u8::from_be_bytes(self.array(path)?)),
            Marker::Str16 => u32::from(u16::from_be_bytes(self.array(path)?)),
            Marker::Str32 => u32::from_be_bytes(self.array(path)?),
            _ => return Err(expected("a string", path)),
        };
        let bytes = self.take(length, path)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| InvalidValue::new(path, "a string is not UTF-8"))
    }

    pub(super) fn key(&mut self, path: &Path) -> Result<String, InvalidValue> {
        let marker = self.marker(path)?;
        self.text(marker, path)
    }

    pub(super) fn list_length(&mut self, marker: Marker, path: &Path) -> Result<u32, InvalidValue> {
        match marker {
            Marker::FixArray(length) => Ok(u32::from(length)),
            Marker::Array16 => Ok(u32::from(u16::from_be_bytes(self.array(path)?))),
            Marker::Array32 => Ok(u32::from_be_bytes(self.array(path)?)),
            _ => Err(expected("a list", path)),
        }
    }

    pub(super) fn map_length(&mut self, marker: Marker, what: &str, path: &Path) -> Result<u32, InvalidValue> {
        match marker {
            Marker::FixMap(length) => Ok(u32::from(length)),
            Marker::Map16 => Ok(u32::from(u16::from_be_bytes(self.array(path)?))),
            Marker::Map32 => Ok(u32::from_be_bytes(self.array(path)?)),
            _ => Err(expected(what, path)),
        }
    }

    /// Takes the rest of an extension, its code and payload. False when the marker is of something else.
    pub(super) fn skip_extension(&mut self, marker: Marker, path: &Path) -> Result<bool, InvalidValue> {
        let payload = match marker {
            Marker::FixExt1 => 1,
            Marker::FixExt2 => 2,
            Marker::FixExt4 => 4,
            Marker::FixExt8 => 8,
            Marker::FixExt16 => 16,
            Marker::Ext8 => u32::from(u8::from_be_bytes(self.array(path)?)),
            Marker::Ext16 => u32::from(u16::from_be_bytes(self.array(path)?)),
            Marker::Ext32 => u32::from_be_bytes(self.array(path)?),
            _ => return Ok(false),
        };
        let [_code] = self.array(path)?;
        self.take(payload, path)?;
        Ok(true)
    }

    fn take(&mut self, length: u32, path: &Path) -> Result<&'a [u8], InvalidValue> {
        let length = usize::try_from(length).map_err(|_| ends_early(path))?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(|| ends_early(path))?;
        self.rest = rest;
        Ok(taken)
    }
}

pub(super) fn expected(what: &str, path: &Path) -> InvalidValue {
    InvalidValue::new(path, format!("{what} was expected here"))
}

fn ends_early(path: &Path) -> InvalidValue {
    InvalidValue::new(path, "a value ends early")
}

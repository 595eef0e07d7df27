//! One Parquet file.
//!
//! A value of a nested column comes with its definition level, which is how many of the groups around it, and itself, are there; one of a list also with its repetition level:
//! whether it begins a row (0) or goes on with the list (1). Source: <https://parquet.apache.org/docs/file-format/nestedencoding/>.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::Value;
use trailwire_engine::event::Event;

use super::columns::{COLUMNS, Column, Kind, schema, written};

/// One column of values with their levels.
#[derive(Debug, Default)]
struct Leaf {
    values: Vec<ByteArray>,
    definitions: Vec<i16>,
    /// Of a list alone.
    repetitions: Option<Vec<i16>>,
}

/// Writes events as a file of this name. It has another until it is whole, so that one that broke off is none.
///
/// # Errors
///
/// In words.
pub(super) fn write(folder: &Path, name: &str, events: &[Event]) -> Result<(), String> {
    let (whole, begun) = (folder.join(name), folder.join(format!(".{name}.begun")));
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", whole.display());
    let schema = Arc::new(parse_message_type(&schema()).map_err(|error| wrong(&error))?);
    let properties = Arc::new(WriterProperties::builder().set_compression(Compression::SNAPPY).build());
    let file = File::create(&begun).map_err(|error| wrong(&error))?;
    let mut writer = SerializedFileWriter::new(file, schema, properties).map_err(|error| wrong(&error))?;
    let mut rows = writer.next_row_group().map_err(|error| wrong(&error))?;
    for column in COLUMNS {
        let mut leaves = Vec::new();
        gather(column, events, &mut leaves);
        for leaf in leaves {
            let mut next = rows.next_column().map_err(|error| wrong(&error))?.ok_or_else(|| wrong(&"a column too many"))?;
            let typed = next.typed::<ByteArrayType>();
            typed.write_batch(&leaf.values, Some(&leaf.definitions), leaf.repetitions.as_deref()).map_err(|error| wrong(&error))?;
            next.close().map_err(|error| wrong(&error))?;
        }
    }
    rows.close().map_err(|error| wrong(&error))?;
    writer.close().map_err(|error| wrong(&error))?;
    std::fs::rename(&begun, &whole).map_err(|error| wrong(&error))
}

/// The leaves of a column, in the order of the schema.
fn gather(column: &Column, events: &[Event], leaves: &mut Vec<Leaf>) {
    let path = [column.member];
    match column.kind {
        Kind::List(members) => leaves.extend(members.iter().map(|member| listed(column.member, member.member, events))),
        Kind::Group(members) => members.iter().for_each(|member| nested(&path, member, events, leaves)),
        Kind::Text | Kind::Json => leaves.push(single(&path, events)),
    }
}

fn nested(above: &[&'static str], column: &Column, events: &[Event], leaves: &mut Vec<Leaf>) {
    let path = [above, &[column.member]].concat();
    match column.kind {
        Kind::Group(members) => members.iter().for_each(|member| nested(&path, member, events, leaves)),
        Kind::Text | Kind::Json | Kind::List(_) => leaves.push(single(&path, events)),
    }
}

/// The values at a path, one for each event.
fn single(path: &[&'static str], events: &[Event]) -> Leaf {
    let mut leaf = Leaf::default();
    for event in events {
        leaf.add(event.detail(), path, 0);
    }
    leaf
}

/// The values of a member of a list's elements.
fn listed(list: &str, member: &'static str, events: &[Event]) -> Leaf {
    let mut leaf = Leaf { repetitions: Some(Vec::new()), ..Leaf::default() };
    for event in events {
        let elements = event.detail().get(list).and_then(Value::as_array);
        let elements: &[Value] = elements.map_or(&[], Vec::as_slice);
        for (index, element) in elements.iter().enumerate() {
            // The list and the element's place in it are there.
            leaf.add(&Value::from_iter([("element", element.clone())]), &["element", member], 2);
            leaf.repetition(i16::from(index > 0));
        }
        if elements.is_empty() {
            leaf.definitions.push(i16::from(event.detail().get(list).is_some_and(Value::is_array)));
            leaf.repetition(0);
        }
    }
    leaf
}

impl Leaf {
    /// Adds the value at a path, below so many levels that are there.
    fn add(&mut self, from: &Value, path: &[&'static str], above: i16) {
        let (mut value, mut level) = (Some(from), above);
        for (index, member) in path.iter().enumerate() {
            // ARN is `arn` in some records.
            value = value.and_then(|value| value.get(member).or_else(|| value.get(member.to_lowercase())));
            let is_there =
                if index + 1 == path.len() { value.is_some_and(|value| !value.is_null()) } else { value.is_some_and(Value::is_object) };
            if !is_there {
                return self.definitions.push(level);
            }
            level += 1;
        }
        self.definitions.push(level);
        self.values.extend(value.and_then(written).map(|text| ByteArray::from(text.into_bytes())));
    }

    fn repetition(&mut self, level: i16) {
        self.repetitions.get_or_insert_default().push(level);
    }
}

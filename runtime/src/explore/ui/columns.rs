//! One field of every record, as a column: each distinct text once, and for each record which of them it has.
//!
//! A field that goes through lists has several texts in a record. A column is made the first time that it is asked for, by reading every record once.

use std::collections::HashMap;
use std::sync::Arc;

use trailwire_engine::actor;
use trailwire_engine::event::Event;
use trailwire_engine::search::member;

use crate::explore::column::Column as Field;

/// The name of the column that tells who it was.
pub(super) const ACTOR: &str = "actor";
/// The name of the column that holds the triggers that fire.
pub(super) const TRIGGER: &str = "trigger";

/// Hands over every text that an event has in the column of this name. Of an actor it is the name alone, which can be searched.
pub(super) fn texts(name: &str, field: &Field, event: &Event, take: &mut dyn FnMut(&str)) {
    if name == ACTOR { take(&actor::who(event.detail()).name) } else { field.each(event, take) }
}

/// A member's name as a search has it; `None` where there is no way to write it.
pub(super) fn written(name: &str) -> Option<String> {
    let begins_as_name = |written: &String| written.starts_with(|first: char| first.is_alphabetic() || matches!(first, '_' | '\\'));
    (!name.is_empty()).then(|| Some(member(name)).filter(begins_as_name).unwrap_or_else(|| format!("\\{}", member(name))))
}

/// One field of every record.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// Each distinct text, in the order in which they came.
    pub(super) values: Vec<Arc<str>>,
    /// Where each record's numbers end.
    ends: Vec<u32>,
    numbers: Vec<u32>,
}

impl Column {
    /// The numbers of the texts that a record has.
    pub(super) fn of(&self, row: u32) -> &[u32] {
        let row = row as usize;
        let end = |row: Option<usize>| row.map_or(Some(0), |row| self.ends.get(row).map(|end| *end as usize));
        end(row.checked_sub(1)).zip(end(Some(row))).and_then(|(from, to)| self.numbers.get(from..to)).unwrap_or_default()
    }

    /// A text by its number.
    pub(super) fn value(&self, number: u32) -> &str {
        self.values.get(number as usize).map_or("", |value| value)
    }

    /// What a record has, in one text; `None` where it has nothing.
    pub(super) fn text(&self, row: u32) -> Option<String> {
        match self.of(row) {
            [] => None,
            numbers => Some(numbers.iter().map(|number| self.value(*number)).collect::<Vec<_>>().join(", ")),
        }
    }

    /// The memory that it takes, about.
    pub(super) fn bytes(&self) -> usize {
        // A text's own length, and what is told of it and of its memory.
        let texts: usize = self.values.iter().map(|value| value.len() + 48).sum();
        texts + 4 * (self.ends.len() + self.numbers.len())
    }

    /// The number of a text; `None` where no record has it.
    pub(super) fn number(&self, text: &str) -> Option<u32> {
        self.values.iter().position(|value| **value == *text).and_then(|number| u32::try_from(number).ok())
    }

    /// The records that have a text, in their order.
    pub(super) fn rows_with(&self, text: &str) -> Vec<u32> {
        let Some(number) = self.number(text) else { return Vec::new() };
        (0..u32::try_from(self.ends.len()).unwrap_or(u32::MAX)).filter(|row| self.of(*row).contains(&number)).collect()
    }
}

/// A column that grows, record by record.
#[derive(Debug, Default)]
pub(super) struct Builder {
    known: HashMap<Arc<str>, u32>,
    column: Column,
}

impl Builder {
    /// A text of the record that is under way.
    pub(super) fn add(&mut self, text: &str) {
        let next = u32::try_from(self.column.values.len()).unwrap_or(u32::MAX);
        let number = match self.known.get(text) {
            Some(number) => *number,
            None => {
                let text: Arc<str> = text.into();
                self.known.insert(Arc::clone(&text), next);
                self.column.values.push(text);
                next
            }
        };
        self.column.numbers.push(number);
    }

    /// The record ends.
    pub(super) fn end_row(&mut self) {
        self.column.ends.push(u32::try_from(self.column.numbers.len()).unwrap_or(u32::MAX));
    }

    /// The records of another column come behind.
    pub(super) fn append(&mut self, other: &Column) {
        for row in 0..u32::try_from(other.ends.len()).unwrap_or(u32::MAX) {
            other.of(row).iter().for_each(|number| self.add(other.value(*number)));
            self.end_row();
        }
    }

    pub(super) fn finish(self) -> Column {
        self.column
    }
}

#[cfg(test)]
mod tests {
    use trailwire_engine::search::Query;

    use super::*;

    #[test]
    fn names_are_written_as_a_search_has_them() {
        for (name, expected) in [
            ("plain", Some("plain")),
            ("with-hyphen", Some("with-hyphen")),
            ("-a", Some("\\-a")),
            ("5", Some("\\5")),
            ("a.b \"c\"", Some("a\\.b\\ \\\"c\\\"")),
            ("", None),
        ] {
            assert_eq!(written(name).as_deref(), expected, "{name}");
            let found = expected.map(|name| Query::parse(&format!("requestParameters.{name}:x")).0.is_some());
            assert_ne!(found, Some(false), "{name}");
        }
    }

    #[test]
    fn columns_are_put_one_behind_the_other() {
        let column = |rows: &[&[&str]]| {
            let mut builder = Builder::default();
            for row in rows {
                row.iter().for_each(|text| builder.add(text));
                builder.end_row();
            }
            builder.finish()
        };
        let (first, second) = (column(&[&["a"], &[], &["b", "a"]]), column(&[&["c", "b"], &[]]));
        let mut both = Builder::default();
        both.append(&first);
        both.append(&second);
        let both = both.finish();
        assert_eq!(both, column(&[&["a"], &[], &["b", "a"], &["c", "b"], &[]]));
        assert_eq!(
            (both.text(1), both.text(2), both.text(3), both.text(9)),
            (None, Some("b, a".to_owned()), Some("c, b".to_owned()), None)
        );
        assert_eq!((both.rows_with("b"), both.rows_with("z")), (vec![2, 3], vec![]));
    }
}

//! What `trailwire replay` prints: lines of JSON, or a table.

use clap::ValueEnum;
use serde_json::{Map, Value};

use crate::cli::{Failure, logs, print};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Json,
    Table,
}

/// Names and values, in their order.
pub(super) type Row = Vec<(&'static str, Value)>;

/// What is printed. A table is printed at its end, when its widths are known.
pub(super) struct Out {
    pub(super) format: Format,
    rows: Vec<Row>,
    failed: Option<Failure>,
}

impl Out {
    pub(super) fn new(format: Format) -> Self {
        Self { format, rows: Vec::new(), failed: None }
    }

    /// Whether there is sense in another one.
    pub(super) fn row(&mut self, row: Row) -> bool {
        match self.format {
            Format::Table => self.rows.push(row),
            Format::Json => {
                let line: Map<String, Value> = row.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                self.failed = print(&Value::from(line).to_string()).err();
            }
        }
        self.failed.is_none()
    }

    pub(super) fn end(self) -> Result<(), Failure> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        let Some(first) = self.rows.first() else { return Ok(()) };
        let names: Vec<String> = first.iter().map(|(name, _)| (*name).to_owned()).collect();
        let cell = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let rows: Vec<Vec<String>> = self.rows.iter().map(|row| row.iter().map(|(_, value)| cell(value)).collect()).collect();
        logs::table(&names, &rows)
    }
}

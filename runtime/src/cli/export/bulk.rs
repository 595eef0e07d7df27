//! `_bulk` for search engines, on standard output.

use clap::Args;

use super::Logs;
use crate::cli::{Failure, print};
use crate::explore::bulk::{self, Engine};

/// What is asked of `--bulk`.
#[derive(Debug, Args)]
pub(super) struct BulkArguments {
    /// Print the events for `_bulk` of this index: two lines each, with an id that stays, so that sending them twice changes nothing (but in Quickwit, which has no ids).
    #[arg(long, value_name = "INDEX", group = "form", value_parser = index)]
    bulk: Option<String>,
    /// The engine that the index is in.
    #[arg(long, value_name = "ENGINE", default_value = "opensearch", requires = "bulk")]
    engine: Engine,
    /// Print the index template, or Quickwit's index configuration, that --bulk relies on, and read no logs.
    #[arg(long, requires = "bulk")]
    pub(super) template: bool,
}

fn index(name: &str) -> Result<String, String> {
    let may_begin = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let is_name = name.starts_with(may_begin) && name.chars().all(|letter| may_begin(letter) || "-_.".contains(letter));
    is_name.then(|| name.to_owned()).ok_or_else(|| "write lower-case letters, digits, `-`, `_` and `.`, a letter or digit first".to_owned())
}

impl BulkArguments {
    fn index(&self) -> &str {
        self.bulk.as_deref().unwrap_or_default()
    }

    pub(super) fn template_text(&self) -> String {
        format!("{:#}", bulk::template(self.engine, self.index()))
    }
}

pub(super) fn run(arguments: &BulkArguments, logs: &Logs<'_>) -> Result<(), Failure> {
    let index = arguments.index();
    let mut unwritten = None;
    let done = logs.each(|event| {
        unwritten = print(&bulk::lines(index, &event)).err();
        if unwritten.is_some() { Err(String::new()) } else { Ok(()) }
    });
    if let Some(unwritten) = unwritten {
        return Err(unwritten);
    }
    let (matches, totals) = done?;
    logs.told(matches, &totals)
}

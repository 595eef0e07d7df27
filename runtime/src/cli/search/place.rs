//! Where is searched: logs as they lie, or an index of them.

use std::io::Write as _;
use std::path::PathBuf;

use trailwire_engine::event::Event;
use trailwire_engine::search::Query;

use crate::cli::logs::{self, Told, count_of};
use crate::cli::{Failure, escaped};
use crate::explore::files::{self, Found, Selection};
use crate::explore::index::Index;
use crate::explore::search::{Totals, search};

/// Where is searched.
pub(super) enum Place {
    Logs(Vec<PathBuf>),
    Index(Index),
}

impl Place {
    /// The logs that may hold what is asked for. An index has none.
    pub(super) fn found(&self, selection: &Selection) -> Found {
        match self {
            Self::Logs(paths) => files::find(paths, selection),
            Self::Index(_) => Found::default(),
        }
    }

    /// Hands over what is found, until `take` says no.
    ///
    /// # Errors
    ///
    /// In words, where an index can not be read.
    pub(super) fn search(
        &self,
        query: &Query,
        found: &Found,
        selection: &Selection,
        take: impl FnMut(Event) -> bool,
    ) -> Result<Totals, String> {
        match self {
            Self::Logs(_) => Ok(search(query, &found.files, selection, take)),
            Self::Index(index) => index.search(query, selection, take),
        }
    }

    /// The last words.
    ///
    /// # Errors
    ///
    /// [`Failure::Broken`] where not everything could be read.
    pub(super) fn told(&self, matches: u64, found: &Found, totals: &Totals, warnings: Vec<String>) -> Result<(), Failure> {
        if let Self::Logs(_) = self {
            return logs::told(matches, Told { warnings, ..Told::of(found, totals) });
        }
        let mut text: String = totals.faults.iter().map(|fault| format!("warning: {}\n", escaped(fault))).collect();
        let (matches, events) = (count_of(matches, "match", "es"), count_of(totals.records, "event", "s"));
        text.push_str(&format!("{matches} in {events} of {} in the index\n", count_of(totals.files, "file", "s")));
        std::io::stderr().write_all(text.as_bytes()).map_err(Failure::broken)?;
        match totals.faults.len() {
            0 => Ok(()),
            faults => Err(Failure::Broken(format!("{faults} events of the index could not be judged: what is told is without them"))),
        }
    }
}

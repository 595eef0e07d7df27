//! The same work in many cells, side by side, and how its failures are told.

use std::collections::BTreeMap;
use std::future::Future;

use futures::stream::{FuturesUnordered, StreamExt};
use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::fanout::names::Cell;

use super::progress::Progress;
use super::told;
use crate::cloud::Session;
use crate::cloud::error::{CloudError, CloudResult, Kind};
use crate::value::Dynamic;

/// What came of the work in each cell, in the cells' order.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Cells in which it was done.
    pub done: Vec<Cell>,
    /// Cells in which it was not, each with the first error.
    pub failed: BTreeMap<Cell, CloudError>,
}

/// Does the work in every cell at once; how many calls are under way is bounded elsewhere. Every cell is tried whatever happens in the others.
pub async fn in_each<F>(cells: impl IntoIterator<Item = Cell>, work: impl Fn(Cell) -> F) -> Outcome
where
    F: Future<Output = CloudResult<()>>,
{
    let jobs = cells.into_iter().map(|cell| {
        let job = work(cell.clone());
        async move { (cell, job.await) }
    });
    let mut jobs: FuturesUnordered<_> = jobs.collect();
    let mut progress = Progress::of(jobs.len());
    let mut results = BTreeMap::new();
    while let Some((cell, result)) = jobs.next().await {
        progress.count(result.is_ok());
        results.insert(cell, result);
    }
    let mut outcome = Outcome::default();
    results.into_iter().for_each(|(cell, result)| outcome.add(cell, result));
    outcome
}

impl Outcome {
    /// Adds what came of one piece of work; a cell is done when all its pieces are.
    pub fn add(&mut self, cell: Cell, result: CloudResult<()>) {
        match result {
            Ok(()) if self.failed.contains_key(&cell) || self.done.contains(&cell) => {}
            Ok(()) => self.done.push(cell),
            Err(error) => {
                self.done.retain(|done| *done != cell);
                self.failed.entry(cell).or_insert(error);
            }
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Outcome) -> Self {
        other.done.into_iter().for_each(|cell| self.add(cell, Ok(())));
        other.failed.into_iter().for_each(|(cell, error)| self.add(cell, Err(error)));
        self
    }

    /// Whether the user's interrupt, or a timeout, was why something failed.
    pub fn interrupted(&self) -> bool {
        self.failed.values().any(|error| error.kind == Kind::Interrupted)
    }

    /// The computed attribute `drifted` for what failed: cell to reason.
    pub fn reasons(&self) -> BTreeMap<String, String> {
        self.failed.iter().map(|(cell, error)| (cell.to_string(), error.to_string())).collect()
    }

    /// One error that names every failed cell with AWS's code and request id. `what` is the sentence's beginning: "trigger `a` was not created".
    pub fn diagnostic(&self, session: &Session, what: &str) -> Diagnostic {
        let total = self.failed.len().saturating_add(self.done.len());
        let message = format!("{what}: {} of {total} cells failed", self.failed.len());
        let code = if self.interrupted() { Code::INTERRUPTED } else { Code::CELLS_FAILED };
        let mut lines = told::lines(&self.failed);
        lines.extend(timeout_note(session));
        Diagnostic::error(code, message).help(lines.join("\n    "))
    }
}

/// What to add to an error when an interrupt or a `timeouts` argument ended the work.
pub fn timeout_note(session: &Session) -> Option<String> {
    let again = "what exists is in the state: run the same command again";
    match (session.stop().is_cancelled(), session.timed_out()) {
        (false, _) => None,
        (true, None) => Some(format!("Terraform was interrupted; {again}")),
        (true, Some(limit)) => Some(format!("the {} seconds of `timeouts` are over; {again}, or raise them", limit.as_secs())),
    }
}

/// The computed attribute `cells`: account to regions.
pub fn cells_value(cells: impl IntoIterator<Item = Cell>) -> Dynamic {
    let mut by_account: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for cell in cells {
        by_account.entry(cell.account).or_default().push(cell.region);
    }
    let value = by_account.into_iter().map(|(account, mut regions)| {
        regions.sort();
        regions.dedup();
        (account, Dynamic::strings(regions))
    });
    Dynamic::object(value)
}

/// The cells that the computed attribute `cells` of a state names.
pub fn cells_of(state: &Dynamic) -> Vec<Cell> {
    let accounts = state.get("cells").as_map().into_iter().flatten();
    accounts.flat_map(|(account, regions)| regions.as_strings().into_iter().map(|region| Cell::new(account.clone(), region))).collect()
}

/// The computed attribute `drifted`.
pub fn drifted_value(reasons: BTreeMap<String, String>) -> Dynamic {
    Dynamic::object(reasons.into_iter().map(|(cell, reason)| (cell, Dynamic::String(reason))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_done_when_all_its_work_is() {
        let cell = |region: &str| Cell::new("111122223333", region);
        let error = |region: &str| CloudError::ours(Kind::Other, &cell(region), "no");
        let mut outcome = Outcome::default();
        outcome.add(cell("a-b-1"), Ok(()));
        outcome.add(cell("a-b-2"), Err(error("a-b-2")));
        outcome.add(cell("a-b-2"), Ok(()));
        outcome.add(cell("a-b-1"), Ok(()));
        let mut other = Outcome::default();
        other.add(cell("a-b-1"), Err(error("a-b-1")));
        other.add(cell("a-b-3"), Ok(()));
        let outcome = outcome.and(other);
        assert_eq!(outcome.done, [cell("a-b-3")]);
        assert_eq!(outcome.failed.into_keys().collect::<Vec<_>>(), [cell("a-b-1"), cell("a-b-2")]);
    }

    #[test]
    fn cells_are_read_back_from_the_state() {
        let cells =
            vec![Cell::new("111122223333", "us-east-1"), Cell::new("111122223333", "eu-west-1"), Cell::new("444455556666", "eu-west-1")];
        let state = Dynamic::object([("cells", cells_value(cells.clone()))]);
        let mut read = cells_of(&state);
        read.sort();
        let mut sorted = cells;
        sorted.sort();
        assert_eq!(read, sorted);
    }
}

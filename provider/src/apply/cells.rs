//! The same work in many cells, side by side, and how its failures are told.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use futures::stream::{FuturesUnordered, StreamExt};
use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::fanout::names::{Cell, is_account_id, is_region_name};

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

/// Does the work in every cell at once; how many calls are under way is bounded elsewhere. Every cell is tried whatever happens in the others. The accounts take
/// turns, so that their sessions are begun side by side.
pub async fn in_each<F>(cells: impl IntoIterator<Item = Cell>, work: impl Fn(Cell) -> F) -> Outcome
where
    F: Future<Output = CloudResult<()>>,
{
    let mut cells: Vec<Cell> = cells.into_iter().collect();
    cells.sort_by(|one, other| (&one.region, &one.account).cmp(&(&other.region, &other.account)));
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

/// Up to so many cells each account has an entry of its own in [`shared_cells_value`].
const CELLS_IN_FULL: usize = 100;
/// Between the accounts that share an entry.
const AND: &str = ", ";

/// The regions of each account, both in order.
fn by_account<'c>(cells: impl IntoIterator<Item = &'c Cell>) -> BTreeMap<&'c str, BTreeSet<&'c str>> {
    let mut by_account: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for cell in cells {
        by_account.entry(&cell.account).or_default().insert(&cell.region);
    }
    by_account
}

/// The accounts by the regions that they have in these cells: most accounts have the same ones.
pub(super) fn by_regions<'c>(cells: impl IntoIterator<Item = &'c Cell>) -> BTreeMap<Vec<&'c str>, Vec<&'c str>> {
    let mut by_regions: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
    for (account, regions) in by_account(cells) {
        by_regions.entry(regions.into_iter().collect()).or_default().push(account);
    }
    by_regions
}

/// The computed attribute `cells` of a hub: account to regions.
pub fn cells_value<'c>(cells: impl IntoIterator<Item = &'c Cell>) -> Dynamic {
    Dynamic::object(by_account(cells).into_iter().map(|(account, regions)| (account, Dynamic::strings(regions))))
}

/// The computed attribute `cells` of what a hub has many of: account to regions. Of many cells, accounts with the same regions share an entry, so that the
/// states of hundreds of triggers do not say the same of each account again.
pub fn shared_cells_value(cells: &[Cell]) -> Dynamic {
    if cells.len() <= CELLS_IN_FULL {
        return cells_value(cells);
    }
    Dynamic::object(by_regions(cells).into_iter().map(|(regions, accounts)| (accounts.join(AND), Dynamic::strings(regions))))
}

/// The cells that the computed attribute `cells` of a state names, in either form. What is no account or no region is left out: nothing is called there.
pub fn cells_of(state: &Dynamic) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (accounts, regions) in state.get("cells").as_map().into_iter().flatten() {
        let regions = regions.as_strings();
        cells.extend(accounts.split(AND).flat_map(|account| regions.iter().map(move |region| Cell::new(account, region))));
    }
    cells.retain(is_cell);
    cells
}

/// Cells as the hub's table keeps them, in as few texts as accounts have different regions.
pub fn cells_text<'c>(cells: impl IntoIterator<Item = &'c Cell>) -> Vec<String> {
    by_regions(cells).into_iter().map(|(regions, accounts)| format!("{}/{}", accounts.join(AND), regions.join(AND))).collect()
}

/// The cells that one such text tells of.
pub fn cells_of_text(text: &str) -> Vec<Cell> {
    let Some((accounts, regions)) = text.split_once('/') else { return Vec::new() };
    let cells = accounts.split(AND).flat_map(|account| regions.split(AND).map(move |region| Cell::new(account, region)));
    cells.filter(is_cell).collect()
}

fn is_cell(cell: &Cell) -> bool {
    is_account_id(&cell.account) && is_region_name(&cell.region)
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
        let [one, two, three] = ["111122223333", "444455556666", "777788889999"];
        let regions = |count: usize| (10..10 + count).map(|number| format!("eu-west-{number}")).collect::<Vec<_>>();
        let listed = |count: usize| serde_json::to_string(&regions(count)).unwrap();
        for (of, shared) in [
            (vec![], "{}".to_owned()),
            (vec![(one, 2)], format!(r#"{{"{one}":{}}}"#, listed(2))),
            (
                vec![(one, 40), (two, 20), (three, 40)],
                format!(r#"{{"{one}":{},"{two}":{},"{three}":{}}}"#, listed(40), listed(20), listed(40)),
            ),
            (vec![(one, 40), (two, 21), (three, 40)], format!(r#"{{"{one}, {three}":{},"{two}":{}}}"#, listed(40), listed(21))),
            (vec![(one, 50), (two, 50), (three, 50)], format!(r#"{{"{one}, {two}, {three}":{}}}"#, listed(50))),
        ] {
            let cells: Vec<Cell> =
                of.iter().flat_map(|(account, count)| regions(*count).into_iter().map(move |region| Cell::new(*account, region))).collect();
            let unordered: Vec<Cell> = cells.iter().rev().cloned().collect();
            assert_eq!(json(&shared_cells_value(&unordered)), shared);
            for value in [cells_value(&cells), shared_cells_value(&unordered)] {
                let mut read = cells_of(&Dynamic::object([("cells", value)]));
                read.sort();
                assert_eq!(read, cells);
            }
            let mut read: Vec<Cell> = cells_text(&cells).iter().flat_map(|text| cells_of_text(text)).collect();
            read.sort();
            assert_eq!(read, cells);
        }
    }

    #[test]
    fn what_is_no_cell_is_left_out() {
        let regions = Dynamic::strings(["eu-west-1", "evil.example/?", "", "EU-WEST-1"]);
        let state = Dynamic::object([("cells", Dynamic::object([("111122223333, 1", regions.clone()), ("", regions)]))]);
        let good = [Cell::new("111122223333", "eu-west-1")];
        assert_eq!(cells_of(&state), good);
        assert_eq!(cells_of(&Dynamic::object([("cells", Dynamic::String("eu-west-1".to_owned()))])), []);
        for (text, expected) in [("111122223333, x/eu-west-1, ../a", &good[..]), ("111122223333", &[]), ("/", &[]), ("", &[])] {
            assert_eq!(cells_of_text(text), expected, "{text}");
        }
    }

    fn json(cells: &Dynamic) -> String {
        let entries = cells.as_map().into_iter().flatten();
        let entries: BTreeMap<&String, Vec<String>> = entries.map(|(accounts, regions)| (accounts, regions.as_strings())).collect();
        serde_json::to_string(&entries).unwrap()
    }
}

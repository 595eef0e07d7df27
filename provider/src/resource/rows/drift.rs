//! What a refresh finds of the rules of a definition.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::fanout::names::{Cell, Hub};
use trailwire_engine::fanout::rules::drift;
use trailwire_engine::fanout::table::HubRecord;
use trailwire_engine::fanout::wanted::Rules;

use crate::apply::cells::{drifted_value, shared_cells_value};
use crate::apply::coverage::unread;
use crate::apply::scope::known_cells;
use crate::cloud::Session;
use crate::cloud::error::Kind as ErrorKind;
use crate::context::Context;
use crate::value::Dynamic;

/// What a refresh found.
#[derive(Default)]
pub(crate) struct Drift {
    /// Cell to reason.
    reasons: BTreeMap<String, String>,
    /// Cells in which there are to be rules, or some are left.
    cells: Vec<Cell>,
    /// Cells that could not be read.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Drift {
    /// Sets the attributes that tell of rules.
    pub(crate) fn tell(&self, state: &mut Dynamic, hub: &Hub, rules: &Rules) {
        state.set("rule_names", Dynamic::strings(rules.names(hub)));
        state.set("cells", shared_cells_value(&self.cells));
        state.set("drifted", drifted_value(self.reasons.clone()));
    }

    /// Adds a reason to those that are told of a cell.
    pub(crate) fn add(&mut self, cell: &Cell, reason: &str) {
        let told = self.reasons.entry(cell.to_string()).or_default();
        let before = std::mem::take(told);
        *told = if before.is_empty() { reason.to_owned() } else { format!("{before}; {reason}") };
    }

    /// What differs, cell by cell, in the scope, in the rest of the hub's cells and in those that the state knows: outside the scope any rule is too much.
    /// A cell that cannot be read keeps what the state says of it, with a warning.
    ///
    /// # Errors
    /// When the user interrupted it.
    pub(crate) async fn of(
        context: &Context,
        session: &Session,
        (hub, record): (&Hub, &HubRecord),
        rules: &Rules,
        state: &Dynamic,
    ) -> Result<Self, Diagnostic> {
        let scope: BTreeSet<Cell> = rules.cells(record).into_iter().collect();
        let known: BTreeSet<Cell> = known_cells(state, Some(record)).into_iter().collect();
        let mut drifted = Self { cells: scope.iter().cloned().collect(), ..Self::default() };
        if scope.is_empty() && known.is_empty() {
            return Ok(drifted);
        }
        let all: BTreeSet<Cell> = scope.iter().cloned().chain(known.iter().cloned()).chain(record.cells()).collect();
        let mut unread_cells = BTreeMap::new();
        let looks = all.into_iter().map(|cell| async move {
            let found = context.shared.rules_of(session, hub, &cell, rules.owner()).await;
            (cell, found)
        });
        for (cell, found) in join_all(looks).await {
            let inside = scope.contains(&cell);
            match found {
                Ok(found) => {
                    let wanted = if inside { rules.wanted(hub, record, &cell) } else { Vec::new() };
                    let reasons = drift(&wanted, &found, |_| true);
                    if !reasons.is_empty() {
                        drifted.reasons.insert(cell.to_string(), reasons.join("; "));
                        drifted.cells.extend((!inside).then_some(cell));
                    }
                }
                Err(error) if error.kind == ErrorKind::Interrupted => return Err(error.diagnostic()),
                Err(error) if error.kind == ErrorKind::RegionDisabled => {
                    let told = "the region is not enabled in the account any more".to_owned();
                    drifted.reasons.extend(inside.then(|| (cell.to_string(), told)));
                }
                Err(error) => {
                    let before = state.get("drifted").get_str(&cell.to_string());
                    drifted.reasons.extend(before.map(|reason| (cell.to_string(), reason.to_owned())));
                    drifted.cells.extend((!inside && known.contains(&cell)).then(|| cell.clone()));
                    unread_cells.insert(cell, error);
                }
            }
        }
        drifted.diagnostics = unread(&unread_cells);
        Ok(drifted)
    }
}

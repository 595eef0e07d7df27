//! Definitions that have rules in every cell of their scope: what triggers and forwarders have in common.
//!
//! *Invariants*: the definition is there before its rules and goes after them; create is all or nothing; update and delete go on in the other cells when one fails, and
//! tell the truth about what is left. One without patterns has no rules, and no cell is asked for them.

pub(super) mod apply;
pub(super) mod carried;
pub(super) mod drift;
pub(super) mod quota;
pub(super) mod read;
pub(super) mod regions;
mod settings;

use trailwire_engine::fanout::names::{Carrier, Cell, Hub, Owner};
use trailwire_engine::fanout::pushed::{Pushed, rule_state};
use trailwire_engine::fanout::rules::{Rule, RuleRequest, cell_rules};
use trailwire_engine::fanout::table::HubRecord;
use trailwire_engine::trigger::Trigger;

use crate::apply::scope::trigger_cells;

pub(crate) use settings::Settings;

/// The rules of a definition: which events they carry, from where, and how.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// What the definition is.
    pub(crate) carrier: Carrier,
    /// The trigger; of a forwarder, one on everything that it carries.
    pub(crate) events: Trigger,
    /// Their patterns; none where there are no rules.
    pub(crate) pushed: Pushed,
}

impl Rules {
    pub(crate) fn owner(&self) -> Owner<'_> {
        Owner { carrier: self.carrier, name: &self.events.name }
    }

    /// Their names, the same in every cell.
    pub(crate) fn names(&self, hub: &Hub) -> Vec<String> {
        (0..self.pushed.patterns.len()).map(|k| hub.rule_name(self.owner(), k)).collect()
    }

    /// Where they are.
    pub(crate) fn cells(&self, record: &HubRecord) -> Vec<Cell> {
        if self.pushed.patterns.is_empty() { Vec::new() } else { trigger_cells(record, &self.events) }
    }

    /// Those of one of these cells.
    pub(crate) fn wanted(&self, hub: &Hub, record: &HubRecord, cell: &Cell) -> Vec<Rule> {
        let request = RuleRequest { owner: self.owner(), patterns: &self.pushed.patterns, state: rule_state(&self.events) };
        cell_rules(hub, request, cell, record.forward_dead_letter)
    }
}

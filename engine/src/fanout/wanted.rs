//! The rules that a definition in the hub's table wants: what the provider makes, and what a look at the cells is held against.

use serde::Deserialize;

use super::names::{Carrier, Cell, Hub, Owner};
use super::pattern::PatternTooLong;
use super::pushed::{Pushed, forwarded_after, pushed_after, rule_state};
use super::rules::{Rule, RuleRequest, cell_rules};
use super::table::{Definition, HubRecord};
use crate::trigger::{Forwarder, Trigger};

/// The rules of a definition: which events they carry, from where, and how.
#[derive(Debug, Clone)]
pub struct Rules {
    /// What the definition is.
    pub carrier: Carrier,
    /// The trigger; of a forwarder, one on everything that it carries.
    pub events: Trigger,
    /// Their patterns; none where there are no rules.
    pub pushed: Pushed,
}

/// What the provider's settings tell of rules: what is deployed. Everything else in them is its own.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Deployed {
    pushed: Option<Pushed>,
}

impl Rules {
    /// Those of a stored definition. `None` of one that has no document yet, or one that cannot be read, and of what never has rules.
    ///
    /// ```
    /// use trailwire_engine::fanout::{table::{Claim, Definition, Kind}, wanted::Rules};
    /// let document = Some(r#"{"name": "all", "all": true}"#.to_owned());
    /// let definition = Definition { kind: Kind::Forwarder, name: "all".to_owned(), document, settings: None, claim: Claim::live(), revision: 1 };
    /// assert_eq!(Rules::of(&definition).unwrap().unwrap().pushed.patterns.len(), 1);
    /// ```
    #[must_use]
    pub fn of(definition: &Definition) -> Option<Result<Self, PatternTooLong>> {
        let (carrier, document) = (Carrier::of(definition.kind)?, definition.document.as_deref()?);
        let settings = definition.settings.as_deref().and_then(|settings| serde_json::from_str::<Deployed>(settings).ok());
        let deployed = settings.and_then(|settings| settings.pushed);
        let (events, pushed) = match carrier {
            Carrier::Trigger => {
                let trigger = Trigger::parse(document).ok()?;
                let pushed = pushed_after(&trigger, deployed.as_ref());
                (trigger, pushed)
            }
            Carrier::Forwarder => {
                let forwarder = Forwarder::parse(document).ok()?;
                (forwarder.events(), forwarded_after(&forwarder, deployed.as_ref()))
            }
        };
        Some(pushed.map(|pushed| Self { carrier, events, pushed }))
    }

    /// Whose they are.
    #[must_use]
    pub fn owner(&self) -> Owner<'_> {
        Owner { carrier: self.carrier, name: &self.events.name }
    }

    /// Their names, the same in every cell.
    #[must_use]
    pub fn names(&self, hub: &Hub) -> Vec<String> {
        (0..self.pushed.patterns.len()).map(|k| hub.rule_name(self.owner(), k)).collect()
    }

    /// Where they are.
    #[must_use]
    pub fn cells(&self, record: &HubRecord) -> Vec<Cell> {
        if self.pushed.patterns.is_empty() {
            Vec::new()
        } else {
            record.cells().into_iter().filter(|cell| covers(&self.events, cell)).collect()
        }
    }

    /// Those that are to be in a cell of the hub.
    #[must_use]
    pub fn wanted(&self, hub: &Hub, record: &HubRecord, cell: &Cell) -> Vec<Rule> {
        if !covers(&self.events, cell) {
            return Vec::new();
        }
        let request = RuleRequest { owner: self.owner(), patterns: &self.pushed.patterns, state: rule_state(&self.events) };
        cell_rules(hub, request, cell, record.forward_dead_letter)
    }
}

/// Whether a trigger is about a cell of its hub.
#[must_use]
pub fn covers(trigger: &Trigger, cell: &Cell) -> bool {
    let within = |list: &[String], value: &String| list.is_empty() || list.contains(value);
    within(&trigger.regions, &cell.region) && !trigger.exclude_regions.contains(&cell.region) && within(&trigger.account_ids, &cell.account)
}

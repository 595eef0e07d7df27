//! The canary rule of each cell: `trailwire doctor --canary` tags it, and it carries the event of that.

use std::collections::BTreeSet;

use trailwire_engine::fanout::canary;
use trailwire_engine::fanout::names::Cell;
use trailwire_engine::fanout::rules::{Found, Rule, difference, drift, removal};

use super::column::Columns;
use super::home::Reasons;
use super::made::Thing;
use crate::apply::cells::{Outcome, in_each};
use crate::apply::rules::Hand;
use crate::cloud::call::{Tagged, Tags};
use crate::cloud::error::CloudResult;

/// What is known of the rules before they are made.
#[derive(Clone, Copy, Debug)]
pub(super) enum Before<'a> {
    /// None is there.
    Nothing,
    /// They may be there.
    There {
        /// The tags that they have.
        tags: &'a Tags,
        /// Where their targets may have another dead-letter queue than is wanted, which a listing does not tell.
        anew: &'a BTreeSet<Cell>,
    },
}

impl Columns<'_> {
    fn canary(&self, cell: &Cell) -> Rule {
        canary::rule(self.hub, cell, self.settings.forward_dead_letter)
    }

    fn hand(&self) -> Hand<'_> {
        Hand { session: self.session, shared: self.shared, hub: self.hub, tags: &self.settings.tags_all }
    }

    async fn found(&self, cell: &Cell, name: &str) -> CloudResult<Found> {
        let there = self.shared.rule(self.session, self.hub, cell, name).await?;
        Ok(there.map(|there| (name.to_owned(), there)).into_iter().collect())
    }

    /// Makes the rules and brings their tags up to date. Where they send to must be there.
    pub(super) async fn make_canaries(&self, cells: &[Cell], before: Before<'_>) -> Outcome {
        in_each(cells.iter().cloned(), |cell| async move {
            let rule = self.canary(&cell);
            let (found, tags, anew) = match before {
                Before::Nothing => (Found::new(), None, true),
                Before::There { tags, anew } => (self.found(&cell, &rule.name).await?, Some(tags), anew.contains(&cell)),
            };
            if found.is_empty() {
                self.made.note(Thing::Canary(cell.clone()));
            }
            let seen = if anew { &Found::new() } else { &found };
            self.hand().take(&cell, difference(std::slice::from_ref(&rule), seen, |_| false)).await?;
            match tags.filter(|tags| *tags != &self.settings.tags_all && !found.is_empty()) {
                Some(tags) => {
                    let arn = Tagged::Events(self.hub.rule_arn(&cell, &rule.name));
                    self.session.change_tags(&cell, &arn, tags, &self.settings.tags_all).await
                }
                None => Ok(()),
            }
        })
        .await
    }

    /// What differs in a cell.
    pub(super) async fn look_at_canary(&self, cell: &Cell) -> CloudResult<Reasons> {
        let rule = self.canary(cell);
        let found = self.found(cell, &rule.name).await?;
        Ok(drift(&[rule], &found, |_| false))
    }

    /// Removes the rules that this apply made.
    pub(super) async fn remove_made_canaries(&self, cells: &[Cell]) -> Outcome {
        let made = cells.iter().filter(|cell| self.made.has(&Thing::Canary((*cell).clone())));
        in_each(made.cloned(), |cell| async move {
            let found = self.found(&cell, &self.hub.canary_rule_name()).await?;
            self.remove_canary(&cell, &found).await
        })
        .await
    }

    /// Removes the rule of a cell, if it is among those that were found there.
    pub(super) async fn remove_canary(&self, cell: &Cell, found: &Found) -> CloudResult<()> {
        let name = self.hub.canary_rule_name();
        match found.get(&name) {
            Some(there) => self.hand().take(cell, removal(&name, &there.targets)).await,
            None => Ok(()),
        }
    }
}

//! One column of the matrix: what a hub and all its triggers have in one cell.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use trailwire_engine::fanout::names::{Cell, Hub};
use trailwire_engine::fanout::policy::forward_dead_letter_queue_attributes;
use trailwire_engine::fanout::table::{Definition, HubRecord};
use trailwire_engine::trigger::Trigger;

use super::Settings;
use super::home::{Mode, Reasons, queue};
use crate::apply::Shared;
use crate::apply::cells::{Outcome, in_each};
use crate::apply::rules::Row;
use crate::apply::scope::{hub_cells, trigger_cells};
use crate::cloud::Session;
use crate::cloud::call::{Tagged, Tags};
use crate::cloud::error::{CloudError, CloudResult, Kind};
use crate::resource::trigger::TriggerSettings;
use crate::resource::trigger::document_rules;

/// What works on columns needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns<'a> {
    pub(super) session: &'a Session,
    pub(super) shared: &'a Shared,
    pub(super) hub: &'a Hub,
    pub(super) settings: &'a Settings,
}

impl Columns<'_> {
    /// The forward dead-letter queue of a cell.
    pub(super) async fn dead_letters(&self, cell: &Cell, mode: Mode) -> CloudResult<Reasons> {
        if !self.settings.forward_dead_letter {
            return Ok(Reasons::new());
        }
        let name = self.hub.forward_dead_letter_queue_name();
        let wanted = forward_dead_letter_queue_attributes(self.hub, cell);
        queue(self.session, cell, &name, wanted, &self.settings.tags_all, mode).await.map(|(reasons, _)| reasons)
    }

    /// Makes the forward dead-letter queues, and brings their tags up to date.
    pub(super) async fn make_dead_letters(&self, cells: &[Cell], tags_before: Option<&Tags>) -> Outcome {
        in_each(cells.iter().cloned(), |cell| async move {
            self.dead_letters(&cell, Mode::Repair).await?;
            match tags_before.filter(|before| self.settings.forward_dead_letter && *before != &self.settings.tags_all) {
                Some(before) => {
                    let url = self.session.get_queue_url(&cell, &self.hub.forward_dead_letter_queue_name()).await?;
                    let queue = Tagged::Queue(url.unwrap_or_default());
                    self.session.change_tags(&cell, &queue, before, &self.settings.tags_all).await
                }
                None => Ok(()),
            }
        })
        .await
    }

    /// Removes the forward dead-letter queues, with what they hold.
    pub(super) async fn remove_dead_letters(&self, cells: impl IntoIterator<Item = Cell>) -> Outcome {
        in_each(cells, |cell| async move {
            let name = self.hub.forward_dead_letter_queue_name();
            let gone = async {
                match self.session.get_queue_url(&cell, &name).await? {
                    Some(url) => self.session.delete_queue(&cell, &url).await,
                    None => Ok(()),
                }
            };
            unless_disabled(gone.await)
        })
        .await
    }

    /// The rules of every definition in every cell of the scope. `anew` puts rules and targets even where they seem to be as wanted: a listing
    /// does not tell a target's dead-letter queue.
    pub(super) async fn rules(&self, record: &HubRecord, definitions: &[Definition], anew: bool) -> Outcome {
        let jobs = definitions.iter().filter_map(|definition| {
            let trigger = Trigger::parse(definition.document.as_deref()?).ok()?;
            Some((trigger, TriggerSettings::read(definition.settings.as_deref())))
        });
        let jobs = jobs.map(|(trigger, settings)| async move {
            let row = Row { session: self.session, shared: self.shared, hub: self.hub, trigger: &trigger.name, tags: &settings.tags_all };
            let scope: BTreeSet<Cell> = trigger_cells(record, &trigger).into_iter().collect();
            in_each(hub_cells(record), |cell| {
                let (trigger, scope) = (&trigger, &scope);
                async move {
                    if !scope.contains(&cell) {
                        return row.remove(&cell).await;
                    }
                    let wanted = document_rules(self.hub, record, trigger, &cell)
                        .map_err(|error| CloudError::ours(Kind::Configuration, &cell, error.to_string()))?;
                    if anew {
                        row.create(&cell, &wanted).await?;
                    }
                    row.reconcile(&cell, &wanted, None).await
                }
            })
            .await
        });
        join_all(jobs).await.into_iter().fold(Outcome::default(), Outcome::and)
    }

    /// Removes the rules of every trigger from cells, whether or not anything declares them.
    pub(super) async fn remove_rules(&self, cells: impl IntoIterator<Item = Cell>) -> Outcome {
        in_each(cells, |cell| async move {
            let found = match self.shared.rules_in(self.session, self.hub, &cell).await {
                Err(error) if error.kind == Kind::RegionDisabled => return Ok(()),
                other => other?,
            };
            let triggers: BTreeSet<&str> =
                found.keys().filter_map(|rule| self.hub.trigger_of_rule(rule)).map(|(trigger, _)| trigger).collect();
            let none = Tags::new();
            for trigger in triggers {
                let row = Row { session: self.session, shared: self.shared, hub: self.hub, trigger, tags: &none };
                row.remove(&cell).await?;
            }
            Ok(())
        })
        .await
    }

    /// What differs in each cell. A cell that cannot be read is told apart.
    pub(super) async fn look(&self, cells: &[Cell]) -> (BTreeMap<String, String>, BTreeMap<Cell, CloudError>) {
        let looks = cells.iter().map(|cell| async move { (cell, self.dead_letters(cell, Mode::Look).await) });
        let mut drifted = BTreeMap::new();
        let mut unread = BTreeMap::new();
        for (cell, found) in join_all(looks).await {
            match found {
                Ok(reasons) if reasons.is_empty() => {}
                Ok(reasons) => {
                    drifted.insert(cell.to_string(), reasons.join("; "));
                }
                Err(error) if error.kind == Kind::RegionDisabled => {
                    drifted.insert(cell.to_string(), "the region is not enabled in the account any more".to_owned());
                }
                Err(error) => {
                    unread.insert(cell.clone(), error);
                }
            }
        }
        (drifted, unread)
    }
}

/// A region that is not enabled any more holds nothing.
fn unless_disabled(result: CloudResult<()>) -> CloudResult<()> {
    match result {
        Err(error) if error.kind == Kind::RegionDisabled => Ok(()),
        other => other,
    }
}

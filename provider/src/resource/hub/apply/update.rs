//! Changing a hub: what is not as wanted is made so wherever that is possible.

use std::collections::BTreeSet;
use std::time::Instant;

use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::fanout::names::{Carrier, Cell};
use trailwire_engine::fanout::table::{Definition, HubItem, HubRecord};
use trailwire_engine::fanout::tags::either;

use super::{Done, Work, one, with_note};
use crate::apply::cells::{Outcome, cells_of};
use crate::cloud::call::Tags;
use crate::cloud::error::CloudError;
use crate::resource::common::tags_before;
use crate::resource::hub::Settings;
use crate::resource::hub::canary::Before;
use crate::resource::hub::role::accounts_of;
use crate::resource::{ApplyRequest, ApplyResponse};
use crate::store::{Store, StoreError};

impl Work<'_> {
    /// Keeps going where something fails, and says in `drifted` what is left to do.
    pub(super) async fn update(&self, request: &ApplyRequest) -> Done {
        let stored = self.item.as_ref().map(|item| Settings::read(item.settings.as_deref()));
        let tags_before = tags_before(&request.prior, stored.as_ref().map(|stored| (&stored.tags_all, stored.tags_before.as_ref())));
        let stored = stored.unwrap_or_default();
        let leaving = stored.leaving_cells();
        let old = self.item.as_ref().and_then(|item| item.record.clone());
        let anew = self.to_retarget(&stored, old.as_ref());
        self.announce(&stored, &anew, &tags_before).await.map_err(|error| one(&error))?;
        let (roles, urls) = self.repair(&stored, &tags_before).await?;
        let closed = accounts_of(roles.failed.keys());
        let cells: Vec<Cell> = self.cells.iter().filter(|cell| !closed.contains(&cell.account)).cloned().collect();
        let outcome = roles.and(self.columns().make_dead_letters(&cells, Some(&tags_before)).await);
        let record = self.settings.record(&self.hub, &self.cells, &urls);
        let before = cells_of(&request.prior).into_iter().chain(old.iter().flat_map(HubRecord::cells)).chain(leaving);
        let before = before.filter(|cell| !self.cells.contains(cell) && !self.settings.coverage.abandons(&cell.account));
        let left: BTreeSet<Cell> = before.collect();
        // The record first: a trigger that is applied meanwhile sees the new scope. What is to be cleared is kept until it is.
        self.put(&self.store, &record, &self.unfinished(&left, &anew, &tags_before)).await.map_err(|error| one(&error))?;
        self.context.shared.hubs().remember(&self.hub);
        let definitions = self.definitions().await?;
        let (rules, unreadable) = self.columns().rules(&record, &definitions, &cells, &anew).await;
        let canaries = Before::There { tags: &tags_before, anew: &anew };
        let rules = rules.and(self.columns().make_canaries(&cells, canaries).await);
        // Listed after the rules were: what is made meanwhile is declared before it has any.
        let declared = self.definitions().await?.into_iter();
        let declared = declared.filter_map(|definition| Some((Carrier::of(definition.kind)?, definition.name))).collect();
        let rules = rules.and(self.columns().remove_orphans(&cells, &declared).await);
        // A rule that cannot be read may still send to the queues of the cells.
        let retargeted = rules.done.iter().filter(|cell| anew.contains(*cell) && unreadable.is_empty()).cloned();
        let retargeted = self.without_dead_letters(retargeted.collect()).await;
        let removed = self.remove_columns(left.clone(), self.settings.reading).await;
        let not_removed: BTreeSet<Cell> = removed.failed.keys().cloned().collect();
        let mut diagnostics: Vec<Diagnostic> = unreadable.iter().map(unreadable_definition).collect();
        let ends_reading = self.settings.reading && self.settings.query_operations.is_empty();
        let unread = if ends_reading { self.home().remove_reading_roles(&accounts_of(&cells)).await } else { Outcome::default() };
        // Where something is left of them, in an account that is out of reach too, they are looked for again.
        let reading = self.settings.reading && !(ends_reading && unread.failed.is_empty() && closed.is_empty() && not_removed.is_empty());
        let unfinished: BTreeSet<Cell> = anew.iter().filter(|cell| !retargeted.done.contains(cell)).cloned().collect();
        let outcome = outcome.and(rules);
        let tags = if outcome.failed.is_empty() { &self.settings.tags_all } else { &tags_before };
        let settings = Settings { reading, ..self.unfinished(&not_removed, &unfinished, tags) };
        if (not_removed.len() < left.len() || unfinished.len() < anew.len() || *tags != tags_before || ends_reading)
            && let Err(error) = self.put(&self.store.unstoppable(), &record, &settings).await
        {
            diagnostics.push(error.diagnostic());
        }
        let outcome = outcome.and(removed).and(retargeted).and(unread);
        let all = self.cells.iter().cloned().chain(not_removed).collect();
        let state = self.state(&request.planned, Some(&urls), &all, outcome.reasons());
        if !outcome.failed.is_empty() {
            diagnostics.push(self.told(&outcome, &format!("hub `{}` is not updated everywhere", self.hub.name())));
        }
        Ok(ApplyResponse { state, diagnostics, private: None })
    }

    /// The cells of the scope in which targets may have another dead-letter queue than is wanted: all, where that changes or it is not known what was made;
    /// else those in which an earlier apply did not finish such a change, and those that come back before they were cleared: what their targets have is not
    /// told by the record.
    fn to_retarget(&self, stored: &Settings, old: Option<&HubRecord>) -> BTreeSet<Cell> {
        if old.is_none_or(|old| old.forward_dead_letter != self.settings.forward_dead_letter) {
            return self.cells.clone();
        }
        stored.retarget_cells().into_iter().chain(stored.leaving_cells()).filter(|cell| self.cells.contains(cell)).collect()
    }

    /// Removes the queues of these cells, where none are wanted.
    async fn without_dead_letters(&self, cells: Vec<Cell>) -> Outcome {
        if self.settings.forward_dead_letter {
            return Outcome { done: cells, ..Outcome::default() };
        }
        self.columns().remove_dead_letters(cells).await
    }

    /// Repairs the roles and everything in the home region. The roles of other accounts may fail: nothing is done there.
    async fn repair(&self, stored: &Settings, tags_before: &Tags) -> Result<(Outcome, [String; 2]), Vec<Diagnostic>> {
        let failed = |error: &CloudError| vec![with_note(error.diagnostic(), &self.session)];
        let began = Instant::now();
        let (roles, new_role) = self.home().roles(&self.accounts.iter().cloned().collect()).await;
        if let Some(error) = roles.failed.get(&self.home().role_cell(&self.hub.home().account)) {
            return Err(failed(error));
        }
        let reached = accounts_of(&roles.done);
        let roles = roles.and(self.home().change_role_tags(&reached, tags_before).await);
        let home = async {
            let urls = self.all_at_home(stored).await?;
            self.home().change_tags(tags_before, &urls).await?;
            if new_role {
                self.home().wait_for_role(began.elapsed()).await?;
            }
            Ok(urls)
        };
        home.await.map(|urls| (roles, urls)).map_err(|error| failed(&error))
    }

    /// Every definition that may have rules.
    async fn definitions(&self) -> Result<Vec<Definition>, Vec<Diagnostic>> {
        let [triggers, forwarders] = Carrier::ALL.map(|carrier| self.store.definitions(carrier.kind()));
        let (triggers, forwarders) = futures::try_join!(triggers, forwarders).map_err(|error| one(&error))?;
        Ok(triggers.into_iter().chain(forwarders).collect())
    }

    /// Says in the table in which new cells something will be made, before it is: whoever is killed leaves nothing there that nobody knows of. And in which
    /// cells targets may come to have another dead-letter queue, and that tags change, until all is known to be done.
    async fn announce(&self, stored: &Settings, anew: &BTreeSet<Cell>, tags_before: &Tags) -> Result<(), StoreError> {
        let Some(item) = &self.item else { return Ok(()) };
        let leaving = stored.leaving_cells();
        let known: BTreeSet<Cell> = item.record.iter().flat_map(HubRecord::cells).chain(leaving.iter().cloned()).collect();
        let retarget = stored.retarget_cells();
        let mut announced = stored.leaving(leaving.iter().chain(&self.cells)).retargeting(retarget.union(anew));
        let new_tags = *tags_before != self.settings.tags_all;
        if new_tags {
            announced.tags_before = Some(either(tags_before, &self.settings.tags_all));
        }
        let new_alarms = announced.alarm_actions.is_empty() && !self.settings.alarm_actions.is_empty();
        let new_function = announced.lambda.is_none() && self.settings.lambda.is_some();
        let new_roles = !announced.reading && self.settings.reading;
        if self.cells.is_subset(&known) && anew.is_subset(&retarget) && !new_alarms && !new_tags && !new_function && !new_roles {
            return Ok(());
        }
        if new_function {
            announced.lambda.clone_from(&self.settings.lambda);
        }
        announced.reading |= self.settings.reading;
        if new_alarms {
            announced.alarm_actions.clone_from(&self.settings.alarm_actions);
        }
        self.store.put_hub(&HubItem { settings: Some(announced.write()), ..item.clone() }).await
    }

    /// The settings, with what is not finished yet: cells to be cleared, cells whose targets may have another dead-letter queue, tags that there may be.
    fn unfinished(&self, leaving: &BTreeSet<Cell>, anew: &BTreeSet<Cell>, tags_before: &Tags) -> Settings {
        self.settings.leaving(leaving).retargeting(anew).retagging(tags_before)
    }

    async fn put(&self, store: &Store, record: &HubRecord, settings: &Settings) -> Result<(), StoreError> {
        store.put_hub(&HubItem { settings: Some(settings.write()), ..self.item(Some(record.clone())) }).await
    }

    /// Rules first, then the queues that keep what they could not forward, then the roles of accounts in which nothing is left.
    pub(super) async fn remove_columns(&self, cells: BTreeSet<Cell>, reading: bool) -> Outcome {
        let rules = self.columns().remove_rules(cells).await;
        let done = rules.done.clone();
        let outcome = rules.and(self.columns().remove_dead_letters(done).await);
        let mut empty = accounts_of(&outcome.done);
        let kept = accounts_of(outcome.failed.keys());
        empty.retain(|account| !kept.contains(account) && !self.accounts.contains(account));
        outcome.and(self.home().remove_roles(&empty, reading).await)
    }
}

fn unreadable_definition((carrier, name): &(Carrier, String)) -> Diagnostic {
    let kind = carrier.kind().as_str();
    let message = format!("the definition of {kind} `{name}` cannot be read, and its rules were left as they are");
    Diagnostic::warning(Code::DOCUMENT_REFUSED, message).help("a newer version of the provider may have written it: use that version")
}

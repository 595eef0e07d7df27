//! Making a hub: all of it or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use trailwire_engine::diagnostic::{Diagnostic, Severity};
use trailwire_engine::fanout::names::Cell;
use trailwire_engine::fanout::table::HubItem;
use trailwire_engine::fanout::tags::either;

use super::{Done, Work, with_note};
use crate::apply::cells::Outcome;
use crate::cloud::call::Tags;
use crate::cloud::error::{CloudError, Kind as ErrorKind};
use crate::resource::hub::Settings;
use crate::resource::hub::canary::Before;
use crate::resource::hub::made::Thing;
use crate::resource::{ApplyRequest, ApplyResponse};
use crate::store::{Lease, StoreError};
use crate::value::Dynamic;

/// What may be there of a hub that is being made: what this apply makes, and what the one made that was killed and whose claim it adopted.
pub(super) struct Begun {
    /// Whether a claim was adopted: who made what is there cannot be told then.
    pub(super) adopted: bool,
    /// Whether the table was made by this apply.
    pub(super) made_table: bool,
    pub(super) cells: BTreeSet<Cell>,
    /// The cells in which the other one may have left something.
    left: BTreeSet<Cell>,
    /// The tags that there may be.
    tags: Tags,
    /// Those of this apply, and of the other one whatever leaves something behind.
    pub(super) settings: Settings,
}

impl Work<'_> {
    /// `found` are the tags of a table that was there, by which the tags of all that was there are known.
    fn begun(&self, adopted: Option<&str>, found: Option<&Tags>) -> Begun {
        let before = Settings::read(adopted);
        let abandons = |cell: &Cell| self.settings.coverage.abandons(&cell.account);
        let left: BTreeSet<Cell> = before.leaving_cells().into_iter().filter(|cell| !abandons(cell)).collect();
        let cells: BTreeSet<Cell> = left.union(&self.cells).cloned().collect();
        let tags_all = &self.settings.tags_all;
        let tags = if adopted.is_some() { either(before.tags_there(), tags_all) } else { found.unwrap_or(tags_all).clone() };
        let mut settings = self.settings.leaving(&cells);
        settings.forward_dead_letter |= before.forward_dead_letter;
        settings.reading |= before.reading;
        if settings.alarm_actions.is_empty() {
            settings.alarm_actions = before.alarm_actions;
        }
        if settings.lambda.is_none() {
            settings.lambda = before.lambda;
        }
        settings = settings.retagging(&tags);
        Begun { adopted: adopted.is_some(), made_table: found.is_none(), cells, left, tags, settings }
    }

    /// The claim says what is meant before anything is made: whoever adopts it clears what is not meant any more.
    pub(super) async fn create(&self, request: &ApplyRequest) -> Done {
        let state = |urls: Option<&[String; 2]>, cells: &BTreeSet<Cell>, drifted| self.state(&request.planned, urls, cells, drifted);
        let mut made_table = false;
        let claimed = async {
            self.home().make_table(&mut made_table).await?;
            let found = if made_table { None } else { Some(self.home().table_tags().await?) };
            Ok((self.store.claim_hub(|adopted| self.begun(adopted, found.as_ref()).settings.write()).await?, found))
        };
        let ((adopted, lease), found) = match claimed.await {
            Ok(claimed) => claimed,
            // The table is ours and is there: Terraform must know of it.
            Err(error) if made_table && !matches!(error, StoreError::Taken { .. }) => {
                let diagnostics = vec![with_note(error.diagnostic(), &self.session)];
                return Ok(ApplyResponse { state: state(None, &self.cells, BTreeMap::new()), diagnostics, private: None });
            }
            Err(error) => return Err(vec![with_note(error.diagnostic(), &self.session)]),
        };
        let begun = self.begun(adopted.map(|held| held.settings.unwrap_or_default()).as_deref(), found.as_ref());
        request.progress.record(state(None, &begun.cells, BTreeMap::new()));
        let (outcome, home) = self.make(&begun).await;
        let urls = match home {
            Some(Ok(urls)) if outcome.failed.is_empty() => urls,
            home => return Ok(self.roll_back(request, &begun, outcome, home, &lease).await),
        };
        let mut cleared = self.remove_columns(begun.cells.difference(&self.cells).cloned().collect(), begun.settings.reading).await;
        if begun.settings.reading && self.settings.query_operations.is_empty() {
            cleared = cleared.and(self.home().remove_reading_roles(&self.accounts.iter().cloned().collect()).await);
        }
        // Where something is left of the reading roles they are looked for again.
        let reading = self.settings.reading || begun.settings.reading && !cleared.failed.is_empty();
        let mut unfinished = BTreeSet::new();
        if begun.settings.forward_dead_letter && !self.settings.forward_dead_letter {
            let queues = self.columns().remove_dead_letters(self.cells.iter().cloned()).await;
            unfinished.extend(queues.failed.keys().cloned());
            cleared = cleared.and(queues);
        }
        let cells = self.cells.iter().chain(cleared.failed.keys()).cloned().collect();
        let settings = Settings { reading, ..self.settings.leaving(cleared.failed.keys()).retargeting(&unfinished) };
        let settings = Some(settings.write());
        let item = HubItem { settings, ..self.item(Some(self.settings.record(&self.hub, &self.cells, &urls))) };
        let mut diagnostics = Vec::new();
        if !cleared.failed.is_empty() {
            let what = format!("what another apply began of hub `{}`, and was killed, is not removed everywhere", self.hub.name());
            diagnostics.push(Diagnostic { severity: Severity::Warning, ..self.told(&cleared, &what) });
        }
        match self.store.unstoppable().confirm_hub(&item, &lease).await {
            Ok(()) => self.context.shared.hubs().remember(&self.hub),
            Err(error) => diagnostics.push(error.diagnostic()),
        }
        Ok(ApplyResponse { state: state(Some(&urls), &cells, cleared.reasons()), diagnostics, private: None })
    }

    /// Everything that can be made without triggers: the roles first, which tell whether every account can be reached; then home and columns side by
    /// side. What came of home is `None` where a role could not be made: nothing else was touched then.
    async fn make(&self, begun: &Begun) -> (Outcome, Option<Result<[String; 2], CloudError>>) {
        let begin = Instant::now();
        let accounts = self.accounts.iter().cloned().collect();
        let (roles, new_role) = self.home().roles(&accounts).await;
        if !roles.failed.is_empty() {
            return (roles, None);
        }
        let roles = self.home().change_role_tags(&accounts, &begun.tags).await;
        let cells: Vec<Cell> = self.cells.iter().cloned().collect();
        let home = async {
            let urls = self.all_at_home(&begun.settings).await?;
            self.home().change_tags(&begun.tags, &urls).await?;
            if new_role {
                self.home().wait_for_role(begin.elapsed()).await?;
            }
            Ok(urls)
        };
        let columns = self.columns();
        let (queues, home) = futures::join!(columns.make_dead_letters(&cells, Some(&begun.tags)), home);
        let outcome = roles.and(queues);
        if home.is_err() || !outcome.failed.is_empty() {
            return (outcome, Some(home));
        }
        // Rules may be there wherever something was: only where all is new they are not looked for.
        let forward = self.hub.forward_role_name();
        let is_first = begun.made_table && !begun.adopted && self.made.has(&Thing::Bus);
        let is_new = |cell: &Cell| is_first && self.made.has(&Thing::Role(cell.account.clone(), forward.clone()));
        let (new, old): (Vec<Cell>, Vec<Cell>) = cells.into_iter().partition(is_new);
        let before = Before::There { tags: &begun.tags, anew: &self.cells };
        let canaries = futures::join!(columns.make_canaries(&new, Before::Nothing), columns.make_canaries(&old, before));
        (outcome.and(canaries.0).and(canaries.1), Some(home))
    }

    /// Removes what was made. When that fails, or the user does not want to wait, what is left is in the state, and nobody adopts it.
    async fn roll_back(
        &self,
        request: &ApplyRequest,
        begun: &Begun,
        outcome: Outcome,
        home: Option<Result<[String; 2], CloudError>>,
        lease: &Lease,
    ) -> ApplyResponse {
        let name = self.hub.name();
        let told = |what: &str| {
            let columns = (!outcome.failed.is_empty()).then(|| self.told(&outcome, &format!("hub `{name}` {what}")));
            let error = home.as_ref().and_then(|home| home.as_ref().err());
            let home = error.map(|error| {
                let mut diagnostic = with_note(error.diagnostic(), &self.session);
                diagnostic.message = format!("hub `{name}` {what}: {}", diagnostic.message);
                diagnostic
            });
            columns.into_iter().chain(home).collect::<Vec<_>>()
        };
        // An account that could not even be entered has nothing of this apply, and is not to keep the hub from being destroyed.
        let refused = outcome.failed.values().filter(|error| home.is_none() && error.kind == ErrorKind::AccountRefused);
        let refused: BTreeSet<&String> = refused.map(|error| &error.cell.account).collect();
        let cells: BTreeSet<Cell> =
            begun.cells.iter().filter(|cell| begun.left.contains(cell) || !refused.contains(&cell.account)).cloned().collect();
        if !self.session.stop().is_cancelled() {
            let reached = cells.iter().filter(|cell| !refused.contains(&cell.account)).cloned().collect();
            if self.undo(begun, reached, lease).await {
                return ApplyResponse {
                    state: Dynamic::Null,
                    diagnostics: told("was not created, and what was made is removed again"),
                    private: None,
                };
            }
        }
        let mut diagnostics = told("was not wholly created");
        let item = HubItem { settings: Some(begun.settings.leaving(&cells).write()), ..self.item(None) };
        if let Err(error) = self.store.unstoppable().confirm_hub(&item, lease).await {
            diagnostics.push(error.diagnostic());
        }
        ApplyResponse { state: self.state(&request.planned, None, &cells, outcome.reasons()), diagnostics, private: None }
    }
}

//! Making a hub: all of it or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use trailwire_engine::diagnostic::{Diagnostic, Severity};
use trailwire_engine::fanout::names::Cell;
use trailwire_engine::fanout::table::HubItem;

use super::{Done, Work, with_note};
use crate::apply::cells::Outcome;
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
    /// Those of this apply, and of the other one whatever leaves something behind.
    pub(super) settings: Settings,
}

impl Work<'_> {
    fn begun(&self, adopted: Option<&str>, made_table: bool) -> Begun {
        let before = Settings::read(adopted);
        let abandons = |cell: &Cell| self.settings.coverage.abandons(&cell.account);
        let leaving = before.leaving_cells().into_iter().filter(|cell| !abandons(cell));
        let cells: BTreeSet<Cell> = leaving.chain(self.cells.iter().cloned()).collect();
        let mut settings = self.settings.leaving(&cells);
        settings.forward_dead_letter |= before.forward_dead_letter;
        settings.reading |= before.reading;
        if settings.alarm_actions.is_empty() {
            settings.alarm_actions = before.alarm_actions;
        }
        if settings.lambda.is_none() {
            settings.lambda = before.lambda;
        }
        Begun { adopted: adopted.is_some(), made_table, cells, settings }
    }

    /// The claim says what is meant before anything is made: whoever adopts it clears what is not meant any more.
    pub(super) async fn create(&self, request: &ApplyRequest) -> Done {
        let state = |urls: Option<&[String; 2]>, cells: &BTreeSet<Cell>, drifted| self.state(&request.planned, urls, cells, drifted);
        let mut made_table = false;
        let claimed = match self.home().make_table(&mut made_table).await {
            Ok(()) => self.store.claim_hub(|adopted| self.begun(adopted, false).settings.write()).await,
            Err(error) => Err(error.into()),
        };
        let (adopted, lease) = match claimed {
            Ok(claimed) => claimed,
            // The table is ours and is there: Terraform must know of it.
            Err(error) if made_table && !matches!(error, StoreError::Taken { .. }) => {
                let diagnostics = vec![with_note(error.diagnostic(), &self.session)];
                return Ok(ApplyResponse { state: state(None, &self.cells, BTreeMap::new()), diagnostics, private: None });
            }
            Err(error) => return Err(vec![with_note(error.diagnostic(), &self.session)]),
        };
        let begun = self.begun(adopted.map(|held| held.settings.unwrap_or_default()).as_deref(), made_table);
        request.progress.record(state(None, &begun.cells, BTreeMap::new()));
        let (outcome, urls) = self.make(&begun.settings).await;
        let urls = match (urls, outcome.failed.is_empty()) {
            (Ok(urls), true) => urls,
            (made, _) => {
                return Ok(self.roll_back(request, &begun, outcome, made.err(), &lease).await);
            }
        };
        let mut cleared = self.remove_columns(begun.cells.difference(&self.cells).cloned().collect(), begun.settings.reading).await;
        if begun.settings.reading && self.settings.query_operations.is_empty() {
            cleared = cleared.and(self.home().remove_reading_roles(&self.accounts.iter().cloned().collect()).await);
        }
        if begun.settings.forward_dead_letter && !self.settings.forward_dead_letter {
            cleared = cleared.and(self.columns().remove_dead_letters(self.cells.iter().cloned()).await);
        }
        let cells = self.cells.iter().chain(cleared.failed.keys()).cloned().collect();
        let unfinished: BTreeSet<&Cell> = cleared.failed.keys().filter(|cell| self.cells.contains(cell)).collect();
        let settings = Some(self.settings.leaving(cleared.failed.keys()).retargeting(unfinished).write());
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
    /// side.
    async fn make(&self, before: &Settings) -> (Outcome, Result<[String; 2], CloudError>) {
        let begin = Instant::now();
        let (roles, new_role) = self.home().roles(&self.accounts.iter().cloned().collect()).await;
        if !roles.failed.is_empty() {
            return (roles, Ok(<[String; 2]>::default()));
        }
        let cells: Vec<Cell> = self.cells.iter().cloned().collect();
        let home = async {
            let urls = self.all_at_home(before).await?;
            if new_role {
                self.home().wait_for_role(begin.elapsed()).await?;
            }
            Ok(urls)
        };
        let columns = self.columns();
        let (queues, home) = futures::join!(columns.make_dead_letters(&cells, None), home);
        if home.is_err() || !queues.failed.is_empty() {
            return (queues, home);
        }
        // On a bus that was there rules may be, too.
        let (tags, anew) = (&self.settings.tags_all, &self.cells);
        let before = if self.made.has(&Thing::Bus) { Before::Nothing } else { Before::There { tags, anew } };
        (queues.and(columns.make_canaries(&cells, before).await), home)
    }

    /// Removes what was made. When that fails, or the user does not want to wait, what is left is in the state, and nobody adopts it.
    async fn roll_back(
        &self,
        request: &ApplyRequest,
        begun: &Begun,
        outcome: Outcome,
        home_error: Option<CloudError>,
        lease: &Lease,
    ) -> ApplyResponse {
        let name = self.hub.name();
        let told = |what: &str| {
            let columns = (!outcome.failed.is_empty()).then(|| self.told(&outcome, &format!("hub `{name}` {what}")));
            let home = home_error.as_ref().map(|error| {
                let mut diagnostic = with_note(error.diagnostic(), &self.session);
                diagnostic.message = format!("hub `{name}` {what}: {}", diagnostic.message);
                diagnostic
            });
            columns.into_iter().chain(home).collect::<Vec<_>>()
        };
        if !self.session.stop().is_cancelled() {
            let refused = outcome.failed.values().filter(|error| error.kind == ErrorKind::AccountRefused);
            let refused: BTreeSet<&String> = refused.map(|error| &error.cell.account).collect();
            let cells = begun.cells.iter().filter(|cell| !refused.contains(&cell.account)).cloned().collect();
            if self.undo(begun, cells, lease).await {
                return ApplyResponse {
                    state: Dynamic::Null,
                    diagnostics: told("was not created, and what was made is removed again"),
                    private: None,
                };
            }
        }
        let mut diagnostics = told("was not wholly created");
        let item = HubItem { settings: Some(begun.settings.write()), ..self.item(None) };
        if let Err(error) = self.store.unstoppable().confirm_hub(&item, lease).await {
            diagnostics.push(error.diagnostic());
        }
        ApplyResponse { state: self.state(&request.planned, None, &begun.cells, outcome.reasons()), diagnostics, private: None }
    }
}

//! Creating and updating a hub.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use trailwire_engine::diagnostic::{Code, Diagnostic, Severity};
use trailwire_engine::fanout::names::{Carrier, Cell, Hub, check_hub_name};
use trailwire_engine::fanout::table::{Claim, Definition, HubItem, HubRecord};

use super::canary::Before;
use super::column::Columns;
use super::home::{Home, Mode};
use super::role::accounts_of;
use super::settings::check_not_empty;
use super::{Settings, check_alarm_actions, check_partition, destroy, set_identity};
use crate::apply::cells::{Outcome, cells_of, cells_value, drifted_value, timeout_note};
use crate::apply::coverage::tell_management;
use crate::apply::scope::wrong_account;
use crate::cloud::Session;
use crate::cloud::call::Tags;
use crate::cloud::error::{CloudError, CloudResult, Kind as ErrorKind};
use crate::context::Context;
use crate::resource::common::{is_calm, tags_value, timeout};
use crate::resource::{ApplyRequest, ApplyResponse};
use crate::store::{Lease, Store, StoreError};
use crate::value::Dynamic;

pub(super) async fn apply(context: &Context, request: ApplyRequest) -> ApplyResponse {
    let prior = request.prior.clone();
    let done = if request.is_destroy() {
        destroy::destroy(context, &request).await
    } else if !request.is_create() && is_calm(&request.planned) {
        Ok(ApplyResponse { state: request.planned.clone(), ..ApplyResponse::default() })
    } else {
        match Work::prepare(context, &request).await {
            Ok(work) if request.is_create() => work.create(&request).await,
            Ok(work) => work.update(&request).await,
            Err(diagnostics) => Err(diagnostics),
        }
    };
    done.unwrap_or_else(|diagnostics| ApplyResponse { state: prior, diagnostics, private: None })
}

/// An `Err` means that nothing was changed.
pub(super) type Done = Result<ApplyResponse, Vec<Diagnostic>>;

/// The hub of a state, with a check that it is ours to touch.
pub(super) async fn hub_of(session: &Session, state: &Dynamic) -> Result<Hub, Diagnostic> {
    let home = session.home().await.map_err(|error| error.diagnostic())?.cell;
    let stored = state.get_str("arn").and_then(Hub::from_arn);
    let hub = stored.unwrap_or_else(|| {
        let region = state.get_str("region").unwrap_or(&home.region);
        Hub::new(state.get_str("name").unwrap_or_default(), Cell::new(home.account.clone(), region))
    });
    if hub.home().account == home.account { Ok(hub) } else { Err(wrong_account(&hub, &home)) }
}

/// A hub that is being applied.
struct Work<'a> {
    context: &'a Context,
    session: Session,
    hub: Hub,
    store: Store,
    settings: Settings,
    /// The hub's item before; nothing while it is made.
    item: Option<HubItem>,
    /// What is to be covered.
    cells: BTreeSet<Cell>,
    /// The accounts of these cells.
    accounts: Vec<String>,
    /// The management account of the organisation, when it is one of them and not the hub's own.
    management: Option<String>,
    /// Whether queues go with what they hold.
    force: bool,
}

fn one(error: &StoreError) -> Vec<Diagnostic> {
    vec![error.diagnostic()]
}

impl<'a> Work<'a> {
    /// Everything that can be wrong without a change in AWS.
    async fn prepare(context: &'a Context, request: &ApplyRequest) -> Result<Work<'a>, Vec<Diagnostic>> {
        let config = &request.config;
        let name = config.get_str("name").unwrap_or_default();
        check_hub_name(name).map_err(|invalid| vec![Diagnostic::error(Code::BAD_NAME, invalid.to_string())])?;
        let operation = if request.is_create() { "create" } else { "update" };
        let session = context.cloud.session(&request.stop).within(timeout(config, operation));
        let hub = if request.is_create() {
            let home = session.home().await.map_err(|error| vec![error.diagnostic()])?.cell;
            let region = config.get_str("region").map_or(home.region, str::to_owned);
            Hub::new(name, Cell::new(home.account, region))
        } else {
            hub_of(&session, &request.prior).await.map_err(|diagnostic| vec![diagnostic])?
        };
        let wrong = check_alarm_actions(config, &hub.home().region);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let settings = Settings::of(config, &request.planned, &context.config);
        let store = Store::new(&session, &hub);
        let item = if request.is_create() { None } else { store.hub_item().await.map_err(|error| one(&error))? };
        let (cells, management) = Self::cells(&session, &hub, &settings, item.as_ref()).await?;
        let accounts = accounts_of(&cells).into_iter().collect();
        let force = request.planned.get_bool("force_destroy") == Some(true);
        Ok(Work { context, store, session, hub, settings, item, cells, accounts, management, force })
    }

    /// What is to be covered. An account that cannot be reached stays as it was; the work in it fails and is told.
    async fn cells(
        session: &Session,
        hub: &Hub,
        settings: &Settings,
        item: Option<&HubItem>,
    ) -> Result<(BTreeSet<Cell>, Option<String>), Vec<Diagnostic>> {
        let coverage = &settings.coverage;
        let wrong: Vec<Diagnostic> = coverage.check().into_iter().chain(coverage.check_home(&hub.home().account)).collect();
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let resolved = coverage.resolve(session, &hub.home().account).await.map_err(|error| vec![error.diagnostic()])?;
        let management = resolved.management.clone();
        let before = item.and_then(|item| item.record.as_ref()).map(HubRecord::cells).unwrap_or_default();
        let cells = resolved.or_as_before(&before).map_err(|diagnostic| vec![diagnostic])?;
        check_not_empty(&cells).map_err(|diagnostic| vec![diagnostic])?;
        let regions: BTreeSet<String> = cells.iter().map(|cell| cell.region.clone()).collect();
        let wrong = check_partition(&hub.home().region, &Vec::from_iter(regions));
        if wrong.is_empty() { Ok((cells, management)) } else { Err(wrong) }
    }

    fn home(&self) -> Home<'_> {
        let senders = self.settings.senders(&self.accounts);
        Home { session: &self.session, hub: &self.hub, settings: &self.settings, senders, mode: Mode::Repair }
    }

    fn columns(&self) -> Columns<'_> {
        let (session, shared) = (&self.session, &*self.context.shared);
        Columns { session, shared, hub: &self.hub, settings: &self.settings, force: self.force }
    }

    fn item(&self, record: Option<HubRecord>) -> HubItem {
        HubItem { record, revision: 0, settings: Some(self.settings.write()), claim: Claim::live() }
    }

    fn state(&self, planned: &Dynamic, urls: Option<&[String; 2]>, cells: &BTreeSet<Cell>, drifted: BTreeMap<String, String>) -> Dynamic {
        let mut state = planned.clone();
        set_identity(&mut state, &self.hub);
        state.set("tags_all", tags_value(&self.settings.tags_all));
        if let Some([queue, dead_letters]) = urls {
            state.set("queue_url", Dynamic::String(queue.clone()));
            state.set("dead_letter_queue_url", Dynamic::String(dead_letters.clone()));
        }
        state.set("cells", cells_value(cells));
        state.set("drifted", drifted_value(drifted));
        state
    }

    /// The claim says which cells are meant before anything is made in them: whoever adopts it clears those that are not meant any more.
    async fn create(&self, request: &ApplyRequest) -> Done {
        let state = |urls: Option<&[String; 2]>, cells: &BTreeSet<Cell>, drifted| self.state(&request.planned, urls, cells, drifted);
        let begun = |adopted: Option<&str>| {
            let before = Settings::read(adopted).leaving_cells().into_iter();
            let before = before.filter(|cell| !self.settings.coverage.abandons(&cell.account));
            before.chain(self.cells.iter().cloned()).collect::<BTreeSet<Cell>>()
        };
        let mut made_table = false;
        let claimed = match self.home().make_table(&mut made_table).await {
            Ok(()) => self.store.claim_hub(|adopted| self.settings.leaving(&begun(adopted)).write()).await,
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
        let adopted = adopted.and_then(|held| held.settings);
        let had_alarms = !Settings::read(adopted.as_deref()).alarm_actions.is_empty();
        let begun = begun(adopted.as_deref());
        request.progress.record(state(None, &begun, BTreeMap::new()));
        let (outcome, urls) = self.make(had_alarms).await;
        let urls = match (urls, outcome.failed.is_empty()) {
            (Ok(urls), true) => urls,
            (made, _) => {
                return Ok(self.roll_back(request, &begun, outcome, made.err(), &lease).await);
            }
        };
        let cleared = self.remove_columns(begun.difference(&self.cells).cloned().collect()).await;
        let cells = self.cells.iter().chain(cleared.failed.keys()).cloned().collect();
        let settings = Some(self.settings.leaving(cleared.failed.keys()).write());
        let item = HubItem { settings, ..self.item(Some(self.settings.record(&self.hub, &self.cells, &urls))) };
        let mut diagnostics = Vec::new();
        if !cleared.failed.is_empty() {
            let what = format!("what another apply began of hub `{}`, and was killed, is not removed everywhere", self.hub.name());
            diagnostics.push(Diagnostic { severity: Severity::Warning, ..self.told(&cleared, &what) });
        }
        match self.store.unstoppable().confirm_hub(&item, &lease).await {
            Ok(()) => self.context.shared.remember_hub(&self.hub),
            Err(error) => diagnostics.push(error.diagnostic()),
        }
        Ok(ApplyResponse { state: state(Some(&urls), &cells, cleared.reasons()), diagnostics, private: None })
    }

    /// Everything that can be made without triggers: the roles first, which tell whether every account can be reached; then home and columns side by
    /// side.
    async fn make(&self, had_alarms: bool) -> (Outcome, Result<[String; 2], CloudError>) {
        let begin = Instant::now();
        let (roles, new_role) = self.home().roles(&self.accounts.iter().cloned().collect()).await;
        if !roles.failed.is_empty() {
            return (roles, Ok(<[String; 2]>::default()));
        }
        let cells: Vec<Cell> = self.cells.iter().cloned().collect();
        let home = async {
            let urls = self.all_at_home(had_alarms).await?;
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
        (queues.and(columns.make_canaries(&cells, Before::Nothing).await), home)
    }

    /// Everything in the home region but the table and the roles; alarms that there were go where none are wanted.
    async fn all_at_home(&self, had_alarms: bool) -> CloudResult<[String; 2]> {
        let (_, urls) = self.home().all().await?;
        if had_alarms && self.settings.alarm_actions.is_empty() {
            self.home().alarms().await?;
        }
        Ok(urls)
    }

    fn told(&self, outcome: &Outcome, what: &str) -> Diagnostic {
        let refused = outcome.failed.values().filter(|error| error.kind == ErrorKind::AccountRefused);
        let refused: BTreeSet<String> = refused.map(|error| error.cell.account.clone()).collect();
        tell_management(outcome.diagnostic(&self.session, what), self.management.as_deref(), refused.iter())
    }

    /// Removes what was made. When that fails, or the user does not want to wait, what is left is in the state, and nobody adopts it.
    async fn roll_back(
        &self,
        request: &ApplyRequest,
        begun: &BTreeSet<Cell>,
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
            let columns = Columns { force: true, ..self.columns() };
            let refused = outcome.failed.values().filter(|error| error.kind == ErrorKind::AccountRefused);
            let refused: BTreeSet<&String> = refused.map(|error| &error.cell.account).collect();
            let cells = begun.iter().filter(|cell| !refused.contains(&cell.account)).cloned().collect();
            let undone = destroy::remove_all(&columns, &self.home(), cells).await;
            if undone.is_ok() {
                return ApplyResponse {
                    state: Dynamic::Null,
                    diagnostics: told("was not created, and what was made is removed again"),
                    private: None,
                };
            }
        }
        let mut diagnostics = told("was not wholly created");
        let item = HubItem { settings: Some(self.settings.leaving(begun).write()), ..self.item(None) };
        if let Err(error) = self.store.unstoppable().confirm_hub(&item, lease).await {
            diagnostics.push(error.diagnostic());
        }
        ApplyResponse { state: self.state(&request.planned, None, begun, outcome.reasons()), diagnostics, private: None }
    }

    /// Keeps going where something fails, and says in `drifted` what is left to do.
    async fn update(&self, request: &ApplyRequest) -> Done {
        let tags_before: Tags = request.prior.get_string_map("tags_all");
        let leaving = self.item.as_ref().map(|item| Settings::read(item.settings.as_deref()).leaving_cells()).unwrap_or_default();
        let old = self.item.as_ref().and_then(|item| item.record.clone());
        self.announce(&leaving).await.map_err(|error| one(&error))?;
        let (roles, urls) = self.repair(&tags_before).await?;
        let closed = accounts_of(roles.failed.keys());
        let cells: Vec<Cell> = self.cells.iter().filter(|cell| !closed.contains(&cell.account)).cloned().collect();
        let outcome = roles.and(self.columns().make_dead_letters(&cells, Some(&tags_before)).await);
        let record = self.settings.record(&self.hub, &self.cells, &urls);
        let before = cells_of(&request.prior).into_iter().chain(old.iter().flat_map(HubRecord::cells)).chain(leaving);
        let before = before.filter(|cell| !self.cells.contains(cell) && !self.settings.coverage.abandons(&cell.account));
        let left: BTreeSet<Cell> = before.collect();
        // The record first: a trigger that is applied meanwhile sees the new scope. What is to be cleared is kept until it is.
        self.put(&record, &left).await.map_err(|error| one(&error))?;
        self.context.shared.remember_hub(&self.hub);
        let definitions = self.definitions().await?;
        let anew = old.as_ref().is_some_and(|old| old.forward_dead_letter != record.forward_dead_letter);
        let (rules, unreadable) = self.columns().rules(&record, &definitions, &cells, anew).await;
        let canaries = if anew { Before::Retargeted(&tags_before) } else { Before::Tagged(&tags_before) };
        let outcome = outcome.and(rules).and(self.columns().make_canaries(&cells, canaries).await);
        // Listed after the rules were: what is made meanwhile is declared before it has any.
        let declared = self.definitions().await?.into_iter();
        let declared = declared.filter_map(|definition| Some((Carrier::of(definition.kind)?, definition.name))).collect();
        let outcome = outcome.and(self.columns().remove_orphans(&cells, &declared).await);
        let removed = self.remove_columns(left.clone()).await;
        let not_removed: Vec<Cell> = removed.failed.keys().cloned().collect();
        let mut diagnostics: Vec<Diagnostic> = unreadable.iter().map(unreadable_definition).collect();
        if not_removed.len() < left.len()
            && let Err(error) = self.unstoppable_put(&record, &not_removed).await
        {
            diagnostics.push(error.diagnostic());
        }
        let mut outcome = outcome.and(removed);
        if !self.settings.forward_dead_letter && (anew || old.is_none()) {
            outcome = outcome.and(self.columns().remove_dead_letters(cells.iter().cloned()).await);
        }
        let all = self.cells.iter().cloned().chain(not_removed).collect();
        let state = self.state(&request.planned, Some(&urls), &all, outcome.reasons());
        if !outcome.failed.is_empty() {
            diagnostics.push(self.told(&outcome, &format!("hub `{}` is not updated everywhere", self.hub.name())));
        }
        Ok(ApplyResponse { state, diagnostics, private: None })
    }

    /// Repairs the roles and everything in the home region. The roles of other accounts may fail: nothing is done there.
    async fn repair(&self, tags_before: &Tags) -> Result<(Outcome, [String; 2]), Vec<Diagnostic>> {
        let failed = |error: &CloudError| vec![with_note(error.diagnostic(), &self.session)];
        let stored = self.item.as_ref().map(|item| Settings::read(item.settings.as_deref())).unwrap_or_default();
        let had_alarms = !stored.alarm_actions.is_empty();
        let began = Instant::now();
        let (roles, new_role) = self.home().roles(&self.accounts.iter().cloned().collect()).await;
        if let Some(error) = roles.failed.get(&self.home().role_cell(&self.hub.home().account)) {
            return Err(failed(error));
        }
        let reached = accounts_of(&roles.done);
        let roles = roles.and(self.home().change_role_tags(&reached, tags_before).await);
        let home = async {
            let urls = self.all_at_home(had_alarms).await?;
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

    /// Says in the table in which new cells something will be made, before it is: whoever is killed leaves nothing there that nobody knows of.
    async fn announce(&self, leaving: &[Cell]) -> Result<(), StoreError> {
        let Some(item) = &self.item else { return Ok(()) };
        let known: BTreeSet<Cell> = item.record.iter().flat_map(HubRecord::cells).chain(leaving.iter().cloned()).collect();
        let mut announced = Settings::read(item.settings.as_deref()).leaving(leaving.iter().chain(&self.cells));
        let new_alarms = announced.alarm_actions.is_empty() && !self.settings.alarm_actions.is_empty();
        if self.cells.is_subset(&known) && !new_alarms {
            return Ok(());
        }
        if new_alarms {
            announced.alarm_actions.clone_from(&self.settings.alarm_actions);
        }
        self.store.put_hub(&HubItem { settings: Some(announced.write()), ..item.clone() }).await
    }

    async fn put(&self, record: &HubRecord, leaving: &BTreeSet<Cell>) -> Result<(), StoreError> {
        let settings = Some(self.settings.leaving(leaving).write());
        self.store.put_hub(&HubItem { settings, ..self.item(Some(record.clone())) }).await
    }

    async fn unstoppable_put(&self, record: &HubRecord, leaving: &[Cell]) -> Result<(), StoreError> {
        let settings = Some(self.settings.leaving(leaving).write());
        self.store.unstoppable().put_hub(&HubItem { settings, ..self.item(Some(record.clone())) }).await
    }

    /// Rules first, then the queues that keep what they could not forward, then the roles of accounts in which nothing is left.
    async fn remove_columns(&self, cells: BTreeSet<Cell>) -> Outcome {
        let rules = self.columns().remove_rules(cells).await;
        let done = rules.done.clone();
        let outcome = rules.and(self.columns().remove_dead_letters(done).await);
        let mut empty = accounts_of(&outcome.done);
        let kept = accounts_of(outcome.failed.keys());
        empty.retain(|account| !kept.contains(account) && !self.accounts.contains(account));
        outcome.and(self.home().remove_roles(&empty).await)
    }
}

fn unreadable_definition((carrier, name): &(Carrier, String)) -> Diagnostic {
    let kind = carrier.kind().as_str();
    let message = format!("the definition of {kind} `{name}` cannot be read, and its rules were left as they are");
    Diagnostic::warning(Code::DOCUMENT_REFUSED, message).help("a newer version of the provider may have written it: use that version")
}

/// Adds what ended the work, when a timeout or an interrupt did.
pub(super) fn with_note(diagnostic: Diagnostic, session: &Session) -> Diagnostic {
    match timeout_note(session) {
        Some(note) => {
            let help = diagnostic.help.clone().map_or_else(|| note.clone(), |help| format!("{help}\n    {note}"));
            diagnostic.help(help)
        }
        None => diagnostic,
    }
}

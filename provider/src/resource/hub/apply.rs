//! Creating and updating a hub.

mod create;
mod undo;
mod update;

use std::collections::{BTreeMap, BTreeSet};

use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::fanout::names::{Cell, Hub, check_hub_name};
use trailwire_engine::fanout::table::{Claim, HubItem, HubRecord};

use super::column::Columns;
use super::home::{Home, Mode};
use super::made::Made;
use super::role::accounts_of;
use super::settings::check_not_empty;
use super::{Settings, check_alarm_actions, check_caller, check_partition, destroy, lambda, memory, set_function, set_identity};
use crate::apply::cells::{Outcome, cells_value, drifted_value, timeout_note};
use crate::apply::coverage::tell_management;
use crate::apply::scope::wrong_account;
use crate::cloud::Session;
use crate::cloud::error::{CloudResult, Kind as ErrorKind};
use crate::context::Context;
use crate::resource::common::{is_calm, tags_value, timeout};
use crate::resource::{ApplyRequest, ApplyResponse};
use crate::store::{Store, StoreError};
use crate::value::Dynamic;

pub(super) async fn apply(context: &Context, request: ApplyRequest) -> ApplyResponse {
    let prior = request.prior.clone();
    let session = context.cloud.session(&request.stop);
    let done = if let Err(diagnostic) = check_caller(&session, &request.prior, &request.config, &request.private).await {
        Err(vec![diagnostic])
    } else if request.is_destroy() {
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
    match done {
        Ok(done) => ApplyResponse { private: (!request.is_destroy()).then(|| memory(&request.config)), ..done },
        Err(diagnostics) => ApplyResponse { state: prior, diagnostics, private: None },
    }
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
    /// What this apply made.
    made: Made,
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
        let wrong: Vec<Diagnostic> = check_alarm_actions(config, &hub.home().region).into_iter().chain(lambda::check(config)).collect();
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let mut settings = Settings::of(config, &request.planned, &context.config);
        let store = Store::new(&session, &hub);
        let item = if request.is_create() { None } else { store.hub_item().await.map_err(|error| one(&error))? };
        settings.reading |= Settings::read(item.as_ref().and_then(|item| item.settings.as_deref())).reading;
        let (cells, management) = Self::cells(&session, &hub, &settings, item.as_ref()).await?;
        let accounts = accounts_of(&cells).into_iter().collect();
        let force = request.planned.get_bool("force_destroy") == Some(true);
        Ok(Work { context, store, session, hub, settings, item, cells, accounts, management, force, made: Made::default() })
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
        Home { session: &self.session, hub: &self.hub, settings: &self.settings, senders, mode: Mode::Repair, made: &self.made }
    }

    fn columns(&self) -> Columns<'_> {
        let (session, shared) = (&self.session, &*self.context.shared);
        Columns { session, shared, hub: &self.hub, settings: &self.settings, force: self.force, made: &self.made }
    }

    fn item(&self, record: Option<HubRecord>) -> HubItem {
        HubItem { record, revision: 0, settings: Some(self.settings.write()), claim: Claim::live() }
    }

    fn state(&self, planned: &Dynamic, urls: Option<&[String; 2]>, cells: &BTreeSet<Cell>, drifted: BTreeMap<String, String>) -> Dynamic {
        let mut state = planned.clone();
        set_identity(&mut state, &self.hub, !self.settings.query_operations.is_empty());
        set_function(&mut state, &self.hub, self.settings.lambda.as_ref());
        state.set("tags_all", tags_value(&self.settings.tags_all));
        if let Some([queue, dead_letters]) = urls {
            state.set("queue_url", Dynamic::String(queue.clone()));
            state.set("dead_letter_queue_url", Dynamic::String(dead_letters.clone()));
        }
        state.set("cells", cells_value(cells));
        state.set("drifted", drifted_value(drifted));
        state
    }

    /// Everything in the home region but the table and the roles; alarms and a function that there were go where none are wanted.
    async fn all_at_home(&self, before: &Settings) -> CloudResult<[String; 2]> {
        let (_, urls) = self.home().all().await?;
        if !before.alarm_actions.is_empty() && self.settings.alarm_actions.is_empty() {
            self.home().alarms().await?;
        }
        if before.lambda.is_some() && self.settings.lambda.is_none() {
            self.home().remove_function(|_| true).await?;
        }
        Ok(urls)
    }

    fn told(&self, outcome: &Outcome, what: &str) -> Diagnostic {
        let refused = outcome.failed.values().filter(|error| error.kind == ErrorKind::AccountRefused);
        let refused: BTreeSet<String> = refused.map(|error| error.cell.account.clone()).collect();
        tell_management(outcome.diagnostic(&self.session, what), self.management.as_deref(), refused.iter())
    }
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

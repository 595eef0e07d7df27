//! Creating, updating and destroying a definition and its rules.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use serde::Serialize;
use trailwire_engine::diagnostic::{Code, Diagnostic, Severity, any_error};
use trailwire_engine::fanout::names::{Carrier, Cell, Hub, Owner};
use trailwire_engine::fanout::table::{HubRecord, Kind};
use trailwire_engine::fanout::wanted::Rules;

use super::Settings;
use super::carried::set_pushed;
use crate::apply::cells::{Outcome, cells_of, drifted_value, in_each, shared_cells_value, timeout_note};
use crate::apply::rules::Row;
use crate::apply::scope::{check_scope, known_cells};
use crate::cloud::Session;
use crate::cloud::call::Tags;
use crate::cloud::error::CloudResult;
use crate::context::Context;
use crate::resource::common::{is_calm, tags_before, tags_value, timeout};
use crate::resource::definition::{Done, find, identify, one};
use crate::resource::{ApplyRequest, ApplyResponse};
use crate::store::{Claimed, Lease, Store, StoreError};
use crate::value::Dynamic;

/// A destroy, or an update that has nothing to do in AWS; `None` where there is something to make or change.
pub(crate) async fn without_work(context: &Context, request: &ApplyRequest, carrier: Carrier) -> Option<Done> {
    if request.is_destroy() {
        Some(destroy(context, request, carrier).await)
    } else if !request.is_create() && is_calm(&request.planned) {
        Some(Ok(ApplyResponse { state: request.planned.clone(), ..ApplyResponse::default() }))
    } else {
        None
    }
}

/// What was done, with warnings in front of what is told of it.
fn beside(mut warnings: Vec<Diagnostic>, done: Done) -> Done {
    match done {
        Ok(mut response) => {
            warnings.append(&mut response.diagnostics);
            Ok(ApplyResponse { diagnostics: warnings, ..response })
        }
        Err(diagnostics) => Err(warnings.into_iter().chain(diagnostics).collect()),
    }
}

/// A definition that is being applied, when everything is checked that can be wrong without a change in AWS. An `Err` of its methods means that nothing was
/// changed.
pub(crate) struct Work<'a> {
    context: &'a Context,
    session: Session,
    hub: Hub,
    pub(crate) store: Store,
    rules: Rules,
    document: String,
    settings: Settings,
    /// Warnings about values that were not known while planning.
    late: Vec<Diagnostic>,
}

/// What a configuration declares, and warnings about values that were not known while planning.
///
/// # Errors
/// Everything that is wrong, where something is.
pub(crate) fn checked<T>(
    request: &ApplyRequest,
    check: impl Fn(&Dynamic) -> (Option<T>, Vec<Diagnostic>),
) -> Result<(T, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (declared, wrong) = check(&request.config);
    let Some(declared) = declared.filter(|_| !any_error(&wrong)) else { return Err(wrong) };
    let told = check(&request.planned).1;
    Ok((declared, wrong.into_iter().filter(|diagnostic| !told.contains(diagnostic)).collect()))
}

impl<'a> Work<'a> {
    /// Of a definition with this document.
    pub(crate) async fn begin(
        context: &'a Context,
        request: &ApplyRequest,
        rules: Rules,
        document: &impl Serialize,
        late: Vec<Diagnostic>,
    ) -> Result<Work<'a>, Vec<Diagnostic>> {
        let document = serde_json::to_string(document)
            .map_err(|error| vec![Diagnostic::error(Code::PROVIDER_BUG, format!("the definition cannot be written as JSON: {error}"))])?;
        let operation = if request.is_create() { "create" } else { "update" };
        let session = context.cloud.session(&request.stop).within(timeout(&request.config, operation));
        let (hub, _) = find(context, &session, &request.config, request.prior.get_str("hub_arn")).await.map_err(|error| vec![error])?;
        let (store, settings) = (Store::new(&session, &hub), Settings::of(context, request, &rules.pushed));
        Ok(Work { context, session, hub, store, rules, document, settings, late })
    }
}

impl Work<'_> {
    /// Creates it or brings it up to date, unless `checks` finds something wrong. They are made while the hub's record is read.
    pub(crate) async fn apply(self, request: &ApplyRequest, checks: impl Future<Output = Result<Vec<Diagnostic>, StoreError>>) -> Done {
        let done = match futures::try_join!(self.record(), checks) {
            Err(error) => Err(one(&error)),
            Ok((record, wrong)) => {
                let wrong: Vec<_> = wrong.into_iter().chain(check_scope(&record, self.rules.owner(), &self.rules.events)).collect();
                match any_error(&wrong) {
                    true => Err(wrong),
                    false if request.is_create() => self.create(request, record).await,
                    false => self.update(request, record).await,
                }
            }
        };
        beside(self.late, done)
    }

    fn kind(&self) -> Kind {
        self.rules.carrier.kind()
    }

    fn name(&self) -> &str {
        &self.rules.events.name
    }

    /// Such as "trigger `a`".
    fn told(&self) -> String {
        told(self.rules.owner())
    }

    fn row<'b>(&'b self, session: &'b Session) -> Row<'b> {
        Row { session, shared: &self.context.shared, hub: &self.hub, owner: self.rules.owner(), tags: &self.settings.tags_all }
    }

    async fn record(&self) -> Result<HubRecord, StoreError> {
        let item = self.store.hub_item().await?;
        item.and_then(|item| item.record).ok_or_else(|| StoreError::NoHub(self.hub.name().to_owned()))
    }

    /// The state after apply: what was planned, with what only apply knows.
    fn state(&self, planned: &Dynamic, cells: &[Cell], drifted: BTreeMap<String, String>) -> Dynamic {
        let mut state = planned.clone();
        identify(&mut state, &self.hub, self.name());
        state.set("tags_all", tags_value(&self.settings.tags_all));
        state.set("rule_names", Dynamic::strings(self.rules.names(&self.hub)));
        set_pushed(&mut state, self.rules.carrier, &self.rules.pushed);
        state.set("cells", shared_cells_value(cells));
        state.set("drifted", drifted_value(drifted));
        state
    }

    async fn in_cell(&self, cell: &Cell, record: &HubRecord, how: How<'_>) -> CloudResult<()> {
        let rules = self.rules.wanted(&self.hub, record, cell);
        match how {
            How::Create => self.row(&self.session).create(cell, &rules).await,
            How::Repair(tags_before) => self.row(&self.session).reconcile(cell, &rules, tags_before).await,
        }
    }

    /// All cells of the scope, and again those that the hub adds or drops meanwhile: its record is read anew until it stays the same. The definition must be in
    /// the table: so a hub that takes a cell in either sees it, or has put its record before.
    async fn in_scope(&self, mut record: HubRecord, how: How<'_>) -> (Outcome, HubRecord) {
        let mut covered: BTreeSet<Cell> = BTreeSet::new();
        let mut outcome = Outcome::default();
        loop {
            let scope: BTreeSet<Cell> = self.rules.cells(&record).into_iter().collect();
            let now = in_each(scope.difference(&covered).cloned(), |cell| {
                let record = &record;
                async move { self.in_cell(&cell, record, how).await }
            });
            outcome = outcome.and(now.await);
            outcome = outcome.and(self.remove_from(covered.difference(&scope).cloned()).await);
            covered = scope;
            match self.record().await {
                Ok(newer) if newer.cells() != record.cells() => record = newer,
                Err(error) if !error.is_interrupted() => {
                    let home = self.hub.home();
                    outcome.add(home.clone(), Err(error.in_cell(home)));
                    return (outcome, record);
                }
                _ => return (outcome, record),
            }
        }
    }

    async fn remove_from(&self, cells: impl IntoIterator<Item = Cell>) -> Outcome {
        in_each(cells, |cell| async move { self.row(&self.session).remove(&cell).await }).await
    }

    async fn create(&self, request: &ApplyRequest, record: HubRecord) -> Done {
        let settings = self.settings.write();
        let claim = self.store.claim(self.kind(), self.name(), Some(&self.document), &settings).await;
        let (claimed, lease) = claim.map_err(|error| one(&error))?;
        request.progress.record(self.state(&request.planned, &self.rules.cells(&record), BTreeMap::new()));
        let how = if claimed == Claimed::New { How::Create } else { How::Repair(None) };
        let (mut outcome, record) = self.in_scope(record, how).await;
        if claimed == Claimed::Adopted && self.rules.pushed.patterns.is_empty() {
            // Whoever began it may have wanted rules.
            outcome = outcome.and(self.remove_from(record.cells()).await);
        }
        let tolerated = usize::try_from(self.settings.failure_tolerance).unwrap_or(0);
        let cells = self.rules.cells(&record);
        if outcome.failed.len() <= tolerated && !outcome.interrupted() {
            let mut diagnostics = Vec::new();
            if !outcome.failed.is_empty() {
                let told = outcome.diagnostic(&self.session, &format!("{} is not everywhere yet", self.told()));
                diagnostics.push(Diagnostic { severity: Severity::Warning, ..told });
            }
            if let Err(error) = self.store.unstoppable().confirm(self.kind(), self.name(), &lease).await {
                diagnostics.push(error.diagnostic());
            }
            let state = self.state(&request.planned, &cells, outcome.reasons());
            return Ok(ApplyResponse { state, diagnostics, private: None });
        }
        Ok(self.roll_back(request, &cells, &outcome, &lease).await)
    }

    /// Removes what was made. When that fails, or the user does not want to wait, what is left is in the state, and nobody adopts it.
    async fn roll_back(&self, request: &ApplyRequest, cells: &[Cell], outcome: &Outcome, lease: &Lease) -> ApplyResponse {
        let mut diagnostics = vec![outcome.diagnostic(&self.session, &format!("{} was not wholly created", self.told()))];
        let mut reasons = outcome.reasons();
        if !outcome.interrupted() {
            let undone = self.remove_from(cells.iter().cloned()).await;
            if undone.failed.is_empty() && self.store.withdraw(self.kind(), self.name(), lease).await.is_ok() {
                let told =
                    outcome.diagnostic(&self.session, &format!("{} was not created, and what was made is removed again", self.told()));
                return ApplyResponse { state: Dynamic::Null, diagnostics: vec![told], private: None };
            }
            if !undone.failed.is_empty() {
                diagnostics.push(undone.diagnostic(&self.session, &format!("what was made of {} cannot be removed again", self.told())));
            }
            for (cell, reason) in undone.reasons() {
                reasons.entry(cell).or_insert(reason);
            }
        }
        if let Err(error) = self.store.unstoppable().confirm(self.kind(), self.name(), lease).await {
            diagnostics.push(error.diagnostic());
        }
        ApplyResponse { state: self.state(&request.planned, cells, reasons), diagnostics, private: None }
    }

    async fn put(&self, settings: &Settings) -> Result<(), StoreError> {
        self.store.put(self.kind(), self.name(), &self.document, &settings.write(), None).await
    }

    /// The tags that rules may have. The table is asked only where something may be unfinished, which then has drifted.
    async fn tags_before(&self, prior: &Dynamic) -> Result<Tags, StoreError> {
        let drifted = prior.get("drifted").as_map().is_some_and(|drifted| !drifted.is_empty());
        if !drifted {
            return Ok(tags_before(prior, None));
        }
        let definition = self.store.definition(self.kind(), self.name()).await?;
        let stored = definition.and_then(|definition| definition.settings).map(|settings| Settings::read(Some(&settings)));
        Ok(tags_before(prior, stored.as_ref().map(|stored| (&stored.tags_all, stored.tags_before.as_ref()))))
    }

    async fn update(&self, request: &ApplyRequest, record: HubRecord) -> Done {
        let tags_before = self.tags_before(&request.prior).await.map_err(|error| one(&error))?;
        let is_retagged = tags_before != self.settings.tags_all;
        let settings = Settings { tags_before: is_retagged.then(|| tags_before.clone()), ..self.settings.clone() };
        self.put(&settings).await.map_err(|error| one(&error))?;
        let (outcome, record) = self.in_scope(record, How::Repair(Some(&tags_before))).await;
        let cells = self.rules.cells(&record);
        let left = if cells.is_empty() && !has_rules(&request.prior) { BTreeSet::new() } else { may_hold(&request.prior, Some(&record)) };
        let left: BTreeSet<Cell> = left.into_iter().filter(|cell| !cells.contains(cell)).collect();
        let removed = self.remove_from(left).await;
        let not_removed: Vec<Cell> = removed.failed.keys().cloned().collect();
        let outcome = outcome.and(removed);
        let all: Vec<Cell> = cells.into_iter().chain(not_removed).collect();
        let state = self.state(&request.planned, &all, outcome.reasons());
        let mut diagnostics = Vec::new();
        if !outcome.failed.is_empty() {
            diagnostics.push(outcome.diagnostic(&self.session, &format!("{} is not updated everywhere", self.told())));
        } else if is_retagged && let Err(error) = self.put(&self.settings).await {
            diagnostics.push(error.diagnostic());
        }
        Ok(ApplyResponse { state, diagnostics, private: None })
    }
}

/// What is known of the rules that may be there.
#[derive(Clone, Copy)]
enum How<'a> {
    /// None are.
    Create,
    /// Some may be, with these tags where tags matter.
    Repair(Option<&'a Tags>),
}

/// Such as "trigger `a`".
fn told(owner: Owner<'_>) -> String {
    format!("{} `{}`", owner.carrier.kind().as_str(), owner.name)
}

/// Whether a state tells of rules.
fn has_rules(prior: &Dynamic) -> bool {
    !prior.get_strings("rule_names").is_empty() || !cells_of(prior).is_empty()
}

/// Every cell that may hold rules which a state tells of.
fn may_hold(prior: &Dynamic, record: Option<&HubRecord>) -> BTreeSet<Cell> {
    known_cells(prior, record).into_iter().chain(record.into_iter().flat_map(HubRecord::cells)).collect()
}

/// Works from the state alone when the hub is gone.
async fn destroy(context: &Context, request: &ApplyRequest, carrier: Carrier) -> Done {
    let prior = &request.prior;
    let session = context.cloud.session(&request.stop).within(timeout(prior, "delete"));
    let (hub, name) = find(context, &session, prior, prior.get_str("hub_arn")).await.map_err(|error| vec![error])?;
    let store = Store::new(&session, &hub);
    let record = store.hub_item().await.map_err(|error| one(&error))?.and_then(|item| item.record);
    let had_rules = has_rules(prior);
    let cells = if had_rules { may_hold(prior, record.as_ref()) } else { BTreeSet::new() };
    let none = Tags::new();
    let owner = Owner { carrier, name };
    let row = Row { session: &session, shared: &context.shared, hub: &hub, owner, tags: &none };
    let not_removed = |outcome: &Outcome| {
        let mut state = prior.clone();
        state.set("cells", shared_cells_value(&Vec::from_iter(outcome.failed.keys().cloned())));
        state.set("drifted", drifted_value(outcome.reasons()));
        let told = outcome.diagnostic(&session, &format!("{} is not removed everywhere", told(owner)));
        Ok(ApplyResponse { state, diagnostics: vec![told], private: None })
    };
    let done = cells.clone();
    let outcome = in_each(cells, |cell| async move { row.remove(&cell).await }).await;
    if !outcome.failed.is_empty() {
        return not_removed(&outcome);
    }
    store.delete(carrier.kind(), name).await.map_err(|error| {
        let note = timeout_note(&session);
        vec![note.map_or_else(|| error.diagnostic(), |note| error.diagnostic().help(note))]
    })?;
    if !had_rules {
        return Ok(ApplyResponse::default());
    }
    // A hub that took a region in meanwhile may have put rules there for a definition that it still saw.
    let newer = store.hub_item().await.map_err(|error| one(&error))?.and_then(|item| item.record);
    let late: BTreeSet<Cell> = newer.iter().flat_map(HubRecord::cells).filter(|cell| !done.contains(cell)).collect();
    let outcome = in_each(late, |cell| async move { row.remove(&cell).await }).await;
    if outcome.failed.is_empty() { Ok(ApplyResponse::default()) } else { not_removed(&outcome) }
}

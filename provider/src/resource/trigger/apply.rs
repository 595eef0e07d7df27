//! Creating, updating and destroying a trigger.

use std::collections::{BTreeMap, BTreeSet};

use trailwire_engine::diagnostic::{Code, Diagnostic, any_error};
use trailwire_engine::fanout::names::{Cell, Hub};
use trailwire_engine::fanout::pushed::Pushed;
use trailwire_engine::fanout::table::{HubRecord, Kind};
use trailwire_engine::trigger::Trigger;

use super::check::check;
use super::document::{choose, rule_names, set_pushed, wanted};
use super::send;
use super::settings::Settings;
use crate::apply::cells::{Outcome, cells_value, drifted_value, in_each, timeout_note};
use crate::apply::rules::Row;
use crate::apply::scope::{check_scope, known_cells, trigger_cells};
use crate::cloud::Session;
use crate::cloud::call::Tags;
use crate::cloud::error::CloudResult;
use crate::context::Context;
use crate::resource::common::{all_tags, is_calm, tags_value, timeout};
use crate::resource::definition::{Done, find, identify, one};
use crate::resource::{ApplyRequest, ApplyResponse};
use crate::store::{Claimed, Lease, Store, StoreError};
use crate::value::Dynamic;

pub(super) async fn apply(context: &Context, request: ApplyRequest) -> ApplyResponse {
    let prior = request.prior.clone();
    let done = if request.is_destroy() {
        destroy(context, &request).await
    } else if !request.is_create() && is_calm(&request.planned) {
        Ok(ApplyResponse { state: request.planned.clone(), ..ApplyResponse::default() })
    } else {
        match Work::prepare(context, &request).await {
            Ok(work) => {
                let done = if request.is_create() { work.create(&request).await } else { work.update(&request).await };
                beside(work.late, done)
            }
            Err(diagnostics) => Err(diagnostics),
        }
    };
    done.unwrap_or_else(|diagnostics| ApplyResponse { state: prior, diagnostics, private: None })
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

/// A trigger that is being applied. An `Err` of its methods means that nothing was changed.
struct Work<'a> {
    context: &'a Context,
    session: Session,
    hub: Hub,
    store: Store,
    trigger: Trigger,
    pushed: Pushed,
    document: String,
    settings: Settings,
    /// Warnings about values that were not known while planning.
    late: Vec<Diagnostic>,
}

impl<'a> Work<'a> {
    /// Everything that can be wrong without a change in AWS.
    async fn prepare(context: &'a Context, request: &ApplyRequest) -> Result<Work<'a>, Vec<Diagnostic>> {
        let (trigger, wrong) = check(&request.config);
        let trigger = match trigger {
            Some(trigger) if !any_error(&wrong) => trigger,
            _ => return Err(wrong),
        };
        let told = check(&request.planned).1;
        let late = wrong.into_iter().filter(|diagnostic| !told.contains(diagnostic)).collect();
        let pushed = choose(&trigger, &request.prior, &request.planned)
            .map_err(|error| vec![Diagnostic::error(Code::OUT_OF_RANGE, error.to_string())])?;
        let operation = if request.is_create() { "create" } else { "update" };
        let session = context.cloud.session(&request.stop).within(timeout(&request.config, operation));
        let (hub, _) = find(context, &session, &request.config, request.prior.get_str("hub_arn")).await.map_err(|error| vec![error])?;
        let store = Store::new(&session, &hub);
        let wrong = send::check(&store, &request.config).await.map_err(|error| one(&error))?;
        if any_error(&wrong) {
            return Err(wrong);
        }
        let document = serde_json::to_string(&trigger)
            .map_err(|error| vec![Diagnostic::error(Code::PROVIDER_BUG, format!("the trigger cannot be written as JSON: {error}"))])?;
        let tags = request.config.get_string_map("tags");
        let settings = Settings {
            tags_all: all_tags(&context.config, &tags),
            tags,
            failure_tolerance: request.planned.get_i64("failure_tolerance").unwrap_or(0),
            pushed: Some(pushed.clone()),
        };
        Ok(Work { context, store, session, hub, trigger, pushed, document, settings, late })
    }

    fn row<'b>(&'b self, session: &'b Session) -> Row<'b> {
        Row { session, shared: &self.context.shared, hub: &self.hub, trigger: &self.trigger.name, tags: &self.settings.tags_all }
    }

    async fn record(&self) -> Result<HubRecord, Vec<Diagnostic>> {
        let item = self.store.hub_item().await.map_err(|error| one(&error))?;
        item.and_then(|item| item.record).ok_or_else(|| one(&StoreError::NoHub(self.hub.name().to_owned())))
    }

    /// The state after apply: what was planned, with what only apply knows.
    fn state(&self, planned: &Dynamic, cells: &[Cell], drifted: BTreeMap<String, String>) -> Dynamic {
        let mut state = planned.clone();
        identify(&mut state, &self.hub, &self.trigger.name);
        state.set("tags_all", tags_value(&self.settings.tags_all));
        state.set("rule_names", Dynamic::strings(rule_names(&self.hub, &self.trigger.name, &self.pushed)));
        set_pushed(&mut state, &self.pushed);
        state.set("cells", cells_value(cells.to_vec()));
        state.set("drifted", drifted_value(drifted));
        state
    }

    async fn in_cell(&self, cell: &Cell, record: &HubRecord, how: How<'_>) -> CloudResult<()> {
        let rules = wanted(&self.hub, record, (&self.trigger, &self.pushed), cell);
        match how {
            How::Create => self.row(&self.session).create(cell, &rules).await,
            How::Repair(tags_before) => self.row(&self.session).reconcile(cell, &rules, tags_before).await,
        }
    }

    /// All cells of the scope, and again those that the hub adds or drops meanwhile: its record is read anew until it stays the same.
    async fn in_scope(&self, mut record: HubRecord, how: How<'_>) -> (Outcome, HubRecord) {
        let mut covered: BTreeSet<Cell> = BTreeSet::new();
        let mut outcome = Outcome::default();
        loop {
            let scope: BTreeSet<Cell> = trigger_cells(&record, &self.trigger).into_iter().collect();
            let now = in_each(scope.difference(&covered).cloned(), |cell| {
                let record = &record;
                async move { self.in_cell(&cell, record, how).await }
            });
            outcome = outcome.and(now.await);
            let dropped = in_each(covered.difference(&scope).cloned(), |cell| async move { self.row(&self.session).remove(&cell).await });
            outcome = outcome.and(dropped.await);
            covered = scope;
            match self.record().await {
                Ok(newer) if newer.cells() != record.cells() => record = newer,
                _ => return (outcome, record),
            }
        }
    }

    async fn create(&self, request: &ApplyRequest) -> Done {
        let record = self.record().await?;
        let wrong = check_scope(&record, &self.trigger);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let (name, settings) = (&self.trigger.name, self.settings.write());
        let claim = self.store.claim(Kind::Trigger, name, Some(&self.document), &settings).await;
        let (claimed, lease) = claim.map_err(|error| one(&error))?;
        request.progress.record(self.state(&request.planned, &trigger_cells(&record, &self.trigger), BTreeMap::new()));
        let record = self.record().await.unwrap_or(record);
        let how = if claimed == Claimed::New { How::Create } else { How::Repair(None) };
        let (outcome, record) = self.in_scope(record, how).await;
        let tolerated = usize::try_from(self.settings.failure_tolerance).unwrap_or(0);
        let cells = trigger_cells(&record, &self.trigger);
        if outcome.failed.len() <= tolerated && !outcome.interrupted() {
            let mut diagnostics = Vec::new();
            if !outcome.failed.is_empty() {
                let told = outcome.diagnostic(&self.session, &format!("trigger `{name}` is not everywhere yet"));
                diagnostics.push(Diagnostic { severity: trailwire_engine::diagnostic::Severity::Warning, ..told });
            }
            if let Err(error) = self.store.unstoppable().confirm(Kind::Trigger, name, &lease).await {
                diagnostics.push(error.diagnostic());
            }
            let state = self.state(&request.planned, &cells, outcome.reasons());
            return Ok(ApplyResponse { state, diagnostics, private: None });
        }
        Ok(self.roll_back(request, &cells, &outcome, &lease).await)
    }

    /// Removes what was made. When that fails, or the user does not want to wait, what is left is in the state, and nobody adopts it.
    async fn roll_back(&self, request: &ApplyRequest, cells: &[Cell], outcome: &Outcome, lease: &Lease) -> ApplyResponse {
        let name = &self.trigger.name;
        if !outcome.interrupted() {
            let undone = in_each(cells.iter().cloned(), |cell| async move { self.row(&self.session).remove(&cell).await }).await;
            if undone.failed.is_empty() && self.store.withdraw(Kind::Trigger, name, lease).await.is_ok() {
                let told =
                    outcome.diagnostic(&self.session, &format!("trigger `{name}` was not created, and what was made is removed again"));
                return ApplyResponse { state: Dynamic::Null, diagnostics: vec![told], private: None };
            }
        }
        let mut diagnostics = vec![outcome.diagnostic(&self.session, &format!("trigger `{name}` was not wholly created"))];
        if let Err(error) = self.store.unstoppable().confirm(Kind::Trigger, name, lease).await {
            diagnostics.push(error.diagnostic());
        }
        ApplyResponse { state: self.state(&request.planned, cells, outcome.reasons()), diagnostics, private: None }
    }

    async fn update(&self, request: &ApplyRequest) -> Done {
        let record = self.record().await?;
        let wrong = check_scope(&record, &self.trigger);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let put = self.store.put(Kind::Trigger, &self.trigger.name, &self.document, &self.settings.write(), None).await;
        put.map_err(|error| one(&error))?;
        let tags_before: Tags = request.prior.get_string_map("tags_all");
        let (outcome, record) = self.in_scope(record, How::Repair(Some(&tags_before))).await;
        let cells = trigger_cells(&record, &self.trigger);
        let left: Vec<Cell> =
            known_cells(&request.prior, Some(&record)).into_iter().chain(record.cells()).filter(|cell| !cells.contains(cell)).collect();
        let left: BTreeSet<Cell> = left.into_iter().collect();
        let removed = in_each(left, |cell| async move { self.row(&self.session).remove(&cell).await }).await;
        let not_removed: Vec<Cell> = removed.failed.keys().cloned().collect();
        let outcome = outcome.and(removed);
        let all: Vec<Cell> = cells.into_iter().chain(not_removed).collect();
        let state = self.state(&request.planned, &all, outcome.reasons());
        let mut diagnostics = Vec::new();
        if !outcome.failed.is_empty() {
            diagnostics.push(outcome.diagnostic(&self.session, &format!("trigger `{}` is not updated everywhere", self.trigger.name)));
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

/// Works from the state alone when the hub is gone.
async fn destroy(context: &Context, request: &ApplyRequest) -> Done {
    let prior = &request.prior;
    let session = context.cloud.session(&request.stop).within(timeout(prior, "delete"));
    let (hub, name) = find(context, &session, prior, prior.get_str("hub_arn")).await.map_err(|error| vec![error])?;
    let store = Store::new(&session, &hub);
    let record = store.hub_item().await.map_err(|error| one(&error))?.and_then(|item| item.record);
    let cells: BTreeSet<Cell> = known_cells(prior, record.as_ref()).into_iter().chain(record.iter().flat_map(HubRecord::cells)).collect();
    let none = Tags::new();
    let row = Row { session: &session, shared: &context.shared, hub: &hub, trigger: name, tags: &none };
    let done = cells.clone();
    let outcome = in_each(cells, |cell| async move { row.remove(&cell).await }).await;
    if !outcome.failed.is_empty() {
        let mut state = prior.clone();
        state.set("cells", cells_value(outcome.failed.keys().cloned()));
        state.set("drifted", drifted_value(outcome.reasons()));
        let told = outcome.diagnostic(&session, &format!("trigger `{name}` is not removed everywhere"));
        return Ok(ApplyResponse { state, diagnostics: vec![told], private: None });
    }
    store.delete(Kind::Trigger, name).await.map_err(|error| {
        let note = timeout_note(&session);
        vec![note.map_or_else(|| error.diagnostic(), |note| error.diagnostic().help(note))]
    })?;
    // A hub that took a region in meanwhile may have put rules there for a definition that it still saw.
    let newer = store.hub_item().await.map_err(|error| one(&error))?.and_then(|item| item.record);
    let late: BTreeSet<Cell> = newer.iter().flat_map(HubRecord::cells).filter(|cell| !done.contains(cell)).collect();
    let outcome = in_each(late, |cell| async move { row.remove(&cell).await }).await;
    if outcome.failed.is_empty() {
        return Ok(ApplyResponse::default());
    }
    let mut state = prior.clone();
    state.set("cells", cells_value(outcome.failed.keys().cloned()));
    let told = outcome.diagnostic(&session, &format!("trigger `{name}` is not removed everywhere"));
    Ok(ApplyResponse { state, diagnostics: vec![told], private: None })
}

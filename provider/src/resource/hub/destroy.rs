//! Destroying a hub.

use std::collections::BTreeSet;

use futures::future::join_all;
use trailwire_engine::diagnostic::{Code, Diagnostic};
use trailwire_engine::fanout::names::{Cell, Hub};
use trailwire_engine::fanout::policy::Senders;
use trailwire_engine::fanout::table::{Definition, HubRecord, Kind, State};

use super::Settings;
use super::apply::{Done, hub_of, with_note};
use super::column::{Columns, held};
use super::home::{Home, Mode};
use super::made::Made;
use super::role::accounts_of;
use crate::apply::cells::{cells_of, cells_value, drifted_value};
use crate::cloud::Session;
use crate::cloud::error::{CloudError, Kind as ErrorKind};
use crate::context::Context;
use crate::resource::common::timeout;
use crate::resource::destination::owned_secrets;
use crate::resource::{ApplyRequest, ApplyResponse};
use crate::store::{Store, StoreError};

/// How many definitions a refusal names.
const NAMED: usize = 20;

pub(super) async fn destroy(context: &Context, request: &ApplyRequest) -> Done {
    let prior = &request.prior;
    let session = context.cloud.session(&request.stop).within(timeout(prior, "delete"));
    let hub = hub_of(&session, prior).await.map_err(|diagnostic| vec![diagnostic])?;
    let store = Store::new(&session, &hub);
    let one = |error: StoreError| vec![with_note(error.diagnostic(), &session)];
    let item = store.hub_item().await.map_err(one)?;
    let force = prior.get_bool("force_destroy") == Some(true);
    let record = item.as_ref().and_then(|item| item.record.as_ref());
    let stored = item.as_ref().map(|item| Settings::read(item.settings.as_deref())).unwrap_or_default();
    let leaving = stored.leaving_cells();
    let known = cells_of(prior).into_iter().chain(record.map(HubRecord::cells).unwrap_or_default()).chain(leaving);
    let cells: BTreeSet<Cell> = known.filter(|cell| !stored.coverage.abandons(&cell.account)).collect();
    let begun = record.is_none();
    if !force {
        refuse_while_declared(&store, hub.name()).await.map_err(|refusal| or_kept(refusal, begun))?;
        refuse_while_holding(&session, &hub, &cells).await.map_err(|refusal| or_kept(refusal, begun))?;
    }
    let was_live = item.as_ref().is_some_and(|item| item.claim.state == State::Live && item.record.is_some());
    store.close_hub().await.map_err(one)?;
    // Whatever was declared between the look and the closing is seen now; nothing can be declared any more.
    if !force && let Err(refusal) = refuse_while_declared(&store, hub.name()).await {
        if was_live {
            store.unstoppable().reopen_hub().await.map_err(one)?;
        }
        return Err(refusal);
    }
    let (alarm_actions, lambda) = (stored.alarm_actions.clone(), stored.lambda.clone());
    let settings = Settings { alarm_actions, lambda, reading: stored.reading, ..Settings::default() };
    let lost = if force { removed_with(&store, hub.name()).await.map_err(one)? } else { None };
    let made = &Made::default();
    let columns = Columns { session: &session, shared: &context.shared, hub: &hub, settings: &settings, force: true, made };
    let home = Home { session: &session, hub: &hub, settings: &settings, senders: Senders::Accounts(&[]), mode: Mode::Repair, made };
    let declared = store.definitions(Kind::Destination).await.map_err(one)?;
    let removed = match remove_secrets(&session, &hub, &declared).await {
        Ok(()) => remove_all(&columns, &home, cells.into_iter().collect()).await,
        Err(diagnostic) => Err((vec![diagnostic], None)),
    };
    match removed {
        Ok(()) => {
            context.shared.forget_hub(&hub);
            Ok(ApplyResponse { diagnostics: lost.into_iter().collect(), ..ApplyResponse::default() })
        }
        Err((diagnostics, outcome)) => {
            let mut state = prior.clone();
            if let Some(outcome) = outcome {
                state.set("cells", cells_value(outcome.failed.keys()));
                state.set("drifted", drifted_value(outcome.reasons()));
            }
            Ok(ApplyResponse { state, diagnostics, private: None })
        }
    }
}

/// What to do about a hub whose create did not end: Terraform replaces it, and a replacement goes by the arguments that it was made with.
fn or_kept(refusal: Vec<Diagnostic>, begun: bool) -> Vec<Diagnostic> {
    let untaint =
        "\n    its create did not end, so that every apply replaces it: `terraform untaint` its address, and apply, to finish it instead";
    let more = |told: Diagnostic| {
        let help = told.help.clone().unwrap_or_default() + untaint;
        told.help(help)
    };
    if begun { refusal.into_iter().map(more).collect() } else { refusal }
}

/// Some of them by name, and how many more there are.
fn named(declared: &[Definition]) -> String {
    let mut names: Vec<String> = declared.iter().map(|definition| format!("{} `{}`", definition.kind.as_str(), definition.name)).collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

/// What is removed with the hub although somebody declares it.
async fn removed_with(store: &Store, name: &str) -> Result<Option<Diagnostic>, StoreError> {
    let declared = store.declared().await?;
    let told = || {
        let help =
            "where the hub is made again, apply once more to declare them again; with `replace_triggered_by` they are replaced with it";
        Diagnostic::warning(Code::IN_USE, format!("hub `{name}` is removed with {}, which were still declared in it", named(&declared)))
            .help(help)
    };
    Ok((!declared.is_empty()).then(told))
}

/// What somebody declares keeps the hub; what a killed apply began and nobody finished does not.
async fn refuse_while_declared(store: &Store, name: &str) -> Result<(), Vec<Diagnostic>> {
    let declared = store.declared().await.map_err(|error| vec![error.diagnostic()])?;
    let Some(first) = declared.first() else { return Ok(()) };
    let message = format!("hub `{name}` still holds {}", named(&declared));
    let import = format!("terraform import trailwire_{}.NAME {name}/{}", first.kind.as_str(), first.name);
    let help = format!(
        "destroy them first, in the state that declares them, or bring them under this one: {import}\n    or set `force_destroy = true` and apply that before"
    );
    Err(vec![Diagnostic::error(Code::IN_USE, message).help(help)])
}

/// Events that nobody has handled keep the hub.
pub(super) async fn refuse_while_holding(session: &Session, hub: &Hub, cells: &BTreeSet<Cell>) -> Result<(), Vec<Diagnostic>> {
    let home = [hub.queue_name(), hub.dead_letter_queue_name()].map(|name| (hub.home(), name));
    let queues = home.into_iter().chain(cells.iter().map(|cell| (cell, hub.forward_dead_letter_queue_name())));
    let looks = queues.map(|(cell, name)| async move {
        let count = match session.get_queue_url(cell, &name).await? {
            Some(url) => held(session, cell, &url).await?,
            None => 0,
        };
        Ok((count > 0).then(|| format!("queue {name} in {cell} holds {count}")))
    });
    let mut held = Vec::new();
    for look in join_all(looks).await {
        match look {
            Ok(found) => held.extend(found),
            Err(CloudError { kind: ErrorKind::RegionDisabled, .. }) => {}
            Err(error) => return Err(vec![error.diagnostic()]),
        }
    }
    if held.is_empty() {
        return Ok(());
    }
    let message = format!(
        "hub `{}` still holds {} events that nobody has handled",
        hub.name(),
        if held.len() == 1 { "a queue with" } else { "queues with" }
    );
    let help = format!(
        "{}\n    let `trailwire run` handle them or purge the queues, or set `force_destroy = true` and apply that before",
        held.join("\n    ")
    );
    Err(vec![Diagnostic::error(Code::IN_USE, message).help(help)])
}

async fn remove_secrets(session: &Session, hub: &Hub, destinations: &[Definition]) -> Result<(), Diagnostic> {
    let secrets: Vec<String> = destinations.iter().flat_map(|definition| owned_secrets(hub, definition)).collect();
    let removals = secrets.iter().map(|secret| session.delete_secret(hub.home(), secret));
    join_all(removals).await.into_iter().collect::<Result<(), _>>().map_err(|error| error.diagnostic())
}

/// Removes everything that a hub has anywhere: rules, queues of the cells, home, and the table when all else is gone.
pub(super) async fn remove_all(
    columns: &Columns<'_>,
    home: &Home<'_>,
    cells: Vec<Cell>,
) -> Result<(), (Vec<Diagnostic>, Option<crate::apply::cells::Outcome>)> {
    let rules = columns.remove_rules(cells).await;
    let done = rules.done.clone();
    let outcome = rules.and(columns.remove_dead_letters(done).await);
    if !outcome.failed.is_empty() {
        let told = outcome.diagnostic(columns.session, &format!("hub `{}` is not removed everywhere", columns.hub.name()));
        return Err((vec![told], Some(outcome)));
    }
    let mut accounts = accounts_of(outcome.done.iter());
    accounts.insert(columns.hub.home().account.clone());
    let outcome = outcome.and(home.remove_roles(&accounts, home.settings.reading).await);
    if !outcome.failed.is_empty() {
        let told = outcome.diagnostic(columns.session, &format!("hub `{}` is not removed everywhere", columns.hub.name()));
        return Err((vec![told], Some(outcome)));
    }
    let rest = async {
        home.remove(|_| true).await?;
        home.remove_table().await
    };
    rest.await.map_err(|error| (vec![with_note(error.diagnostic(), columns.session)], None))
}

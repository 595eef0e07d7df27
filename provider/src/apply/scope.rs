//! Where a hub is, and which cells it and its triggers cover.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use trailwire_engine::diagnostic::{Code, Diagnostic, Path, Severity};
use trailwire_engine::fanout::names::{Cell, Hub, Owner, check_hub_name};
use trailwire_engine::fanout::table::HubRecord;
use trailwire_engine::fanout::wanted::covers;
use trailwire_engine::trigger::Trigger;

use super::Shared;
use super::cells::cells_of;
use super::coverage::cannot_be_reached;
use super::hubs::several;
use crate::cloud::Session;
use crate::cloud::error::Kind;
use crate::store::{Store, StoreError};
use crate::value::Dynamic;

/// Finds the hub that a reference means: a bus ARN says it, a name is looked up in every region of the account, once in this process. `stored` is the ARN
/// that a state keeps; it needs no look-up and works when the hub is gone.
///
/// # Errors
/// When there is none, or several, or it belongs to another account than the credentials.
pub async fn find_hub(session: &Session, shared: &Shared, reference: &str, stored: Option<&str>) -> Result<Hub, Diagnostic> {
    let at = Path::root("hub");
    let home = session.home().await.map_err(|error| error.diagnostic())?;
    if let Some(hub) = stored.and_then(Hub::from_arn).or_else(|| Hub::from_arn(reference)) {
        return if hub.home().account == home.cell.account { Ok(hub) } else { Err(wrong_account(&hub, &home.cell)) };
    }
    if let Err(invalid) = check_hub_name(reference) {
        return Err(Diagnostic::error(Code::BAD_NAME, format!("`{reference}` is neither a hub's name nor its bus ARN"))
            .at(at.clone())
            .help(invalid.to_string()));
    }
    let none = || StoreError::NoHub(reference.to_owned()).diagnostic().at(at.clone());
    let search = async {
        let found = search(session, reference, &home.cell).await?;
        // Nothing is remembered of a hub that is not there yet.
        if found.is_empty() && shared.hubs().known(reference).is_empty() { Err(none()) } else { Ok(found) }
    };
    shared.hubs().search(reference, search).await?;
    let mut found = shared.hubs().known(reference);
    match found.len() {
        0 | 1 => found.pop_first().ok_or_else(none),
        _ => Err(several(reference, &found)),
    }
}

/// Every hub of a name in the account. A region whose tables these credentials may not read is passed over: nothing could be declared there by them.
async fn search(session: &Session, name: &str, home: &Cell) -> Result<Vec<Hub>, Diagnostic> {
    let passed = |kind: Kind| matches!(kind, Kind::RegionDisabled | Kind::TokenNotValidHere | Kind::ScpDenied | Kind::AccessDenied);
    let regions = match session.enabled_regions(&home.account).await {
        Ok(regions) => regions.iter().filter(|region| **region != home.region).cloned().collect(),
        Err(error) if passed(error.kind) => Vec::new(),
        Err(error) => return Err(error.diagnostic()),
    };
    let near = Hub::new(name, home.clone());
    let others = regions.into_iter().map(|region| Hub::new(name, Cell::new(home.account.clone(), region)));
    let looks = others.chain([near.clone()]).map(|hub| async move {
        let item = Store::new(session, &hub).hub_item().await;
        (hub, item)
    });
    let mut found = Vec::new();
    for (hub, item) in join_all(looks).await {
        match item {
            Ok(item) => found.extend(item.map(|_| hub)),
            Err(StoreError::Call(error)) if hub != near && passed(error.kind) => {}
            Err(error) => {
                let told = error.diagnostic();
                let by_arn = "the name is looked for in every region, since each may have a hub of it; where one is out of reach name the hub by its ARN, `trailwire_hub.NAME.arn`";
                let help = told.help.iter().map(String::as_str).chain([by_arn]).collect::<Vec<_>>().join("\n    ");
                return Err(told.help(help));
            }
        }
    }
    Ok(found)
}

/// The state belongs to another account than the credentials: nothing may be concluded from what is seen.
pub fn wrong_account(hub: &Hub, home: &Cell) -> Diagnostic {
    let message =
        format!("hub `{}` belongs to account {}, and the credentials to account {}", hub.name(), hub.home().account, home.account);
    Diagnostic::error(Code::WRONG_ACCOUNT, message).help("run with credentials of the hub's account; nothing was changed")
}

/// A hub that stays in the region of the provider, and the provider works in another one now than when the hub was made: what is meant is not known.
pub fn wrong_region(hub: &Hub, home: &Cell) -> Diagnostic {
    let at = &hub.home().region;
    let message = format!("hub `{}` is in region {at}, and the provider works in {}", hub.name(), home.region);
    let help = format!(
        "give the provider the region {at}; to work on the hub from another one, write `region = \"{at}\"` in it; nothing was changed"
    );
    Diagnostic::error(Code::WRONG_ACCOUNT, message).at(Path::root("region")).help(help)
}

/// A definition says its hub by name, and in the region of the provider the name means another hub than the one in which the definition is.
///
/// # Errors
/// When it does; not where it cannot be told.
pub async fn check_meaning(session: &Session, shared: &Shared, reference: &str, stored: &Hub) -> Result<(), Diagnostic> {
    let home = session.home().await.map_err(|error| error.diagnostic())?.cell;
    if reference != stored.name() || home.region == stored.home().region || shared.hubs().only(reference).as_ref() == Some(stored) {
        return Ok(());
    }
    let near = Hub::new(reference, home);
    match shared.snapshot(session, &near).await {
        Ok(snapshot) if snapshot.hub.is_some() => {
            let [is, means] = [stored, &near].map(|hub| &hub.home().region);
            let message = format!(
                "this is in hub `{reference}` of region {is}, and to a provider that works in {means} the name means the hub there"
            );
            let help = format!("give the provider the region {is}, or name the hub by its ARN: {}; nothing was changed", stored.arn());
            Err(Diagnostic::error(Code::WRONG_ACCOUNT, message).at(Path::root("hub")).help(help))
        }
        _ => Ok(()),
    }
}

/// Named regions that are not enabled in an account, each an error at its attribute. An account that cannot be asked is a warning: the plan stands
/// without it.
pub async fn check_regions(session: &Session, attribute: &str, regions: &[String], accounts: &BTreeSet<String>) -> Vec<Diagnostic> {
    if regions.is_empty() || session.config().skip_region_validation {
        return Vec::new();
    }
    let looks = accounts.iter().map(|account| async move { (account, session.enabled_regions(account).await) });
    let mut diagnostics = Vec::new();
    let mut failed = BTreeMap::new();
    for (account, enabled) in join_all(looks).await {
        let enabled = match enabled {
            Ok(enabled) => enabled,
            Err(error) if error.kind == Kind::AccountRefused => {
                failed.insert(account.clone(), error);
                continue;
            }
            Err(error) => {
                diagnostics.push(error.diagnostic());
                continue;
            }
        };
        let off = regions.iter().filter(|region| !enabled.contains(*region));
        diagnostics.extend(off.map(|region| {
            Diagnostic::error(Code::REGION_NOT_ENABLED, format!("region `{region}` is not enabled in account {account}"))
                .at(Path::root(attribute))
                .help(format!("enable it in the account, or take it out of `{attribute}`"))
        }));
    }
    diagnostics.extend(cannot_be_reached(Severity::Warning, &failed));
    diagnostics
}

/// The cells that a state tells of, without those of accounts that the hub gave up: nothing is asked of them any more.
pub fn known_cells(state: &Dynamic, record: Option<&HubRecord>) -> Vec<Cell> {
    let abandoned = record.map(|record| record.abandoned.as_slice()).unwrap_or_default();
    cells_of(state).into_iter().filter(|cell| !abandoned.contains(&cell.account)).collect()
}

/// The cells of a hub that a trigger narrows itself to.
pub fn trigger_cells(record: &HubRecord, trigger: &Trigger) -> Vec<Cell> {
    narrowed(record.cells(), trigger)
}

/// Those of a hub's cells that a trigger narrows itself to.
pub fn narrowed(mut cells: Vec<Cell>, trigger: &Trigger) -> Vec<Cell> {
    cells.retain(|cell| covers(trigger, cell));
    cells
}

/// What a trigger or forwarder names that its hub does not cover.
pub fn check_scope(record: &HubRecord, owner: Owner<'_>, trigger: &Trigger) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for (attribute, named, covered, word) in
        [("regions", &trigger.regions, &record.regions, "region"), ("account_ids", &trigger.account_ids, &record.accounts, "account")]
    {
        for value in named.iter().collect::<BTreeSet<_>>().into_iter().filter(|value| !covered.contains(*value)) {
            let message = format!("{word} `{value}` is not in the scope of hub `{}`", record.name);
            let help = format!("the hub covers {}; add it to the hub, or take it out here", covered.join(", "));
            diagnostics.push(Diagnostic::error(Code::BAD_AWS_NAME, message).at(Path::root(attribute)).help(help));
        }
    }
    if diagnostics.is_empty() && trigger_cells(record, trigger).is_empty() {
        let message = format!("nothing of the scope of hub `{}` is left for the {}", record.name, owner.carrier.kind().as_str());
        diagnostics.push(Diagnostic::error(Code::CONFLICT, message).at(Path::root("exclude_regions")).help("exclude less"));
    }
    diagnostics
}

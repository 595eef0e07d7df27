//! `trailwire_hub`: the receiving side in the home region, and one column of the matrix in every cell of the scope.
//!
//! *Invariants*: the bus trusts its cells before any rule points at it; the record in the table is changed before the columns are, so that a trigger
//! which is applied meanwhile sees the new scope; the table goes last.

mod apply;
mod canary;
mod column;
mod destroy;
mod function;
mod home;
mod lambda;
mod made;
mod read;
mod role;
mod schema;
mod settings;

use std::collections::BTreeSet;

use trailwire_engine::diagnostic::{Code, Diagnostic, Path, any_error};
use trailwire_engine::fanout::alarms::{ACTIONS_MAX, check_action};
use trailwire_engine::fanout::names::{Cell, Hub, check_hub_name, partition};
use trailwire_engine::fanout::policy::runtime_policy;

use super::common::{calm, is_calm, planned_tags_all};
use super::{
    ApplyRequest, ApplyResponse, Boxed, ImportRequest, ImportResponse, PlanRequest, PlanResponse, ReadRequest, ReadResponse, Resource,
    ValidateRequest, plan,
};
use crate::apply::coverage::Coverage;
use crate::apply::scope::{check_regions, wrong_region};
use crate::cloud::Session;
use crate::context::Context;
use crate::schema::Schema;
use crate::value::Dynamic;

#[cfg(test)]
pub(crate) use lambda::sha256;
pub(crate) use read::state_of;
pub(crate) use schema::told;
pub(crate) use settings::Settings;

/// The resource.
#[derive(Debug, Clone, Copy)]
pub struct HubResource;

impl Resource for HubResource {
    fn name(&self) -> &'static str {
        "trailwire_hub"
    }

    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn validate(&self, request: &ValidateRequest) -> Vec<Diagnostic> {
        let config = &request.config;
        let mut diagnostics = Vec::new();
        if let Some(Err(invalid)) = config.get_str("name").map(check_hub_name) {
            diagnostics.push(Diagnostic::error(Code::BAD_NAME, invalid.to_string()).at(Path::root("name")));
        }
        diagnostics.extend(lambda::check(config));
        if let Some(home) = config.get_str("region") {
            diagnostics.extend(check_partition(home, &config.get_strings("regions")));
            diagnostics.extend(check_alarm_actions(config, home));
        }
        if Coverage::is_known(config) {
            diagnostics.extend(Coverage::of(config).check());
        }
        diagnostics
    }

    fn read<'a>(&'a self, context: &'a Context, request: ReadRequest) -> Boxed<'a, ReadResponse> {
        Box::pin(read::read(context, request))
    }

    fn plan<'a>(&'a self, context: &'a Context, request: PlanRequest) -> Boxed<'a, PlanResponse> {
        Box::pin(async move {
            let session = context.cloud.session(&request.stop);
            let is_asked = context.config.unknown_caller().is_none();
            if is_asked && let Err(diagnostic) = check_caller(&session, &request.prior, &request.config, &request.private).await {
                return PlanResponse { planned: request.prior, diagnostics: vec![diagnostic], ..PlanResponse::default() };
            }
            if request.is_destroy() {
                return PlanResponse::default();
            }
            let mut response = plan::propose(&self.schema(), &request);
            response.planned.set("tags_all", planned_tags_all(&context.config, &request));
            if let Err(diagnostic) = plan_function(&request, &mut response.planned) {
                response.diagnostics.push(diagnostic);
                return response;
            }
            if !request.is_create() {
                calm(&mut response.planned, &request.prior, &["cells", "drifted"], &["timeouts", "force_destroy"]);
                // Its create did not end, and Terraform was told to keep it.
                if request.prior.get("queue_url").is_null() {
                    plan::mark_unknown(&mut response.planned, &["queue_url", "dead_letter_queue_url", "cells", "drifted"]);
                }
                // From now on the hub may be worked on from anywhere, and only an apply leaves word of that.
                if request.private == WITH_PROVIDER && !request.config.get("region").is_null() {
                    plan::mark_unknown(&mut response.planned, &["cells", "drifted"]);
                }
            }
            if !request.is_create() {
                plan_policy(&request, &mut response.planned);
            }
            if let Some(name) = request.config.get_str("name") {
                let operations = request.config.get("query_operations");
                context.shared.queries.plan(name, operations.is_wholly_known().then(|| request.config.get_strings("query_operations")));
            }
            // Terraform plans a replacement twice: as a change, and then as a create that is given the private state of the first plan. Both must
            // leave `id` unknown, or what names the hub by it sees no change, stays, and keeps the old hub from going.
            let replaced = !response.requires_replace.is_empty() || request.is_create() && request.private == REPLACEMENT;
            if replaced {
                response.private = Some(REPLACEMENT.to_vec());
            }
            if (request.is_create() || replaced)
                && let Err(diagnostic) = plan_identity(is_asked.then_some(&session), &request.config, &mut response.planned, replaced).await
            {
                response.diagnostics.push(diagnostic);
                return response;
            }
            if let Some(hub) = response.planned.get_str("arn").and_then(Hub::from_arn) {
                context.shared.hubs().meet(&hub);
            }
            if !is_asked {
                return response;
            }
            let work = if request.is_create() || !is_calm(&response.planned) { Work::Some } else { Work::None };
            response.diagnostics.extend(plan_coverage(context, &session, &request.config, work).await);
            response
        })
    }

    fn apply<'a>(&'a self, context: &'a Context, request: ApplyRequest) -> Boxed<'a, ApplyResponse> {
        Box::pin(apply::apply(context, request))
    }

    fn import<'a>(&'a self, context: &'a Context, request: ImportRequest) -> Boxed<'a, ImportResponse> {
        Box::pin(read::import(context, request))
    }
}

/// The private state of a plan that replaces a hub.
const REPLACEMENT: &[u8] = b"replacement";

/// The private state of a hub that is where the provider was when it was made: its configuration names no region.
const WITH_PROVIDER: &[u8] = b"with the provider";

/// What the next change is told of this one.
fn memory(config: &Dynamic) -> Vec<u8> {
    if config.get("region").is_null() { WITH_PROVIDER.to_vec() } else { Vec::new() }
}

/// A hub without a region of its own is only touched from where it was made. What is removed has no configuration: the change before has left word.
async fn check_caller(session: &Session, prior: &Dynamic, config: &Dynamic, private: &[u8]) -> Result<(), Diagnostic> {
    let is_with_provider = if config.is_null() { private == WITH_PROVIDER } else { config.get("region").is_null() };
    if prior.is_null() || !is_with_provider {
        return Ok(());
    }
    let home = session.home().await.map_err(|error| error.diagnostic())?.cell;
    match prior.get_str("region") {
        Some(region) if region != home.region => {
            let hub = Hub::new(prior.get_str("name").unwrap_or_default(), Cell::new(home.account.clone(), region));
            Err(wrong_region(&hub, &home))
        }
        _ => Ok(()),
    }
}

/// One partition per hub; and no region of China takes events from another region.
fn check_partition(home: &str, regions: &[String]) -> Vec<Diagnostic> {
    let at = Path::root("regions");
    let foreign = regions.iter().filter(|region| partition(region) != partition(home));
    let foreign = foreign.map(|region| {
        Diagnostic::error(Code::BAD_AWS_NAME, format!("region `{region}` is in another partition than the hub's region `{home}`"))
            .at(at.clone())
            .help("make a hub of its own for it")
    });
    let china = (partition(home) == "aws-cn" && regions.iter().any(|region| region != home)).then(|| {
        Diagnostic::error(Code::BAD_AWS_NAME, "in China, events cannot be sent from one region to another")
            .at(at.clone())
            .help(format!("make a hub in each region, this one with `regions = [\"{home}\"]`"))
    });
    foreign.chain(china).collect()
}

/// What is wrong with what alarms are to tell, of a hub in this region. Unknown ARNs are skipped.
fn check_alarm_actions(config: &Dynamic, region: &str) -> Vec<Diagnostic> {
    let actions = config.get_strings("alarm_actions");
    let wrong = |message: String| Diagnostic::error(Code::BAD_AWS_NAME, message).at(Path::root("alarm_actions"));
    let many = (actions.len() > ACTIONS_MAX)
        .then(|| wrong(format!("an alarm has at most {ACTIONS_MAX} actions, and these are {}", actions.len())));
    let check = |action: &String| check_action(action, partition(region), region).err().map(|reason| wrong(format!("`{action}` {reason}")));
    actions.iter().filter_map(check).chain(many).collect()
}

/// Whether a plan is to change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// It is.
    Some,
    /// It is not.
    None,
}

/// Checks the accounts and regions against AWS, and, where there is work, whether AWS sends events from there; tells the triggers that are planned after it
/// what the hub is to cover.
async fn plan_coverage(context: &Context, session: &Session, config: &Dynamic, work: Work) -> Vec<Diagnostic> {
    let Cell { account: home, region } = match session.home().await {
        Ok(home) => home.cell,
        Err(error) => return vec![error.diagnostic()],
    };
    let coverage = Coverage::of(config);
    let mut diagnostics = coverage.check_home(&home);
    if !config.get("region").is_unknown() {
        diagnostics.extend(check_alarm_actions(config, config.get_str("region").unwrap_or(&region)));
    }
    if !diagnostics.is_empty() {
        return diagnostics;
    }
    if let Some(wrong) = plan_partition(session, config, &coverage, &Cell::new(&home, &region)).await {
        return vec![wrong];
    }
    let named = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    if !config.get("organization").is_wholly_known() {
        return diagnostics;
    }
    match coverage.members(session, &home).await {
        Ok(members) => {
            diagnostics.extend(check_regions(session, "regions", &named(&coverage.regions), &members.accounts).await);
            if work == Work::Some && !any_error(&diagnostics) && Coverage::is_known(config) {
                let region = config.get_str("region").unwrap_or(&region);
                diagnostics.extend(context.shared.trails.check(session, region, &coverage, &members.accounts).await);
            }
        }
        Err(error) => return vec![error.diagnostic()],
    }
    diagnostics.extend(check_regions(session, "exclude_regions", &named(&coverage.exclude_regions), &BTreeSet::from([home])).await);
    if let (Some(name), true) = (config.get_str("name"), Coverage::is_known(config)) {
        context.shared.ledger.plan_hub(name, config.get_str("region").unwrap_or(&region), coverage);
    }
    diagnostics
}

/// What is wrong with the partition of the regions that are meant. Where none are named, that is asked of AWS in China alone: elsewhere those that are enabled
/// can send.
async fn plan_partition(session: &Session, config: &Dynamic, coverage: &Coverage, home: &Cell) -> Option<Diagnostic> {
    let known = ["region", "regions", "exclude_regions"].iter().all(|name| config.get(name).is_wholly_known());
    let region = config.get_str("region").unwrap_or(&home.region);
    if !known || coverage.regions.is_none() && partition(region) != "aws-cn" {
        return None;
    }
    match coverage.regions_in(session, &home.account).await {
        Ok(regions) => check_partition(region, &Vec::from_iter(regions)).into_iter().next(),
        Err(error) => Some(error.diagnostic()),
    }
}

/// What a hub will be called, as far as it is known while planning: all of it, once name and region are. Of a hub that is `replaced` it is left unknown
/// although it is known: only so does Terraform replace what is declared in the hub, before the old hub goes and after the new one has come. Without a session
/// it is not known who will make it.
async fn plan_identity(session: Option<&Session>, config: &Dynamic, planned: &mut Dynamic, replaced: bool) -> Result<(), Diagnostic> {
    plan::mark_unknown(planned, &["id", "arn", "account_id", "bus_arn", "queue_url", "queue_arn", "dead_letter_queue_url", "table_name"]);
    plan::mark_unknown(planned, &["forward_role_name", "runtime_policy_json", "cells", "drifted"]);
    if let Some(name) = config.get_str("name").filter(|_| !replaced) {
        planned.set("id", Dynamic::String(name.to_owned()));
    }
    if config.get("region").is_unknown() {
        planned.set("region", Dynamic::Unknown);
        return Ok(());
    }
    let Some(session) = session else {
        planned.set("region", config.get_str("region").map_or(Dynamic::Unknown, |region| Dynamic::String(region.to_owned())));
        return Ok(());
    };
    let home = session.home().await.map_err(|error| error.diagnostic())?;
    let region = config.get_str("region").unwrap_or(&home.cell.region);
    planned.set("region", Dynamic::String(region.to_owned()));
    if let Some(name) = config.get_str("name").filter(|_| !replaced) {
        let hub = Hub::new(name, Cell::new(home.cell.account.clone(), region));
        set_identity(planned, &hub, !config.get_strings("query_operations").is_empty());
        if config.get("query_operations").is_unknown() {
            planned.set("runtime_policy_json", Dynamic::Unknown);
        }
    }
    Ok(())
}

/// What the plan can tell of the function: its package always, its names once the hub's are known.
fn plan_function(request: &PlanRequest, planned: &mut Dynamic) -> Result<(), Diagnostic> {
    let hash = lambda::planned_hash(&request.config)?;
    let hub = request.prior.get_str("arn").and_then(Hub::from_arn);
    match (&hash, hub) {
        (Dynamic::Null, _) => {
            for name in ["lambda_arn", "runtime_role_arn"] {
                planned.set(name, Dynamic::Null);
            }
        }
        (_, Some(hub)) => set_function_names(planned, &hub),
        (_, None) => plan::mark_unknown(planned, &["lambda_arn", "runtime_role_arn"]),
    }
    planned.set("lambda_code_sha256", hash);
    Ok(())
}

/// Every attribute that tells of a hub's function.
pub(crate) fn set_function(state: &mut Dynamic, hub: &Hub, lambda: Option<&lambda::Lambda>) {
    match lambda {
        Some(lambda) => {
            set_function_names(state, hub);
            state.set("lambda_code_sha256", Dynamic::String(lambda.code_sha256.clone()));
        }
        None => {
            for name in ["lambda_arn", "runtime_role_arn", "lambda_code_sha256"] {
                state.set(name, Dynamic::Null);
            }
        }
    }
}

/// The runtime needs other rights where the hub begins or ends to allow queries.
fn plan_policy(request: &PlanRequest, planned: &mut Dynamic) {
    if request.config.get("query_operations").is_unknown() {
        planned.set("runtime_policy_json", Dynamic::Unknown);
    } else if let Some(hub) = request.prior.get_str("arn").and_then(Hub::from_arn) {
        let queries = !request.config.get_strings("query_operations").is_empty();
        if queries == request.prior.get_strings("query_operations").is_empty() {
            planned.set("runtime_policy_json", Dynamic::String(runtime_policy(&hub, queries)));
        }
    }
}

fn set_function_names(state: &mut Dynamic, hub: &Hub) {
    state.set("lambda_arn", Dynamic::String(hub.function_arn()));
    state.set("runtime_role_arn", Dynamic::String(hub.runtime_role_arn()));
}

/// Every attribute that follows from a hub's name and home, and whether it allows queries.
pub(crate) fn set_identity(state: &mut Dynamic, hub: &Hub, queries: bool) {
    for (name, value) in [
        ("id", hub.name().to_owned()),
        ("name", hub.name().to_owned()),
        ("region", hub.home().region.clone()),
        ("arn", hub.arn()),
        ("account_id", hub.home().account.clone()),
        ("bus_arn", hub.arn()),
        ("queue_arn", hub.queue_arn(hub.home(), &hub.queue_name())),
        ("table_name", hub.table_name()),
        ("forward_role_name", hub.forward_role_name()),
        ("runtime_policy_json", runtime_policy(hub, queries)),
    ] {
        state.set(name, Dynamic::String(value));
    }
}

#[cfg(test)]
mod tests;

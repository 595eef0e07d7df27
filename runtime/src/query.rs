//! The action `query`: a call of AWS that reads, in the event's account and region, by the reading role that the hub keeps there.
//!
//! What may be called, and what of an answer is kept, is data: [`trailwire_engine::operations`]. Pages are followed up to [`PAGES`]; what a query
//! takes of time and memory is bounded. A crash asks again: nothing is changed by it.

mod answer;
mod fault;
mod json;
mod request;
mod xml;

use std::time::Duration;

use serde_json::{Map, Value};
use trailwire_engine::fanout::names::{Cell, Hub, is_account_id, is_region_name};
use trailwire_engine::fanout::table::HubRecord;
use trailwire_engine::operations::{self, Operation, Service};
use trailwire_engine::trigger::Query;
use trailwire_engine::{eval, lang};

use crate::action;
use crate::core::Attempt;
use crate::core::run::Run;
use crate::destination::{Sender, Signed};
use fault::{Place, Said};

/// The most pages that are followed.
const PAGES: usize = 20;
/// The most bytes of one page.
const PAGE: usize = 4 * 1024 * 1024;
/// The most bytes of all pages.
const ANSWER: usize = 16 * 1024 * 1024;
/// The most bytes of a result, as JSON: it is kept with the run, and stands in messages.
const RESULT: usize = 16 * 1024;
/// For all pages together: shorter than a lease of the shared journal lasts.
const TIME: Duration = Duration::from_secs(25);

/// Asks what the query of a run asks, and gives its result.
///
/// # Errors
///
/// [`Attempt::Failed`] for what may work later: throttling, an outage, a role that cannot be assumed or may not read. [`Attempt::Final`] for what
/// will not: parameters that AWS refuses, too many pages, too large a result.
pub(crate) async fn ask(sender: &Sender, hub: Option<&HubRecord>, run: &Run, query: &Query) -> Result<Value, Attempt> {
    let called = query.called();
    let refused = |reason: String| Attempt::Final { reason: format!("the query {called} cannot be asked: {reason}") };
    let hub = hub.ok_or_else(|| refused("a query needs a hub, whose reading role it takes: `trailwire run --hub NAME`".to_owned()))?;
    let (service, operation) = operations::named(&called).ok_or_else(|| refused(operations::unknown(&called).1))?;
    if !hub.query_operations.contains(&called) {
        let reason = format!("hub `{}` does not allow it; add it to its `query_operations`, and redrive", hub.name);
        return Err(refused(reason));
    }
    let cell = cell(run, hub).map_err(refused)?;
    let parameters = action::parameters(run, query).map_err(refused)?;
    let place = Place { called: &called, cell: &cell };
    let asked = tokio::time::timeout(TIME, pages(sender, hub, service, query, operation, &parameters, &place)).await;
    let answer = asked.map_err(|_| place.failed("no whole answer in time"))??;
    let result = result(query, answer).map_err(|reason| place.refused(&reason))?;
    let bytes = result.to_string().len();
    if bytes > RESULT {
        return Err(place.refused(&format!("the result has {bytes} bytes and may have {RESULT}; take less of it with `result`")));
    }
    Ok(result)
}

/// The account and region of a run's event, as far as they can be trusted to name a role and a host.
fn cell(run: &Run, hub: &HubRecord) -> Result<Cell, String> {
    let text = |name: &str| run.event.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (account, region) = (text("account"), text("region"));
    if !is_account_id(&account) || !hub.accounts.contains(&account) {
        return Err(format!("the event's account `{}` is not one of hub `{}`", action::one_line(&account), hub.name));
    }
    if !is_region_name(&region) {
        return Err(format!("the event's region `{}` is no region", action::one_line(&region)));
    }
    Ok(Cell::new(account, region))
}

/// Every page, as one answer. What is not there gives null.
async fn pages(
    sender: &Sender,
    hub: &HubRecord,
    service: &'static Service,
    query: &Query,
    operation: &'static Operation,
    parameters: &Value,
    place: &Place<'_>,
) -> Result<Value, Attempt> {
    let hub = Hub::new(&hub.name, Cell::new(&hub.account_id, &hub.region));
    let role = (hub.read_role_arn(&place.cell.account), hub.arn());
    let mut whole = Map::new();
    let (mut token, mut bytes) = (None, 0);
    for _ in 0..PAGES {
        let signed = Signed::query(service, hub.partition(), &place.cell.region, &role);
        let request = request::build(service, &query.operation, operation, parameters, token.as_deref(), signed);
        let request = request.map_err(|reason| place.refused(&reason))?;
        let answer = sender.ask(request, PAGE + 1).await.map_err(|reason| place.failed(&reason))?;
        match place.said(&answer) {
            Said::Answer => {}
            Said::NotThere => return Ok(Value::Null),
            Said::Fault(attempt) => return Err(attempt),
        }
        bytes += answer.body.len();
        if answer.body.len() > PAGE || bytes > ANSWER {
            return Err(place.refused("the answer is too large; ask for less with `parameters`"));
        }
        let page = answer::read(service, operation, &answer.body);
        let page = page.map_err(|reason| place.failed(&format!("the answer cannot be read: {reason}")))?;
        let next = add(&mut whole, page, operation);
        if next.is_none() {
            return Ok(Value::Object(whole));
        }
        if next == token {
            return Err(place.refused("the answer goes on with the same page again and again"));
        }
        token = next;
    }
    Err(place.refused(&format!("the answer has more than {PAGES} pages; ask for less with `parameters`")))
}

/// Adds a page to what is there; gives what asks for the next one.
fn add(whole: &mut Map<String, Value>, page: Map<String, Value>, operation: &Operation) -> Option<String> {
    let Some(pages) = &operation.pages else {
        whole.extend(page);
        return None;
    };
    let mut next = None;
    for list in &pages.lists {
        whole.entry(list).or_insert_with(|| Value::Array(Vec::new()));
    }
    for (name, value) in page {
        match (whole.get_mut(&name), value) {
            (_, Value::String(text)) if name == pages.token => next = Some(text).filter(|text| !text.is_empty()),
            (Some(Value::Array(all)), Value::Array(more)) => all.extend(more),
            (Some(_), _) => {}
            (None, value) => drop(whole.insert(name, value)),
        }
    }
    next
}

/// What the query takes of the answer; of nothing it takes nothing.
fn result(query: &Query, answer: Value) -> Result<Value, String> {
    let Some(text) = query.result.as_deref().filter(|_| !answer.is_null()) else { return Ok(answer) };
    let (parsed, diagnostics) = lang::jmespath::parse(text);
    let parsed = parsed.ok_or_else(|| crate::definitions::sentences(&diagnostics).join("; "))?;
    eval::search(&parsed, &answer).map_err(|error| format!("the result cannot be taken: {error}"))
}

#[cfg(test)]
pub(crate) mod tests;

//! A search of logs as a trigger.

use serde_json::Value;
use trailwire_engine::lang::Language;
use trailwire_engine::search::Query;

use super::draft::{Draft, Place};
use super::hcl;

/// What the trigger is called, and where it is to be.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Named<'n> {
    pub(in crate::cli) name: &'n str,
    /// An HCL expression; `None` for a variable.
    pub(in crate::cli) hub: Option<&'n str>,
    /// Destinations by their names; none for a variable.
    pub(in crate::cli) destinations: &'n [String],
}

/// The trigger in HCL that fires for what a search finds in these accounts and regions; in all where there are none.
///
/// # Errors
///
/// Why no trigger can say it.
pub(in crate::cli) fn of_search(query: &Query, named: Named<'_>, (accounts, regions): (&[String], &[String])) -> Result<String, String> {
    let draft = drafted(query, named.name, accounts, regions)?;
    let place = Place { hub: named.hub.map(str::to_owned), destinations: named.destinations.to_vec() };
    Ok(hcl::trigger(&draft, &place))
}

/// The same everywhere, with variables for hub and destinations, and the document that it stands for. Without a name it is called after the search.
///
/// # Errors
///
/// As [`of_search`].
pub(in crate::cli) fn document_of_search(query: &Query, name: &str) -> Result<(String, Value), String> {
    let after_search = if query.text().trim().is_empty() { "any-event" } else { query.text() };
    let draft = drafted(query, if name.trim().is_empty() { after_search } else { name }, &[], &[])?;
    Ok((hcl::trigger(&draft, &Place::default()), draft.document()))
}

fn drafted(query: &Query, name: &str, accounts: &[String], regions: &[String]) -> Result<Draft, String> {
    let parts = query.parts();
    let matching = |expr: Option<trailwire_engine::expr::Expr>| expr.map(|expr| (Language::JmesPath, Value::from(expr.to_string())));
    let mut draft = Draft {
        event_names: parts.event_names,
        event_sources: parts.event_sources,
        include_read_only: parts.reads,
        matching: matching(parts.expr),
        account_ids: accounts.to_vec(),
        regions: regions.to_vec(),
        origin: vec![
            format!("Of the search {}", query.text()),
            "What Trailwire's own roles did is left out; include_self = true takes it in".to_owned(),
        ],
        ..Draft::new(name)
    };
    if draft.fault().is_some() {
        // Names that no trigger can have stay in the match.
        draft.event_names.clear();
        draft.event_sources.clear();
        draft.matching = matching(query.expr());
    }
    match draft.fault() {
        Some(fault) => Err(format!("no trigger can say this: {fault}")),
        None => Ok(draft),
    }
}

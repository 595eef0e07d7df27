//! A trigger that fires for what a search finds, and what it would have done with these logs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use trailwire_engine::matcher::{Scope, Scratch};
use trailwire_engine::search::Query;
use trailwire_engine::trigger::Trigger;

use super::WriteTrigger;
use super::find::{self, Refused, Searches, Times};
use super::memory::{Memory, side_by_side};
use crate::definitions::{Definitions, Documents, sentences};
use crate::source::Received;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Request {
    q: String,
    /// What is judged: events at or after this, and before `to`.
    from: String,
    to: String,
    /// The trigger's name; empty for one after the search.
    name: String,
}

/// The trigger in HCL, how often it fires, and how many the search finds.
pub(super) fn draft(memory: &Memory, searches: &Searches, write: WriteTrigger, request: &Request) -> Result<Value, Refused> {
    let (query, diagnostics) = Query::parse(&request.q);
    let Some(query) = query else { return Err(Refused::Search(diagnostics)) };
    let times = Times::of(&request.from, &request.to)?;
    let within = |q: &str| find::Request { q: q.to_owned(), ..find::Request::default() };
    let found = find::chosen(memory, searches, &within(&request.q), times)?;
    let looked = find::chosen(memory, searches, &within(""), times)?;
    let (hcl, document) = write(&query, &request.name).map_err(Refused::Trigger)?;
    let trigger = Trigger::from_value(&document).map_err(|faults| Refused::Trigger(sentences(&faults).join("; ")))?;
    let name = trigger.name.clone();
    let mut documents = Documents::default();
    documents.triggers.insert(name.clone(), Ok(trigger));
    let definitions = Definitions::new(1, Scope::default(), documents, None);
    let (fired, errors) = judge(memory, &definitions, &looked);
    let mut days: BTreeMap<String, u64> = BTreeMap::new();
    for row in &fired {
        let time = memory.time(*row).and_then(|time| Timestamp::from_millisecond(time).ok());
        *days.entry(time.map_or_else(|| "no day".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())).or_default() += 1;
    }
    let mut notes: Vec<String> = Vec::new();
    if errors > 0 {
        notes.push(format!("its match ends in an error for {errors} events"));
    }
    let missed = found.iter().filter(|row| fired.binary_search(row).is_err()).count();
    if missed > 0 {
        notes.push(format!(
            "{missed} events that the search finds fire no trigger: they are not as EventBridge delivers them, or lack what every event has"
        ));
    }
    let days: Vec<(String, u64)> = days.into_iter().collect();
    Ok(json!({"name": name, "hcl": hcl, "fired": fired.len(), "found": found.len(), "days": days, "notes": notes}))
}

/// The records for which the one trigger fires, in their order, and for how many its match ends in an error.
fn judge(memory: &Memory, definitions: &Definitions, rows: &[u32]) -> (Vec<u32>, usize) {
    let parts = side_by_side(u32::try_from(rows.len()).unwrap_or(u32::MAX), |part| {
        let (mut scratch, mut fired, mut errors) = (Scratch::default(), Vec::new(), 0);
        for row in rows.get(part.start as usize..part.end as usize).unwrap_or_default() {
            let Some(event) = memory.event(*row) else { continue };
            let judged = definitions.judge(&Received::from(event), &mut scratch);
            errors += judged.errors.len();
            fired.extend((!judged.fires.is_empty()).then_some(*row));
        }
        (fired, errors)
    });
    parts.into_iter().fold((Vec::new(), 0), |(mut all, count), (fired, errors)| {
        all.extend(fired);
        (all, count + errors)
    })
}

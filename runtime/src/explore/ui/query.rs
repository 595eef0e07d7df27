//! What is typed into the search bar.

use serde_json::{Value, json};
use trailwire_engine::diagnostic::Diagnostic;
use trailwire_engine::search::Query;

use super::memory::{Memory, side_by_side};
use crate::explore::judge::{Judge, Room};
use crate::explore::scan::Sifted;

/// The records that a search finds, in their order.
///
/// # Errors
///
/// What is wrong with the text.
pub(super) fn hits(memory: &Memory, text: &str) -> Result<Vec<u32>, Vec<Diagnostic>> {
    let (query, diagnostics) = Query::parse(text);
    let Some(query) = query else { return Err(diagnostics) };
    if query.expr().is_none() {
        return Ok((0..memory.len()).collect());
    }
    let judge = Judge::new(&query);
    let found = side_by_side(memory.len(), |rows| {
        let mut room = Room::default();
        rows.filter(|row| holds(memory, &judge, *row, &mut room)).collect::<Vec<_>>()
    });
    Ok(found.concat())
}

fn holds(memory: &Memory, judge: &Judge, row: u32, room: &mut Room) -> bool {
    match judge.sift(memory.text(row), room) {
        Sifted::No => false,
        Sifted::Yes => true,
        Sifted::Unsure => memory.event(row).is_some_and(|event| judge.holds(&event) == Ok(true)),
    }
}

/// What is wrong with a text, or looks so.
pub(super) fn check(text: &str) -> Value {
    problems(&Query::parse(text).1)
}

/// Diagnostics as the page shows them: places are counted in UTF-16 units, as scripts do.
pub(super) fn problems(diagnostics: &[Diagnostic]) -> Value {
    let units = |text: &str, at: usize| text.get(..at).unwrap_or(text).encode_utf16().count();
    let problem = |diagnostic: &Diagnostic| {
        let place = diagnostic.excerpt.as_ref().map(|excerpt| [excerpt.span.start, excerpt.span.end].map(|at| units(&excerpt.text, at)));
        json!({"message": diagnostic.message, "help": diagnostic.help, "place": place, "error": diagnostic.is_error()})
    };
    diagnostics.iter().map(problem).collect()
}

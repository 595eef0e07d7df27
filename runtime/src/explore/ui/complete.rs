//! What may follow in the search bar: names of fields, texts that records have, names of the event catalogue.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde_json::{Value, json};
use trailwire_engine::catalogue;
use trailwire_engine::search::{SHORT_NAMES, paths_of, quoted};

use super::memory::Memory;

/// So many are offered.
const MOST: usize = 12;

/// What is offered in place of a piece of the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Offer {
    text: String,
    /// `field`, `value` or `catalogue`.
    kind: &'static str,
    note: String,
}

/// What may stand where the caret is: the place in UTF-16 units at which it begins, and the offers, the best first.
pub(super) fn complete(memory: &Memory, before: &str) -> (usize, Value) {
    let token = token(before);
    let (start, offers) = match token.trim_start_matches(['-', '!']).split_once(':') {
        Some((field, value)) if !field.is_empty() && !field.contains('"') => {
            // Of several values the last is meant.
            let value = value.rsplit(['(', ',']).next().unwrap_or(value).trim_start_matches(['"', '>', '<', '=', '[', '{']);
            let quote = before.len() - value.len();
            let start = if before.get(..quote).is_some_and(|before| before.ends_with('"')) { quote - 1 } else { quote };
            (start, values(memory, field, value))
        }
        _ => {
            let name = token.trim_start_matches(['-', '!']);
            (before.len() - name.len(), names(memory, name))
        }
    };
    let offers = offers.into_iter().take(MOST).map(|offer| json!({"text": offer.text, "kind": offer.kind, "note": offer.note})).collect();
    (before.get(..start).unwrap_or_default().encode_utf16().count(), offers)
}

/// The word that the text ends in; blanks within quotes belong to it.
fn token(before: &str) -> &str {
    let (mut start, mut is_quoted, mut is_escaped) = (0, false, false);
    for (at, letter) in before.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ' ' | '\t' | '(' | ')' if !is_quoted => start = at + 1,
            _ => {}
        }
    }
    before.get(start..).unwrap_or_default()
}

/// A value as people write it: in quotes where it holds what means something else.
fn plain_or_quoted(value: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-' | '/' | ':' | '@' | '+' | '=');
    let is_word = value.starts_with(|letter: char| letter.is_ascii_alphanumeric()) && value.chars().all(is_plain);
    if is_word { value.to_owned() } else { quoted(value) }
}

/// How well a name fits what was begun: its beginning first, then the beginning of one of its members, then anywhere.
fn fit(name: &str, begun: &str) -> Option<u8> {
    let (name, begun) = (name.to_lowercase(), begun.to_lowercase());
    if name.starts_with(&begun) {
        Some(0)
    } else if name.contains(&format!(".{begun}")) {
        Some(1)
    } else {
        (begun.chars().count() > 1 && name.contains(&begun)).then_some(2)
    }
}

fn names(memory: &Memory, begun: &str) -> Vec<Offer> {
    // How well it fits, what it is, and how many have it.
    type Rank = (u8, u8, Reverse<u64>);
    let mut offers: Vec<(Rank, Offer)> = Vec::new();
    for short in SHORT_NAMES {
        if let Some(fit) = fit(short.name, begun).filter(|fit| *fit == 0) {
            let offer = Offer { text: format!("{}:", short.name), kind: "field", note: short.about.to_owned() };
            offers.push(((fit, 0, Reverse(u64::MAX)), offer));
        }
    }
    for (path, count) in memory.paths.iter().filter(|_| !begun.is_empty()) {
        if let Some(fit) = fit(path, begun) {
            let note = format!("{count} events");
            offers.push(((fit, 1, Reverse(*count)), Offer { text: format!("{path}:"), kind: "field", note }));
        }
    }
    if begun.len() > 2 {
        let events = values(memory, "event", begun);
        offers.extend(events.into_iter().take(MOST / 2).map(|offer| {
            let offer = Offer { text: format!("event:{}", offer.text), ..offer };
            ((0, 2, Reverse(0)), offer)
        }));
    }
    offers.sort_by_key(|offer| offer.0);
    offers.into_iter().map(|(_, offer)| offer).collect()
}

fn values(memory: &Memory, field: &str, begun: &str) -> Vec<Offer> {
    let column = memory.column(field);
    let mut counts = vec![0_u64; column.values.len()];
    for row in 0..memory.len() {
        for number in column.of(row) {
            if let Some(count) = counts.get_mut(*number as usize) {
                *count += 1;
            }
        }
    }
    let mut found: Vec<(u8, Reverse<u64>, &str)> =
        counts.into_iter().zip(&column.values).filter_map(|(count, value)| Some((fit(value, begun)?, Reverse(count), &**value))).collect();
    found.sort_unstable();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    let mut offers: Vec<Offer> = Vec::new();
    for (_, count, value) in found.into_iter().take(MOST) {
        known.insert(value);
        offers.push(Offer { text: plain_or_quoted(value), kind: "value", note: format!("{} events", count.0) });
    }
    let listed = match paths_of(field).as_slice() {
        ["eventSource"] => catalogue::sources().collect(),
        ["eventName"] if begun.len() > 2 => event_names(memory, begun),
        _ => Vec::new(),
    };
    let listed = listed.into_iter().filter(|name| fit(name, begun) == Some(0) && !known.contains(name.as_str()));
    offers.extend(listed.take(MOST).map(|name| Offer {
        text: plain_or_quoted(&name),
        kind: "catalogue",
        note: "not in these logs".to_owned(),
    }));
    offers
}

/// Names of the catalogue that begin so, those of services in the logs first.
fn event_names(memory: &Memory, begun: &str) -> Vec<String> {
    let of = |source: &str| {
        let events = catalogue::events(source).unwrap_or_default();
        events.into_iter().map(|event| event.name).filter(|name| fit(name, begun) == Some(0)).collect::<Vec<_>>()
    };
    let here = memory.column("eventSource");
    let mut names: Vec<String> = here.values.iter().flat_map(|source| of(source)).collect();
    if names.len() < MOST {
        names.extend(catalogue::sources().flat_map(|source| of(&source)));
    }
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

#[cfg(test)]
mod tests {
    use super::super::memory::tests::{memory, record};
    use super::*;

    fn offered(before: &str) -> (usize, Vec<String>) {
        let records = [
            record("1", "2026-03-01T12:00:00Z", "CreateUser"),
            record("2", "2026-03-01T12:00:00Z", "CreateUser"),
            record("3", "2026-03-01T12:00:00Z", "CreateGroup"),
            record("4", "2026-03-01T12:00:00Z", "A \"b\""),
        ];
        let (start, offers) = complete(&memory(&records.map(|record| record.to_string()), usize::MAX), before);
        let texts = offers.as_array().unwrap().iter().map(|offer| offer["text"].as_str().unwrap().to_owned());
        (start, texts.collect())
    }

    #[test]
    fn fields_come_before_a_colon_and_texts_behind() {
        assert_eq!(offered("event:Create").1[..2], ["CreateUser", "CreateGroup"]);
        assert_eq!(offered("event:Create").0, 6);
        assert_eq!((offered("é -(event:CreateG").0, offered("é -(event:CreateG").1[0].as_str()), (10, "CreateGroup"));
        assert_eq!(offered("region:us-e"), (7, vec!["us-east-1".to_owned()]));
        assert_eq!(offered("a OR region:\"us-e"), (12, vec!["us-east-1".to_owned()]));
        assert_eq!(offered("userName"), (0, vec!["userIdentity.userName:".to_owned()]));
        assert_eq!(offered("reg").1[0], "region:");
        assert_eq!(offered("-reg").0, 1);
        assert_eq!(offered("event:A"), (6, vec!["\"A \\\"b\\\"\"".to_owned()]));
        assert!(offered("source:kms").1.contains(&"kms.amazonaws.com".to_owned()));
        assert!(offered("").1.contains(&"actor:".to_owned()));
    }
}

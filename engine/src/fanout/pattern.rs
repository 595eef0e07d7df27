//! The event patterns of a trigger's rules: narrowed by event names and event sources, never more.
//!
//! *Invariant*: a pattern may keep too much, never too little. `source` is only narrowed to the prefix `aws.`, because the envelope's source does
//! not follow from the record's `eventSource` for every service (and the record's is what triggers name). `detail-type` is narrowed to
//! its ending, which holds for API calls, service events, insights and both spellings of sign-in events.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// The most characters that a pattern may have in an account without a raised quota.
pub const PATTERN_MAX: usize = 2048;
/// In how many ways the room of a pattern is tried to be shared between names and sources.
const SHARES: usize = 8;

/// What narrows a trigger's rules. An empty list narrows nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Narrowing<'a> {
    /// The event names, any of which must fit.
    pub names: &'a [String],
    /// The event sources, any of which must fit.
    pub sources: &'a [String],
}

/// A name or source that is too long for any pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is too long for an event pattern of {PATTERN_MAX} characters")]
pub struct PatternTooLong {
    /// The name or source.
    pub text: String,
}

/// The pattern of the hub's own rule: every event that AWS sent by way of CloudTrail.
#[must_use]
pub fn everything() -> String {
    compose(&[], &[])
}

/// The pattern of the events of these names and sources, for lists that are known to be short.
#[must_use]
pub fn narrowed(names: &[&str], sources: &[&str]) -> String {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    compose(&owned(names), &owned(sources))
}

/// The patterns that together carry every event of these names and sources, each within [`PATTERN_MAX`]. One whenever one is enough;
/// otherwise names and sources are cut into consecutive pieces, and each piece of the one meets each piece of the other.
/// Repetitions are dropped, the order is kept: the same input gives the same bytes.
///
/// # Errors
/// When a single name or source does not fit.
pub fn patterns(narrowing: Narrowing<'_>) -> Result<Vec<String>, PatternTooLong> {
    Ok(pieces_of(narrowing)?.into_iter().map(|piece| piece.pattern).collect())
}

/// One of the patterns, and what it narrows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The pattern.
    pub pattern: String,
    /// The event names in it.
    pub names: Vec<String>,
    /// The event sources in it.
    pub sources: Vec<String>,
}

/// As [`patterns`], with what is in each.
///
/// # Errors
/// As [`patterns`].
pub fn pieces_of(narrowing: Narrowing<'_>) -> Result<Vec<Piece>, PatternTooLong> {
    let piece =
        |names: &[String], sources: &[String]| Piece { pattern: compose(names, sources), names: names.to_vec(), sources: sources.to_vec() };
    let names = distinct(narrowing.names);
    let sources = distinct(narrowing.sources);
    let whole = piece(&names, &sources);
    if length(&whole.pattern) <= PATTERN_MAX {
        return Ok(vec![whole]);
    }
    let room = PATTERN_MAX.saturating_sub(length(&compose(&["".to_owned()], &["".to_owned()])));
    let source_length: usize = sources.iter().map(|source| cost(source)).sum();
    let source_room = source_length.min(room / 2);
    let mut all = Vec::new();
    for some_sources in pieces(&sources, source_room)? {
        let used: usize = some_sources.iter().map(|source| cost(source)).sum();
        for some_names in pieces(&names, room.saturating_sub(used))? {
            all.push(piece(some_names, some_sources));
        }
    }
    Ok(all)
}

/// As [`patterns`], in as few patterns as are found: in the order given, unless another order takes fewer.
///
/// # Errors
/// As [`patterns`].
pub fn packed(narrowing: Narrowing<'_>) -> Result<Vec<String>, PatternTooLong> {
    let mut best = patterns(narrowing)?;
    let (names, sources) = (distinct(narrowing.names), distinct(narrowing.sources));
    // With one text in each list, which each value takes the place of: an empty one takes two characters, and no comma.
    let one = |values: &[String]| vec![String::new(); usize::from(!values.is_empty())];
    let (some_names, some_sources) = (one(&names), one(&sources));
    let lists = some_names.len() + some_sources.len();
    let room = (PATTERN_MAX + 3 * lists).saturating_sub(length(&compose(&some_names, &some_sources)));
    let shares = if lists == 2 { SHARES } else { 2 };
    for share in 1..shares {
        let of_sources = if names.is_empty() { room } else { room * share / SHARES };
        let Ok(bins) = fewest(&sources, of_sources) else { continue };
        let with_names = |sources: &Vec<String>| {
            let used: usize = sources.iter().map(|source| cost(source)).sum();
            let names = fewest(&names, room.saturating_sub(used))?;
            Ok(names.iter().map(|names| compose(names, sources)).collect::<Vec<String>>())
        };
        let all: Result<Vec<Vec<String>>, PatternTooLong> = bins.iter().map(with_names).collect();
        best = all.map(|all| all.concat()).ok().filter(|all| all.len() < best.len()).unwrap_or(best);
    }
    Ok(best)
}

/// Values in as few bins of a room as are found: consecutive ones, unless the longest first into the first bin with room takes fewer.
fn fewest(values: &[String], room: usize) -> Result<Vec<Vec<String>>, PatternTooLong> {
    let consecutive: Vec<Vec<String>> = pieces(values, room)?.into_iter().map(<[String]>::to_vec).collect();
    // Nothing can be spared on one; and only an empty list may have no room at all.
    if consecutive.len() == 1 {
        return Ok(consecutive);
    }
    let mut sorted: Vec<(usize, &String)> = values.iter().map(|value| (cost(value), value)).collect();
    let total: usize = sorted.iter().map(|(cost, _)| cost).sum();
    if consecutive.len() <= total.div_ceil(room.max(1)) {
        return Ok(consecutive);
    }
    sorted.sort_by_key(|(cost, _)| std::cmp::Reverse(*cost));
    let mut bins: Vec<(usize, Vec<String>)> = Vec::new();
    for (cost, value) in sorted {
        match bins.iter_mut().find(|(used, _)| used.saturating_add(cost) <= room) {
            Some((used, bin)) => {
                *used = used.saturating_add(cost);
                bin.push(value.clone());
            }
            None => bins.push((cost, vec![value.clone()])),
        }
    }
    Ok(if bins.len() < consecutive.len() { bins.into_iter().map(|(_, bin)| bin).collect() } else { consecutive })
}

fn compose(names: &[String], sources: &[String]) -> String {
    let mut detail = Map::new();
    for (field, values) in [("eventName", names), ("eventSource", sources)] {
        if !values.is_empty() {
            detail.insert(field.to_owned(), json!(values));
        }
    }
    let mut pattern = Map::new();
    pattern.insert("source".to_owned(), json!([{ "prefix": "aws." }]));
    pattern.insert("detail-type".to_owned(), json!([{ "suffix": " via CloudTrail" }]));
    if !detail.is_empty() {
        pattern.insert("detail".to_owned(), Value::Object(detail));
    }
    Value::Object(pattern).to_string()
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// The characters that one value takes in a list: itself as JSON, and a comma.
fn cost(value: &str) -> usize {
    length(&Value::from(value).to_string()).saturating_add(1)
}

/// Consecutive pieces that cost at most `room` each; one empty piece for an empty list.
fn pieces(values: &[String], room: usize) -> Result<Vec<&[String]>, PatternTooLong> {
    if values.is_empty() {
        return Ok(vec![&[]]);
    }
    let mut found = Vec::new();
    let mut rest = values;
    while !rest.is_empty() {
        let mut used = 0_usize;
        let count = rest.iter().take_while(|value| {
            used = used.saturating_add(cost(value));
            used <= room
        });
        let (piece, after) = rest.split_at(count.count());
        if piece.is_empty() {
            return Err(PatternTooLong { text: rest.first().cloned().unwrap_or_default() });
        }
        found.push(piece);
        rest = after;
    }
    Ok(found)
}

fn distinct(values: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    values.iter().filter(|value| seen.insert(*value)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owned(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    #[test]
    fn one_pattern_whenever_it_fits() {
        let names = owned(&["RunInstances", "StopInstances", "RunInstances"]);
        let sources = owned(&["ec2.amazonaws.com"]);
        let head = r#"{"source":[{"prefix":"aws."}],"detail-type":[{"suffix":" via CloudTrail"}]"#;
        for (names, sources, detail) in [
            (&names[..], &sources[..], r#","detail":{"eventName":["RunInstances","StopInstances"],"eventSource":["ec2.amazonaws.com"]}}"#),
            (&names[..1], &[], r#","detail":{"eventName":["RunInstances"]}}"#),
            (&[], &sources[..], r#","detail":{"eventSource":["ec2.amazonaws.com"]}}"#),
            (&[], &[], "}"),
        ] {
            assert_eq!(patterns(Narrowing { names, sources }), Ok(vec![format!("{head}{detail}")]));
        }
        assert_eq!(everything(), format!("{head}}}"));
    }

    #[test]
    fn a_name_that_fits_nowhere_is_refused() {
        let names = vec!["a".repeat(3000)];
        let error = patterns(Narrowing { names: &names, sources: &[] }).unwrap_err();
        assert_eq!(error.text, names[0]);
    }

    #[test]
    fn sources_may_fill_a_pattern_to_the_last_character() {
        let fixed = length(&compose(&[], &owned(&[""; 26])));
        for (characters, count) in [(PATTERN_MAX - 1, 1), (PATTERN_MAX, 1), (PATTERN_MAX + 1, 2)] {
            let texts = characters - fixed;
            let mut sources: Vec<String> = ('a'..='z').map(|letter| letter.to_string().repeat(texts / 26)).collect();
            sources[0].push_str(&"a".repeat(texts % 26));
            let all = packed(Narrowing { names: &[], sources: &sources }).unwrap();
            assert_eq!(all.len(), count, "{characters}");
            assert!(count == 2 || length(&all[0]) == characters, "{characters}");
        }
    }

    /// The pairs of name and source that a pattern carries; `None` where it does not narrow.
    fn carried(pattern: &str) -> Vec<(Option<String>, Option<String>)> {
        let value: Value = serde_json::from_str(pattern).unwrap();
        let list = |field: &str| -> Vec<Option<String>> {
            value["detail"][field]
                .as_array()
                .map_or(vec![None], |values| values.iter().map(|value| value.as_str().map(str::to_owned)).collect())
        };
        let sources = list("eventSource");
        list("eventName").into_iter().flat_map(|name| sources.iter().map(move |source| (name.clone(), source.clone()))).collect()
    }

    proptest! {
        #[test]
        fn patterns_fit_and_together_carry_every_pair(
            names in proptest::collection::vec("[A-Za-z\"é]{1,60}", 0..120),
            sources in proptest::collection::vec("[a-z]{1,40}\\.amazonaws\\.com", 0..60),
        ) {
            let all = patterns(Narrowing { names: &names, sources: &sources }).unwrap();
            let fewest = packed(Narrowing { names: &names, sources: &sources }).unwrap();
            prop_assert!(fewest.len() <= all.len());
            let or_any = |values: &[String]| if values.is_empty() { vec![None] } else { distinct(values).into_iter().map(Some).collect() };
            let mut wanted: Vec<_> =
                or_any(&names).into_iter().flat_map(|name| or_any(&sources).into_iter().map(move |source| (name.clone(), source))).collect();
            wanted.sort();
            for all in [all, fewest] {
                let mut seen: Vec<_> = all.iter().flat_map(|pattern| carried(pattern)).collect();
                seen.sort();
                let count = seen.len();
                seen.dedup();
                prop_assert_eq!(seen.len(), count, "no pair twice");
                prop_assert_eq!(&seen, &wanted);
                for pattern in &all {
                    prop_assert!(length(pattern) <= PATTERN_MAX);
                }
            }
        }

        /// Names and sources, or one of them, that together fill a pattern to its last character, or lack or have one more.
        #[test]
        fn what_fills_a_pattern_takes_one_and_a_character_more_two(
            names in proptest::collection::btree_set("[A-Z][a-z]{0,40}", 0..30),
            sources in proptest::collection::btree_set("[a-z]{1,20}", 0..10),
            more in -1_i64..=1,
        ) {
            let [mut names, mut sources] = [names, sources].map(|values| values.into_iter().collect::<Vec<String>>());
            prop_assume!(!names.is_empty() || !sources.is_empty());
            let to_fill = usize::try_from(i64::try_from(PATTERN_MAX).unwrap() + more).unwrap();
            // Spread over the longer list, so that no value is too long for a pattern of its own; `.` is in no generated value.
            let missing = to_fill - length(&compose(&names, &sources));
            let longer = if names.len() > sources.len() { &mut names } else { &mut sources };
            let count = longer.len();
            for (at, value) in longer.iter_mut().enumerate() {
                value.push_str(&".".repeat(missing / count + usize::from(at < missing % count)));
            }
            let narrowing = Narrowing { names: &names, sources: &sources };
            prop_assert_eq!(length(&compose(&names, &sources)), to_fill);
            for found in [patterns(narrowing), packed(narrowing)] {
                match found {
                    Ok(all) => {
                        prop_assert_eq!(all.len() == 1, more <= 0, "{} patterns", all.len());
                        prop_assert!(all.iter().all(|pattern| length(pattern) <= PATTERN_MAX));
                    }
                    // A value may be too long for what another leaves of a pattern.
                    Err(too_long) => prop_assert!(more > 0 && length(&too_long.text) > PATTERN_MAX / 3, "{:?}", too_long),
                }
            }
        }

        /// With names alone no rule could be spared but by chance: each but one is full, save for less than a name.
        #[test]
        fn names_alone_fill_their_patterns(names in proptest::collection::btree_set("[A-Za-z]{1,60}", 80..160)) {
            let names: Vec<String> = names.into_iter().collect();
            let all = packed(Narrowing { names: &names, sources: &[] }).unwrap();
            let room = PATTERN_MAX - length(&compose(&[String::new()], &[])) + 3;
            let total: usize = names.iter().map(|name| cost(name)).sum();
            prop_assert!(all.len() <= total.div_ceil(room - 63) && all.len() >= total.div_ceil(room), "{} of {}", all.len(), total);
        }
    }
}

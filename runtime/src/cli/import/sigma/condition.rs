//! The condition of a Sigma detection: `selection and not 1 of filter_*`.

use serde_json::{Map, Value};

use super::super::carried::Carried;
use super::detection;

/// What a detection says, as far as one event can tell. A list of conditions is any of them.
///
/// # Errors
///
/// Where the condition can not be read, or counts.
pub(super) fn carried(detection: &Map<String, Value>, notes: &mut Vec<String>) -> Result<Carried, String> {
    match detection.get("condition") {
        Some(Value::String(condition)) => one(condition, detection, notes),
        Some(Value::Array(conditions)) => {
            let texts = conditions.iter().map(|condition| condition.as_str().ok_or("one of its conditions is no text"));
            let parts: Result<Vec<Carried>, String> = texts.map(|text| one(text?, detection, notes)).collect();
            Ok(Carried::any(parts?))
        }
        _ => Err("its detection has no `condition`".to_owned()),
    }
}

fn one(condition: &str, detection: &Map<String, Value>, notes: &mut Vec<String>) -> Result<Carried, String> {
    let (condition, counting) = condition.split_once('|').map_or((condition, None), |(left, right)| (left, Some(right.trim())));
    if let Some(counting) = counting {
        notes.push(format!("`| {counting}`: it fires at each event"));
    }
    let spaced = condition.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, detection, notes };
    let read = reader.any()?;
    match reader.words.first() {
        None => Ok(read),
        Some(word) => Err(format!("its condition can not be read at `{word}`")),
    }
}

/// Reads a condition from the left; `not` binds tighter than `and`, `and` tighter than `or`.
struct Reader<'a, 'n> {
    words: &'a [&'a str],
    detection: &'a Map<String, Value>,
    notes: &'n mut Vec<String>,
}

impl Reader<'_, '_> {
    fn next_is(&mut self, word: &str) -> bool {
        match self.words.split_first() {
            Some((first, rest)) if first.eq_ignore_ascii_case(word) => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }

    fn any(&mut self) -> Result<Carried, String> {
        let mut parts = vec![self.all()?];
        while self.next_is("or") {
            parts.push(self.all()?);
        }
        Ok(Carried::any(parts))
    }

    fn all(&mut self) -> Result<Carried, String> {
        let mut parts = vec![self.term()?];
        while self.next_is("and") {
            parts.push(self.term()?);
        }
        Ok(Carried::all(parts))
    }

    fn term(&mut self) -> Result<Carried, String> {
        if self.next_is("not") {
            return Ok(self.term()?.not());
        }
        if self.next_is("(") {
            let inside = self.any()?;
            return if self.next_is(")") { Ok(inside) } else { Err("a parenthesis of its condition is not closed".to_owned()) };
        }
        match self.words {
            [count, of, name, rest @ ..] if of.eq_ignore_ascii_case("of") => {
                self.words = rest;
                self.of(count, name)
            }
            [name, rest @ ..] => {
                self.words = rest;
                let part = self.detection.get(*name).filter(|_| *name != "condition");
                let part = part.ok_or_else(|| format!("its condition names `{name}`, which its detection does not have"))?;
                Ok(detection::carried(part, self.notes))
            }
            [] => Err("its condition ends too early".to_owned()),
        }
    }

    /// `1 of selection_*`, `all of them`
    fn of(&mut self, count: &str, name: &str) -> Result<Carried, String> {
        let fits = |part: &str| match name {
            "them" => !part.starts_with('_'),
            _ => match name.split_once('*') {
                Some((head, tail)) => part.len() >= head.len() + tail.len() && part.starts_with(head) && part.ends_with(tail),
                None => part == name,
            },
        };
        let named = self.detection.iter().filter(|(part, _)| !matches!(part.as_str(), "condition" | "timeframe") && fits(part));
        let parts: Vec<Carried> = named.map(|(_, part)| detection::carried(part, self.notes)).collect();
        if parts.is_empty() {
            return Err(format!("its condition names `{name}`, and its detection has nothing of that name"));
        }
        match count.to_ascii_lowercase().as_str() {
            "all" => Ok(Carried::all(parts)),
            "1" | "any" => Ok(Carried::any(parts)),
            _ => Err(format!("`{count} of {name}` in its condition")),
        }
    }
}

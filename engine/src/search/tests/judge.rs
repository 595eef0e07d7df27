//! What a search means, written down as plainly as can be.

use crate::search::tree::{Bound, Check, Form, Glob, Node, NodeKind, Place};
use crate::value::{Value, compare, equal};

/// Whether a search finds an envelope.
pub(super) fn holds(node: &Node, envelope: &Value) -> bool {
    match &node.kind {
        NodeKind::And(nodes) => nodes.iter().all(|node| holds(node, envelope)),
        NodeKind::Or(nodes) => nodes.iter().any(|node| holds(node, envelope)),
        NodeKind::Not(node) => !holds(node, envelope),
        NodeKind::Text(glob) => stands(glob, &envelope["detail"]),
        NodeKind::Field(field, check) => field.places.iter().any(|place| at(place, check, envelope)),
    }
}

fn at(place: &Place, check: &Check, envelope: &Value) -> bool {
    let root = if place.form == Form::Envelope { envelope } else { &envelope["detail"] };
    match (place.form, check) {
        (Form::Whole, Check::Is(glob)) => !plain(root, &place.path).is_null() && stands(glob, plain(root, &place.path)),
        (Form::Whole, Check::In(_, text)) => {
            !plain(root, &place.path).is_null() && stands(&Glob(vec![text.clone()]), plain(root, &place.path))
        }
        (Form::Any { objects }, check) => {
            let (above, rest) = place.path.split_at(objects);
            let mut found = Vec::new();
            walk(plain(root, above), rest, &mut found);
            found.into_iter().any(|value| fits(check, value, true))
        }
        (Form::Tail(separator), Check::Is(glob)) => plain(root, &place.path)
            .as_str()
            .is_some_and(|text| text.match_indices(separator).any(|(index, _)| like(&glob.0, text.get(index + 1..).unwrap()))),
        (Form::Flag, Check::Is(glob)) => {
            plain(root, &place.path).as_bool().is_some_and(|flag| glob.exact() == Some(if flag { "true" } else { "false" }))
        }
        (_, check) => fits(check, plain(root, &place.path), false),
    }
}

fn plain<'v>(root: &'v Value, path: &[String]) -> &'v Value {
    path.iter().fold(root, |value, name| value.get(name).unwrap_or(&Value::Null))
}

/// Every value at a path, through arrays; of the last ones the elements.
fn walk<'v>(value: &'v Value, path: &[String], found: &mut Vec<&'v Value>) {
    match (path.split_first(), value) {
        (Some((name, rest)), value) => {
            let members: Vec<&Value> = match value.get(name) {
                Some(Value::Array(elements)) => elements.iter().collect(),
                other => other.into_iter().collect(),
            };
            members.into_iter().for_each(|member| walk(member, rest, found));
        }
        (None, Value::Null) => {}
        (None, value) => found.push(value),
    }
}

fn fits(check: &Check, value: &Value, is_any: bool) -> bool {
    let text = value.as_str();
    match check {
        Check::Exists => !value.is_null(),
        Check::Is(glob) => match glob.exact() {
            Some(exact) => {
                text == Some(exact)
                    || is_any
                        && serde_json::from_str(exact).is_ok_and(|other: Value| {
                            (other.as_number().is_some_and(|number| number.to_string() == exact) || other.is_boolean())
                                && equal(&other, value)
                        })
            }
            None => text.is_some_and(|text| like(&glob.0, text)),
        },
        Check::In(network, written) => {
            text.is_some_and(|text| text == written.as_str() || text.parse().is_ok_and(|address| network.contains(address)))
        }
        Check::Range(low, high) => {
            let bound = |bound: &Bound| match serde_json::from_str(&bound.text) {
                Ok(Value::Number(number)) if is_any && number.to_string() == bound.text => Value::Number(number),
                _ => Value::from(bound.text.as_str()),
            };
            let low = low
                .as_ref()
                .is_none_or(|low| compare(value, &bound(low)).is_some_and(|order| order.is_gt() || low.inclusive && order.is_eq()));
            let high = high
                .as_ref()
                .is_none_or(|high| compare(value, &bound(high)).is_some_and(|order| order.is_lt() || high.inclusive && order.is_eq()));
            low && high
        }
    }
}

/// Whether a text is the pieces, with anything between them.
fn like(pieces: &[String], text: &str) -> bool {
    match pieces {
        [] => false,
        [last] => text == last,
        [first, rest @ ..] => {
            let Some(after) = text.strip_prefix(first.as_str()) else { return false };
            (0..=after.len()).filter(|index| after.is_char_boundary(*index)).any(|index| like(rest, after.get(index..).unwrap()))
        }
    }
}

/// Whether a text stands in a value's JSON, not within a longer word.
fn stands(glob: &Glob, value: &Value) -> bool {
    let json = value.to_string().to_ascii_lowercase();
    let pieces: Vec<String> = glob
        .0
        .iter()
        .map(|piece| Value::from(piece.to_ascii_lowercase()).to_string())
        .map(|json| json.get(1..json.len() - 1).unwrap().to_owned())
        .collect();
    let is_word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    let first = is_word(pieces[0].chars().next());
    let last = is_word(pieces[pieces.len() - 1].chars().last());
    json.char_indices().any(|(start, _)| {
        let before = json.get(..start).unwrap();
        let letters =
            if before.len() >= 5 && before.is_char_boundary(before.len() - 5) && before.get(before.len() - 5..).unwrap().starts_with('u') {
                5
            } else {
                1
            };
        let escape = |letters: usize| {
            let (head, tail) = before.split_at_checked(before.len().wrapping_sub(letters)).unwrap_or(("", ""));
            let slashes = head.len() - head.trim_end_matches('\\').len();
            let is_one = match letters {
                1 => matches!(tail, "b" | "f" | "n" | "r" | "t"),
                _ => tail.bytes().skip(1).all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
            };
            is_one && slashes % 2 == 1
        };
        let escaped = escape(1) || letters == 5 && escape(5);
        if first && (before.is_empty() || is_word(before.chars().last()) && !escaped) {
            return false;
        }
        ends(&pieces, json.get(start..).unwrap()).into_iter().any(|rest| !last || !rest.is_empty() && !is_word(rest.chars().next()))
    })
}

/// What may be behind the pieces, where the text begins with them.
fn ends<'t>(pieces: &[String], text: &'t str) -> Vec<&'t str> {
    let Some((first, rest)) = pieces.split_first() else { return vec![text] };
    let Some(after) = text.strip_prefix(first.as_str()) else { return Vec::new() };
    if rest.is_empty() {
        return vec![after];
    }
    let gap = after.find('"').unwrap_or(after.len());
    (0..=gap).filter(|index| after.is_char_boundary(*index)).flat_map(|index| ends(rest, after.get(index..).unwrap())).collect()
}

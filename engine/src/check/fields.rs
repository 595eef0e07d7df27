//! Fields that no event has: outside of `detail`, misspelt, unknown, or under a value that has no members.

use super::place::Place;
use super::reading::{Reading, kinds_in_words, misspelt};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, Kind, Over};
use crate::lang::Language;
use crate::shape::{Kinds, record};
use crate::text::{Span, nearest};

/// Where the record is.
const RECORD: &str = "detail";

pub(super) fn check(reading: &Reading<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for node in &reading.places.nodes {
        let Expr { kind, span } = node.expr;
        match (kind, &node.current) {
            (Kind::Field { name, .. }, Some(current)) => found.extend(member(reading, current, name, *span)),
            (Kind::Index(_) | Kind::Slice(_), Some(current)) => found.extend(elements(reading, current, *span)),
            (Kind::Projection { over, source, .. }, _) => {
                let Some(place) = reading.places.value(source).filter(|_| !matches!(source.kind, Kind::Flatten(_))) else { continue };
                found.extend(match over {
                    Over::Members => values(reading, place, *span),
                    Over::Elements | Over::Filter(_) => elements(reading, place, *span),
                });
            }
            _ => {}
        }
    }
    found
}

/// A step to a member of the value at a place.
pub(super) fn member(reading: &Reading<'_>, current: &Place, name: &str, span: Span) -> Option<Diagnostic> {
    let kinds = current.kinds();
    if !kinds.has(Kinds::OBJECT) {
        return Some(no_members(reading, current, kinds, name, span));
    }
    let members = record::members(&current.path)?;
    // What `$.detail` is taken for, the reader of filter patterns tells.
    let is_told = reading.language == Language::FilterPattern && current.path == RECORD && name == RECORD;
    if members.contains(&name) || is_told {
        return None;
    }
    Some(if current.path.is_empty() {
        outside(reading, &members, name, span)
    } else {
        unknown(reading, &current.path, &members, name, span)
    })
}

/// A member of a text, a flag or an array.
fn no_members(reading: &Reading<'_>, current: &Place, kinds: Kinds, name: &str, span: Span) -> Diagnostic {
    let field = reading.shown(&current.path);
    if current.projected {
        let message = format!("the value left of `{name}` is an array, and has no members");
        return reading.error(Code::WRONG_STEP, span, message).help("leave the parentheses out, or take an element: [0]");
    }
    let message = format!("`{field}` is {}, and has no members", kinds_in_words(kinds));
    let diagnostic = reading.error(Code::WRONG_STEP, span, message);
    if !kinds.has(Kinds::ARRAY) {
        return diagnostic.help("compare it, or look into an object");
    }
    let element = reading.shown(&format!("{}[].{name}", current.path));
    match reading.language {
        Language::JmesPath => diagnostic.help(format!("its elements have: contains({element}, …), or a filter: {field}[?{name} == …]")),
        _ => diagnostic.help(format!("its elements have: {element}")),
    }
}

/// An element of a value that is no array.
fn elements(reading: &Reading<'_>, source: &Place, span: Span) -> Option<Diagnostic> {
    let kinds = source.kinds();
    (!source.projected && !kinds.has(Kinds::ARRAY)).then(|| {
        let message = format!("`{}` is {}, and has no elements", field(reading, source), kinds_in_words(kinds));
        reading.error(Code::WRONG_STEP, span, message).help("[…] looks into arrays; a member of an object follows a dot")
    })
}

/// `.*` on a value that is no object.
fn values(reading: &Reading<'_>, source: &Place, span: Span) -> Option<Diagnostic> {
    let kinds = source.kinds();
    (!source.projected && !kinds.has(Kinds::OBJECT)).then(|| {
        let message = format!("`{}` is {}, and has no members", field(reading, source), kinds_in_words(kinds));
        reading.error(Code::WRONG_STEP, span, message).help("`.*` looks into objects, [*] into arrays")
    })
}

fn field(reading: &Reading<'_>, place: &Place) -> String {
    if place.path.is_empty() { "@".to_owned() } else { reading.shown(&place.path) }
}

/// A member of the envelope that there is not: most often one of the record, without `detail` before it.
fn outside(reading: &Reading<'_>, envelope: &[&str], name: &str, span: Span) -> Diagnostic {
    let rest = continuation(reading, span);
    let whole = Span::new(span.start, span.end + rest.len());
    let record = record::members(RECORD).unwrap_or_default();
    let outside = || {
        let message = format!("`{}` stands outside of `detail`, where no event has it", reading.quoted(whole));
        reading.error(Code::OUTSIDE_DETAIL, whole, message)
    };
    if record.contains(&name) {
        return outside().help(format!("the CloudTrail record is under `detail`: `{}{rest}`", reading.shown(&format!("{RECORD}.{name}"))));
    }
    let unknown = |help: String| {
        let message = format!("no event has a member `{name}` beside `detail`");
        reading.error(Code::UNKNOWN_ENVELOPE_MEMBER, span, message).help(help)
    };
    let hyphened = name.replace('_', "-");
    if let Some(near) = misspelt(&hyphened, envelope) {
        return unknown(format!("did you mean `{}`?", reading.shown(near)));
    }
    if let Some(near) = misspelt(name, &record) {
        return outside().help(format!("did you mean `{}{rest}`?", reading.shown(&format!("{RECORD}.{near}"))));
    }
    if let Some(path) = record::field_of_name(name) {
        return outside().help(format!("did you mean `{}`?", reading.shown(path)));
    }
    unknown(format!(
        "the record is under `detail`; beside it there are {}",
        envelope.iter().filter(|name| **name != RECORD).map(|name| reading.shown(name)).collect::<Vec<_>>().join(", ")
    ))
}

/// What of a path follows a name in the text: `.type` behind `userIdentity`.
fn continuation<'t>(reading: &Reading<'t>, span: Span) -> &'t str {
    if !reading.is_jmespath() {
        return "";
    }
    let rest = reading.text.get(span.end..).unwrap_or("");
    if !rest.starts_with('.') {
        return "";
    }
    let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '"'))).unwrap_or(rest.len());
    let path = rest.get(..end).unwrap_or("");
    path.strip_suffix('.').unwrap_or(path)
}

/// A member of a known object of the record that is none of those that are known.
fn unknown(reading: &Reading<'_>, parent: &str, members: &[&str], name: &str, span: Span) -> Diagnostic {
    let shown = |name: &str| reading.shown(&format!("{parent}.{name}"));
    let message = format!("no known event has `{}`", shown(name));
    if let Some(near) = misspelt(name, members) {
        return reading.error(Code::MISSPELT_FIELD, span, message).help(format!("did you mean `{}`?", shown(near)));
    }
    let diagnostic = reading.warning(Code::UNKNOWN_FIELD, span, message);
    if name == "eventContext" && parent == RECORD {
        return diagnostic.help("CloudTrail writes it to event data stores alone; EventBridge never delivers it");
    }
    let envelope = record::members("").unwrap_or_default();
    if parent == RECORD && envelope.contains(&name) && reading.language != Language::FilterPattern {
        return diagnostic.help(format!("`{}` stands beside `detail`, not in it", reading.shown(name)));
    }
    let elsewhere = record::field_of_name(name).filter(|path| path.starts_with(RECORD));
    let near = || nearest(name, members.iter().copied()).map(|near| format!("{parent}.{near}"));
    match elsewhere.map(str::to_owned).or_else(near) {
        Some(path) => diagnostic.help(format!("did you mean `{}`?", reading.shown(&path))),
        None if parent == RECORD => diagnostic.help(format!(
            "what the call was given is under `{}`, what came back under `{}`",
            reading.shown("detail.requestParameters"),
            reading.shown("detail.responseElements")
        )),
        None => diagnostic.help(format!("`{}` has {}", reading.shown(parent), members.join(", "))),
    }
}

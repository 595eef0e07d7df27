//! Conditions laid flat: as the fields that an object of a pattern can hold.

use super::condition::{Condition, FieldTests, Kind};
use super::merge::{Merged, merge};
use crate::pattern::{Entry, Excluded, Group, Range, Test, can_be_pushed_as_name};
use crate::shape::Schema;

/// A branch of alternatives as a list of fields.
pub(super) enum Flat {
    Never,
    All {
        fields: Vec<FieldTests>,
        /// Whether nothing was left out.
        complete: bool,
    },
}

pub(super) fn flat(condition: &Condition, schema: Schema) -> Flat {
    let nothing = |complete| Flat::All { fields: Vec::new(), complete };
    match &condition.kind {
        Kind::Never => Flat::Never,
        Kind::Always => nothing(condition.exact),
        Kind::Field(field) => Flat::All { fields: vec![field.clone()], complete: true },
        Kind::All(conditions) => {
            let mut all: Vec<FieldTests> = Vec::new();
            let mut all_complete = true;
            for condition in conditions {
                let Flat::All { fields, complete } = flat(condition, schema) else { return Flat::Never };
                all_complete &= complete;
                for field in fields {
                    match put(&mut all, field, schema) {
                        Merged::Never => return Flat::Never,
                        Merged::Neither | Merged::Wider(_) => all_complete = false,
                        Merged::Both(_) => {}
                    }
                }
            }
            Flat::All { fields: all, complete: all_complete }
        }
        Kind::Any(conditions) => {
            let branches: Vec<(Vec<FieldTests>, bool)> = conditions
                .iter()
                .filter_map(|condition| match flat(condition, schema) {
                    Flat::Never => None,
                    Flat::All { fields, complete } => Some((fields, complete)),
                })
                .collect();
            match branches.as_slice() {
                [] => Flat::Never,
                [(fields, complete)] => Flat::All { fields: fields.clone(), complete: *complete },
                [(first, _), ..] => {
                    let same = branches
                        .iter()
                        .all(|(fields, _)| matches!((fields.as_slice(), first.as_slice()), ([field], [first]) if field.path == first.path));
                    let complete = branches.iter().all(|(_, complete)| *complete);
                    match union(branches.iter().flat_map(|(fields, _)| fields)) {
                        Some(field) if same => Flat::All { fields: vec![field], complete },
                        _ => nothing(false),
                    }
                }
            }
        }
        Kind::Whole(pattern) => match fields_of(pattern.root(), &[]) {
            Some((fields, groups)) if !asks_for_absence(pattern.root()) => Flat::All { fields, complete: groups.is_empty() },
            _ => nothing(false),
        },
    }
}

/// Adds a field to a list, merged with one of its path.
fn put(fields: &mut Vec<FieldTests>, field: FieldTests, schema: Schema) -> Merged {
    if let Some(there) = fields.iter_mut().find(|there| there.path == field.path) {
        let merged = merge(there, &field, schema);
        if let Merged::Both(tests) | Merged::Wider(tests) = &merged {
            there.tests.clone_from(tests);
            there.single |= field.single;
        }
        return merged;
    }
    let beside = |there: &FieldTests| is_under(&there.path, &field.path) || is_under(&field.path, &there.path) || may_part(there, &field);
    if fields.iter().any(beside) {
        return Merged::Neither;
    }
    let tests = field.tests.clone();
    fields.push(field);
    Merged::Both(tests)
}

/// Whether the leaves of two fields can stand in different elements of one array, so that they do not hold together. A user's own
/// pattern can walk through any array.
pub(super) fn may_part(a: &FieldTests, b: &FieldTests) -> bool {
    a.in_array && (b.in_array || b.own) || b.in_array && a.own
}

/// All tests of fields of one path, any of which holds.
pub(super) fn union<'f>(mut fields: impl Iterator<Item = &'f FieldTests>) -> Option<FieldTests> {
    let mut all = fields.next()?.clone();
    for field in fields {
        all.single &= field.single;
        all.in_array |= field.in_array || field.own != all.own;
        all.own &= field.own;
        for test in &field.tests {
            if !all.tests.contains(test) {
                all.tests.push(test.clone());
            }
        }
    }
    Some(all)
}

pub(super) type Branches = Vec<Vec<FieldTests>>;

/// The fields of a user's pattern and the branches of its `$or`s; `None` where a name could be taken for something else.
pub(super) fn fields_of(group: &Group, at: &[String]) -> Option<(Vec<FieldTests>, Vec<Branches>)> {
    let mut fields = Vec::new();
    let mut groups = Vec::new();
    for entry in &group.entries {
        match entry {
            Entry::Field(name, tests) => {
                let path = step(at, name)?;
                fields.push(FieldTests { path, tests: tests.clone(), single: false, own: true, in_array: false });
            }
            Entry::Object(name, inner) => {
                let (more, deeper) = fields_of(inner, &step(at, name)?)?;
                fields.extend(more);
                groups.extend(deeper);
            }
            Entry::Or(alternatives) => {
                let mut branches = Vec::new();
                for alternative in alternatives {
                    let (fields, deeper) = fields_of(alternative, at)?;
                    if !deeper.is_empty() {
                        return None;
                    }
                    branches.push(fields);
                }
                groups.push(branches);
            }
        }
    }
    Some((fields, groups))
}

fn step(at: &[String], name: &str) -> Option<Vec<String>> {
    can_be_pushed_as_name(name).then(|| at.iter().cloned().chain([name.to_owned()]).collect())
}

pub(super) fn asks_for_absence(group: &Group) -> bool {
    group.entries.iter().any(|entry| match entry {
        Entry::Field(_, tests) => tests.contains(&Test::Exists(false)),
        Entry::Object(_, inner) => asks_for_absence(inner),
        Entry::Or(groups) => groups.iter().any(asks_for_absence),
    })
}

/// Whether the field has a range with one end, not from a user's pattern.
pub(super) fn has_one_end(field: &FieldTests) -> bool {
    let one_end = |test: &Test| matches!(test, Test::Numeric(Range::Between { bottom, top }) if bottom.is_none() || top.is_none());
    !field.own && field.tests.iter().any(one_end)
}

pub(super) fn has_wildcard(field: &FieldTests) -> bool {
    field.tests.iter().any(|test| matches!(test, Test::Wildcard(_) | Test::AnythingBut(Excluded::Wildcards(_))))
}

/// How much a list of tests is likely to leave out.
pub(super) fn rank(field: &FieldTests) -> u8 {
    let of = |test: &Test| match test {
        Test::Equals(_) => 4,
        Test::Numeric(_) | Test::Cidr(_) | Test::EqualsIgnoringCase(_) => 3,
        Test::AnythingBut(_) | Test::Exists(_) => 0,
        Test::Prefix(text) | Test::Suffix(text) if text.is_empty() => 0,
        _ => 2,
    };
    field.tests.iter().map(of).min().unwrap_or(0)
}

pub(super) fn is_under(path: &[String], above: &[String]) -> bool {
    path.len() > above.len() && path.starts_with(above)
}

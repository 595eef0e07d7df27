//! A pattern in the making: fields and alternatives, and which conjunct each of them speaks for.

use super::MOST_ALTERNATIVES;
use super::condition::{Condition, FieldTests, Kind};
use super::flat::{Flat, asks_for_absence, fields_of, flat, has_one_end, has_wildcard, is_under, may_part, rank, union};
use super::merge::{Merged, merge};
use crate::pattern::{Entry, Group, Limits, Pattern, Test, length};
use crate::shape::Schema;

/// Whom a field speaks for: conjuncts by number. Nobody: the frame.
type Speakers = Vec<usize>;

const KEEPS_MORE: &str = "the pattern keeps some events more";
const TAKEN: &str = "another test of the same field takes its place";
const NO_ROOM: &str = "there is no room for it in the pattern";
const PARTED: &str = "another test walks through an array, and EventBridge would want both in one element";
const WILDCARDS: &str = "it has more wildcards than `push_down` allows";
const ONE_END: &str = "EventBridge does not compare numbers of too many digits: give the range both ends";

/// One field of the pattern.
#[derive(Debug, Clone)]
struct Slot {
    field: FieldTests,
    speakers: Speakers,
    /// Part of the frame: never taken out.
    framed: bool,
    /// Part of a user's pattern that only holds as a whole: never changed, and taken out with the others of the number.
    whole: Option<usize>,
}

/// The alternatives of the one `$or`.
#[derive(Debug, Clone)]
struct Alternatives {
    branches: Vec<Vec<FieldTests>>,
    speaker: usize,
}

pub(super) struct Draft {
    schema: Schema,
    slots: Vec<Slot>,
    alternatives: Option<Alternatives>,
    /// For each conjunct why it is not decided, if it is not.
    undecided: Vec<Option<String>>,
    frame_is_exact: bool,
    /// The conjunct that shows that nothing can match.
    never: Option<usize>,
}

impl Draft {
    pub(super) fn new(schema: Schema, parts: usize) -> Self {
        Self { schema, slots: Vec::new(), alternatives: None, undecided: vec![None; parts], frame_is_exact: true, never: None }
    }

    /// A field that must hold whatever the expression says.
    pub(super) fn frame(&mut self, path: &[&str], tests: Vec<Test>) {
        let path = path.iter().map(|name| (*name).to_owned()).collect();
        self.slots.push(Slot {
            field: FieldTests { path, tests, single: true, own: false, in_array: false },
            speakers: Vec::new(),
            framed: true,
            whole: None,
        });
    }

    /// Adds what holds when a conjunct does.
    pub(super) fn add(&mut self, part: usize, condition: Condition) {
        if !condition.exact {
            self.leave(part, condition.why.clone().unwrap_or_else(|| KEEPS_MORE.to_owned()));
        }
        match condition.kind {
            Kind::Always => {}
            Kind::Never => self.never = Some(part),
            Kind::Field(field) => self.field(part, field),
            Kind::All(conditions) => conditions.into_iter().for_each(|condition| self.add(part, condition)),
            Kind::Any(conditions) => self.any(part, &conditions),
            Kind::Whole(pattern) => self.whole(part, &pattern),
        }
    }

    /// A conjunct that is not decided, and why. The first reason stays.
    pub(super) fn leave(&mut self, part: usize, why: String) {
        if let Some(undecided) = self.undecided.get_mut(part) {
            undecided.get_or_insert(why);
        }
    }

    /// The conjuncts whose field is taken out: that is the better reason.
    fn leave_all(&mut self, speakers: &[usize], why: &str) {
        for part in speakers {
            if let Some(undecided) = self.undecided.get_mut(*part) {
                *undecided = Some(why.to_owned());
            }
        }
        self.frame_is_exact &= !speakers.is_empty();
    }

    pub(super) fn never(&self) -> Option<usize> {
        self.never
    }

    pub(super) fn left(&self) -> Vec<(usize, String)> {
        self.undecided.iter().enumerate().filter_map(|(part, why)| why.clone().map(|why| (part, why))).collect()
    }

    pub(super) fn is_exact(&self) -> bool {
        self.frame_is_exact && self.undecided.iter().all(Option::is_none)
    }

    fn field(&mut self, part: usize, field: FieldTests) {
        let Some(at) = self.slots.iter().position(|slot| slot.field.path == field.path) else {
            if self.slots.iter().any(|slot| is_under(&slot.field.path, &field.path) || is_under(&field.path, &slot.field.path)) {
                self.leave(part, "a field above or below it is tested already".to_owned());
            } else if self.slots.iter().any(|slot| may_part(&slot.field, &field)) {
                self.leave(part, PARTED.to_owned());
            } else {
                self.slots.push(Slot { field, speakers: vec![part], framed: false, whole: None });
            }
            return;
        };
        let Some(slot) = self.slots.get_mut(at) else { return };
        if slot.whole.is_some() {
            self.leave(part, TAKEN.to_owned());
            return;
        }
        match merge(&slot.field, &field, self.schema) {
            Merged::Both(tests) => {
                slot.field.tests = tests;
                slot.field.single |= field.single;
                slot.speakers.push(part);
            }
            Merged::Wider(tests) => {
                slot.field.tests = tests;
                slot.field.single |= field.single;
                slot.speakers.push(part);
                self.leave(part, KEEPS_MORE.to_owned());
            }
            Merged::Never => self.never = Some(part),
            // The frame stays, and values say more than forms.
            Merged::Neither if !slot.framed && rank(&field) > rank(&slot.field) => {
                slot.field = field;
                let before = std::mem::replace(&mut slot.speakers, vec![part]);
                self.leave_all(&before, TAKEN);
            }
            Merged::Neither => self.leave(part, TAKEN.to_owned()),
        }
    }

    fn any(&mut self, part: usize, conditions: &[Condition]) {
        let mut branches: Vec<Vec<FieldTests>> = Vec::new();
        for condition in conditions {
            match flat(condition, self.schema) {
                Flat::Never => {}
                Flat::All { fields, complete } if fields.is_empty() => {
                    if !complete {
                        self.leave(part, condition.why.clone().unwrap_or_else(|| KEEPS_MORE.to_owned()));
                    }
                    return;
                }
                Flat::All { fields, complete } => {
                    if !complete {
                        self.leave(part, KEEPS_MORE.to_owned());
                    }
                    branches.push(fields);
                }
            }
        }
        match branches.as_slice() {
            [] => self.never = Some(part),
            [only] => only.clone().into_iter().for_each(|field| self.field(part, field)),
            [first, ..]
                if branches
                    .iter()
                    .all(|branch| matches!(branch.as_slice(), [field] if first.first().is_some_and(|first| first.path == field.path))) =>
            {
                if let Some(field) = union(branches.iter().flatten()) {
                    self.field(part, field);
                }
            }
            _ if self.alternatives.is_none() && branches.len() <= MOST_ALTERNATIVES => {
                self.alternatives = Some(Alternatives { branches, speaker: part });
            }
            _ => {
                self.leave(part, "one `$or` of no more than 16 alternatives is pushed".to_owned());
                self.common(part, &branches);
            }
        }
    }

    /// The fields that every branch tests, with all their tests together.
    fn common(&mut self, part: usize, branches: &[Vec<FieldTests>]) {
        for field in branches.first().into_iter().flatten() {
            let same: Vec<&FieldTests> = branches.iter().flatten().filter(|other| other.path == field.path).collect();
            if same.len() == branches.len()
                && let Some(field) = union(same.into_iter())
            {
                self.field(part, field);
            }
        }
    }

    /// A user's own pattern. Where it asks for something to be missing, it holds as a whole or not at all: which array element
    /// must miss it depends on the other fields.
    fn whole(&mut self, part: usize, pattern: &Pattern) {
        let Some((fields, groups)) = fields_of(pattern.root(), &[]) else {
            self.leave(part, "its names cannot be put beside others".to_owned());
            return;
        };
        let asks_for_absence = asks_for_absence(pattern.root());
        let free = |field: &FieldTests| {
            !self.slots.iter().any(|slot| {
                let (a, b) = (&slot.field.path, &field.path);
                a == b || is_under(a, b) || is_under(b, a)
            })
        };
        let number = Some(part);
        if self.slots.iter().any(|slot| slot.field.in_array) {
            self.leave(part, PARTED.to_owned());
            return;
        }
        if asks_for_absence {
            if groups.is_empty() && fields.iter().all(free) {
                let slot = |field| Slot { field, speakers: vec![part], framed: false, whole: number };
                self.slots.extend(fields.into_iter().map(slot));
            } else {
                self.leave(part, "it asks for a missing field beside other tests of the same fields or an `$or`".to_owned());
            }
            return;
        }
        fields.into_iter().for_each(|field| self.field(part, field));
        for branches in groups {
            if self.alternatives.is_none() && branches.len() <= MOST_ALTERNATIVES {
                self.alternatives = Some(Alternatives { branches, speaker: part });
            } else {
                self.leave(part, "one `$or` of no more than 16 alternatives is pushed".to_owned());
            }
        }
    }

    /// The pattern, with as much of the draft as the limits allow.
    pub(super) fn fit(&mut self, limits: Limits) -> Option<Pattern> {
        self.settle();
        loop {
            let pattern = self.pattern()?;
            let fits = length(&pattern.to_string()) <= limits.characters && pattern.wildcards() <= limits.wildcards;
            if fits || !self.drop_one(pattern.wildcards() > limits.wildcards) {
                return Some(pattern);
            }
        }
    }

    /// Takes out what must not be sent: ranges with one end, and fields of alternatives that stand beside them, too.
    fn settle(&mut self) {
        for at in (0..self.slots.len()).rev() {
            if self.slots.get(at).is_some_and(|slot| has_one_end(&slot.field)) {
                let slot = self.slots.remove(at);
                self.leave_all(&slot.speakers, ONE_END);
            }
        }
        let Some(Alternatives { branches, speaker }) = self.alternatives.take() else { return };
        let mut kept = Vec::new();
        for branch in branches {
            let mut fields = Vec::new();
            let mut never = false;
            for field in branch {
                let beside = self.slots.iter().find(|slot| {
                    let path = &slot.field.path;
                    *path == field.path || is_under(path, &field.path) || is_under(&field.path, path)
                });
                match beside {
                    Some(slot) if slot.field.path == field.path && merge(&slot.field, &field, self.schema) == Merged::Never => never = true,
                    Some(slot)
                        if slot.field.path == field.path
                            && merge(&slot.field, &field, self.schema) == Merged::Both(slot.field.tests.clone()) => {}
                    Some(_) => self.leave(speaker, TAKEN.to_owned()),
                    None if self.slots.iter().any(|slot| may_part(&slot.field, &field)) => self.leave(speaker, PARTED.to_owned()),
                    None if has_one_end(&field) => self.leave(speaker, ONE_END.to_owned()),
                    None => fields.push(field),
                }
            }
            if !never {
                kept.push(fields);
            }
        }
        match kept.as_slice() {
            [] => self.never = Some(speaker),
            [only] => only.clone().into_iter().for_each(|field| self.field(speaker, field)),
            _ if kept.iter().any(Vec::is_empty) => {}
            _ => self.alternatives = Some(Alternatives { branches: kept, speaker }),
        }
    }

    /// Takes out the largest thing that can be; false where there is none.
    fn drop_one(&mut self, wildcards_only: bool) -> bool {
        let why = if wildcards_only { WILDCARDS } else { NO_ROOM };
        let cost =
            |field: &FieldTests| length(&field.path.concat()) + field.tests.iter().map(|test| length(&test.to_string())).sum::<usize>();
        let may_go = |slot: &Slot| !slot.framed && (!wildcards_only || has_wildcard(&slot.field));
        let largest = self.slots.iter().enumerate().filter(|(_, slot)| may_go(slot)).max_by_key(|(at, slot)| (cost(&slot.field), *at));
        let largest = largest.map(|(at, slot)| (at, cost(&slot.field)));
        let alternatives = self.alternatives.as_ref().map(|alternatives| {
            let fields = || alternatives.branches.iter().flatten();
            (fields().map(cost).sum::<usize>(), !wildcards_only || fields().any(has_wildcard))
        });
        match (largest, alternatives) {
            (at, Some((size, true))) if at.is_none_or(|(_, other)| size >= other) => {
                if let Some(Alternatives { speaker, .. }) = self.alternatives.take() {
                    self.leave(speaker, why.to_owned());
                }
                true
            }
            (Some((at, _)), _) => {
                let slot = self.slots.remove(at);
                self.leave_all(&slot.speakers, why);
                if slot.whole.is_some() {
                    self.slots.retain(|other| other.whole != slot.whole);
                }
                true
            }
            _ => false,
        }
    }

    fn pattern(&self) -> Option<Pattern> {
        let fields: Vec<&FieldTests> = self.slots.iter().map(|slot| &slot.field).collect();
        let mut root = group(&fields, 0);
        if let Some(Alternatives { branches, .. }) = &self.alternatives {
            let in_detail = |field: &FieldTests| field.path.len() > 1 && field.path.first().is_some_and(|first| first == "detail");
            let depth = usize::from(branches.iter().flatten().all(in_detail));
            let groups = branches.iter().map(|branch| group(&branch.iter().collect::<Vec<_>>(), depth));
            let or = Entry::Or(groups.collect());
            let detail = root.entries.iter_mut().find_map(|entry| match entry {
                Entry::Object(name, inner) if name == "detail" && depth > 0 => Some(inner),
                _ => None,
            });
            match detail {
                Some(detail) => detail.entries.push(or),
                None if depth > 0 => root.entries.push(Entry::Object("detail".to_owned(), Group { entries: vec![or] })),
                None => root.entries.push(or),
            }
        }
        (!root.entries.is_empty()).then(|| Pattern::from_root(root))
    }
}

/// Fields as an object, by what is left of their paths from `depth` on; each name where it comes first.
fn group(fields: &[&FieldTests], depth: usize) -> Group {
    let mut entries = Vec::new();
    let mut done: Vec<&str> = Vec::new();
    for field in fields {
        let Some(name) = field.path.get(depth) else { continue };
        if done.contains(&name.as_str()) {
            continue;
        }
        done.push(name);
        if field.path.len() == depth + 1 {
            entries.push(Entry::Field(name.clone(), field.tests.clone()));
        } else {
            let under: Vec<&FieldTests> = fields.iter().copied().filter(|other| other.path.get(depth) == Some(name)).collect();
            entries.push(Entry::Object(name.clone(), group(&under, depth + 1)));
        }
    }
    Group { entries }
}

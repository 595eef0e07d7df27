//! The triggers of one event name, filed so that an event finds those that may match with few looks at little memory.
//!
//! A group asks a [`Question`] of each field under which a trigger is filed, and each question has [`Probe`]s: is the text, a part of
//! it, or the network of an address one of these? All groups' questions, probes and keys lie one behind the other in one [`Table`],
//! so that what one event needs is a few lines of memory that follow each other, asked for as soon as the event's name is known.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, AhoCorasickKind, packed};

use super::atom;
use super::extract::{Extract, Faulty, Held, Source};
use super::fields::{FieldId, Fields};
use super::hash::hash;
use super::plan::{Access, Way, network_hash};
use super::scan::prefetch;

/// A part of one of the table's lists.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    #[inline(always)]
    fn of<T>(self, list: &[T]) -> &[T] {
        list.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// Puts items at a list's end.
    fn push<T>(list: &mut Vec<T>, items: impl IntoIterator<Item = T>) -> Self {
        let start = small(list.len());
        list.extend(items);
        Self { start, end: small(list.len()) }
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The triggers of one event name (or of all), by how they are reached.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Looked at for every event of the name.
    always: Span,
    /// The objects in which the questions' fields are, outermost first.
    objects: Span,
    questions: Span,
    probes: Span,
    keys: Span,
    /// All of them.
    pub(super) all: Vec<u32>,
    /// The shortest of their [`super::lower::safe_length`]s.
    pub(super) safe_length: u64,
}

/// What a group asks of one field.
#[derive(Debug, Clone, Copy)]
struct Question {
    field: FieldId,
    /// The triggers that are looked at where the field is no string.
    textless: Span,
    probes: Span,
    /// Its place in [`Table::needles`], or beyond it.
    needles: u32,
}

/// A look-up of the text of a field, or of a part of it.
#[derive(Debug, Clone, Copy)]
struct Probe {
    /// A bit for each sixty-fourth of the prints that are filed.
    filter: u64,
    keys: Span,
    length: u32,
    way: Way,
}

/// The upper half of a text's hash, and a trigger that is filed under it.
#[derive(Debug, Clone, Copy)]
struct Filed {
    print: u32,
    trigger: u32,
}

/// The texts that a group looks for inside a field.
#[derive(Debug)]
struct Needles {
    /// Tells quickly that nothing is there, which is the usual case; not every set of texts has one.
    quick: Option<packed::Searcher>,
    automaton: AhoCorasick,
    triggers: Vec<Vec<u32>>,
}

/// What all groups hold.
#[derive(Debug, Default)]
pub(super) struct Table {
    questions: Vec<Question>,
    probes: Vec<Probe>,
    keys: Vec<Filed>,
    triggers: Vec<u32>,
    objects: Vec<FieldId>,
    needles: Vec<Needles>,
}

/// The triggers that have to be looked at, each once an event.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// The event for which each trigger was found last.
    seen: Vec<u32>,
    now: u32,
    pub(super) found: Vec<u32>,
}

impl Candidates {
    /// Forgets the last event.
    pub(super) fn begin(&mut self, triggers: usize) {
        self.now = self.now.wrapping_add(1);
        if self.now == 0 {
            self.seen.clear();
            self.now = 1;
        }
        if self.seen.len() < triggers {
            self.seen.resize(triggers, 0);
        }
        self.found.clear();
    }

    #[inline]
    pub(super) fn add(&mut self, trigger: u32) {
        if let Some(seen) = self.seen.get_mut(trigger as usize)
            && *seen != self.now
        {
            *seen = self.now;
            self.found.push(trigger);
        }
    }

    #[inline]
    pub(super) fn add_all(&mut self, triggers: &[u32]) {
        triggers.iter().for_each(|trigger| self.add(*trigger));
    }
}

impl Table {
    /// Asks for a group's memory.
    #[inline]
    pub(super) fn prefetch(&self, group: &Group) {
        prefetch(group.questions.of(&self.questions));
        prefetch(group.probes.of(&self.probes));
        prefetch(group.keys.of(&self.keys));
    }

    /// Finds the triggers of a group that may match or err.
    pub(super) fn find(&self, group: &Group, source: Source<'_>, extract: &mut Extract, candidates: &mut Candidates) -> Result<(), Faulty> {
        if source.event.len() as u64 > group.safe_length {
            candidates.add_all(&group.all);
            return Ok(());
        }
        candidates.add_all(group.always.of(&self.triggers));
        for object in group.objects.of(&self.objects) {
            extract.open(source, *object)?;
        }
        for question in group.questions.of(&self.questions) {
            match extract.held(source, question.field) {
                Held::Text(text) => self.ask(question, text, candidates),
                Held::Nothing => candidates.add_all(question.textless.of(&self.triggers)),
                Held::Other => {
                    candidates.add_all(question.textless.of(&self.triggers));
                    for probe in question.probes.of(&self.probes).iter().filter(|probe| probe.way == Way::Present) {
                        self.look_up(probe, hash(b""), candidates);
                    }
                }
            }
        }
        Ok(())
    }

    fn ask(&self, question: &Question, text: &[u8], candidates: &mut Candidates) {
        let mut address = None;
        for probe in question.probes.of(&self.probes) {
            let length = probe.length as usize;
            let hashed = match probe.way {
                Way::Equal => hash(text),
                Way::Present => hash(b""),
                Way::Prefix => {
                    let Some(prefix) = text.get(..length) else { continue };
                    hash(prefix)
                }
                Way::Network => {
                    let address = *address.get_or_insert_with(|| atom::address(text));
                    let Some(hashed) = address.and_then(|address| network_hash(address, probe.length)) else { continue };
                    hashed
                }
                Way::Suffix | Way::Inside => {
                    let Some(suffix) = text.len().checked_sub(length).and_then(|start| text.get(start..)) else { continue };
                    hash(suffix)
                }
            };
            self.look_up(probe, hashed, candidates);
        }
        if let Some(needles) = self.needles.get(question.needles as usize) {
            needles.find(text, candidates);
        }
    }

    #[inline(always)]
    fn look_up(&self, probe: &Probe, hashed: u64, candidates: &mut Candidates) {
        let print = print_of(hashed);
        if probe.filter >> (print >> 26) & 1 == 0 {
            return;
        }
        let mut keys = probe.keys.of(&self.keys);
        if keys.len() > 16 {
            keys = keys.get(keys.partition_point(|key| key.print < print)..).unwrap_or_default();
        }
        for key in keys {
            if key.print == print {
                candidates.add(key.trigger);
            } else if key.print > print {
                break;
            }
        }
    }
}

fn print_of(hashed: u64) -> u32 {
    (hashed >> 32) as u32
}

impl Needles {
    /// Finds the triggers of each text that is in it.
    fn find(&self, text: &[u8], candidates: &mut Candidates) {
        let mut rest = text;
        if let Some(quick) = &self.quick {
            let Some(first) = quick.find(text) else { return };
            // Every other text begins there or later.
            rest = text.get(first.start()..).unwrap_or_default();
        }
        for found in self.automaton.find_overlapping_iter(rest) {
            candidates.add_all(self.triggers.get(found.pattern().as_usize()).map_or(&[], Vec::as_slice));
        }
    }
}

/// Up to this many triggers are looked at one after the other.
const FEW: usize = 2;

/// A trigger with its access and its safe length.
pub(super) type Member<'a> = (u32, Option<&'a Access>, u64);

/// Triggers by the text under which they are filed.
type ByText<'t> = BTreeMap<&'t [u8], Vec<u32>>;

/// What is asked of one field, while a group is made.
#[derive(Default)]
struct Asked<'t> {
    textless: Vec<u32>,
    probes: BTreeMap<(Way, u32), ByText<'t>>,
    needles: ByText<'t>,
}

impl Table {
    /// Files the triggers of one group.
    pub(super) fn file<'a>(&mut self, members: impl Iterator<Item = Member<'a>>, fields: &Fields) -> Group {
        let members: Vec<_> = members.collect();
        let mut always = Vec::new();
        let mut asked: BTreeMap<FieldId, Asked<'a>> = BTreeMap::new();
        for (trigger, access, _) in &members {
            let Some(access) = access.filter(|_| members.len() > FEW) else {
                always.push(*trigger);
                continue;
            };
            for field in &access.guards {
                asked.entry(*field).or_default().textless.push(*trigger);
            }
            for key in &access.keys {
                let asked = asked.entry(key.field).or_default();
                let filed = match key.way {
                    Way::Inside => &mut asked.needles,
                    way => asked.probes.entry((way, key.length)).or_default(),
                };
                filed.entry(&key.text).or_default().push(*trigger);
            }
        }
        let objects: BTreeSet<FieldId> = asked.keys().flat_map(|field| fields.ancestors(*field)).collect();
        let (first_probe, first_key) = (small(self.probes.len()), small(self.keys.len()));
        let questions: Vec<Question> = asked.into_iter().map(|(field, asked)| self.question(field, asked, &mut always)).collect();
        Group {
            always: Span::push(&mut self.triggers, always),
            // A node's number is greater than that of the one that it is in.
            objects: Span::push(&mut self.objects, objects),
            questions: Span::push(&mut self.questions, questions),
            probes: Span { start: first_probe, end: small(self.probes.len()) },
            keys: Span { start: first_key, end: small(self.keys.len()) },
            all: members.iter().map(|(trigger, _, _)| *trigger).collect(),
            safe_length: members.iter().map(|(_, _, safe_length)| *safe_length).min().unwrap_or(u64::MAX),
        }
    }

    fn question(&mut self, field: FieldId, asked: Asked<'_>, always: &mut Vec<u32>) -> Question {
        let probes: Vec<Probe> = asked.probes.into_iter().map(|((way, length), texts)| self.probe(way, length, &texts)).collect();
        let mut needles = u32::MAX;
        if !asked.needles.is_empty() {
            match AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(asked.needles.keys()) {
                Ok(automaton) => {
                    let quick = packed::Searcher::new(asked.needles.keys());
                    needles = small(self.needles.len());
                    self.needles.push(Needles { quick, automaton, triggers: asked.needles.into_values().collect() });
                }
                Err(_) => always.extend(asked.needles.into_values().flatten()),
            }
        }
        Question { field, textless: Span::push(&mut self.triggers, asked.textless), probes: Span::push(&mut self.probes, probes), needles }
    }

    fn probe(&mut self, way: Way, length: u32, texts: &ByText<'_>) -> Probe {
        let filed = |(text, triggers): (&&[u8], &Vec<u32>)| {
            let print = print_of(hash(text));
            triggers.iter().map(move |trigger| Filed { print, trigger: *trigger }).collect::<Vec<_>>()
        };
        let mut keys: Vec<Filed> = texts.iter().flat_map(filed).collect();
        keys.sort_by_key(|key| key.print);
        let filter = keys.iter().fold(0, |filter, key| filter | 1 << (key.print >> 26));
        Probe { filter, keys: Span::push(&mut self.keys, keys), length, way }
    }
}

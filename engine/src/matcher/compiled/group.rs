//! The triggers of one event name, filed so that an event finds those that may match with few looks at little memory.
//!
//! A group asks a [`Question`] of each field under which a trigger is filed, and each question has [`Probe`]s: is the text, a part of
//! it, or the network of an address one of these? All groups' questions, probes and keys lie one behind the other in one [`Table`],
//! so that what one event needs is a few lines of memory that follow each other, asked for as soon as the event's name is known.

mod filing;

use std::hint::select_unpredictable;
use std::net::IpAddr;

use aho_corasick::AhoCorasick;

use super::atom;
use super::extract::{Extract, Faulty, Held, Source};
use super::fields::{FieldId, NOWHERE};
use super::hash::hash;
use super::lower::AtomId;
use super::plan::{Way, network_hash};
use super::scan::{Needle, Needles, Tape, prefetch};

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
    sheets: Span,
    questions: Span,
    probes: Span,
    keys: Span,
    sought: Span,
    /// Everything of it in [`Table::triggers`].
    triggers: Span,
    /// All of them.
    pub(super) all: Vec<u32>,
    /// The shortest of their [`super::lower::safe_length`]s.
    pub(super) safe_length: u64,
}

const NO_CROWD: u32 = u32::MAX;

/// Up to 64 of the questions of a group.
#[derive(Debug, Clone, Copy)]
struct Sheet {
    /// A part of [`Table::fields`] and of [`Table::questions`].
    questions: Span,
    /// A bit for each of them: whether there are triggers that are looked at where its field is missing.
    textless: u64,
}

/// What a group asks of one field.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
struct Question {
    /// The triggers that are looked at where the field is no string.
    textless: Span,
    probes: Span,
    /// The texts that are sought inside it, if they are few.
    sought: Span,
    /// If they are many, their place in [`Table::crowds`]; else [`NO_CROWD`].
    crowd: u32,
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

/// The texts that a group looks for inside a field, where they are many.
#[derive(Debug)]
struct Crowd {
    automaton: AhoCorasick,
    triggers: Vec<Span>,
}

/// What all groups hold.
#[derive(Debug, Default)]
pub(super) struct Table {
    sheets: Vec<Sheet>,
    questions: Vec<Question>,
    /// The field of each question: apart, as all are looked at, but few questions are asked.
    fields: Vec<FieldId>,
    probes: Vec<Probe>,
    keys: Vec<Filed>,
    triggers: Vec<u32>,
    objects: Vec<FieldId>,
    needles: Needles,
    sought: Vec<Needle>,
    /// The predicate that each of them decides, and the triggers that are filed under it.
    sought_by: Vec<(AtomId, Span)>,
    crowds: Vec<Crowd>,
}

/// The triggers that have to be looked at, each once an event.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// The event for which each trigger was found last.
    seen: Vec<u32>,
    now: u32,
    pub(super) found: Vec<u32>,
    /// Predicates that were seen to hold.
    pub(super) held: Vec<AtomId>,
    /// The field whose address was asked for last in this event, and the address.
    address: Option<(FieldId, Option<IpAddr>)>,
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
        self.held.clear();
        self.address = None;
    }

    /// The address that a field holds, if it is one; both groups of an event ask for the same.
    fn address(&mut self, field: FieldId, text: &[u8]) -> Option<IpAddr> {
        if let Some((of, address)) = self.address
            && of == field
        {
            return address;
        }
        let address = atom::address(text);
        self.address = Some((field, address));
        address
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
        prefetch(group.questions.of(&self.fields));
        prefetch(group.questions.of(&self.questions));
        prefetch(group.probes.of(&self.probes));
        prefetch(group.keys.of(&self.keys));
        prefetch(group.sought.of(&self.sought));
        prefetch(group.sought.of(&self.sought_by));
        prefetch(group.triggers.of(&self.triggers));
    }

    /// Finds the triggers of a group that may match or err.
    #[inline(never)]
    pub(super) fn find(&self, group: &Group, source: Source<'_>, extract: &mut Extract, candidates: &mut Candidates) -> Result<(), Faulty> {
        if source.event.len() as u64 > group.safe_length {
            candidates.add_all(&group.all);
            return Ok(());
        }
        candidates.add_all(group.always.of(&self.triggers));
        for object in group.objects.of(&self.objects) {
            extract.open_if_there(source, *object)?;
        }
        for sheet in group.sheets.of(&self.sheets) {
            let (fields, questions) = (sheet.questions.of(&self.fields), sheet.questions.of(&self.questions));
            // Which of the fields are there is asked of all at once, as nobody foresees it of one.
            let mut there = extract.which_are_there(fields);
            let mut missing = !there & sheet.textless;
            while let Some(question) = next_of(questions, &mut missing) {
                candidates.add_all(question.textless.of(&self.triggers));
            }
            while there != 0 {
                let field = fields.get(there.trailing_zeros() as usize).copied().unwrap_or(NOWHERE);
                let Some(question) = next_of(questions, &mut there) else { break };
                match extract.held(source, field) {
                    Held::Text(text) => self.ask(field, question, source.tape, text, candidates),
                    Held::Nothing => candidates.add_all(question.textless.of(&self.triggers)),
                    Held::Other => {
                        candidates.add_all(question.textless.of(&self.triggers));
                        for probe in question.probes.of(&self.probes).iter().filter(|probe| probe.way == Way::Present) {
                            self.look_up(probe, hash(b""), candidates);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn ask(&self, field: FieldId, question: &Question, tape: &Tape, text: &[u8], candidates: &mut Candidates) {
        for probe in question.probes.of(&self.probes) {
            let hashed = if probe.way == Way::Network {
                let address = candidates.address(field, text);
                address.and_then(|address| network_hash(address, probe.length))
            } else {
                probe.part_of(text).map(hash)
            };
            if let Some(hashed) = hashed {
                self.look_up(probe, hashed, candidates);
            }
        }
        if question.sought.start != question.sought.end || question.crowd != NO_CROWD {
            self.seek(question, tape, text, candidates);
        }
    }

    /// Finds the triggers of each text that is inside another.
    #[inline(never)]
    fn seek(&self, question: &Question, tape: &Tape, text: &[u8], candidates: &mut Candidates) {
        let (mut sought, mut by) = (question.sought.of(&self.sought), question.sought.of(&self.sought_by));
        while let Some(found) = tape.seek(text, sought, &self.needles) {
            if let Some((atom, triggers)) = by.get(found) {
                candidates.add_all(triggers.of(&self.triggers));
                candidates.held.push(*atom);
            }
            (sought, by) = (sought.get(found + 1..).unwrap_or_default(), by.get(found + 1..).unwrap_or_default());
        }
        if let Some(crowd) = self.crowds.get(question.crowd as usize) {
            for found in crowd.automaton.find_overlapping_iter(text) {
                candidates.add_all(crowd.triggers.get(found.pattern().as_usize()).map_or(&[], |triggers| triggers.of(&self.triggers)));
            }
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

impl Probe {
    /// The part of a text that is looked up, if the text is so long.
    #[inline(always)]
    fn part_of(self, text: &[u8]) -> Option<&[u8]> {
        // Without a branch on the way, as nobody foresees it.
        let length = self.length as usize;
        let start = select_unpredictable(self.way == Way::Suffix, text.len().wrapping_sub(length), 0);
        let end = select_unpredictable(matches!(self.way, Way::Prefix | Way::Present), length, text.len());
        text.get(start..end)
    }
}

/// The question of the lowest bit, which is taken away.
#[inline(always)]
fn next_of<'q>(questions: &'q [Question], bits: &mut u64) -> Option<&'q Question> {
    let number = bits.trailing_zeros() as usize;
    *bits &= bits.wrapping_sub(1);
    questions.get(number)
}

fn print_of(hashed: u64) -> u32 {
    (hashed >> 32) as u32
}

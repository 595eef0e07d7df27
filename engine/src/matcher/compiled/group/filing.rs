//! How the triggers of one event name are filed.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::super::fields::{FieldId, Fields};
use super::super::hash::hash;
use super::super::lower::AtomId;
use super::super::plan::{Access, Way};
use super::{Crowd, Filed, Group, NO_CROWD, Probe, Question, Sheet, Span, Table, print_of, small};

/// Up to this many triggers are looked at one after the other.
const FEW: usize = 2;

/// More texts than this are sought all at once, fewer one after the other.
const CROWD: usize = 24;

/// A trigger with its access and its safe length.
pub(in super::super) type Member<'a> = (u32, Option<&'a Access>, u64);

/// Triggers by the text under which they are filed.
type ByText<'t> = BTreeMap<&'t [u8], Vec<u32>>;

/// What is asked of one field, while a group is made.
#[derive(Default)]
struct Asked<'t> {
    textless: Vec<u32>,
    probes: BTreeMap<(Way, u32), ByText<'t>>,
    needles: ByText<'t>,
    /// The predicate of each of them.
    decided: BTreeMap<&'t [u8], AtomId>,
}

impl Table {
    /// Files the triggers of one group.
    pub(in super::super) fn file<'a>(&mut self, members: impl Iterator<Item = Member<'a>>, fields: &Fields) -> Group {
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
                    Way::Inside => {
                        asked.decided.insert(&key.text, key.atom);
                        &mut asked.needles
                    }
                    way => asked.probes.entry((way, key.length)).or_default(),
                };
                filed.entry(&key.text).or_default().push(*trigger);
            }
        }
        let objects: BTreeSet<FieldId> = asked.keys().flat_map(|field| fields.ancestors(*field)).collect();
        let (first_probe, first_key, first_sought) = (small(self.probes.len()), small(self.keys.len()), small(self.sought.len()));
        let (first_question, first_trigger) = (small(self.questions.len()), small(self.triggers.len()));
        let first_sheet = small(self.sheets.len());
        for (number, (field, asked)) in asked.into_iter().enumerate() {
            let question = self.question(asked, &mut always);
            if number % 64 == 0 {
                self.sheets.push(Sheet { questions: Span::push(&mut self.fields, []), textless: 0 });
            }
            self.fields.push(field);
            self.questions.push(question);
            if let Some(sheet) = self.sheets.last_mut() {
                sheet.questions.end += 1;
                sheet.textless |= u64::from(question.textless.start != question.textless.end) << (number % 64);
            }
        }
        let always = Span::push(&mut self.triggers, always);
        Group {
            always,
            triggers: Span { start: first_trigger, end: always.end },
            // A node's number is greater than that of the one that it is in.
            objects: Span::push(&mut self.objects, objects),
            sheets: Span { start: first_sheet, end: small(self.sheets.len()) },
            questions: Span { start: first_question, end: small(self.questions.len()) },
            probes: Span { start: first_probe, end: small(self.probes.len()) },
            keys: Span { start: first_key, end: small(self.keys.len()) },
            sought: Span { start: first_sought, end: small(self.sought.len()) },
            all: members.iter().map(|(trigger, _, _)| *trigger).collect(),
            safe_length: members.iter().map(|(_, _, safe_length)| *safe_length).min().unwrap_or(u64::MAX),
        }
    }

    fn question(&mut self, asked: Asked<'_>, always: &mut Vec<u32>) -> Question {
        let probes: Vec<Probe> = asked.probes.into_iter().map(|((way, length), texts)| self.probe(way, length, &texts)).collect();
        let (mut sought, mut crowd) = (Span::default(), NO_CROWD);
        if asked.needles.len() > CROWD {
            match AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(asked.needles.keys()) {
                Ok(automaton) => {
                    crowd = small(self.crowds.len());
                    let triggers = asked.needles.into_values().map(|triggers| Span::push(&mut self.triggers, triggers)).collect();
                    self.crowds.push(Crowd { automaton, triggers });
                }
                Err(_) => always.extend(asked.needles.into_values().flatten()),
            }
        } else {
            sought = Span::push(&mut self.sought, asked.needles.keys().map(|text| self.needles.add(text)));
            let triggers = asked.needles.into_values().map(|triggers| Span::push(&mut self.triggers, triggers));
            self.sought_by.extend(asked.decided.into_values().zip(triggers));
        }
        let (textless, probes) = (Span::push(&mut self.triggers, asked.textless), Span::push(&mut self.probes, probes));
        Question { textless, probes, sought, crowd }
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

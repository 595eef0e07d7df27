//! The fields that are read, taken out of the event's bytes.
//!
//! Every path that any trigger reads is a node of one tree of names. An object is walked once, when the first field below it is
//! asked for, and all its members that the tree knows are remembered by their places; a member that comes twice is remembered
//! by its last place. Strings with escapes are unescaped then; everything else stays where it is in the event, and is checked
//! when it is read.

use super::fields::{FieldId, Fields, NOWHERE, ROOT};
use super::layouts::{Known, Layouts, Member};
use super::members::Members;
use super::numbers::is_number;
use super::scan::{Tape, Token};

/// The bytes are not JSON in a place that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Faulty;

/// What a field holds. Numbers are checked, containers are not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Raw<'e> {
    /// Null, or absent: JMESPath does not tell them apart.
    Null,
    Bool(bool),
    /// The text of a number.
    Number(&'e [u8]),
    /// The bytes of a string, unescaped.
    Text(&'e [u8]),
    /// The text of an array or object.
    Container(&'e [u8]),
}

/// The same without a closer look: what begins like null counts as null.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Held<'e> {
    Nothing,
    Text(&'e [u8]),
    Other,
}

/// Where a field is.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(16))]
struct Slot {
    /// The event in which the field was found.
    found: u32,
    /// The number of the colon before its value. Beyond [`UNESCAPED`]: the number of its text in [`Extract::unescaped`].
    colon: u32,
    /// Where its value begins and ends.
    start: u32,
    end: u32,
}

impl Slot {
    /// Of a member, and where the value ends.
    #[inline(always)]
    fn new(now: u32, member: Member, end: u32) -> Self {
        Self { found: now, colon: member.number, start: member.colon.wrapping_add(1), end }
    }
}

/// No event has so many structural characters.
const UNESCAPED: u32 = 1 << 31;

/// Members of an object that are looked for and then looked up: each of the two needs few registers. Of the one behind the last is told
/// only where the last one ends.
#[derive(Debug)]
struct Batch([Member; 1 + AT_ONCE]);

const AT_ONCE: usize = 32;

impl Default for Batch {
    fn default() -> Self {
        Self([Member::default(); _])
    }
}

/// A value, and the number of the character that it begins with, if that is a bracket.
#[derive(Clone, Copy)]
struct Found<'x> {
    text: &'x [u8],
    token: u32,
}

/// What was found in one event. Reused from event to event.
#[derive(Debug, Default)]
pub(super) struct Extract {
    slots: Vec<Slot>,
    /// The event in which each object's members were looked for.
    walked: Vec<u32>,
    batch: Batch,
    layouts: Layouts,
    /// Texts of strings that had escapes, in quotes.
    unescaped: Vec<Box<[u8]>>,
    now: u32,
}

/// An event with its structure and the fields of the set that judges it.
#[derive(Clone, Copy)]
pub(super) struct Source<'e> {
    pub(super) event: &'e [u8],
    pub(super) tape: &'e Tape,
    pub(super) fields: &'e Fields,
}

impl Extract {
    /// Forgets the last event.
    pub(super) fn begin(&mut self, fields: &Fields) {
        self.now = self.now.wrapping_add(1);
        if self.now == 0 {
            self.slots.clear();
            self.walked.clear();
            self.now = 1;
        }
        if self.slots.len() < fields.len() {
            self.slots.resize(fields.len(), Slot::default());
            self.walked.resize(fields.len(), 0);
        }
        self.unescaped.clear();
        self.layouts.begin(fields);
    }

    /// What a field holds.
    #[inline]
    pub(super) fn get<'x>(&'x mut self, source: Source<'x>, field: FieldId) -> Result<Raw<'x>, Faulty> {
        self.find(source, field)?;
        self.known(source, field)
    }

    /// Whether a field is not there.
    #[inline]
    pub(super) fn is_missing(&mut self, source: Source<'_>, field: FieldId) -> Result<bool, Faulty> {
        self.find(source, field)?;
        Ok(self.slots.get(field as usize).is_none_or(|slot| slot.found != self.now))
    }

    /// Whether a field holds an object.
    pub(super) fn is_object(&mut self, source: Source<'_>, field: FieldId) -> Result<bool, Faulty> {
        self.find(source, field)?;
        Ok(self.object(source, field).is_some())
    }

    /// Two fields at once.
    pub(super) fn pair<'x>(&'x mut self, source: Source<'x>, left: FieldId, right: FieldId) -> Result<(Raw<'x>, Raw<'x>), Faulty> {
        self.find(source, left)?;
        self.find(source, right)?;
        let this: &'x Self = self;
        Ok((this.known(source, left)?, this.known(source, right)?))
    }

    /// What a field holds, if the object that it is in was walked before.
    #[inline]
    fn known<'x>(&'x self, source: Source<'x>, field: FieldId) -> Result<Raw<'x>, Faulty> {
        if field == ROOT {
            return Ok(Raw::Container(source.event));
        }
        let Some(found) = self.found(source, field) else { return Ok(Raw::Null) };
        let text = match found.ok_or(Faulty)?.text {
            // The pass made sure that a string ends right before the next structural character.
            [b'"', text @ .., b'"'] => return Ok(Raw::Text(text)),
            text => text,
        };
        match text {
            [b'{' | b'[', ..] => Ok(Raw::Container(text)),
            b"null" => Ok(Raw::Null),
            b"true" => Ok(Raw::Bool(true)),
            b"false" => Ok(Raw::Bool(false)),
            _ if is_number(text) => Ok(Raw::Number(text)),
            _ => Err(Faulty),
        }
    }

    /// What a field holds, as far as the questions of a group ask, if the object that it is in was walked before.
    #[inline(always)]
    pub(super) fn held<'x>(&'x self, source: Source<'x>, field: FieldId) -> Held<'x> {
        match self.found(source, field).map(|found| found.map(|found| found.text)) {
            Some(Some([b'"', text @ .., b'"'])) => Held::Text(text),
            None | Some(Some([b'n', ..])) => Held::Nothing,
            Some(_) => Held::Other,
        }
    }

    /// A field that was found in this event: its value as it is written, or unescaped. `Some(None)` cannot be.
    #[inline(always)]
    fn found<'x>(&'x self, source: Source<'x>, field: FieldId) -> Option<Option<Found<'x>>> {
        let slot = self.slots.get(field as usize).filter(|slot| slot.found == self.now)?;
        if slot.colon >= UNESCAPED {
            return Some(self.unescaped_text(slot.colon));
        }
        let text = source.event.get(slot.start as usize..slot.end as usize);
        Some(text.map(|text| Found { text, token: slot.colon + 1 }))
    }

    #[cold]
    fn unescaped_text(&self, slot: u32) -> Option<Found<'_>> {
        let text = self.unescaped.get((slot - UNESCAPED) as usize)?;
        Some(Found { text, token: u32::MAX })
    }

    /// The object that a field holds.
    #[inline]
    fn object<'x>(&'x self, source: Source<'x>, field: FieldId) -> Option<Found<'x>> {
        let found = if field == ROOT { Some(Found { text: source.event, token: 0 }) } else { self.found(source, field).flatten() };
        found.filter(|found| found.text.first() == Some(&b'{'))
    }

    /// Walks the object that a field is in, if that was not done yet.
    #[inline]
    fn find(&mut self, source: Source<'_>, field: FieldId) -> Result<(), Faulty> {
        if field == ROOT { Ok(()) } else { self.open(source, source.fields.parent(field)) }
    }

    /// Walks an object, and those that it is in, if that was not done yet.
    #[inline]
    pub(super) fn open(&mut self, source: Source<'_>, node: FieldId) -> Result<(), Faulty> {
        if self.walked.get(node as usize).is_some_and(|walked| *walked == self.now) {
            return Ok(());
        }
        self.walk(source, node)
    }

    /// Looks for all known members of an object.
    #[inline(never)]
    fn walk(&mut self, source: Source<'_>, node: FieldId) -> Result<(), Faulty> {
        self.find(source, node)?;
        if let Some(walked) = self.walked.get_mut(node as usize) {
            *walked = self.now;
        }
        let Some(Found { text, token }) = self.object(source, node) else { return Ok(()) };
        if text.len() == 2 {
            return Ok(());
        }
        let tokens = source.tape.tokens();
        let opening = tokens.get(token as usize).ok_or(Faulty)?;
        let start = opening.position;
        let closing = (token + opening.skip).wrapping_sub(1);
        let (mut before, mut token) = (start, token + 1);
        let members = source.fields.members(node).ok_or(Faulty)?;
        let mut is_sound = true;
        while token <= closing {
            let (mut count, mut print) = (0, 0);
            for member in self.batch.0.iter_mut().take(AT_ONCE) {
                // The value is up to the next structural character, or from a bracket to the one behind that which closes it.
                let value = token + 1;
                let Some([colon, Token { skip, .. }]) = tokens.get(token as usize..token as usize + 2) else { return Err(Faulty) };
                let end = tokens.get((value + skip) as usize).ok_or(Faulty)?.position;
                *member = Member { before, colon: colon.position, number: token };
                print = member.gather(print);
                count += 1;
                before = end;
                token = value + skip + 1;
                if token > closing {
                    break;
                }
            }
            if let Some(behind) = self.batch.0.get_mut(count) {
                behind.before = before;
            }
            let (first_escape, last_escape) = source.tape.escapes();
            if before > first_escape && start < last_escape {
                is_sound &= self.remember_escaped(source, members, count)?;
                continue;
            }
            is_sound &= self.remember(source, node, members, count, print);
        }
        // The last one ends at the object's own bracket.
        if is_sound && token == closing + 1 { Ok(()) } else { Err(Faulty) }
    }

    /// Remembers the members of the batch; tells whether all have names.
    #[inline(always)]
    fn remember(&mut self, source: Source<'_>, node: FieldId, children: &Members, count: usize, print: u64) -> bool {
        let Some((members, behind)) = self.batch.0.split_at_checked(count) else { return false };
        let Some(behind) = behind.first() else { return false };
        if let Some(known) = self.layouts.find(node, print, source.event, members) {
            for Known { number, child } in known {
                let two = self.batch.0.get(*number as usize..).and_then(<[_]>::first_chunk);
                if let (Some([member, next]), Some(slot)) = (two, self.slots.get_mut(*child as usize)) {
                    *slot = Slot::new(self.now, *member, next.before);
                }
            }
            return true;
        }
        let mut is_sound = true;
        let ends = members.iter().skip(1).chain([behind]).map(|next| next.before);
        for (member, end) in members.iter().zip(ends) {
            let (child, is_name) = children.between(source.event, member.before, member.colon);
            is_sound &= is_name;
            if let Some(slot) = self.slots.get_mut(child as usize) {
                *slot = Slot::new(self.now, *member, end);
            }
        }
        if is_sound {
            self.layouts.remember(node, print, source.event, members, children);
        }
        is_sound
    }

    /// Remembers the members of the batch, whose names and values may have escapes; tells whether all have names.
    #[cold]
    #[inline(never)]
    fn remember_escaped(&mut self, source: Source<'_>, children: &Members, count: usize) -> Result<bool, Faulty> {
        let mut is_sound = true;
        let ends = self.batch.0.into_iter().skip(1).map(|next| next.before);
        for (member, end) in self.batch.0.into_iter().take(count).zip(ends) {
            let Member { before, colon, .. } = member;
            let (mut child, is_name) = children.between(source.event, before, colon);
            is_sound &= is_name;
            let mut slot = Slot::new(self.now, member, end);
            let text = source.event.get(slot.start as usize..end as usize).ok_or(Faulty)?;
            let (first_escape, last_escape) = source.tape.escapes();
            if colon + 1 + u32::try_from(text.len()).unwrap_or(u32::MAX) > first_escape && before < last_escape {
                let name = source.event.get(before as usize + 1..colon as usize).ok_or(Faulty)?;
                if memchr::memchr(b'\\', name).is_some() {
                    child = children.named(unescape(name)?.as_bytes());
                }
                if child != NOWHERE && text.first() == Some(&b'"') && memchr::memchr(b'\\', text).is_some() {
                    slot.colon = UNESCAPED + u32::try_from(self.unescaped.len()).map_err(|_| Faulty)?;
                    self.unescaped.push(format!("\"{}\"", unescape(text)?).into_bytes().into());
                }
            }
            *self.slots.get_mut(child as usize).ok_or(Faulty)? = slot;
        }
        Ok(is_sound)
    }
}

/// The value of a string with its quotes.
fn unescape(text: &[u8]) -> Result<String, Faulty> {
    serde_json::from_slice(text).map_err(|_| Faulty)
}

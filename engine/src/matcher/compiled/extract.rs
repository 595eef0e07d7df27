//! The fields that are read, taken out of the event's bytes.
//!
//! Every path that any trigger reads is a node of one tree of names. An object is walked once, when the first field below it is
//! asked for, and all its members that the tree knows are remembered by their places; a member that comes twice is remembered
//! by its last place. Strings with escapes are unescaped then; everything else stays where it is in the event, and is checked
//! when it is read.

use super::fields::{FieldId, Fields, NOWHERE, ROOT};
use super::members::Members;
use super::numbers::is_number;
use super::scan::{Tape, Token};
use super::sequence::Stretch;
use super::trail::{Followed, Member, Trail};

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

impl Raw<'_> {
    pub(super) fn is_container(self) -> bool {
        matches!(self, Self::Container(_))
    }
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
    /// Of a member by its colon, the colon's number, and where the value ends.
    #[inline(always)]
    fn new(now: u32, colon: u32, number: u32, end: u32) -> Self {
        Self { found: now, colon: number, start: colon.wrapping_add(1), end }
    }
}

/// No event has so many structural characters.
const UNESCAPED: u32 = 1 << 31;

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
    trail: Trail,
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
        self.trail.begin(fields);
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
        raw(found.ok_or(Faulty)?.text)
    }

    /// Where a field stands; `None` where it is missing, or a string with escapes.
    pub(super) fn stretch(&mut self, source: Source<'_>, field: FieldId) -> Result<Option<Stretch>, Faulty> {
        self.find(source, field)?;
        let slot = self.slots.get(field as usize).filter(|slot| slot.found == self.now && slot.colon < UNESCAPED);
        Ok(slot.map(|slot| Stretch { start: slot.start, end: slot.end, token: slot.colon + 1 }))
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

    /// A bit for each of up to 64 fields: whether it is there, if the object that it is in was walked before.
    #[inline(always)]
    pub(super) fn which_are_there(&self, fields: &[FieldId]) -> u64 {
        let is_there = |field: FieldId| self.slots.get(field as usize).is_some_and(|slot| slot.found == self.now);
        fields.iter().zip(0..64).fold(0, |bits, (field, number)| bits | u64::from(is_there(*field)) << number)
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

    /// The same where that which the object is in was opened before: then there may be nothing to walk.
    #[inline(always)]
    pub(super) fn open_if_there(&mut self, source: Source<'_>, node: FieldId) -> Result<(), Faulty> {
        let is_there = node == ROOT || self.slots.get(node as usize).is_some_and(|slot| slot.found == self.now);
        if is_there { self.open(source, node) } else { Ok(()) }
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
        let opening = source.tape.tokens().get(token as usize).ok_or(Faulty)?;
        let closing = (token + opening.skip).wrapping_sub(1);
        let members = source.fields.members(node).ok_or(Faulty)?;
        let mut rest = Rest { tokens: source.tape.tokens(), before: opening.position, token: token + 1, closing };
        let (first_escape, last_escape) = source.tape.escapes();
        let end = rest.tokens.get(closing as usize).ok_or(Faulty)?.position;
        let is_sound = if end > first_escape && opening.position < last_escape {
            self.remember_escaped(source, members, &mut rest)?
        } else {
            self.remember(source, node, members, &mut rest)?
        };
        // The last one ends at the object's own bracket.
        if is_sound && rest.token == closing + 1 { Ok(()) } else { Err(Faulty) }
    }

    /// Remembers members; tells whether all have names.
    #[inline(always)]
    fn remember(&mut self, source: Source<'_>, node: FieldId, children: &Members, rest: &mut Rest<'_>) -> Result<bool, Faulty> {
        let Self { slots, trail, now, .. } = self;
        let mut is_sound = true;
        let mut step = trail.head(node);
        while let Some((before, number, end)) = rest.next()? {
            let colon;
            (step, colon) = match trail.follow(step, node, source.event, before) {
                Some(Followed { step, colon }) => (step, colon),
                None => {
                    let colon = rest.colon(number)?;
                    let (next, is_name) = trail.look_up(step, node, source.event, Member { before, colon }, children);
                    is_sound &= is_name;
                    (next, colon)
                }
            };
            *slots.get_mut(step.child as usize).ok_or(Faulty)? = Slot::new(*now, colon, number, end);
        }
        Ok(is_sound)
    }

    /// Remembers members whose names and values may have escapes; tells whether all have names.
    #[cold]
    #[inline(never)]
    fn remember_escaped(&mut self, source: Source<'_>, children: &Members, rest: &mut Rest<'_>) -> Result<bool, Faulty> {
        let mut is_sound = true;
        while let Some((before, number, end)) = rest.next()? {
            let colon = rest.colon(number)?;
            let (mut child, is_name) = children.between(source.event, before, colon);
            is_sound &= is_name;
            let mut slot = Slot::new(self.now, colon, number, end);
            let text = source.event.get(slot.start as usize..end as usize).ok_or(Faulty)?;
            let (first_escape, last_escape) = source.tape.escapes();
            if end > first_escape && before < last_escape {
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

/// The members of an object that were not looked at yet.
struct Rest<'t> {
    tokens: &'t [Token],
    /// The structural character before the next one's name.
    before: u32,
    /// The number of its colon.
    token: u32,
    /// That of the bracket that closes the object.
    closing: u32,
}

impl Rest<'_> {
    /// The structural character before the next member's name, the number of its colon, and where its value ends: at the next structural
    /// character, or behind the bracket that closes it.
    #[inline(always)]
    fn next(&mut self) -> Result<Option<(u32, u32, u32)>, Faulty> {
        if self.token > self.closing {
            return Ok(None);
        }
        let (before, number) = (self.before, self.token);
        let skip = self.tokens.get(number as usize + 1).ok_or(Faulty)?.skip;
        let behind = number + 1 + skip;
        self.before = self.tokens.get(behind as usize).ok_or(Faulty)?.position;
        self.token = behind + 1;
        Ok(Some((before, number, self.before)))
    }

    fn colon(&self, number: u32) -> Result<u32, Faulty> {
        self.tokens.get(number as usize).map(|token| token.position).ok_or(Faulty)
    }
}

/// What a text stands for that has no escapes, and ends right before a structural character.
#[inline]
pub(super) fn raw(text: &[u8]) -> Result<Raw<'_>, Faulty> {
    let text = match text {
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

/// The value of a string with its quotes.
fn unescape(text: &[u8]) -> Result<String, Faulty> {
    serde_json::from_slice(text).map_err(|_| Faulty)
}

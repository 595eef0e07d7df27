//! The fields that are read, taken out of the event's bytes.
//!
//! Every path that any trigger reads is a node of one tree of names. An object is walked once, when the first field below it is
//! asked for, and all its members that the tree knows are remembered by their places; a member that comes twice is remembered
//! by its last place. Strings with escapes are unescaped then; everything else stays where it is in the event, and is checked
//! when it is read.

use super::fields::{Children, FieldId, Fields, ROOT};
use super::numbers::is_number;
use super::scan::Tape;

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

/// What a value is by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Kind {
    #[default]
    Null,
    True,
    False,
    /// A number, or nothing that JSON knows.
    Number,
    /// Without its quotes.
    Text,
    /// In [`Extract::unescaped`].
    Unescaped,
    Array,
    Object,
}

#[expect(clippy::indexing_slicing, reason = "done while compiling, where it could not panic unnoticed")]
static KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Number; 256];
    kinds[b'n' as usize] = Kind::Null;
    kinds[b't' as usize] = Kind::True;
    kinds[b'f' as usize] = Kind::False;
    kinds[b'"' as usize] = Kind::Text;
    kinds[b'[' as usize] = Kind::Array;
    kinds[b'{' as usize] = Kind::Object;
    kinds
};

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// The event in which the field was found.
    found: u32,
    start: u32,
    end: u32,
    /// The number of the opening bracket.
    token: u32,
    kind: Kind,
}

/// What was found in one event. Reused from event to event.
#[derive(Debug, Default)]
pub(super) struct Extract {
    slots: Vec<Slot>,
    /// The event in which each object's members were looked for.
    walked: Vec<u32>,
    unescaped: Vec<u8>,
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
    pub(super) fn begin(&mut self, fields: &Fields, source_end: usize) {
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
        if let Some(root) = self.slots.first_mut() {
            *root = Slot { found: self.now, start: 0, end: u32::try_from(source_end).unwrap_or(0), token: 0, kind: Kind::Object };
        }
    }

    /// What a field holds.
    #[inline]
    pub(super) fn get<'x>(&'x mut self, source: Source<'x>, field: FieldId) -> Result<Raw<'x>, Faulty> {
        self.find(source, field)?;
        self.known(source, field)
    }

    /// Whether a field holds an object.
    pub(super) fn is_object(&mut self, source: Source<'_>, field: FieldId) -> Result<bool, Faulty> {
        self.find(source, field)?;
        Ok(self.slot(field).kind == Kind::Object)
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
        let slot = self.slot(field);
        let (start, end) = (slot.start as usize, slot.end as usize);
        if slot.kind == Kind::Text {
            return source.event.get(start..end).map(Raw::Text).ok_or(Faulty);
        }
        if slot.found == 0 {
            return Ok(Raw::Null);
        }
        if slot.kind == Kind::Unescaped {
            return self.unescaped.get(start..end).map(Raw::Text).ok_or(Faulty);
        }
        let text = source.event.get(start..end).ok_or(Faulty)?;
        match slot.kind {
            Kind::Array | Kind::Object => Ok(Raw::Container(text)),
            Kind::Null if text == b"null" => Ok(Raw::Null),
            Kind::True if text == b"true" => Ok(Raw::Bool(true)),
            Kind::False if text == b"false" => Ok(Raw::Bool(false)),
            Kind::Number if is_number(text) => Ok(Raw::Number(text)),
            _ => Err(Faulty),
        }
    }

    /// What a field holds, as far as the questions of a group ask, if the object that it is in was walked before.
    #[inline(always)]
    pub(super) fn held<'x>(&'x self, source: Source<'x>, field: FieldId) -> Held<'x> {
        let Some(slot) = self.slots.get(field as usize).filter(|slot| slot.found == self.now) else { return Held::Nothing };
        let text = match slot.kind {
            Kind::Text => source.event,
            Kind::Null => return Held::Nothing,
            Kind::Unescaped => &self.unescaped,
            _ => return Held::Other,
        };
        Held::Text(text.get(slot.start as usize..slot.end as usize).unwrap_or_default())
    }

    /// The slot of a field that was found in this event, or one that says that it was not.
    #[inline]
    fn slot(&self, field: FieldId) -> Slot {
        match self.slots.get(field as usize) {
            Some(slot) if slot.found == self.now => *slot,
            _ => Slot::default(),
        }
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
        let slot = self.slot(node);
        if slot.kind != Kind::Object {
            return Ok(());
        }
        let Source { event, tape, fields } = source;
        let children = fields.children(node);
        let (tokens, closings) = (tape.tokens(), tape.closings());
        let has_backslash = tape.has_backslash();
        let end = slot.end - 1;
        let mut before = slot.start;
        let mut token = slot.token as usize + 1;
        if before + 1 == end {
            return Ok(());
        }
        loop {
            // The pass made sure that a string ends right before the next structural character, and that one follows a bracket that
            // closes.
            let [colon, next] = *tokens.get(token..).and_then(|tokens| tokens.first_chunk::<2>()).ok_or(Faulty)?;
            let (start, end_of_name) = (before as usize, colon as usize);
            let child = if has_backslash {
                escaped_child(event, start, end_of_name, children)
            } else {
                children.between(event, start, end_of_name)
            };
            let child = child.ok_or(Faulty)?;
            let mut opening = 0;
            let mut follows = next;
            token += 1;
            if next == colon + 1 {
                opening = token;
                let closing = *closings.get(token).ok_or(Faulty)? as usize;
                let [closes, behind] = *tokens.get(closing..).and_then(|tokens| tokens.first_chunk::<2>()).ok_or(Faulty)?;
                // `{` and `}`, like `[` and `]`, are two apart.
                let pair = event.get(closes as usize).zip(event.get(next as usize));
                if pair.is_none_or(|(close, open)| close.wrapping_sub(*open) != 2) {
                    return Err(Faulty);
                }
                follows = behind;
                token = closing + 1;
            }
            if let Some(child) = child {
                self.remember(event, child, colon + 1, follows, opening, has_backslash)?;
            }
            match event.get(follows as usize) {
                Some(b',') => before = follows,
                Some(b'}') if follows == end => return Ok(()),
                _ => return Err(Faulty),
            }
            token += 1;
        }
    }

    #[inline(always)]
    fn remember(&mut self, event: &[u8], child: FieldId, start: u32, end: u32, opening: usize, has_backslash: bool) -> Result<(), Faulty> {
        let kind = KINDS.get(usize::from(*event.get(start as usize).ok_or(Faulty)?)).copied().unwrap_or_default();
        let quote = u32::from(kind == Kind::Text);
        // No event has so many structural characters that their numbers would be cut.
        #[expect(clippy::cast_possible_truncation, reason = "an event is shorter than 4 GiB")]
        let mut slot = Slot { found: self.now, start: start + quote, end: end - quote, token: opening as u32, kind };
        if has_backslash && kind == Kind::Text {
            slot = self.unescaped(event.get(start as usize..end as usize).ok_or(Faulty)?, slot)?;
        }
        *self.slots.get_mut(child as usize).ok_or(Faulty)? = slot;
        Ok(())
    }

    /// The slot of a string that may hold escapes.
    #[cold]
    fn unescaped(&mut self, text: &[u8], slot: Slot) -> Result<Slot, Faulty> {
        if memchr::memchr(b'\\', text).is_none() {
            return Ok(slot);
        }
        let place = |length: usize| u32::try_from(length).map_err(|_| Faulty);
        let start = place(self.unescaped.len())?;
        self.unescaped.extend_from_slice(unescape(text)?.as_bytes());
        Ok(Slot { start, end: place(self.unescaped.len())?, kind: Kind::Unescaped, ..slot })
    }
}

/// The child of a name as it stands in an event, which may hold escapes; `None` is a faulty one.
#[cold]
fn escaped_child(event: &[u8], before: usize, colon: usize, children: Children<'_>) -> Option<Option<FieldId>> {
    match event.get(before..=colon)? {
        [_, name @ .., b':'] if memchr::memchr(b'\\', name).is_some() => Some(children.named(unescape(name).ok()?.as_bytes())),
        _ => children.between(event, before, colon),
    }
}

/// The value of a string with its quotes.
fn unescape(text: &[u8]) -> Result<String, Faulty> {
    serde_json::from_slice(text).map_err(|_| Faulty)
}

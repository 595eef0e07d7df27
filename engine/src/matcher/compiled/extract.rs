//! The fields that are read, taken out of the event's bytes.
//!
//! Every path that any trigger reads is a node of one tree of names. An object is walked once, when the first field below it is
//! asked for, and all its members that the tree knows are remembered by their places; a member that comes twice is remembered
//! by its last place. Strings with escapes are unescaped then; everything else stays where it is in the event.

use super::hash::hash;
use super::scan::Tape;

/// A path that some trigger reads: the number of its node.
pub(super) type FieldId = u32;

/// The whole event.
pub(super) const ROOT: FieldId = 0;

/// The bytes are not JSON in a place that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Faulty;

/// All paths that a set reads.
#[derive(Debug, Default)]
pub(super) struct Fields {
    nodes: Vec<Node>,
    /// Apart from the nodes, because every look at a field asks for it.
    parents: Vec<FieldId>,
}

#[derive(Debug, Default)]
struct Node {
    name: Box<[u8]>,
    /// Children by the hash of their names, in a table of a power of two; 0 (the root) stands for an empty place.
    children: Vec<(u32, FieldId)>,
    count: usize,
}

impl Fields {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::default()], parents: vec![ROOT] }
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The node of a path, made if it is new.
    pub(super) fn intern(&mut self, path: &[String]) -> FieldId {
        let mut node = ROOT;
        for name in path {
            node = self.child(node, name.as_bytes()).unwrap_or_else(|| self.add(node, name.as_bytes()));
        }
        node
    }

    fn add(&mut self, parent: FieldId, name: &[u8]) -> FieldId {
        let id = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.nodes.push(Node { name: name.into(), ..Node::default() });
        self.parents.push(parent);
        let Some(node) = self.nodes.get_mut(parent as usize) else { return id };
        node.count += 1;
        let mut members: Vec<FieldId> = node.children.iter().map(|(_, child)| *child).filter(|child| *child != ROOT).collect();
        members.push(id);
        let mut table = vec![(0, ROOT); (node.count * 4).next_power_of_two()];
        for member in members {
            let hashed = self.nodes.get(member as usize).map_or(0, |node| fold(hash(&node.name)));
            let mut at = hashed as usize & (table.len() - 1);
            while table.get(at).is_some_and(|(_, taken)| *taken != ROOT) {
                at = (at + 1) & (table.len() - 1);
            }
            if let Some(slot) = table.get_mut(at) {
                *slot = (hashed, member);
            }
        }
        if let Some(node) = self.nodes.get_mut(parent as usize) {
            node.children = table;
        }
        id
    }

    #[inline]
    fn child(&self, parent: FieldId, name: &[u8]) -> Option<FieldId> {
        let children = &self.nodes.get(parent as usize)?.children;
        let mask = children.len().wrapping_sub(1);
        let hashed = fold(hash(name));
        let mut at = hashed as usize & mask;
        loop {
            let (other, child) = *children.get(at)?;
            if child == ROOT {
                return None;
            }
            if other == hashed && self.nodes.get(child as usize).is_some_and(|node| *node.name == *name) {
                return Some(child);
            }
            at = (at + 1) & mask;
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "half of a hash will do")]
fn fold(hash: u64) -> u32 {
    (hash ^ (hash >> 32)) as u32
}

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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Held {
    #[default]
    Null,
    True,
    False,
    Number,
    Text,
    /// In [`Extract::unescaped`].
    Unescaped,
    Array,
    Object,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// The event in which the field was found.
    found: u32,
    /// The event in which its members were looked for.
    walked: u32,
    held: Held,
    start: u32,
    end: u32,
    /// The number of the opening bracket.
    token: u32,
}

/// What was found in one event. Reused from event to event.
#[derive(Debug, Default)]
pub(super) struct Extract {
    slots: Vec<Slot>,
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
            self.now = 1;
        }
        if self.slots.len() < fields.len() {
            self.slots.resize(fields.len(), Slot::default());
        }
        self.unescaped.clear();
        if let Some(root) = self.slots.first_mut() {
            *root =
                Slot { found: self.now, walked: 0, held: Held::Object, start: 0, end: u32::try_from(source_end).unwrap_or(0), token: 0 };
        }
    }

    /// What a field holds.
    #[inline]
    pub(super) fn get<'x>(&'x mut self, source: Source<'x>, field: FieldId) -> Result<Raw<'x>, Faulty> {
        let slot = self.slot(source, field)?;
        let part = |bytes: &'x [u8]| bytes.get(slot.start as usize..slot.end as usize).ok_or(Faulty);
        Ok(match slot.held {
            Held::Null => Raw::Null,
            Held::True => Raw::Bool(true),
            Held::False => Raw::Bool(false),
            Held::Number => Raw::Number(part(source.event)?),
            Held::Text => Raw::Text(part(source.event)?),
            Held::Unescaped => Raw::Text(part(&self.unescaped)?),
            Held::Array | Held::Object => Raw::Container(part(source.event)?),
        })
    }

    /// Whether a field holds an object.
    pub(super) fn is_object(&mut self, source: Source<'_>, field: FieldId) -> Result<bool, Faulty> {
        Ok(self.slot(source, field)?.held == Held::Object)
    }

    /// Two fields at once.
    pub(super) fn pair<'x>(&'x mut self, source: Source<'x>, left: FieldId, right: FieldId) -> Result<(Raw<'x>, Raw<'x>), Faulty> {
        self.slot(source, left)?;
        self.slot(source, right)?;
        let this: &'x Self = self;
        Ok((this.known(source, left)?, this.known(source, right)?))
    }

    /// What a field holds whose parent was walked before.
    fn known<'x>(&'x self, source: Source<'x>, field: FieldId) -> Result<Raw<'x>, Faulty> {
        let slot = self.slots.get(field as usize).filter(|slot| slot.found == self.now).copied().unwrap_or_default();
        let part = |bytes: &'x [u8]| bytes.get(slot.start as usize..slot.end as usize).ok_or(Faulty);
        Ok(match slot.held {
            Held::Null => Raw::Null,
            Held::True => Raw::Bool(true),
            Held::False => Raw::Bool(false),
            Held::Number => Raw::Number(part(source.event)?),
            Held::Text => Raw::Text(part(source.event)?),
            Held::Unescaped => Raw::Text(part(&self.unescaped)?),
            Held::Array | Held::Object => Raw::Container(part(source.event)?),
        })
    }

    #[inline]
    fn slot(&mut self, source: Source<'_>, field: FieldId) -> Result<Slot, Faulty> {
        if field != ROOT {
            let parent = source.fields.parents.get(field as usize).copied().unwrap_or(ROOT);
            if self.slots.get(parent as usize).is_some_and(|slot| slot.walked != self.now) {
                self.walk(source, parent)?;
            }
        }
        Ok(self.slots.get(field as usize).filter(|slot| slot.found == self.now).copied().unwrap_or_default())
    }

    /// Looks for all known members of an object.
    #[cold]
    fn walk(&mut self, source: Source<'_>, node: FieldId) -> Result<(), Faulty> {
        let slot = self.slot(source, node)?;
        if let Some(slot) = self.slots.get_mut(node as usize) {
            slot.walked = self.now;
        }
        if slot.held != Held::Object {
            return Ok(());
        }
        let Source { event, tape, fields } = source;
        let end = slot.end as usize - 1;
        let mut before = slot.start as usize;
        let mut token = slot.token as usize + 1;
        if tape.position(token) == Some(end) {
            return if before + 1 == end { Ok(()) } else { Err(Faulty) };
        }
        loop {
            // The pass made sure that a string ends right before the next structural character.
            let colon = tape.position(token).ok_or(Faulty)?;
            if event.get(colon) != Some(&b':') || event.get(before + 1) != Some(&b'"') {
                return Err(Faulty);
            }
            let name = event.get(before + 2..colon - 1).ok_or(Faulty)?;
            let next = tape.position(token + 1).ok_or(Faulty)?;
            let child = if tape.has_backslash() && memchr::memchr(b'\\', name).is_some() {
                fields.child(node, unescape(event.get(before + 1..colon).ok_or(Faulty)?)?.as_bytes())
            } else {
                fields.child(node, name)
            };
            let (opening, after) = if next == colon + 1 {
                // An empty value, or a container.
                if !matches!(event.get(next), Some(b'{' | b'[')) {
                    return Err(Faulty);
                }
                let closes_at = tape.closing(next).ok_or(Faulty)?;
                let closing = tape.number(closes_at).ok_or(Faulty)?;
                let follows_at = tape.position(closing + 1).ok_or(Faulty)?;
                if follows_at != closes_at + 1
                    || event.get(closes_at).zip(event.get(next)).is_none_or(|(close, open)| close.wrapping_sub(*open) != 2)
                {
                    return Err(Faulty);
                }
                (token + 1, closing + 1)
            } else {
                (0, token + 1)
            };
            let follows = tape.position(after).ok_or(Faulty)?;
            if let Some(child) = child {
                self.remember(source, child, colon + 1, follows, opening)?;
            }
            match event.get(follows) {
                Some(b',') => (before, token) = (follows, after + 1),
                Some(b'}') if follows == end => return Ok(()),
                _ => return Err(Faulty),
            }
        }
    }

    fn remember(&mut self, source: Source<'_>, child: FieldId, start: usize, end: usize, token: usize) -> Result<(), Faulty> {
        let text = source.event.get(start..end).ok_or(Faulty)?;
        let (mut start, mut end) = (start, end);
        let held = match text.first() {
            Some(b'"') if source.tape.has_backslash() && memchr::memchr(b'\\', text).is_some() => {
                let unescaped = unescape(text)?;
                start = self.unescaped.len();
                self.unescaped.extend_from_slice(unescaped.as_bytes());
                end = self.unescaped.len();
                Held::Unescaped
            }
            Some(b'"') => {
                (start, end) = (start + 1, end - 1);
                Held::Text
            }
            Some(b'{') => Held::Object,
            Some(b'[') => Held::Array,
            Some(b't') if text == b"true" => Held::True,
            Some(b'f') if text == b"false" => Held::False,
            Some(b'n') if text == b"null" => Held::Null,
            _ if is_number(text) => Held::Number,
            _ => return Err(Faulty),
        };
        let small = |number: usize| u32::try_from(number).map_err(|_| Faulty);
        let slot = Slot { found: self.now, walked: 0, held, start: small(start)?, end: small(end)?, token: small(token)? };
        *self.slots.get_mut(child as usize).ok_or(Faulty)? = slot;
        Ok(())
    }
}

/// The value of a string with its quotes.
fn unescape(text: &[u8]) -> Result<String, Faulty> {
    serde_json::from_slice(text).map_err(|_| Faulty)
}

/// Whether a text is a number that JSON's grammar and a double take.
pub(super) fn is_number(text: &[u8]) -> bool {
    small_integer(text).is_some() || serde_json::from_slice::<crate::value::Number>(text).is_ok()
}

/// A number of at most 18 digits without fraction and exponent.
pub(super) fn small_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 || (digits.len() > 1 && digits.first() == Some(&b'0')) {
        return None;
    }
    let mut value = 0_i64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(digit - b'0');
    }
    Some(if negative { -value } else { value })
}

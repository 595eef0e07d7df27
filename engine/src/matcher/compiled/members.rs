//! The known members of each object, found by their names.
//!
//! Most members of an event are looked up and not found, so that has to be quick: its end and its length tell a place in
//! a table, and what lies there is compared at once. The tables are made so that hardly ever two names have one place.

use std::hint::select_unpredictable;

use super::fields::{FieldId, NOWHERE};
use super::hash::SEED;

/// A name as it stands in an event: the eight bytes from its start on, the eight before its end, and its length. Of a short name there
/// are other bytes in them.
#[derive(Debug, Clone, Copy)]
struct Key {
    first: u64,
    last: u64,
    length: u32,
}

impl Key {
    /// The key of a name that has nothing around it.
    #[cold]
    #[inline(never)]
    fn alone(name: &[u8]) -> Self {
        let (mut first, mut last) = ([0; 8], [0; 8]);
        for (place, byte) in first.iter_mut().zip(name) {
            *place = *byte;
        }
        for (place, byte) in last.iter_mut().rev().zip(name.iter().rev()) {
            *place = *byte;
        }
        let length = u32::try_from(name.len()).unwrap_or(u32::MAX - 1);
        // A name has a quote before it.
        if let Some(place) = last.iter_mut().rev().nth(name.len()) {
            *place = b'"';
        }
        Self { first: u64::from_le_bytes(first), last: u64::from_le_bytes(last), length }
    }

    /// Where the name is in a table: from its length and its last four bytes. With three bytes these are the name and the quote
    /// before it; of less only the length counts.
    #[inline(always)]
    fn place(self, table: Place) -> usize {
        let end = if self.length < 3 { 0 } else { self.last >> 32 };
        let mixed = (end << 16 ^ u64::from(self.length)).wrapping_mul(table.factor);
        // In the upper bits, each of which depends on all.
        mixed.wrapping_shr(table.shift) as usize
    }
}

/// How a table's places come from keys.
#[derive(Debug, Clone, Copy)]
struct Place {
    factor: u64,
    shift: u32,
}

/// A child by its name: first and last eight bytes and length are all of it, if that is 16 or less.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Entry {
    first: u64,
    /// The bits of `first` that are the name's.
    first_mask: u64,
    last: u64,
    last_mask: u64,
    length: u32,
    child: FieldId,
    /// The number of the name among those of its object.
    name: u32,
    /// Whether the name is longer, or a name that belongs here lies further on: then more has to be looked at.
    more: bool,
}

/// No name has its length.
const EMPTY: Entry = Entry { first: 0, first_mask: 0, last: 0, last_mask: 0, length: u32::MAX, child: NOWHERE, name: 0, more: false };

impl Entry {
    fn new(number: u32, name: &[u8], child: FieldId) -> Self {
        let Key { first, last, length } = Key::alone(name);
        let missing = 64 - 8 * length.min(8);
        let (first_mask, last_mask) = (u64::MAX.unbounded_shr(missing), u64::MAX.unbounded_shl(missing));
        Self { first: first & first_mask, first_mask, last: last & last_mask, last_mask, length, child, name: number, more: length > 16 }
    }

    /// The child if the key is its name's, else [`NOWHERE`]; without a branch, as nobody foresees which it is.
    #[inline(always)]
    fn child(&self, key: Key) -> FieldId {
        let unlike = (self.first ^ key.first) & self.first_mask | (self.last ^ key.last) & self.last_mask;
        let is_like = unlike | u64::from(self.length ^ key.length) == 0;
        select_unpredictable(is_like, self.child, NOWHERE)
    }
}

/// The members of one object that are known.
#[derive(Debug)]
pub(super) struct Members {
    /// A power of two, at least two.
    entries: Box<[Entry]>,
    place: Place,
    names: Box<[Box<[u8]>]>,
}

impl Members {
    pub(super) fn new(children: &[(FieldId, &[u8])]) -> Self {
        let size = (children.len() * 4).next_power_of_two().max(2);
        let shift = 64 - size.trailing_zeros();
        let keys: Vec<Key> = children.iter().map(|(_, name)| Key::alone(name)).collect();
        let lie_apart = |place: &Place| {
            let mut places: Vec<usize> = keys.iter().map(|key| key.place(*place)).collect();
            places.sort_unstable();
            places.windows(2).all(|pair| pair.first() != pair.last())
        };
        let mut tries = (0..256_u64).map(|number| Place { factor: SEED.wrapping_add(number << 20), shift });
        let place = tries.find(lie_apart).unwrap_or(Place { factor: SEED, shift });
        let mut entries = vec![EMPTY; size];
        for ((number, (child, name)), key) in (0..).zip(children).zip(keys) {
            let mut at = key.place(place);
            while let Some(taken) = entries.get_mut(at).filter(|entry| entry.child != NOWHERE) {
                taken.more = true;
                at = (at + 1) & (size - 1);
            }
            if let Some(entry) = entries.get_mut(at) {
                *entry = Entry::new(number, name, *child);
            }
        }
        let names = children.iter().map(|(_, name)| Box::from(*name)).collect();
        Self { entries: entries.into(), place, names }
    }

    /// The member whose name stands between two structural characters of an event that the pass found sound, and whether it is a name: in
    /// quotes, with a colon as the second character and not as the first. The name has no escapes.
    #[inline(always)]
    pub(super) fn between(&self, event: &[u8], before: u32, colon: u32) -> (FieldId, bool) {
        let Some([start, _, first @ ..]) = ten(event, before) else { return self.near_an_end(event, before, colon) };
        let Some([last @ .., closes, colons]) = ten(event, colon.wrapping_sub(9)) else { return self.near_an_end(event, before, colon) };
        let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
        let key = Key { first, last, length: colon.wrapping_sub(before).wrapping_sub(3) };
        // A quote that touches a structural character ends a string, and a string begins right behind one.
        let is_name = (u16::from_le_bytes([*closes, *colons]) == u16::from_le_bytes(*b"\":")) & (*start != b':');
        let Some(entry) = self.entries.get(key.place(self.place)) else { return (NOWHERE, is_name) };
        if entry.more {
            return (self.further(event, before, colon), is_name);
        }
        (entry.child(key), is_name)
    }

    /// The same for a name that is long, or whose place was taken.
    #[inline(never)]
    fn further(&self, event: &[u8], before: u32, colon: u32) -> FieldId {
        self.named(event.get(before as usize + 2..(colon as usize).wrapping_sub(1)).unwrap_or_default())
    }

    /// The same where there are not enough bytes around.
    #[cold]
    #[inline(never)]
    fn near_an_end(&self, event: &[u8], before: u32, colon: u32) -> (FieldId, bool) {
        match event.get(before as usize..=colon as usize) {
            Some([start, b'"', name @ .., b'"', b':']) => (self.named(name), *start != b':'),
            _ => (NOWHERE, false),
        }
    }

    /// The member of a name.
    pub(super) fn named(&self, name: &[u8]) -> FieldId {
        let key = Key::alone(name);
        let mut at = key.place(self.place);
        while let Some(entry) = self.entries.get(at) {
            let child = entry.child(key);
            if child != NOWHERE && self.names.get(entry.name as usize).is_some_and(|known| **known == *name) {
                return child;
            }
            if !entry.more {
                break;
            }
            at = (at + 1) & (self.entries.len() - 1);
        }
        NOWHERE
    }
}

/// Ten bytes from a place on.
#[inline(always)]
fn ten(event: &[u8], from: u32) -> Option<&[u8; 10]> {
    event.get(from as usize..from as usize + 10)?.first_chunk()
}

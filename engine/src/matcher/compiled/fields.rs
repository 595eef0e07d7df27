//! The names of the fields that a set reads, as one tree.

use std::collections::HashMap;

/// A path that some trigger reads: the number of its node.
pub(super) type FieldId = u32;

/// The whole event.
pub(super) const ROOT: FieldId = 0;

/// All paths that a set reads.
#[derive(Debug, Default)]
pub(super) struct Fields {
    names: Vec<Box<[u8]>>,
    parents: Vec<FieldId>,
    known: HashMap<(FieldId, Box<[u8]>), FieldId>,
    /// The children of each node, in tables that lie one behind the other. Made by [`Fields::seal`].
    tables: Vec<Table>,
    entries: Vec<Entry>,
}

/// A table of a power of two.
#[derive(Debug, Clone, Copy, Default)]
struct Table {
    start: u32,
    mask: u32,
}

/// A child by its name; child [`ROOT`] is an empty place.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    key: Key,
    child: FieldId,
}

/// A name in a form that is compared at once: its first and last eight bytes and its length are all of it, if that is 16 or less.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Key {
    first: u64,
    last: u64,
    length: u32,
}

impl Key {
    /// The key of a name by the eight bytes from its start on and the eight before its end, of which those beyond a short name are
    /// cut off.
    #[inline(always)]
    fn new(first: [u8; 8], last: [u8; 8], length: usize) -> Self {
        let missing = 8 * (8 - length.min(8));
        #[expect(clippy::cast_possible_truncation, reason = "at most 64; no event is longer than 4 GiB")]
        let (missing, length) = (missing as u32, length as u32);
        Self { first: u64::from_le_bytes(first).unbounded_shl(missing), last: u64::from_le_bytes(last).unbounded_shr(missing), length }
    }

    /// The key of a name that has nothing around it.
    #[cold]
    fn alone(name: &[u8]) -> Self {
        let (mut first, mut last) = ([0; 8], [0; 8]);
        let short = name.len().min(8);
        for (place, byte) in first.iter_mut().zip(name) {
            *place = *byte;
        }
        for (place, byte) in last.iter_mut().rev().zip(name.iter().rev().take(short)) {
            *place = *byte;
        }
        Self::new(first, last, name.len())
    }

    #[inline(always)]
    fn hash(self) -> u32 {
        let mixed = (self.first ^ self.last.rotate_left(31) ^ u64::from(self.length)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        // The upper half, in which each bit depends on all.
        (mixed >> 39) as u32
    }
}

impl Fields {
    pub(super) fn new() -> Self {
        Self { names: vec![Box::default()], parents: vec![ROOT], ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The node of a path, made if it is new.
    pub(super) fn intern(&mut self, path: &[String]) -> FieldId {
        path.iter().fold(ROOT, |parent, name| {
            let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
            let name: Box<[u8]> = name.as_bytes().into();
            let node = *self.known.entry((parent, name.clone())).or_insert(next);
            if node == next {
                self.names.push(name);
                self.parents.push(parent);
            }
            node
        })
    }

    /// Makes the tables by which names are looked up; before it none is found.
    pub(super) fn seal(&mut self) {
        let mut children: Vec<Vec<FieldId>> = vec![Vec::new(); self.names.len()];
        for (node, parent) in (0..).zip(&self.parents).skip(1) {
            if let Some(children) = children.get_mut(*parent as usize) {
                children.push(node);
            }
        }
        for members in children {
            let size = if members.is_empty() { 1 } else { (members.len() * 4).next_power_of_two() };
            let mut entries = vec![Entry::default(); size];
            for child in members {
                let key = Key::alone(self.name(child));
                let mut at = key.hash() as usize & (size - 1);
                while entries.get(at).is_some_and(|entry| entry.child != ROOT) {
                    at = (at + 1) & (size - 1);
                }
                if let Some(entry) = entries.get_mut(at) {
                    *entry = Entry { key, child };
                }
            }
            let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            self.tables.push(Table { start: small(self.entries.len()), mask: small(size - 1) });
            self.entries.extend(entries);
        }
    }

    fn name(&self, field: FieldId) -> &[u8] {
        self.names.get(field as usize).map_or(&[], |name| name)
    }

    #[inline]
    pub(super) fn parent(&self, field: FieldId) -> FieldId {
        self.parents.get(field as usize).copied().unwrap_or(ROOT)
    }

    /// The object that a field is in, and those that that is in, outermost first.
    pub(super) fn ancestors(&self, field: FieldId) -> Vec<FieldId> {
        let mut found = Vec::new();
        let mut node = field;
        while node != ROOT {
            node = self.parent(node);
            found.push(node);
        }
        found.reverse();
        found
    }

    /// Looks up members of one object.
    #[inline]
    pub(super) fn children(&self, parent: FieldId) -> Children<'_> {
        let table = self.tables.get(parent as usize).copied().unwrap_or_default();
        let (start, mask) = (table.start as usize, table.mask as usize);
        Children { fields: self, entries: self.entries.get(start..=start + mask).unwrap_or_default(), mask }
    }
}

/// The members of one object that are known.
#[derive(Clone, Copy)]
pub(super) struct Children<'f> {
    fields: &'f Fields,
    entries: &'f [Entry],
    mask: usize,
}

impl Children<'_> {
    /// The member whose name stands between two structural characters of an event, in quotes and with a colon as the second
    /// character. `None` is no such name.
    #[inline(always)]
    pub(super) fn between(self, event: &[u8], before: usize, colon: usize) -> Option<Option<FieldId>> {
        let (Some([_, opens, first @ ..]), Some([last @ .., closes, b':'])) =
            (event.get(before..)?.first_chunk::<10>(), event.get(..=colon)?.last_chunk::<10>())
        else {
            return self.near_an_end(event, before, colon);
        };
        let length = colon.checked_sub(before + 3)?;
        if (*opens, *closes) != (b'"', b'"') {
            return None;
        }
        Some(self.find(Key::new(*first, *last, length), || event.get(before + 2..colon - 1).unwrap_or_default()))
    }

    /// The same where there are not enough bytes around.
    #[cold]
    fn near_an_end(self, event: &[u8], before: usize, colon: usize) -> Option<Option<FieldId>> {
        let [_, b'"', name @ .., b'"', b':'] = event.get(before..=colon)? else { return None };
        Some(self.named(name))
    }

    /// The member of a name.
    pub(super) fn named(self, name: &[u8]) -> Option<FieldId> {
        self.find(Key::alone(name), || name)
    }

    #[inline(always)]
    fn find<'n>(self, key: Key, name: impl FnOnce() -> &'n [u8]) -> Option<FieldId> {
        let mut at = key.hash() as usize & self.mask;
        loop {
            let entry = self.entries.get(at)?;
            if entry.child == ROOT {
                return None;
            }
            // All at once: most are other names.
            let unlike = (entry.key.first ^ key.first) | (entry.key.last ^ key.last) | u64::from(entry.key.length ^ key.length);
            if unlike == 0 {
                if key.length <= 16 {
                    return Some(entry.child);
                }
                return self.long(at, key, name());
            }
            at = (at + 1) & self.mask;
        }
    }

    /// From a place on: of names beyond 16 bytes the middle is compared, too.
    fn long(self, mut at: usize, key: Key, name: &[u8]) -> Option<FieldId> {
        loop {
            let entry = self.entries.get(at)?;
            if entry.child == ROOT {
                return None;
            }
            if entry.key == key && self.fields.name(entry.child) == name {
                return Some(entry.child);
            }
            at = (at + 1) & self.mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let names = [
            "",
            "a",
            "b",
            "ab",
            "ba",
            "abcdefg",
            "abcdefgh",
            "abcdefghi",
            "abcdefgh12345678",
            "abcdefghX12345678",
            "abcdefghY12345678",
            "\u{0}",
            "a\u{0}",
            "é",
        ];
        let mut fields = Fields::new();
        let ids: Vec<FieldId> = names.iter().map(|name| fields.intern(&["detail".to_owned(), (*name).to_owned()])).collect();
        let parent = fields.intern(&["detail".to_owned()]);
        fields.seal();
        let children = fields.children(parent);
        for (name, id) in names.iter().zip(&ids) {
            assert_eq!(children.named(name.as_bytes()), Some(*id), "{name:?}");
            for around in ["", "xxxxxxxxxxxxxxxx"] {
                let between = |text: &str| {
                    let event = format!("{around}{text}{around}");
                    children.between(event.as_bytes(), around.len(), around.len() + text.len() - 1)
                };
                assert_eq!(between(&format!("{{\"{name}\":")), Some(Some(*id)), "{name:?}");
                for wrong in [format!("{{{name}\":"), format!("{{\"{name}:"), format!("{{\"{name}\""), format!("{{\"{name}\"x")] {
                    assert_eq!(between(&wrong), None, "{wrong:?}");
                }
            }
        }
        for name in ["c", "abcdefgi", "abcdefghZ12345678", "bcdefgh12345678", "a\u{0}\u{0}"] {
            assert_eq!(children.named(name.as_bytes()), None, "{name:?}");
            assert_eq!(children.between(format!(",\"{name}\":").as_bytes(), 0, name.len() + 3), Some(None), "{name:?}");
        }
        assert_eq!(fields.children(ROOT).named(b"detail"), Some(parent));
        assert_eq!(fields.children(ids[1]).named(b"a"), None);
        assert_eq!(fields.ancestors(ids[1]), [ROOT, parent]);
    }
}

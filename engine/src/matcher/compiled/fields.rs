//! The names of the fields that a set reads, as one tree.

use std::collections::HashMap;
use std::sync::Arc;

use super::members::Members;

/// A path that some trigger reads: the number of its node.
pub(super) type FieldId = u32;

/// What a member that nobody reads is counted as: it has a number, so that one need not be asked for.
pub(super) const NOWHERE: FieldId = 0;

/// The whole event.
pub(super) const ROOT: FieldId = 1;

/// All paths that a set reads.
#[derive(Debug, Default)]
pub(super) struct Fields {
    names: Vec<Box<[u8]>>,
    parents: Vec<FieldId>,
    known: HashMap<(FieldId, Box<[u8]>), FieldId>,
    /// The children of each node. Made by [`Fields::seal`].
    members: Vec<Members>,
    /// No other fields have the same while somebody holds it.
    identity: Arc<()>,
}

impl Fields {
    pub(super) fn new() -> Self {
        Self { names: vec![Box::default(); 2], parents: vec![NOWHERE, ROOT], ..Self::default() }
    }

    /// The number of nodes, [`NOWHERE`] and [`ROOT`] among them.
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
        let mut children: Vec<Vec<(FieldId, &[u8])>> = vec![Vec::new(); self.names.len()];
        for ((node, name), parent) in (0..).zip(&self.names).zip(&self.parents).skip(2) {
            if let Some(children) = children.get_mut(*parent as usize) {
                children.push((node, name));
            }
        }
        self.members = children.iter().map(|children| Members::new(children)).collect();
    }

    pub(super) fn identity(&self) -> &Arc<()> {
        &self.identity
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

    /// The members of one object that are known.
    #[inline]
    pub(super) fn members(&self, parent: FieldId) -> Option<&Members> {
        self.members.get(parent as usize)
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
        let children = fields.members(parent).unwrap();
        for (name, id) in names.iter().zip(&ids) {
            assert_eq!(children.named(name.as_bytes()), *id, "{name:?}");
            for around in ["", "xxxxxxxxxxxxxxxx"] {
                let between = |text: &str| {
                    let event = format!("{around}{text}{around}");
                    let place = |place: usize| u32::try_from(place).unwrap();
                    children.between(event.as_bytes(), place(around.len()), place(around.len() + text.len() - 1))
                };
                assert_eq!(between(&format!("{{\"{name}\":")), (*id, true), "{name:?}");
                // Where a string begins is the pass's matter.
                for wrong in [format!("{{\"{name}x:"), format!("{{\"{name}\""), format!("{{\"{name}\"x"), format!(":\"{name}\":")] {
                    assert!(!between(&wrong).1, "{wrong:?}");
                }
            }
        }
        for name in ["c", "abcdefgi", "abcdefghZ12345678", "bcdefgh12345678", "a\u{0}\u{0}"] {
            assert_eq!(children.named(name.as_bytes()), NOWHERE, "{name:?}");
            let colon = u32::try_from(name.len() + 3).unwrap();
            assert_eq!(children.between(format!(",\"{name}\":").as_bytes(), 0, colon), (NOWHERE, true), "{name:?}");
        }
        assert_eq!(fields.members(ROOT).unwrap().named(b"detail"), parent);
        assert_eq!(fields.members(ids[1]).unwrap().named(b"a"), NOWHERE);
        assert_eq!(fields.ancestors(ids[1]), [ROOT, parent]);
    }
}

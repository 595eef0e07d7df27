//! How members of objects followed each other in earlier events: most follow as they did not long ago.
//!
//! To see that the next name is the expected one takes less than to look it up: it is compared as it stands in the event, with the
//! characters around it, and which known member that is was remembered. What is expected depends on the events before; what is found does
//! not.

use std::sync::Arc;

use wide::u8x16;

use super::fields::{FieldId, Fields, NOWHERE};
use super::hash::mix;
use super::members::Members;

/// A member of an object, by the structural characters around its name: it begins behind the first, and the second is its colon.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Member {
    pub(super) before: u32,
    pub(super) colon: u32,
}

/// The place of a member in [`Trail::seen`], or [`PLACES`] and more: that of an object's head, which is followed by the first member.
pub(super) type Place = u32;

/// The members seen last. Reused from event to event.
#[derive(Debug)]
pub(super) struct Trail {
    /// Members by their names, [`WAYS`] of them in one of the places that a name can have.
    seen: Box<[Seen; PLACES]>,
    /// The first member of each object of [`Fields`].
    first: Vec<Place>,
    /// The way that is forgotten next.
    way: usize,
    /// Of whose fields they are.
    of: Option<Arc<()>>,
}

impl Default for Trail {
    fn default() -> Self {
        Self { seen: Box::new([NOBODY; PLACES]), first: Vec::new(), way: 0, of: None }
    }
}

/// A name of a member of one object, and what followed it.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// The bytes from the character before the name to its colon, and which of them are no others.
    name: Bytes,
    mask: Bytes,
    object: FieldId,
    child: FieldId,
    /// From the character before the name to the colon.
    length: u32,
    next: Place,
}

/// Longer names, with what is around them, are not remembered.
const WIDTH: usize = 32;

type Bytes = [u8x16; 2];

/// No bytes are such that nothing of them is this name.
const NOBODY: Seen = Seen { name: [u8x16::MAX; 2], mask: [u8x16::ZERO; 2], object: NOWHERE, child: NOWHERE, length: 0, next: 0 };

const PLACES: usize = 1024;
const WAYS: usize = 4;

/// A member that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// The child that it is, or [`NOWHERE`].
    pub(super) child: FieldId,
    place: Place,
    /// The place of the one that is expected behind it.
    next: Place,
}

/// A member that was found as expected.
#[derive(Debug, Clone, Copy)]
pub(super) struct Followed {
    pub(super) step: Step,
    /// Where its colon stands.
    pub(super) colon: u32,
}

impl Trail {
    /// Forgets the members of other fields.
    pub(super) fn begin(&mut self, fields: &Fields) {
        if !self.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, fields.identity())) {
            self.seen.fill(NOBODY);
            self.first = vec![0; fields.len()];
            self.of = Some(Arc::clone(fields.identity()));
        }
    }

    /// What stands before an object's first member.
    #[inline(always)]
    pub(super) fn head(&self, object: FieldId) -> Step {
        let next = self.first.get(object as usize).copied().unwrap_or(0);
        Step { child: NOWHERE, place: (PLACES as Place).wrapping_add(object), next }
    }

    /// The member behind another, if it is the expected one; `position` is that of the structural character before its name, which has no
    /// escapes.
    #[inline(always)]
    pub(super) fn follow(&self, before: Step, object: FieldId, event: &[u8], position: u32) -> Option<Followed> {
        let place = before.next;
        let seen = self.seen.get(place as usize % PLACES)?;
        let step = Step { child: seen.child, place, next: seen.next };
        seen.is(object, event, position).then_some(Followed { step, colon: position.wrapping_add(seen.length) })
    }

    /// The member behind another if it was not expected, and whether it has a name. Its name has no escapes.
    #[cold]
    #[inline(never)]
    pub(super) fn look_up(&mut self, before: Step, object: FieldId, event: &[u8], member: Member, children: &Members) -> (Step, bool) {
        let first = first_place(object, event, member);
        let ways = self.seen.get(first..first + WAYS).unwrap_or_default();
        let known = ways.iter().position(|seen| seen.is(object, event, member.before));
        let free = || ways.iter().position(|seen| seen.object == NOWHERE).unwrap_or(self.way % WAYS);
        let index = first + known.unwrap_or_else(free);
        let place = index as Place;
        let mut is_name = true;
        if known.is_none() {
            let child;
            (child, is_name) = children.between(event, member.before, member.colon);
            self.way = self.way.wrapping_add(1);
            let made = Seen::of(object, event, member, child).filter(|_| is_name);
            let (Some(seen), Some(made)) = (self.seen.get_mut(index), made) else { return (Step { child, ..before }, is_name) };
            *seen = made;
        }
        match self.seen.get_mut(before.place as usize) {
            Some(before) => before.next = place,
            None => {
                if let Some(first) = self.first.get_mut(before.place as usize - PLACES) {
                    *first = place;
                }
            }
        }
        let (child, next) = self.seen.get(index).map_or((NOWHERE, 0), |seen| (seen.child, seen.next));
        (Step { child, place, next }, is_name)
    }
}

/// The first of the places where a member is looked for, if it was not expected.
fn first_place(object: FieldId, event: &[u8], member: Member) -> usize {
    let end = event.get(..=member.colon as usize).and_then(<[u8]>::last_chunk).map_or(0, |bytes| u64::from_le_bytes(*bytes));
    (mix(mix(end) ^ u64::from(object) << 32 ^ u64::from(member.length())) >> 32) as usize % (PLACES / WAYS) * WAYS
}

impl Member {
    fn length(self) -> u32 {
        self.colon.wrapping_sub(self.before)
    }
}

#[inline(always)]
fn bytes_from(event: &[u8], position: u32) -> Option<Bytes> {
    let bytes: &[u8; WIDTH] = event.get(position as usize..position as usize + WIDTH)?.first_chunk()?;
    let (halves, _) = bytes.as_chunks::<16>();
    let [start, end] = halves else { return None };
    Some([u8x16::new(*start), u8x16::new(*end)])
}

impl Seen {
    /// A member that is sound; `None` where it cannot be remembered.
    fn of(object: FieldId, event: &[u8], member: Member, child: FieldId) -> Option<Self> {
        let bytes = bytes_from(event, member.before)?;
        let length = member.length();
        let mut kept = [0; WIDTH];
        kept.get_mut(..=length as usize)?.fill(0xFF);
        let mask = bytes_from(&kept, 0)?;
        let [start, end] = bytes;
        let [start_mask, end_mask] = mask;
        Some(Self { name: [start & start_mask, end & end_mask], mask, object, child, length, next: 0 })
    }

    /// Whether a member has this name, and the same characters around it. They tell its length, too: the name ends at its second quote,
    /// as it has no escapes.
    #[inline(always)]
    fn is(&self, object: FieldId, event: &[u8], position: u32) -> bool {
        let Some([start, end]) = bytes_from(event, position) else { return false };
        let ([name_start, name_end], [start_mask, end_mask]) = (self.name, self.mask);
        let unlike = (start & start_mask ^ name_start) | (end & end_mask ^ name_end);
        (u128::from_le_bytes(unlike.to_array()) == 0) & (self.object == object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands at the head of the objects, and what is found: with one way to be found first by another.
    fn found(trail: &mut Trail, object: FieldId, name: &str, other: &str) -> Vec<(FieldId, bool)> {
        let children = Members::new(&[(7, b"b"), (8, b"abcdefghijklmnopqrstuvwxyz".as_slice())]);
        let (event, members) = written(name, other);
        let mut step = trail.head(object);
        let mut found = Vec::new();
        for member in members {
            let expected = trail.follow(step, object, event.as_bytes(), member.before);
            found.push((expected.map_or(NOWHERE, |followed| followed.step.child), expected.is_some()));
            let (looked_up, is_name) = trail.look_up(step, object, event.as_bytes(), member, &children);
            assert!(is_name, "{event}");
            if let Some(Followed { step, colon }) = expected {
                assert_eq!((step.child, step.place, colon), (looked_up.child, looked_up.place, member.colon), "{event}");
            }
            step = looked_up;
        }
        found
    }

    fn written(name: &str, other: &str) -> (String, [Member; 2]) {
        let event = format!(r#"{{"{name}":1,"{other}":"a text that is long enough behind it"}}"#);
        let place = |place: usize| u32::try_from(place).unwrap();
        let (first, second) = (name.len() + 3, name.len() + 5);
        (event, [Member { before: 0, colon: place(first) }, Member { before: place(second), colon: place(second + other.len() + 3) }])
    }

    #[test]
    fn what_followed_is_expected_by_its_whole_name() {
        for length in 0..=28 {
            let name: &str = &"abcdefghijklmnopqrstuvwxyzABC".chars().take(length).collect::<String>();
            let mut trail = Trail::default();
            let fields = Fields::new();
            trail.begin(&fields);
            assert_eq!(found(&mut trail, 1, name, "b"), [(NOWHERE, false); 2]);
            let child = if length == 26 { 8 } else { NOWHERE };
            for _ in 0..2 {
                assert_eq!(found(&mut trail, 1, name, "b"), [(child, true), (7, true)], "{name}");
            }
            // Of another object.
            assert_eq!(found(&mut trail, 0, name, "b"), [(NOWHERE, false); 2], "{name}");
            for place in 0..length {
                let with = |other: Option<char>| -> String {
                    name.chars().enumerate().filter_map(|(at, char)| if at == place { other } else { Some(char) }).collect()
                };
                for changed in [with(Some('-')), with(None)] {
                    let (event, [member, _]) = written(&changed, "b");
                    assert!(trail.seen.iter().all(|seen| !seen.is(1, event.as_bytes(), member.before)), "{event}");
                }
            }
            trail.begin(&fields);
            assert_eq!(found(&mut trail, 1, name, "b"), [(child, true), (7, true)], "{name}");
            trail.begin(&Fields::new());
            assert_eq!(found(&mut trail, 1, name, "b"), [(NOWHERE, false); 2], "of other fields: {name}");
        }
    }

    #[test]
    fn another_may_follow() {
        let mut trail = Trail::default();
        trail.begin(&Fields::new());
        found(&mut trail, 1, "a", "b");
        assert_eq!(found(&mut trail, 1, "a", "c"), [(NOWHERE, true), (NOWHERE, false)]);
        assert_eq!(found(&mut trail, 1, "a", "c"), [(NOWHERE, true), (NOWHERE, true)]);
        assert_eq!(found(&mut trail, 1, "a", "b"), [(NOWHERE, true), (NOWHERE, false)]);
        assert_eq!(found(&mut trail, 1, "a", "b"), [(NOWHERE, true), (7, true)]);
    }

    #[test]
    fn many_names_and_longer_ones_are_found_if_not_expected() {
        let mut trail = Trail::default();
        trail.begin(&Fields::new());
        for round in 0..3 {
            for number in 0..3_000 {
                found(&mut trail, 1, &format!("n{number}"), "b");
            }
            let long = "abcdefghijklmnopqrstuvwxyzABC";
            assert_eq!(long.len(), 29);
            assert_eq!(found(&mut trail, 1, &format!("{long}D"), "b").first(), Some(&(NOWHERE, false)), "{round}");
        }
    }

    #[test]
    fn what_has_no_name_is_told() {
        let children = Members::new(&[(7, b"b")]);
        let mut trail = Trail::default();
        trail.begin(&Fields::new());
        for _ in 0..2 {
            for event in ["{\"b:1", "{b\":1", ":\"b\":1"].map(|start| format!("{start},\"a name that is long enough\":1}}")) {
                let colon = u32::try_from(1 + event.get(1..).unwrap().find(':').unwrap()).unwrap();
                let member = Member { before: 0, colon };
                assert!(trail.follow(trail.head(1), 1, event.as_bytes(), 0).is_none(), "{event}");
                let (_, is_name) = trail.look_up(trail.head(1), 1, event.as_bytes(), member, &children);
                assert!(!is_name, "{event}");
            }
        }
    }
}

//! How the members of objects lay in earlier events: most objects have the names of one that was seen not long ago, in its order.
//!
//! To see that all names of an object are those of another takes less than to look each of them up: they are compared as they stand in the
//! event, with the characters around them, and which of them are known is remembered. What is remembered depends on the events before; what
//! is found does not.

use std::sync::Arc;

use wide::u8x16;

use super::fields::{FieldId, Fields, NOWHERE};
use super::hash::mix;
use super::members::Members;

/// A member of an object, by the structural characters around its name, of which the second is told by its number, too.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Member {
    pub(super) before: u32,
    pub(super) colon: u32,
    pub(super) number: u32,
}

impl Member {
    /// From the character before the name to the colon.
    #[inline(always)]
    fn length(self) -> u32 {
        self.colon.wrapping_sub(self.before)
    }

    /// What the lengths of the names are gathered in, to tell layouts apart.
    #[inline(always)]
    pub(super) fn gather(self, print: u64) -> u64 {
        print.rotate_left(7) ^ u64::from(self.length())
    }
}

/// The layouts seen last. Reused from event to event.
#[derive(Debug, Default)]
pub(super) struct Layouts {
    /// [`WAYS`] behind each other have one place.
    layouts: Vec<Layout>,
    /// Their prints; 0 is that of none.
    prints: Vec<[u64; WAYS]>,
    /// The one of each place that is forgotten next.
    oldest: Vec<u8>,
    /// Of whose fields they are.
    of: Option<Arc<()>>,
}

/// The members of an object, or of a part of it; in as little memory as can be, as few objects have the same.
#[derive(Debug, Default)]
struct Layout {
    names: Box<[Start]>,
    /// Of names that are longer the last bytes.
    long: Box<[Long]>,
    known: Box<[Known]>,
}

/// The first bytes of a name, from the character before it to the colon behind it, and which of them are no others.
#[derive(Debug)]
struct Start {
    bytes: u8x16,
    mask: u8x16,
}

#[derive(Debug)]
struct Long {
    number: u32,
    length: u32,
    end: u8x16,
}

/// A member that is known, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) number: u32,
    pub(super) child: FieldId,
}

const WAYS: usize = 4;
const PLACES: usize = 128;

/// How many bytes are compared at once.
const WIDTH: usize = 16;

impl Layouts {
    /// Forgets the layouts of other fields.
    pub(super) fn begin(&mut self, fields: &Fields) {
        if !self.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, fields.identity())) {
            self.layouts.clear();
            self.layouts.resize_with(WAYS * PLACES, Layout::default);
            self.prints = vec![[0; WAYS]; PLACES];
            self.oldest = vec![0; PLACES];
            self.of = Some(Arc::clone(fields.identity()));
        }
    }

    /// The known ones among some members of an object, if they are laid out as others were; by their numbers. In none of the names is an
    /// escape.
    #[inline(always)]
    pub(super) fn find(&self, node: FieldId, print: u64, event: &[u8], members: &[Member]) -> Option<&[Known]> {
        let (print, place) = placed(node, print);
        // Without a branch for each way, as nobody foresees which it is.
        let mut ways = self.prints.get(place)?.iter().rev().fold(0_u32, |ways, other| ways << 1 | u32::from(*other == print));
        while ways != 0 {
            let layout = self.layouts.get(place * WAYS + ways.trailing_zeros() as usize)?;
            if layout.is_of(event, members) {
                return Some(&layout.known);
            }
            ways &= ways - 1;
        }
        None
    }

    /// Remembers some members of an object, which are all sound.
    #[cold]
    #[inline(never)]
    pub(super) fn remember(&mut self, node: FieldId, print: u64, event: &[u8], members: &[Member], children: &Members) {
        let (print, place) = placed(node, print);
        let (Some(oldest), Some(prints)) = (self.oldest.get_mut(place), self.prints.get_mut(place)) else { return };
        let way = usize::from(*oldest) % WAYS;
        *oldest = oldest.wrapping_add(1);
        let Some(made) = Layout::of(event, members, children) else { return };
        if let (Some(layout), Some(taken)) = (self.layouts.get_mut(place * WAYS + way), prints.get_mut(way)) {
            (*layout, *taken) = (made, print);
        }
    }
}

/// The print of a layout in an object, and its place.
#[inline(always)]
fn placed(node: FieldId, print: u64) -> (u64, usize) {
    let print = mix(print ^ u64::from(node) << 32) | 1;
    (print, usize::try_from(print >> 32).unwrap_or(0) % PLACES)
}

impl Layout {
    /// Whether the names of some members, and the characters around them, are those of the layout.
    #[inline(always)]
    fn is_of(&self, event: &[u8], members: &[Member]) -> bool {
        if self.names.len() != members.len() {
            return false;
        }
        let mut unlike = u8x16::ZERO;
        for (name, member) in self.names.iter().zip(members) {
            let Some(start) = start(event, *member) else { return false };
            unlike |= (start ^ name.bytes) & name.mask;
        }
        for Long { number, length, end: name } in &self.long {
            let Some(member) = members.get(*number as usize).filter(|member| member.length() == *length) else { return false };
            let Some(end) = end(event, *member) else { return false };
            unlike |= end ^ *name;
        }
        u128::from_le_bytes(unlike.to_array()) == 0
    }

    /// `None` where that cannot be.
    fn of(event: &[u8], members: &[Member], children: &Members) -> Option<Self> {
        let (mut names, mut long, mut known) = (Vec::with_capacity(members.len()), Vec::new(), Vec::new());
        for (number, member) in (0..).zip(members) {
            let length = member.length();
            let mask = u128::MAX >> 8_u32.saturating_mul(15_u32.saturating_sub(length));
            names.push(Start { bytes: start(event, *member)?, mask: u8x16::new(mask.to_le_bytes()) });
            if length as usize >= 2 * WIDTH {
                return None;
            }
            if length as usize >= WIDTH {
                long.push(Long { number, length, end: end(event, *member)? });
            }
            let (child, _) = children.between(event, member.before, member.colon);
            if child != NOWHERE {
                known.push(Known { number, child });
            }
        }
        Some(Self { names: names.into(), long: long.into(), known: known.into() })
    }
}

/// The bytes from the character before a name on.
#[inline(always)]
fn start(event: &[u8], member: Member) -> Option<u8x16> {
    let bytes = event.get(member.before as usize..member.before as usize + WIDTH)?.first_chunk()?;
    Some(u8x16::new(*bytes))
}

/// The bytes up to the colon behind a name.
#[inline(always)]
fn end(event: &[u8], member: Member) -> Option<u8x16> {
    event.get(..=member.colon as usize)?.last_chunk().map(|bytes| u8x16::new(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_known_by_all_of_its_names() {
        let children = Members::new(&[(7, b"b"), (8, b"abcdefghijklmnopqrstuvwxyz".as_slice())]);
        let find = |layouts: &Layouts, name: &str, other: &str| {
            let (event, members) = object(name, other);
            let known = layouts.find(1, print(&members), event.as_bytes(), &members)?;
            Some(known.iter().map(|known| (known.number, known.child)).collect::<Vec<_>>())
        };
        for length in 0..=28 {
            let name: &str = &"abcdefghijklmnopqrstuvwxyzABC".chars().take(length).collect::<String>();
            let mut layouts = Layouts::default();
            layouts.begin(&Fields::new());
            assert_eq!(find(&layouts, name, "b"), None);
            let (event, members) = object(name, "b");
            layouts.remember(1, print(&members), event.as_bytes(), &members, &children);
            let known = if length == 26 { vec![(0, 8), (1, 7)] } else { vec![(1, 7)] };
            assert_eq!(find(&layouts, name, "b"), Some(known), "{name}");
            assert_eq!(find(&layouts, name, "c"), None, "{name}");
            for place in 0..length {
                let with = |other: Option<char>| -> String {
                    let chars = name.chars().enumerate();
                    chars.filter_map(|(at, char)| if at == place { other } else { Some(char) }).collect()
                };
                let changed = with(Some('-'));
                assert_eq!(find(&layouts, &changed, "b"), None, "{changed}");
                // As if the print were the same.
                let (event, members) = object(&with(None), "b");
                assert!(layouts.layouts.iter().all(|layout| !layout.is_of(event.as_bytes(), &members)), "{event}");
            }
            layouts.begin(&Fields::new());
            assert_eq!(find(&layouts, name, "b"), None, "of other fields: {name}");
        }
    }

    #[test]
    fn longer_names_are_not_remembered() {
        let mut layouts = Layouts::default();
        layouts.begin(&Fields::new());
        let (event, members) = object("abcdefghijklmnopqrstuvwxyzABC", "b");
        layouts.remember(1, print(&members), event.as_bytes(), &members, &Members::new(&[(7, b"b")]));
        assert_eq!(layouts.find(1, print(&members), event.as_bytes(), &members), None);
    }

    fn object(name: &str, other: &str) -> (String, [Member; 2]) {
        let event = format!(r#"{{"{name}":1,"{other}":"a text behind it"}}"#);
        let place = |place: usize| u32::try_from(place).unwrap();
        let (first, second) = (name.len() + 3, name.len() + 5);
        let members = [
            Member { before: 0, colon: place(first), number: 1 },
            Member { before: place(second), colon: place(second + other.len() + 3), number: 3 },
        ];
        (event, members)
    }

    fn print(members: &[Member]) -> u64 {
        members.iter().fold(0, |print, member| member.gather(print))
    }
}

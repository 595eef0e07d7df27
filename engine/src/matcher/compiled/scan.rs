//! The structural form of an event, found 64 bytes at a time.
//!
//! One pass ([`pass`]) finds, outside strings, every bracket, colon and comma, and checks of the whole event:
//! - every string is closed, begins right after a bracket that opens, a colon or a comma, and ends right before a structural
//!   character;
//! - a value or a name stands where one must: no comma or colon behind another, or before a bracket that closes;
//! - brackets open and close in equal number, never nest deeper than [`DEEPEST`], and the first one closes at the very end;
//! - all bytes are UTF-8 and none is a control character.
//!
//! Events with white space between tokens are copied without it first ([`strip`]), and then the same holds.
//!
//! Where somebody may be interested in the event, its structural characters are then listed ([`list`]), and each bracket must be closed
//! by its like.
//!
//! What is *inside* a value that nobody reads is not checked: whether a bare word is a number, whether an escape is known.

mod list;
mod pass;
mod portable;
mod seek;
mod strip;
#[cfg(target_arch = "x86_64")]
mod x86;

use list::Lists;
pub(super) use list::Token;
use pass::{Block, Eight, Pass};
use portable::Portable;
pub(super) use seek::{Needle, Needles};
pub(super) use strip::strip;

/// The longest event that is looked at; the others are the oracle's.
pub(super) const LONGEST: usize = 1 << 30;

/// The deepest nesting that `serde_json` takes; what is deeper is no event.
pub(super) const DEEPEST: u32 = 127;

/// What an event looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One object, and no white space between tokens.
    Compact,
    /// Perhaps an object with white space between tokens; certainly not [`Form::Compact`].
    Other,
}

/// So many times eight blocks are looked at before what was found in them is put together.
const AT_ONCE: usize = 4;

/// Where that many have which characters.
type Room = [Eight; AT_ONCE];

/// The structural characters of one event. Reused from event to event.
#[derive(Debug, Default)]
pub(super) struct Tape {
    vectors: Vectors,
    blocks: Vec<Block>,
    room: Room,
    lists: Lists,
    pass: Pass,
    escapes: (u32, u32),
}

impl Tape {
    /// Finds the structure of an event. The event is shorter than 4 GiB.
    pub(super) fn scan(&mut self, event: &[u8]) -> Form {
        // As many as are made at once.
        let blocks = event.len().div_ceil(64).next_multiple_of(8);
        if self.blocks.len() < blocks {
            self.blocks.resize(blocks, Block::default());
        }
        self.lists.count = 0;
        let Some(found) = self.blocks.get_mut(..blocks) else { return Form::Other };
        self.pass = self.vectors.run(event, found, &mut self.room);
        let pass = &self.pass;
        let sound = !pass.in_string
            && !pass.bad
            && pass.nested
            && !pass.control
            && event.first() == Some(&b'{')
            && event.last() == Some(&b'}')
            && !(pass.high && std::str::from_utf8(event).is_err());
        if sound { Form::Compact } else { Form::Other }
    }

    /// Whether there is any backslash, and so perhaps an escape.
    pub(super) fn has_backslash(&self) -> bool {
        self.pass.has_backslash
    }

    /// The positions of all structural characters behind what may be a name `eventName` or `detail`, those behind such names among them;
    /// `None` where there are too many.
    pub(super) fn marks(&self) -> Option<&[u32]> {
        self.pass.marks.places()
    }

    /// Lists the structural characters of an event that is [`Form::Compact`]; before it there are none. `false` where a bracket is not
    /// closed by its like.
    pub(super) fn flatten(&mut self, event: &[u8]) -> bool {
        let blocks = self.blocks.get(..event.len().div_ceil(64)).unwrap_or_default();
        self.lists.count = 0;
        self.escapes = if self.pass.has_backslash { escapes(event) } else { NO_ESCAPES };
        self.vectors.list(event, blocks, &mut self.lists)
    }

    /// All structural characters.
    #[inline]
    pub(super) fn tokens(&self) -> &[Token] {
        self.lists.tokens.get(..self.lists.count).unwrap_or_default()
    }

    /// The first of some needles that is in a text.
    #[inline]
    pub(super) fn seek(&self, text: &[u8], needles: &[Needle], all: &Needles) -> Option<usize> {
        self.vectors.seek(text, needles, all)
    }

    /// Where the first and the last backslash stand: all escapes are between them. Without any the first is beyond the event.
    #[inline]
    pub(super) fn escapes(&self) -> (u32, u32) {
        self.escapes
    }
}

const NO_ESCAPES: (u32, u32) = (u32::MAX, 0);

#[cold]
fn escapes(event: &[u8]) -> (u32, u32) {
    let place = |place: Option<usize>| place.and_then(|place| u32::try_from(place).ok());
    place(memchr::memchr(b'\\', event)).zip(place(memchr::memrchr(b'\\', event))).unwrap_or(NO_ESCAPES)
}

/// How the structure is found.
#[derive(Debug, Clone, Copy)]
enum Vectors {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Wide(x86::Vectors),
}

impl Default for Vectors {
    /// The best that this processor has.
    fn default() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(vectors) = x86::Vectors::all().next() {
            return Self::Wide(vectors);
        }
        Self::Portable
    }
}

impl Vectors {
    fn run(self, event: &[u8], blocks: &mut [Block], room: &mut Room) -> Pass {
        #[cfg(not(target_arch = "x86_64"))]
        let _ = room;
        match self {
            Self::Portable => pass::pass(Portable, event, blocks),
            #[cfg(target_arch = "x86_64")]
            Self::Wide(vectors) => vectors.run(event, blocks, room),
        }
    }

    fn seek(self, text: &[u8], needles: &[Needle], all: &Needles) -> Option<usize> {
        match self {
            Self::Portable => seek::first_inside(Portable, text, needles, all),
            #[cfg(target_arch = "x86_64")]
            Self::Wide(vectors) => vectors.seek(text, needles, all),
        }
    }

    fn list(self, event: &[u8], blocks: &[Block], lists: &mut Lists) -> bool {
        match self {
            Self::Portable => lists.fill(Portable, event, blocks),
            #[cfg(target_arch = "x86_64")]
            Self::Wide(vectors) => vectors.list(event, blocks, lists),
        }
    }
}

/// A tape for each way in which this processor can find the structure, the portable one among them.
#[cfg(test)]
pub(super) fn tapes() -> Vec<Tape> {
    #[cfg(target_arch = "x86_64")]
    let wide = x86::Vectors::all().map(Vectors::Wide);
    #[cfg(not(target_arch = "x86_64"))]
    let wide = [];
    wide.into_iter().chain([Vectors::Portable]).map(|vectors| Tape { vectors, ..Tape::default() }).collect()
}

/// Asks for all of some memory at once, so that what is not at hand comes while the first of it is looked at. Only x86-64 has
/// stable means to do so; others fetch when they read.
#[inline]
pub(super) fn prefetch<T>(items: &[T]) {
    #[cfg(target_arch = "x86_64")]
    x86::prefetch(items);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = items;
}

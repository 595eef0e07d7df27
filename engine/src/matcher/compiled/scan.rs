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
//! What is *inside* a value that nobody reads is not checked: whether a bare word is a number, whether an escape is known,
//! whether a bracket is closed by its like.

mod list;
mod pass;
mod portable;
mod strip;
#[cfg(target_arch = "x86_64")]
mod x86;

use pass::{Block, Pass};
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

/// The structural characters of one event. Reused from event to event.
#[derive(Debug, Default)]
pub(super) struct Tape {
    blocks: Vec<Block>,
    tokens: Vec<u32>,
    closings: Vec<u32>,
    count: usize,
    pass: Pass,
}

impl Tape {
    /// Finds the structure of an event. The event is shorter than 4 GiB.
    pub(super) fn scan(&mut self, event: &[u8]) -> Form {
        let blocks = event.len().div_ceil(64);
        if self.blocks.len() < blocks {
            self.blocks.resize(blocks, Block::default());
        }
        self.count = 0;
        let Some(found) = self.blocks.get_mut(..blocks) else { return Form::Other };
        self.pass = run(event, found);
        let pass = &self.pass;
        let sound = !pass.in_string
            && pass.bad == 0
            && pass.depth == 0
            && !pass.control
            && event.first() == Some(&b'{')
            && event.last() == Some(&b'}')
            && pass.ended
            && !pass.out_of_bounds
            && !(pass.high && std::str::from_utf8(event).is_err());
        if sound { Form::Compact } else { Form::Other }
    }

    /// Whether there is any backslash, and so perhaps an escape.
    pub(super) fn has_backslash(&self) -> bool {
        self.pass.has_backslash
    }

    /// The positions of all quotes that have a [`pass::MARKS`] six bytes behind them; `None` where there are too many.
    pub(super) fn marks(&self) -> Option<&[u32]> {
        self.pass.marks.places()
    }

    /// Lists the structural characters of an event that is [`Form::Compact`]; before it there are none.
    pub(super) fn flatten(&mut self, event: &[u8]) {
        let blocks = event.len().div_ceil(64);
        // Room for a whole block's at once.
        let room = event.len() + 64;
        if self.tokens.len() < room {
            self.tokens.resize(room, 0);
            self.closings.resize(room, 0);
        }
        self.count = list(self.blocks.get(..blocks).unwrap_or_default(), &mut self.tokens, &mut self.closings);
    }

    /// The positions of all structural characters.
    #[inline]
    pub(super) fn tokens(&self) -> &[u32] {
        self.tokens.get(..self.count).unwrap_or_default()
    }

    /// The position of a structural character by its number.
    #[inline]
    pub(super) fn position(&self, token: usize) -> Option<usize> {
        if token >= self.count {
            return None;
        }
        self.tokens.get(token).map(|position| *position as usize)
    }

    /// For each opening bracket, by its number, the number of the bracket that closes it.
    #[inline]
    pub(super) fn closings(&self) -> &[u32] {
        self.closings.get(..self.count).unwrap_or_default()
    }
}

fn run(event: &[u8], blocks: &mut [Block]) -> Pass {
    #[cfg(target_arch = "x86_64")]
    if let Some(pass) = x86::run(event, blocks) {
        return pass;
    }
    pass::pass(portable::Portable, event, blocks)
}

fn list(blocks: &[Block], tokens: &mut [u32], closings: &mut [u32]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if let Some(count) = x86::list(blocks, tokens, closings) {
        return count;
    }
    list::list(blocks, tokens, closings)
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

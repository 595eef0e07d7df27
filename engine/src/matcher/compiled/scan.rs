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

mod pass;
mod portable;
mod strip;
#[cfg(target_arch = "x86_64")]
mod x86;

use pass::{Block, Pass};
pub(super) use strip::strip;

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
    /// For each block, how many structural characters stand before it.
    ranks: Vec<u32>,
    tokens: Vec<u32>,
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

    /// Lists the positions of the structural characters, which [`Tape::position`] and [`Tape::number`] need.
    pub(super) fn flatten(&mut self, event: &[u8]) {
        let blocks = event.len().div_ceil(64);
        self.tokens.resize(self.tokens.len().max(event.len() + 64), 0);
        self.ranks.resize(self.ranks.len().max(blocks), 0);
        let mut count = 0_usize;
        let mut base = 0_u32;
        for (block, rank) in self.blocks.iter().take(blocks).zip(&mut self.ranks) {
            *rank = u32::try_from(count).unwrap_or(u32::MAX);
            let mut bits = block.tokens;
            let found = bits.count_ones() as usize;
            if let Some(room) = self.tokens.get_mut(count..count + 64)
                && let Some((first, more)) = room.split_first_chunk_mut::<8>()
            {
                // Eight at once without a question: most blocks have fewer.
                for token in first {
                    *token = base + bits.trailing_zeros();
                    bits &= bits.wrapping_sub(1);
                }
                if found > 8 {
                    for token in more.iter_mut().take(found - 8) {
                        *token = base + bits.trailing_zeros();
                        bits &= bits.wrapping_sub(1);
                    }
                }
            }
            count += found;
            base = base.wrapping_add(64);
        }
        self.count = count;
    }

    /// The position of a structural character by its number.
    #[inline]
    pub(super) fn position(&self, token: usize) -> Option<usize> {
        if token >= self.count {
            return None;
        }
        self.tokens.get(token).map(|position| *position as usize)
    }

    /// The number of a structural character by its position.
    #[inline]
    pub(super) fn number(&self, position: usize) -> Option<usize> {
        let (block, rank) = self.blocks.get(position >> 6).zip(self.ranks.get(position >> 6))?;
        let below = (1_u64 << (position & 63)) - 1;
        Some(*rank as usize + (block.tokens & below).count_ones() as usize)
    }

    /// The position of the bracket that closes the one at a position. Needs no list.
    pub(super) fn closing(&self, position: usize) -> Option<usize> {
        let mut index = position >> 6;
        let mut block = *self.blocks.get(index)?;
        let after = (!0_u64).checked_shl((position as u32 & 63) + 1).unwrap_or(0);
        let (mut opens, mut closes) = (block.opens & after, block.closes & after);
        let mut level = 1_u32;
        loop {
            let count = closes.count_ones();
            if count >= level {
                let mut left = closes;
                let mut closed = 0;
                while left != 0 {
                    let below = (left & left.wrapping_neg()).wrapping_sub(1);
                    closed += 1;
                    if level + (opens & below).count_ones() == closed {
                        return Some(index << 6 | left.trailing_zeros() as usize);
                    }
                    left &= left.wrapping_sub(1);
                }
            }
            level = (level + opens.count_ones()).checked_sub(count)?;
            index += 1;
            block = *self.blocks.get(index)?;
            (opens, closes) = (block.opens, block.closes);
        }
    }
}

fn run(event: &[u8], blocks: &mut [Block]) -> Pass {
    #[cfg(target_arch = "x86_64")]
    if let Some(pass) = x86::run(event, blocks) {
        return pass;
    }
    pass::pass(portable::Portable, event, blocks)
}

/// Asks for all of the event at once, so that memory that is not at hand comes while the first of it is looked at.
#[inline]
pub(super) fn prefetch(event: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    x86::prefetch(event);
    #[cfg(not(target_arch = "x86_64"))]
    portable::touch(event);
}

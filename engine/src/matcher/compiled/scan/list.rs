//! The structural characters as a list, from the bits that the pass left.

use super::pass::Block;

/// How a processor turns bits into lists.
pub(super) trait Locate: Copy {
    /// Writes the numbers of the bits that are set, each plus `base`, to the front of some room, with no skips. What is left behind them
    /// has no meaning.
    fn put(self, bits: u64, base: u32, room: &mut [Token; 64]);
    /// Of some bits those that stand where `within` has ones, moved together.
    fn among(self, bits: u64, within: u64) -> u64;
}

/// A structural character.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub(in super::super) struct Token {
    /// Where it stands.
    pub(in super::super) position: u32,
    /// Of a bracket that opens, how many numbers on the character behind its closing one is; 0 of all others.
    pub(in super::super) skip: u32,
}

/// The structural characters of one event by their numbers. Reused from event to event.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) tokens: Vec<Token>,
    pub(super) count: usize,
    /// A bit for each structural character, by its number: whether it is a bracket.
    brackets: Vec<u64>,
    /// The brackets that are open where the list has come to.
    open: Open,
}

/// Up to 127 brackets: number and byte. What is beyond those that are open has no meaning.
#[derive(Debug)]
struct Open([(u32, u32); 128]);

impl Default for Open {
    fn default() -> Self {
        Self([(0, 0); 128])
    }
}

impl Lists {
    /// Lists all structural characters of an event. Its brackets are as many and as deep as the pass made sure; whether each is closed by
    /// its like is told.
    #[inline(always)]
    pub(super) fn fill<L: Locate>(&mut self, locate: L, event: &[u8], blocks: &[Block]) -> bool {
        // Room for a whole block's at once.
        let room = event.len() + 64;
        if self.tokens.len() < room {
            self.tokens.resize(room, Token::default());
        }
        self.brackets.clear();
        let (mut count, mut base) = (0_usize, 0_u32);
        // Bits that wait until they fill a word.
        let (mut waiting, mut held) = (0_u64, 0_u32);
        for block in blocks {
            let Some(tokens) = self.tokens.get_mut(count..).and_then(<[_]>::first_chunk_mut) else { return false };
            locate.put(block.tokens, base, tokens);
            let found = block.tokens.count_ones();
            let brackets = locate.among(block.brackets, block.tokens);
            waiting |= brackets.wrapping_shl(held);
            held += found;
            if held >= 64 {
                self.brackets.push(waiting);
                held -= 64;
                // Those that found no room.
                waiting = brackets.unbounded_shr(found - held);
            }
            count += found as usize;
            base = base.wrapping_add(64);
        }
        self.brackets.push(waiting);
        self.count = count;
        self.pair(event)
    }

    /// Finds the bracket that closes each one that opens; tells whether they are alike.
    #[inline(always)]
    fn pair(&mut self, event: &[u8]) -> bool {
        let Self { tokens, count, brackets, open: Open(open) } = self;
        let Some(tokens) = tokens.get_mut(..*count) else { return false };
        // Without a branch on what opens and what closes, which no processor foresees: what opens is written, and so is what closes, to a
        // place that is then free.
        let (mut depth, mut unlike, mut base) = (0_u32, 0_u32, 0_u32);
        for word in brackets {
            let mut word = *word;
            while word != 0 {
                let number = base + word.trailing_zeros();
                word &= word - 1;
                let Some(byte) = tokens.get(number as usize).and_then(|token| event.get(token.position as usize)) else { return false };
                let byte = u32::from(*byte);
                // Of `[`, `]`, `{` and `}` the closing ones have this bit.
                let closes = byte >> 2 & 1;
                let Some(place) = open.get_mut((depth.wrapping_sub(closes) & 127) as usize) else { return false };
                let (opening, opened) = *place;
                *place = (number, byte);
                let first = if closes == 1 { opening } else { number };
                let Some(token) = tokens.get_mut(first as usize) else { return false };
                token.skip = number.wrapping_sub(first).wrapping_add(closes);
                // An opening bracket and its like differ in two bits.
                unlike |= (opened ^ byte ^ 6) & closes.wrapping_neg();
                depth = depth.wrapping_add(1).wrapping_sub(2 * closes);
            }
            base = base.wrapping_add(64);
        }
        unlike == 0
    }
}

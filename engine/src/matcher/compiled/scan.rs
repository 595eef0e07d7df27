//! The structural form of an event, found 64 bytes at a time.
//!
//! One pass finds, outside strings, every bracket, colon and comma, and checks of the whole event: every string is closed;
//! a string begins right after a structural character and ends right before one; brackets open and close in equal number,
//! never nest deeper than [`DEEPEST`], and the first one closes at the very end; all bytes are UTF-8 and none is a control
//! character. Events with white space between tokens are copied without it first ([`strip`]), and then the same holds.
//!
//! What is *inside* a value that nobody reads is not checked: whether a bare word is a number, whether an escape is known.

#[cfg(target_arch = "x86_64")]
mod x86;

use wide::u8x16;

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

/// Where 64 bytes hold which characters, a bit for each byte.
#[derive(Debug, Clone, Copy, Default)]
struct Masks {
    quotes: u64,
    backslashes: u64,
    /// `{` and `[`.
    opens: u64,
    /// `}` and `]`.
    closes: u64,
    /// `,` and `:`.
    separators: u64,
}

/// One block of the event after the pass.
#[derive(Debug, Clone, Copy, Default)]
struct Block {
    opens: u64,
    closes: u64,
    separators: u64,
}

/// The structural characters of one event. Reused from event to event.
#[derive(Debug, Default)]
pub(super) struct Tape {
    blocks: Vec<Block>,
    /// For each block, how many structural characters stand before it.
    ranks: Vec<u32>,
    tokens: Vec<u32>,
    count: usize,
    has_backslash: bool,
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
        let pass = run(event, found);
        self.has_backslash = pass.has_backslash;
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
        self.has_backslash
    }

    /// Lists the positions of the structural characters, which [`Tape::position`] and [`Tape::after`] need.
    pub(super) fn flatten(&mut self, event: &[u8]) {
        let blocks = event.len().div_ceil(64);
        self.tokens.resize(self.tokens.len().max(event.len() + 64), 0);
        self.ranks.resize(self.ranks.len().max(blocks), 0);
        let mut count = 0_usize;
        let mut base = 0_u32;
        for (block, rank) in self.blocks.iter().take(blocks).zip(&mut self.ranks) {
            *rank = u32::try_from(count).unwrap_or(u32::MAX);
            let mut bits = block.opens | block.closes | block.separators;
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

    /// The position of the first structural character at or behind a position. Needs no list.
    #[inline]
    pub(super) fn next(&self, position: usize) -> Option<usize> {
        let mut index = position >> 6;
        let block = self.blocks.get(index)?;
        let mut bits = (block.opens | block.closes | block.separators) & (!0 << (position & 63));
        while bits == 0 {
            index += 1;
            let block = self.blocks.get(index)?;
            bits = block.opens | block.closes | block.separators;
        }
        Some(index << 6 | bits.trailing_zeros() as usize)
    }

    /// The number of a structural character by its position.
    #[inline]
    pub(super) fn number(&self, position: usize) -> Option<usize> {
        let (block, rank) = self.blocks.get(position >> 6).zip(self.ranks.get(position >> 6))?;
        let below = (1_u64 << (position & 63)) - 1;
        Some(*rank as usize + ((block.opens | block.closes | block.separators) & below).count_ones() as usize)
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

/// What one pass over an event leaves behind.
#[derive(Debug, Default)]
struct Pass {
    /// Whether the event ends within a string.
    in_string: bool,
    /// Not zero where two tokens touch that must not, or do not touch that must.
    bad: u64,
    /// Brackets opened and not closed.
    depth: i64,
    /// Whether the first bracket was closed.
    ended: bool,
    /// Whether there were brackets after that, or they were too deep.
    out_of_bounds: bool,
    control: bool,
    high: bool,
    has_backslash: bool,
}

/// How a processor finds masks.
trait Classify: Copy {
    /// What is gathered over all blocks to tell control characters and bytes beyond ASCII.
    type Extremes: Copy;
    fn extremes(self) -> Self::Extremes;
    fn classify(self, block: &[u8; 64], extremes: &mut Self::Extremes) -> Masks;
    /// Whether there was a control character, and whether there was a byte beyond ASCII.
    fn control_and_high(self, extremes: Self::Extremes) -> (bool, bool);
    /// For each bit the parity of it and all bits below.
    fn prefix_xor(self, bits: u64) -> u64;
}

fn run(event: &[u8], blocks: &mut [Block]) -> Pass {
    #[cfg(target_arch = "x86_64")]
    if let Some(pass) = x86::run(event, blocks) {
        return pass;
    }
    pass(Portable, event, blocks)
}

#[inline(always)]
fn pass<C: Classify>(classify: C, event: &[u8], blocks: &mut [Block]) -> Pass {
    touch(event);
    let mut state = State::default();
    let mut extremes = classify.extremes();
    let (whole, rest) = event.as_chunks::<64>();
    let mut blocks = blocks.iter_mut();
    for (bytes, block) in whole.iter().zip(&mut blocks) {
        let masks = classify.classify(bytes, &mut extremes);
        *block = state.step(classify, masks);
    }
    if let Some(block) = blocks.next() {
        let mut last = [b' '; 64];
        if let Some(room) = last.get_mut(..rest.len()) {
            room.copy_from_slice(rest);
        }
        let masks = classify.classify(&last, &mut extremes);
        *block = state.step(classify, masks);
    }
    let (control, high) = classify.control_and_high(extremes);
    Pass {
        in_string: state.in_string != 0,
        bad: state.bad,
        depth: state.depth,
        ended: state.ended,
        out_of_bounds: state.out_of_bounds,
        control,
        high,
        has_backslash: state.backslashes != 0,
    }
}

/// Asks for all of the event at once, so that memory that is not at hand comes while the pass runs. Loads do not wait for one
/// another; the pass would.
#[inline(always)]
fn touch(event: &[u8]) {
    std::hint::black_box(event.iter().step_by(64).fold(0, |sum, byte| sum ^ byte));
}

/// What is carried from block to block.
#[derive(Default)]
struct State {
    /// All ones within a string.
    in_string: u64,
    /// 1 where the last block ended with a backslash that escapes the next byte.
    escaping: u64,
    /// 1 where the last block ended with a closing quote.
    after_string: u64,
    /// 1 where the last block ended with a structural character.
    after_token: u64,
    backslashes: u64,
    bad: u64,
    depth: i64,
    ended: bool,
    out_of_bounds: bool,
}

impl State {
    #[inline(always)]
    fn step<C: Classify>(&mut self, classify: C, masks: Masks) -> Block {
        let quotes = if masks.backslashes | self.escaping == 0 { masks.quotes } else { masks.quotes & !self.escaped(masks.backslashes) };
        self.backslashes |= masks.backslashes;
        let strings = classify.prefix_xor(quotes) ^ self.in_string;
        self.in_string = ((strings as i64) >> 63) as u64;
        let opens = masks.opens & !strings;
        let closes = masks.closes & !strings;
        let separators = masks.separators & !strings;
        let tokens = opens | closes | separators;
        let begins = quotes & strings;
        let ends = quotes & !strings;
        self.bad |= begins & !((tokens << 1) | self.after_token);
        self.bad |= ((ends << 1) | self.after_string) & !tokens;
        self.after_token = tokens >> 63;
        self.after_string = ends >> 63;
        let (opened, closed) = (i64::from(opens.count_ones()), i64::from(closes.count_ones()));
        if self.depth <= closed || self.depth + opened > i64::from(DEEPEST) {
            self.look_closer(opens, closes);
        }
        self.depth += opened - closed;
        Block { opens, closes, separators }
    }

    /// Bracket by bracket: never too deep, and at depth 0 only before the first and after the last.
    #[cold]
    fn look_closer(&mut self, opens: u64, closes: u64) {
        let mut depth = self.depth;
        let mut brackets = opens | closes;
        while brackets != 0 {
            let lowest = brackets & brackets.wrapping_neg();
            brackets ^= lowest;
            self.out_of_bounds |= self.ended;
            depth += if opens & lowest == 0 { -1 } else { 1 };
            self.ended |= depth <= 0;
            self.out_of_bounds |= depth > i64::from(DEEPEST);
        }
    }

    /// The bytes that a backslash stands before, itself not escaped. (The way of simdjson: additions carry through runs.)
    #[inline(always)]
    fn escaped(&mut self, backslashes: u64) -> u64 {
        const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
        let potential = backslashes & !self.escaping;
        let maybe = potential << 1;
        let codes = ((maybe | ODD).wrapping_sub(potential)) ^ ODD;
        let escaped = codes ^ (backslashes | self.escaping);
        self.escaping = (codes & backslashes) >> 63;
        escaped
    }
}

/// Vectors of 16 bytes: SSE2 and NEON, or plain code where there are none.
#[derive(Clone, Copy)]
struct Portable;

impl Portable {
    #[inline(always)]
    fn mask(vectors: [u8x16; 4], test: impl Fn(u8x16) -> u8x16) -> u64 {
        let [a, b, c, d] = vectors.map(|vector| u64::from(test(vector).to_bitmask()));
        a | b << 16 | c << 32 | d << 48
    }
}

impl Classify for Portable {
    type Extremes = (u8x16, u8x16);

    #[inline(always)]
    fn extremes(self) -> Self::Extremes {
        (u8x16::splat(0xFF), u8x16::splat(0))
    }

    #[inline(always)]
    fn classify(self, block: &[u8; 64], (lowest, union): &mut Self::Extremes) -> Masks {
        let (parts, _) = block.as_chunks::<16>();
        let mut vectors = [u8x16::splat(b' '); 4];
        for (vector, part) in vectors.iter_mut().zip(parts) {
            *vector = u8x16::new(*part);
            *lowest = lowest.min(*vector);
            *union |= *vector;
        }
        let is = |byte: u8| move |vector: u8x16| vector.simd_eq(u8x16::splat(byte));
        let folded = |byte: u8| move |vector: u8x16| (vector | u8x16::splat(0x20)).simd_eq(u8x16::splat(byte));
        Masks {
            quotes: Self::mask(vectors, is(b'"')),
            backslashes: Self::mask(vectors, is(b'\\')),
            // `{` and `[` differ in this one bit, and no other byte does; `}` and `]` likewise.
            opens: Self::mask(vectors, folded(b'{')),
            closes: Self::mask(vectors, folded(b'}')),
            separators: Self::mask(vectors, |vector| vector.simd_eq(u8x16::splat(b',')) | vector.simd_eq(u8x16::splat(b':'))),
        }
    }

    #[inline(always)]
    fn control_and_high(self, (lowest, union): Self::Extremes) -> (bool, bool) {
        (lowest.to_array().into_iter().any(|byte| byte < 0x20), union.to_array().into_iter().any(|byte| byte >= 0x80))
    }

    #[inline(always)]
    fn prefix_xor(self, bits: u64) -> u64 {
        let mut parity = bits;
        for shift in [1, 2, 4, 8, 16, 32] {
            parity ^= parity << shift;
        }
        parity
    }
}

/// Copies an event without the white space between its tokens. Where white space parted two bare words a blank is left, so that
/// they do not become one.
pub(super) fn strip(event: &[u8], into: &mut Vec<u8>) {
    into.clear();
    let is_bare = |byte: u8| !matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':' | b'"');
    let (mut in_string, mut escaped, mut parted) = (false, false, false);
    for &byte in event {
        if in_string {
            into.push(byte);
            if escaped {
                escaped = false;
            } else if byte == b'\\' {
                escaped = true;
            } else if byte == b'"' {
                in_string = false;
            }
            continue;
        }
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            parted = true;
            continue;
        }
        if parted && is_bare(byte) && into.last().is_some_and(|last| is_bare(*last)) {
            into.push(b' ');
        }
        parted = false;
        in_string = byte == b'"';
        into.push(byte);
    }
}

//! The pass over an event's bytes, the same for every processor; how 64 bytes are classified is the processor's matter.

use super::DEEPEST;

/// Where 64 bytes hold which characters, a bit for each byte.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Masks {
    pub(super) quotes: u64,
    pub(super) backslashes: u64,
    /// `{` and `[`.
    pub(super) opens: u64,
    /// `}` and `]`.
    pub(super) closes: u64,
    /// All of them, `,` and `:`.
    pub(super) tokens: u64,
    /// [`MARK`].
    pub(super) marks: u64,
}

/// The same of eight blocks, for those who look at so many at once.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(64))]
pub(super) struct Eight {
    pub(super) quotes: [u64; 8],
    pub(super) opens: [u64; 8],
    pub(super) closes: [u64; 8],
    pub(super) tokens: [u64; 8],
    pub(super) marks: [u64; 8],
}

/// One block of the event after the pass: what stands outside strings.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub(super) struct Block {
    /// Every structural character.
    pub(super) tokens: u64,
    /// Those of them that are brackets.
    pub(super) brackets: u64,
}

/// The last byte but two of `eventName` and of `detail`, which the pass looks for on its way.
pub(super) const MARK: u8 = b'a';

/// How far behind that byte the character behind such a name stands.
pub(super) const MARK_DISTANCE: u32 = 4;

/// How far behind a name's first quote it stands: [`MARK`] may be in others, too, but seldom in one of these lengths.
pub(super) const NAME_DISTANCES: [u32; 2] = [8, 11];

/// The structural characters that have such a name before them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Marks {
    places: [u32; 8],
    count: usize,
}

impl Marks {
    /// Where they stand; `None` where there are too many.
    pub(super) fn places(&self) -> Option<&[u32]> {
        self.places.get(..self.count)
    }

    /// Notes the bits of one block.
    #[inline]
    pub(super) fn note(&mut self, base: u32, mut marked: u64) {
        while marked != 0 {
            if let Some(place) = self.places.get_mut(self.count) {
                *place = base.wrapping_add(marked.trailing_zeros());
            }
            // Once there are too many `places` tells none.
            self.count = (self.count + 1).min(self.places.len() + 1);
            marked &= marked - 1;
        }
    }
}

/// What one pass over an event leaves behind.
#[derive(Debug, Default)]
pub(super) struct Pass {
    /// Whether the event ends within a string.
    pub(super) in_string: bool,
    /// Whether two tokens touch that must not, or do not touch that must.
    pub(super) bad: bool,
    /// Whether the first byte is a bracket that the last byte closes, and what is between them never is too deep.
    pub(super) nested: bool,
    pub(super) control: bool,
    pub(super) high: bool,
    pub(super) has_backslash: bool,
    pub(super) marks: Marks,
}

/// How a processor finds masks.
pub(super) trait Classify: Copy {
    /// What is gathered over all blocks to tell control characters and bytes beyond ASCII.
    type Extremes: Copy;
    fn extremes(self) -> Self::Extremes;
    fn classify(self, block: &[u8; 64], extremes: &mut Self::Extremes) -> Masks;
    /// Whether there was a control character, and whether there was a byte beyond ASCII.
    fn control_and_high(self, extremes: Self::Extremes) -> (bool, bool);
    /// For each bit the parity of it and all bits below.
    fn prefix_xor(self, bits: u64) -> u64;
}

#[inline(always)]
pub(super) fn pass<C: Classify>(classify: C, event: &[u8], blocks: &mut [Block]) -> Pass {
    // An event begins as if a colon stood before it.
    let mut state = State { starts: 1 << 63, ..State::default() };
    // Not in the state, which is all in registers while nothing else points to it.
    let mut marks = Marks::default();
    let mut extremes = classify.extremes();
    let (whole, rest) = event.as_chunks::<64>();
    let mut blocks = blocks.iter_mut();
    for (bytes, block) in whole.iter().zip(&mut blocks) {
        let masks = classify.classify(bytes, &mut extremes);
        *block = state.step(classify, masks, !0, &mut marks);
    }
    if let Some(block) = blocks.next().filter(|_| !rest.is_empty()) {
        let mut last = [b' '; 64];
        if let Some(room) = last.get_mut(..rest.len()) {
            room.copy_from_slice(rest);
        }
        let masks = classify.classify(&last, &mut extremes);
        *block = state.step(classify, masks, !(!0 << rest.len()), &mut marks);
    }
    let (control, high) = classify.control_and_high(extremes);
    Pass {
        in_string: state.in_string != 0,
        bad: state.bad != 0,
        nested: is_bracketed(event) && state.in_string == 0 && state.depth == 0 && state.ended && !state.out_of_bounds,
        control,
        high,
        has_backslash: state.backslashes != 0,
        marks,
    }
}

/// Whether an event begins and ends as if with brackets.
#[inline(always)]
pub(super) fn is_bracketed(event: &[u8]) -> bool {
    matches!(event, [b'{' | b'[', .., b'}' | b']'])
}

/// What is carried from block to block.
#[derive(Default)]
struct State {
    /// All ones within a string.
    in_string: u64,
    /// 1 where the last block ended with a backslash that escapes the next byte.
    escaping: u64,
    /// The opening brackets, colons and commas of the last block.
    starts: u64,
    /// The colons and commas of the last block.
    separators: u64,
    /// The closing quotes and brackets of the last block.
    ends: u64,
    /// The quotes of the last block, and its [`MARK`]s.
    quotes: u64,
    marks: u64,
    backslashes: u64,
    bad: u64,
    depth: i64,
    ended: bool,
    out_of_bounds: bool,
    base: u32,
}

impl State {
    /// `valid` has a bit for each byte that is the event's.
    #[inline(always)]
    fn step<C: Classify>(&mut self, classify: C, masks: Masks, valid: u64, marks: &mut Marks) -> Block {
        let quotes = if masks.backslashes | self.escaping == 0 {
            masks.quotes
        } else {
            masks.quotes & !escaped(masks.backslashes, &mut self.escaping)
        };
        self.backslashes |= masks.backslashes;
        let strings = classify.prefix_xor(quotes) ^ self.in_string;
        self.in_string = (strings.cast_signed() >> 63).cast_unsigned();
        let opens = masks.opens & !strings;
        let closes = masks.closes & !strings;
        let tokens = masks.tokens & !strings;
        let behind = |now: u64, before: u64, distance: u32| now << distance | before >> (64 - distance);
        let marked = tokens & behind(masks.marks, self.marks, MARK_DISTANCE) & behind(quotes, self.quotes, 1);
        if marked != 0 {
            let [short, long] = NAME_DISTANCES.map(|distance| behind(quotes, self.quotes, distance));
            marks.note(self.base, marked & (short | long));
        }
        self.base = self.base.wrapping_add(64);
        (self.quotes, self.marks) = (quotes, masks.marks);
        self.touching(quotes, strings, opens, closes, tokens, valid);
        let (opened, closed) = (i64::from(opens.count_ones()), i64::from(closes.count_ones()));
        // Where one of the two is negative.
        if (self.depth - 1 - closed) | (i64::from(DEEPEST) - self.depth - opened) < 0 {
            let (ended, out_of_bounds) = look_closer(self.depth, self.ended, opens, closes);
            self.ended = ended;
            self.out_of_bounds |= out_of_bounds;
        }
        self.depth += opened - closed;
        Block { tokens, brackets: opens | closes }
    }

    /// What may stand beside what.
    #[inline(always)]
    fn touching(&mut self, quotes: u64, strings: u64, opens: u64, closes: u64, tokens: u64, valid: u64) {
        let starts = tokens & !closes;
        let separators = starts & !opens;
        let ends = quotes & !strings | closes;
        let behind_start = starts << 1 | self.starts >> 63;
        let behind_separator = separators << 1 | self.separators >> 63;
        let behind_end = ends << 1 | self.ends >> 63;
        // A string or a bracket opens only behind a start; a start is not followed by a separator, and a separator not by an end;
        // an end is followed by a structural character.
        let begins = quotes & strings | opens;
        self.bad |= begins & !behind_start | separators & behind_start | closes & behind_separator | behind_end & !tokens & valid;
        (self.starts, self.separators, self.ends) = (starts, separators, ends);
    }
}

/// The bytes that a backslash stands before, itself not escaped; `escaping` is 1 where the last of the block before is such a backslash.
/// (The way of simdjson: additions carry through runs.)
#[inline(always)]
pub(super) fn escaped(backslashes: u64, escaping: &mut u64) -> u64 {
    const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
    let potential = backslashes & !*escaping;
    let maybe = potential << 1;
    let codes = ((maybe | ODD).wrapping_sub(potential)) ^ ODD;
    let escaped = codes ^ (backslashes | *escaping);
    *escaping = (codes & backslashes) >> 63;
    escaped
}

/// Bracket by bracket: never too deep, and at depth 0 only before the first and after the last. Tells whether the first bracket was closed,
/// and whether there was more after that, or too deep. (It takes and gives values, so that the pass can keep all it has in registers.)
#[cold]
#[inline(never)]
fn look_closer(mut depth: i64, mut ended: bool, opens: u64, closes: u64) -> (bool, bool) {
    let mut out_of_bounds = false;
    let mut brackets = opens | closes;
    while brackets != 0 {
        let lowest = brackets & brackets.wrapping_neg();
        brackets ^= lowest;
        out_of_bounds |= ended;
        depth += if opens & lowest == 0 { -1 } else { 1 };
        ended |= depth <= 0;
        out_of_bounds |= depth > i64::from(DEEPEST);
    }
    (ended, out_of_bounds)
}

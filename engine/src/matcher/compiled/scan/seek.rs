//! Texts sought inside another, several one after the other: quick where they are few, and where usually none is there.

use wide::u8x16;

/// A text that is sought, and two of its bytes to look for first.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Needle {
    /// Where its text begins among [`Needles::texts`].
    start: u32,
    pub(super) length: u32,
    /// Two bytes by their places in the text, which are not the same if it has more than one.
    pub(super) places: [u32; 2],
    pub(super) bytes: [u8; 2],
}

/// Many texts, one behind the other.
#[derive(Debug, Default)]
pub(in super::super) struct Needles {
    texts: Vec<u8>,
}

impl Needles {
    /// Adds a text that is not empty.
    pub(in super::super) fn add(&mut self, text: &[u8]) -> Needle {
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let mut places: Vec<usize> = (0..text.len()).collect();
        // Those seldom seen, and far apart.
        let frequency = |place: &usize| text.get(*place).map_or(0, |byte| frequency(*byte));
        places.sort_by_key(|place| (frequency(place), *place));
        let (first, second) = (places.first().copied().unwrap_or(0), places.get(1).copied().unwrap_or(0));
        let byte = |place: usize| text.get(place).copied().unwrap_or(0);
        let start = small(self.texts.len());
        self.texts.extend_from_slice(text);
        Needle { start, length: small(text.len()), places: [small(first), small(second)], bytes: [byte(first), byte(second)] }
    }

    pub(super) fn text(&self, needle: &Needle) -> &[u8] {
        self.texts.get(needle.start as usize..(needle.start + needle.length) as usize).unwrap_or_default()
    }
}

/// How often a byte is seen in names and addresses, roughly.
fn frequency(byte: u8) -> u8 {
    match byte {
        b'a' | b'e' | b'i' | b'o' | b'n' | b'r' | b's' | b't' | b'0' | b'1' | b'-' | b'.' | b'/' | b':' => 3,
        b'a'..=b'z' | b'0'..=b'9' | b' ' => 2,
        b'A'..=b'Z' => 1,
        _ => 0,
    }
}

/// How a processor finds the places where two bytes stand as a needle has them.
pub(super) trait Seek: Copy {
    /// Of the first 64 places, or as many as there are, of which `first` and `second` hold the bytes that stand there: a bit for each at
    /// which both are the needle's. The slices are equally long.
    fn both(self, first: &[u8], second: &[u8], bytes: [u8; 2]) -> u64;
}

/// The first of some needles that is in a text.
#[inline(always)]
pub(super) fn first_inside<S: Seek>(seek: S, text: &[u8], needles: &[Needle], all: &Needles) -> Option<usize> {
    // Loops, not iterators with closures: these are not sure to be inlined, and then have not the processor's vectors.
    for (number, needle) in needles.iter().enumerate() {
        if is_inside(seek, text, needle, all) {
            return Some(number);
        }
    }
    None
}

#[inline(always)]
fn is_inside<S: Seek>(seek: S, text: &[u8], needle: &Needle, all: &Needles) -> bool {
    let Some(last) = text.len().checked_sub(needle.length as usize) else { return false };
    let [one, other] = needle.places;
    // Where the two bytes stand at each place at which the needle may begin.
    let (Some(mut first), Some(mut second)) =
        (text.get(one as usize..=last + one as usize), text.get(other as usize..=last + other as usize))
    else {
        return false;
    };
    let mut start = 0;
    loop {
        let mut both = seek.both(first, second, needle.bytes);
        while both != 0 {
            let found = start + both.trailing_zeros() as usize;
            if text.get(found..).is_some_and(|rest| rest.starts_with(all.text(needle))) {
                return true;
            }
            both &= both - 1;
        }
        let (Some(more), Some(more_second)) = (first.get(64..), second.get(64..)) else { return false };
        (first, second) = (more, more_second);
        start += 64;
    }
}

impl Seek for super::portable::Portable {
    #[inline(always)]
    fn both(self, first: &[u8], second: &[u8], [one, other]: [u8; 2]) -> u64 {
        let count = first.len().min(64);
        let (firsts, rest) = first.get(..count).unwrap_or_default().as_chunks::<16>();
        let (seconds, other_rest) = second.get(..count).unwrap_or_default().as_chunks::<16>();
        let (one_wide, other_wide) = (u8x16::splat(one), u8x16::splat(other));
        let mut bits = 0;
        let mut shift = 0;
        for (first, second) in firsts.iter().zip(seconds) {
            let both = u8x16::new(*first).simd_eq(one_wide) & u8x16::new(*second).simd_eq(other_wide);
            bits |= u64::from(both.to_bitmask()) << shift;
            shift += 16;
        }
        for (first, second) in rest.iter().zip(other_rest) {
            bits |= u64::from((*first == one) & (*second == other)) << shift;
            shift += 1;
        }
        bits
    }
}

//! Where a JSON value ends, found 64 bytes at a time: only brackets and strings are looked at.

use wide::u8x16;

/// Which of 64 bytes are which, a bit for each, the first one lowest.
struct Marks {
    quotes: u64,
    backslashes: u64,
    opens: u64,
    closes: u64,
}

impl Marks {
    fn of(block: &[u8; 64]) -> Self {
        let mut vectors = [u8x16::splat(0); 4];
        for (vector, part) in vectors.iter_mut().zip(block.as_chunks::<16>().0) {
            *vector = u8x16::new(*part);
        }
        let marks = |test: &dyn Fn(u8x16) -> u8x16| {
            let [a, b, c, d] = vectors.map(|vector| u64::from(test(vector).to_bitmask()));
            a | b << 16 | c << 32 | d << 48
        };
        let is = |vector: u8x16, byte: u8| vector.simd_eq(u8x16::splat(byte));
        // `{` and `[` differ in this one bit, and no other byte does; `}` and `]` likewise.
        let either = |vector: u8x16, byte: u8| is(vector | u8x16::splat(0x20), byte);
        Self {
            quotes: marks(&|vector| is(vector, b'"')),
            backslashes: marks(&|vector| is(vector, b'\\')),
            opens: marks(&|vector| either(vector, b'{')),
            closes: marks(&|vector| either(vector, b'}')),
        }
    }
}

/// What is known where a block begins.
struct Place {
    /// Brackets that are open.
    depth: usize,
    /// All bits within a string, else none.
    in_string: u64,
    /// Whether the first byte belongs to an escape.
    is_escaped: bool,
}

/// The place behind the bracket that closes `depth` that are open, one at least, at a place outside strings; `None` where the text ends before it.
pub(super) fn close(text: &[u8], at: usize, depth: usize) -> Option<usize> {
    let (blocks, rest) = text.get(at..)?.as_chunks::<64>();
    let mut place = Place { depth, in_string: 0, is_escaped: false };
    for (number, block) in blocks.iter().enumerate() {
        if let Some(closed) = place.pass(&Marks::of(block)) {
            return Some(at + number * 64 + closed);
        }
    }
    let mut last = [0; 64];
    last.get_mut(..rest.len())?.copy_from_slice(rest);
    place.pass(&Marks::of(&last)).map(|closed| at + blocks.len() * 64 + closed)
}

impl Place {
    /// Goes on behind a block; `Some` where the last bracket is closed in it: the place behind that.
    #[inline]
    fn pass(&mut self, marks: &Marks) -> Option<usize> {
        if marks.backslashes != 0 || self.is_escaped {
            return self.step_by_step(marks);
        }
        let inside = parity(marks.quotes) ^ self.in_string;
        self.in_string = 0_u64.wrapping_sub(inside >> 63);
        let (opens, mut closes) = (marks.opens & !inside, marks.closes & !inside);
        let mut closed = closes.count_ones() as usize;
        if closed >= self.depth {
            closed = 0;
            while closes != 0 {
                let lowest = closes & closes.wrapping_neg();
                closes ^= lowest;
                closed += 1;
                if self.depth + (opens & (lowest - 1)).count_ones() as usize == closed {
                    return Some(lowest.trailing_zeros() as usize + 1);
                }
            }
        }
        self.depth = self.depth + opens.count_ones() as usize - closed;
        None
    }

    /// The same where a backslash is, which means something within strings alone.
    #[cold]
    fn step_by_step(&mut self, marks: &Marks) -> Option<usize> {
        let mut left = marks.quotes | marks.backslashes | marks.opens | marks.closes;
        left &= !u64::from(std::mem::take(&mut self.is_escaped));
        while left != 0 {
            let lowest = left & left.wrapping_neg();
            left ^= lowest;
            let is = |marks: u64| marks & lowest != 0;
            if is(marks.quotes) {
                self.in_string = !self.in_string;
            } else if is(marks.backslashes) {
                if self.in_string != 0 {
                    left &= !(lowest << 1);
                    self.is_escaped = lowest >> 63 == 1;
                }
            } else if self.in_string == 0 && is(marks.opens) {
                self.depth += 1;
            } else if self.in_string == 0 {
                self.depth -= 1;
                if self.depth == 0 {
                    return Some(lowest.trailing_zeros() as usize + 1);
                }
            }
        }
        None
    }
}

/// For each bit whether an odd number of bits is set up to it.
fn parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, byte by byte.
    fn slowly(text: &[u8], at: usize, mut depth: usize) -> Option<usize> {
        let (mut in_string, mut is_escaped) = (false, false);
        for (place, byte) in text.iter().enumerate().skip(at) {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if in_string => is_escaped = true,
                b'"' => in_string = !in_string,
                b'{' | b'[' if !in_string => depth += 1,
                b'}' | b']' if !in_string => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(place + 1);
            }
        }
        None
    }

    proptest! {
        #[test]
        fn values_end_where_they_end_byte_by_byte(text in "[{}\\[\\]\"\\\\a ;=|]{0,300}", at in 0_usize..80, depth in 1_usize..5, letters in 0_usize..200) {
            // Some have many letters between their brackets, as records have.
            let text = text.replace('a', &"a".repeat(letters));
            let at = at.min(text.len());
            prop_assert_eq!(close(text.as_bytes(), at, depth), slowly(text.as_bytes(), at, depth));
        }
    }
}

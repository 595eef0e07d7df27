//! Vectors of 16 bytes: SSE2 and NEON, or plain code where there are none.

use wide::u8x16;

use super::list::{Locate, Token};
use super::pass::{Classify, MARK, Masks};

#[derive(Clone, Copy)]
pub(super) struct Portable;

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
        let is = |vector: u8x16, byte: u8| vector.simd_eq(u8x16::splat(byte));
        // `{` and `[` differ in this one bit, and no other byte does; `}` and `]` likewise.
        let folded_is = |vector: u8x16, byte: u8| is(vector | u8x16::splat(0x20), byte);
        let opens = Self::mask(vectors, |vector| folded_is(vector, b'{'));
        let closes = Self::mask(vectors, |vector| folded_is(vector, b'}'));
        Masks {
            quotes: Self::mask(vectors, |vector| is(vector, b'"')),
            backslashes: Self::mask(vectors, |vector| is(vector, b'\\')),
            opens,
            closes,
            tokens: opens | closes | Self::mask(vectors, |vector| is(vector, b',') | is(vector, b':')),
            marks: Self::mask(vectors, |vector| is(vector, MARK)),
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

impl Locate for Portable {
    #[inline(always)]
    fn put(self, mut bits: u64, base: u32, room: &mut [Token; 64]) {
        for fours in room.as_chunks_mut::<4>().0 {
            if bits == 0 {
                return;
            }
            // Four at once without a question.
            for token in fours {
                *token = Token { position: base.wrapping_add(bits.trailing_zeros()), skip: 0 };
                bits &= bits.wrapping_sub(1);
            }
        }
    }

    #[inline(always)]
    fn among(self, mut bits: u64, within: u64) -> u64 {
        let mut moved = 0;
        while bits != 0 {
            let lowest = bits & bits.wrapping_neg();
            bits ^= lowest;
            moved |= 1 << (within & (lowest - 1)).count_ones();
        }
        moved
    }
}

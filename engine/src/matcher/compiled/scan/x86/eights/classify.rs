//! The characters of eight blocks told apart, one block of 64 bytes after the other.

use std::arch::x86_64::*;

use super::super::super::pass::{Eight, MARK};
use super::super::tokens;

/// What is gathered over all blocks: the lowest bytes, the bits that any has, and zero where there was a backslash.
#[derive(Clone, Copy)]
pub(super) struct Extremes {
    pub(super) lowest: __m512i,
    pub(super) union: __m512i,
    pub(super) backslash: __m512i,
}

impl Extremes {
    #[inline(always)]
    pub(super) unsafe fn new() -> Self {
        // SAFETY: inlined into `run_avx512`.
        unsafe { Self { lowest: _mm512_set1_epi8(-1), union: _mm512_setzero_si512(), backslash: _mm512_set1_epi8(-1) } }
    }
}

impl Eight {
    /// Of up to 512 bytes.
    #[inline(always)]
    pub(super) fn classify(&mut self, bytes: &[u8], extremes: &mut Extremes) {
        let (whole, rest) = bytes.as_chunks::<64>();
        if let Ok(all) = <&[[u8; 64]; 8]>::try_from(whole) {
            for (lane, block) in all.iter().enumerate() {
                // SAFETY: inlined into `run_avx512`; the load reads the 64 bytes of `block`.
                self.put(lane, unsafe { _mm512_loadu_si512(block.as_ptr().cast()) }, extremes);
            }
            return;
        }
        *self = Self::default();
        for (lane, block) in whole.iter().enumerate() {
            // SAFETY: as above.
            self.put(lane, unsafe { _mm512_loadu_si512(block.as_ptr().cast()) }, extremes);
        }
        if !rest.is_empty() {
            let valid = u64::MAX >> (64 - rest.len());
            // SAFETY: inlined into `run_avx512`; the load reads the bytes of `valid` alone, which are those of `rest`.
            let last = unsafe { _mm512_mask_loadu_epi8(_mm512_set1_epi8(0x20), valid, rest.as_ptr().cast()) };
            self.put(whole.len(), last, extremes);
        }
    }

    /// Of one block, the `lane`th.
    #[inline(always)]
    fn put(&mut self, lane: usize, bytes: __m512i, extremes: &mut Extremes) {
        // SAFETY: inlined into `run_avx512`.
        let masks = unsafe {
            extremes.lowest = _mm512_min_epu8(extremes.lowest, bytes);
            extremes.union = _mm512_or_si512(extremes.union, bytes);
            let not_backslash = _mm512_xor_si512(bytes, _mm512_set1_epi8(b'\\'.cast_signed()));
            extremes.backslash = _mm512_min_epu8(extremes.backslash, not_backslash);
            let folded = _mm512_or_si512(bytes, _mm512_set1_epi8(0x20));
            let is = |byte: u8| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte.cast_signed()));
            let folded_is = |byte: u8| _mm512_cmpeq_epi8_mask(folded, _mm512_set1_epi8(byte.cast_signed()));
            let tokens = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(tokens()), bytes);
            [is(b'"'), folded_is(b'{'), folded_is(b'}'), _mm512_cmpeq_epi8_mask(folded, tokens), is(MARK)]
        };
        let Self { quotes, opens, closes, tokens, marks } = self;
        for (kind, mask) in [quotes, opens, closes, tokens, marks].into_iter().zip(masks) {
            if let Some(place) = kind.get_mut(lane) {
                *place = mask;
            }
        }
    }
}

//! 64 bytes in two vectors: AVX2.

use std::arch::x86_64::*;

use super::super::list::{Locate, Token};
use super::super::pass::{Classify, MARK, Masks};
use super::super::portable::Portable;
use super::{among, carryless, tokens};

#[derive(Clone, Copy)]
pub(super) struct Avx2;

/// A bit for each byte whose top bit is set.
#[inline(always)]
unsafe fn bits(low: __m256i, high: __m256i) -> u64 {
    // SAFETY: inlined into `run_avx2`, as the caller promises.
    let (low, high) = unsafe { (_mm256_movemask_epi8(low), _mm256_movemask_epi8(high)) };
    u64::from(low.cast_unsigned()) | u64::from(high.cast_unsigned()) << 32
}

impl Classify for Avx2 {
    type Extremes = (__m256i, __m256i);

    #[inline(always)]
    fn extremes(self) -> Self::Extremes {
        // SAFETY: inlined into `run_avx2`.
        unsafe { (_mm256_set1_epi8(-1), _mm256_setzero_si256()) }
    }

    #[inline(always)]
    fn classify(self, block: &[u8; 64], (lowest, union): &mut Self::Extremes) -> Masks {
        // SAFETY: inlined into `run_avx2`; the loads read the 64 bytes of `block`.
        unsafe {
            let low = _mm256_loadu_si256(block.as_ptr().cast());
            let high = _mm256_loadu_si256(block.as_ptr().add(32).cast());
            *lowest = _mm256_min_epu8(*lowest, _mm256_min_epu8(low, high));
            *union = _mm256_or_si256(*union, _mm256_or_si256(low, high));
            let case = _mm256_set1_epi8(0x20);
            let (folded_low, folded_high) = (_mm256_or_si256(low, case), _mm256_or_si256(high, case));
            let is = |byte: u8| {
                let wanted = _mm256_set1_epi8(byte.cast_signed());
                bits(_mm256_cmpeq_epi8(low, wanted), _mm256_cmpeq_epi8(high, wanted))
            };
            let folded_is = |byte: u8| {
                let wanted = _mm256_set1_epi8(byte.cast_signed());
                bits(_mm256_cmpeq_epi8(folded_low, wanted), _mm256_cmpeq_epi8(folded_high, wanted))
            };
            let tokens = _mm256_broadcastsi128_si256(tokens());
            let token = |bytes, folded| _mm256_cmpeq_epi8(folded, _mm256_shuffle_epi8(tokens, bytes));
            Masks {
                quotes: is(b'"'),
                backslashes: is(b'\\'),
                opens: folded_is(b'{'),
                closes: folded_is(b'}'),
                tokens: bits(token(low, folded_low), token(high, folded_high)),
                marks: is(MARK),
            }
        }
    }

    #[inline(always)]
    fn control_and_high(self, (lowest, union): Self::Extremes) -> (bool, bool) {
        // SAFETY: inlined into `run_avx2`.
        unsafe {
            let blank = _mm256_set1_epi8(0x20);
            // Where the lesser of a byte and a blank is not the blank, the byte is a control character.
            let control = _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(lowest, blank), blank)) != -1;
            (control, _mm256_movemask_epi8(union) != 0)
        }
    }

    #[inline(always)]
    fn prefix_xor(self, bits: u64) -> u64 {
        // SAFETY: inlined into `run_avx2`.
        unsafe { carryless(bits) }
    }
}

impl Locate for Avx2 {
    #[inline(always)]
    fn put(self, bits: u64, base: u32, room: &mut [Token; 64]) {
        Portable.put(bits, base, room);
    }

    #[inline(always)]
    fn among(self, bits: u64, within: u64) -> u64 {
        // SAFETY: inlined into `list_avx2`.
        unsafe { among(bits, within) }
    }
}

//! 64 bytes in one vector: AVX-512 with VBMI2, which has a list of positions from bits in one step.

use std::arch::x86_64::*;

use super::super::list::{Locate, Token};
use super::super::seek::Seek;
use super::among;

#[derive(Clone, Copy)]
pub(super) struct Avx512;

impl Locate for Avx512 {
    #[inline(always)]
    fn put(self, bits: u64, base: u32, room: &mut [Token; 64]) {
        // SAFETY: inlined into `list_avx512`; each store is to eight tokens of `room`, which are eight bytes each, the lower four their
        // position.
        unsafe {
            let mut numbers = _mm512_maskz_compress_epi8(bits, numbers());
            let base = _mm512_set1_epi64(i64::from(base));
            let mut left = bits.count_ones();
            let (sixteens, _) = room.as_chunks_mut::<16>();
            for sixteen in sixteens {
                let low = _mm512_castsi512_si128(numbers);
                let high = _mm_srli_si128::<8>(low);
                let (first, second) = sixteen.split_at_mut(8);
                _mm512_storeu_si512(first.as_mut_ptr().cast(), _mm512_add_epi64(_mm512_cvtepu8_epi64(low), base));
                _mm512_storeu_si512(second.as_mut_ptr().cast(), _mm512_add_epi64(_mm512_cvtepu8_epi64(high), base));
                if left <= 16 {
                    return;
                }
                left -= 16;
                numbers = _mm512_alignr_epi64::<2>(_mm512_setzero_si512(), numbers);
            }
        }
    }

    #[inline(always)]
    fn among(self, bits: u64, within: u64) -> u64 {
        // SAFETY: inlined into `list_avx512`.
        unsafe { among(bits, within) }
    }
}

impl Seek for Avx512 {
    #[inline(always)]
    fn both(self, first: &[u8], second: &[u8], [one, other]: [u8; 2]) -> u64 {
        let count = first.len().min(second.len()).min(64);
        if count == 0 {
            return 0;
        }
        let valid = u64::MAX >> (64 - count);
        // SAFETY: inlined into `seek_avx512`; the loads read the bytes of `valid` alone, which both slices have.
        unsafe {
            let first = _mm512_maskz_loadu_epi8(valid, first.as_ptr().cast());
            let second = _mm512_maskz_loadu_epi8(valid, second.as_ptr().cast());
            let is_first = _mm512_mask_cmpeq_epi8_mask(valid, first, _mm512_set1_epi8(one.cast_signed()));
            _mm512_mask_cmpeq_epi8_mask(is_first, second, _mm512_set1_epi8(other.cast_signed()))
        }
    }
}

/// 0 to 63.
#[inline(always)]
unsafe fn numbers() -> __m512i {
    const NUMBERS: [u8; 64] = {
        let mut numbers = [0; 64];
        let mut number = 0;
        while number < 64 {
            #[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "done while compiling")]
            {
                numbers[number] = number as u8;
            }
            number += 1;
        }
        numbers
    };
    // SAFETY: inlined into `list_avx512`, as the caller promises; the load reads the 64 bytes of the constant.
    unsafe { _mm512_loadu_si512(NUMBERS.as_ptr().cast()) }
}

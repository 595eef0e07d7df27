//! The same pass with the wide vectors of x86-64, chosen while running: AVX-512BW, else AVX2, else neither.
//!
//! It is here because it pays: at one trigger the pass is most of the work, and it takes a third of the time that the portable
//! one takes (docs/benchmarks.md).
//!
//! This is the engine's one module with unsafe code. What makes it sound:
//! - A function with `#[target_feature]` is called only after the processor was asked for exactly these features.
//! - The intrinsics are called from functions that are inlined into one of those, and nowhere else: the two types here are built
//!   only in [`run`].
//! - Loads are unaligned ones, from `&[u8; 64]`, within its 64 bytes.
//!
//! `the_passes_agree` holds both against the portable pass. It is clean under valgrind's memcheck, which shows no AVX-512 and so
//! runs the AVX2 pass; `make fuzz` judges events under AddressSanitizer, by the pass that the processor has. Miri was not run: it
//! comes with nightly toolchains alone, and knows no AVX-512.

#![expect(unsafe_code, reason = "vector intrinsics; the module's head tells why they are sound")]

use std::arch::x86_64::*;

use super::list::list as list_blocks;
use super::pass::{Block, Classify, MARKS, Masks, Pass, pass};

/// The pass, if the processor has wide vectors.
pub(super) fn run(event: &[u8], blocks: &mut [Block]) -> Option<Pass> {
    if cfg!(miri) || !is_x86_feature_detected!("pclmulqdq") || !is_x86_feature_detected!("popcnt") || !is_x86_feature_detected!("bmi1") {
        return None;
    }
    if is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512f") {
        // SAFETY: all features of the function were found.
        return Some(unsafe { run_avx512(event, blocks) });
    }
    if is_x86_feature_detected!("avx2") {
        // SAFETY: all features of the function were found.
        return Some(unsafe { run_avx2(event, blocks) });
    }
    None
}

/// The list of structural characters, if the processor counts and finds bits.
pub(super) fn list(blocks: &[Block], tokens: &mut [u32], closings: &mut [u32]) -> Option<usize> {
    if cfg!(miri) || !is_x86_feature_detected!("popcnt") || !is_x86_feature_detected!("bmi1") {
        return None;
    }
    // SAFETY: all features of the function were found.
    Some(unsafe { list_bmi(blocks, tokens, closings) })
}

#[target_feature(enable = "popcnt,bmi1")]
fn list_bmi(blocks: &[Block], tokens: &mut [u32], closings: &mut [u32]) -> usize {
    list_blocks(blocks, tokens, closings)
}

/// Asks for memory.
#[inline]
pub(super) fn prefetch<T>(items: &[T]) {
    let (start, length) = (items.as_ptr().cast::<i8>(), size_of_val(items));
    let mut offset = 0;
    while offset < length {
        // SAFETY: asking for memory does not read it, and every address may be asked for.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(offset)) };
        offset += 64;
    }
    // The end may lie in a line that no step reached.
    // SAFETY: as above.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(length)) };
}

#[target_feature(enable = "avx512f,avx512bw,avx2,pclmulqdq,popcnt,bmi1")]
fn run_avx512(event: &[u8], blocks: &mut [Block]) -> Pass {
    pass(Avx512, event, blocks)
}

#[target_feature(enable = "avx2,pclmulqdq,popcnt,bmi1")]
fn run_avx2(event: &[u8], blocks: &mut [Block]) -> Pass {
    pass(Avx2, event, blocks)
}

#[derive(Clone, Copy)]
struct Avx512;

impl Classify for Avx512 {
    type Extremes = (__m512i, __m512i);

    #[inline(always)]
    fn extremes(self) -> Self::Extremes {
        // SAFETY: inlined into `run_avx512`.
        unsafe { (_mm512_set1_epi8(-1), _mm512_setzero_si512()) }
    }

    #[inline(always)]
    fn classify(self, block: &[u8; 64], (lowest, union): &mut Self::Extremes) -> Masks {
        // SAFETY: inlined into `run_avx512`; the load reads the 64 bytes of `block`.
        unsafe {
            let bytes = _mm512_loadu_si512(block.as_ptr().cast());
            *lowest = _mm512_min_epu8(*lowest, bytes);
            *union = _mm512_or_si512(*union, bytes);
            let folded = _mm512_or_si512(bytes, _mm512_set1_epi8(0x20));
            let is = |byte: u8| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte.cast_signed()));
            let folded_is = |byte: u8| _mm512_cmpeq_epi8_mask(folded, _mm512_set1_epi8(byte.cast_signed()));
            let tokens = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(tokens()), bytes);
            let marks = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(marks()), bytes);
            Masks {
                quotes: is(b'"'),
                backslashes: is(b'\\'),
                opens: folded_is(b'{'),
                closes: folded_is(b'}'),
                tokens: _mm512_cmpeq_epi8_mask(folded, tokens),
                marks: _mm512_cmpeq_epi8_mask(bytes, marks),
            }
        }
    }

    #[inline(always)]
    fn control_and_high(self, (lowest, union): Self::Extremes) -> (bool, bool) {
        // SAFETY: inlined into `run_avx512`.
        unsafe { (_mm512_cmplt_epu8_mask(lowest, _mm512_set1_epi8(0x20)) != 0, _mm512_movepi8_mask(union) != 0) }
    }

    #[inline(always)]
    fn prefix_xor(self, bits: u64) -> u64 {
        // SAFETY: inlined into `run_avx512`.
        unsafe { carryless(bits) }
    }
}

#[derive(Clone, Copy)]
struct Avx2;

/// By their lower halves the structural characters, as they are with the bit 0x20. (0x0C and 0x1A seem to be two of them; they
/// are control characters, with which no event is sound.)
#[inline(always)]
unsafe fn tokens() -> __m128i {
    let [colon, open, comma, close] = b":{,}".map(u8::cast_signed);
    // SAFETY: inlined into a function with SSE2, as the caller promises.
    unsafe { _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, colon, open, comma, close, 0, 0) }
}

/// By their lower halves the bytes of [`MARKS`].
#[inline(always)]
unsafe fn marks() -> __m128i {
    const { assert!(MARKS[0] & 15 == 14 && MARKS[1] & 15 == 12) };
    let [first, second] = MARKS.map(u8::cast_signed);
    // SAFETY: inlined into a function with SSE2, as the caller promises.
    // No byte with the lower half 0 is 1.
    unsafe { _mm_setr_epi8(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, second, 0, first, 0) }
}

/// A bit for each byte whose top bit is set.
#[inline(always)]
unsafe fn bits(low: __m256i, high: __m256i) -> u64 {
    // SAFETY: inlined into `run_avx2`, as the caller promises.
    let (low, high) = unsafe { (_mm256_movemask_epi8(low), _mm256_movemask_epi8(high)) };
    u64::from(low.cast_unsigned()) | u64::from(high.cast_unsigned()) << 32
}

/// Multiplies by all ones without carry, which gives for each bit the parity of it and all below.
#[inline(always)]
unsafe fn carryless(value: u64) -> u64 {
    // SAFETY: inlined into a function with `pclmulqdq`, as the caller promises.
    unsafe {
        let product = _mm_clmulepi64_si128(_mm_set_epi64x(0, value.cast_signed()), _mm_set1_epi8(-1), 0);
        _mm_cvtsi128_si64(product).cast_unsigned()
    }
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
            let marks = _mm256_broadcastsi128_si256(marks());
            let mark = |bytes| _mm256_cmpeq_epi8(bytes, _mm256_shuffle_epi8(marks, bytes));
            Masks {
                quotes: is(b'"'),
                backslashes: is(b'\\'),
                opens: folded_is(b'{'),
                closes: folded_is(b'}'),
                tokens: bits(token(low, folded_low), token(high, folded_high)),
                marks: bits(mark(low), mark(high)),
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

#[cfg(test)]
mod tests {
    use super::super::portable::Portable;
    use super::*;
    use proptest::prelude::*;

    /// Each way of finding the structure that this processor has.
    fn passes(event: &[u8]) -> Vec<(String, Vec<u64>)> {
        let blocks = || vec![Block::default(); event.len().div_ceil(64)];
        let told = |pass: Pass, blocks: Vec<Block>| {
            let bits = blocks.iter().flat_map(|block| [block.opens, block.closes, block.tokens]).collect();
            // `bad` is only asked whether it is zero.
            (format!("{:?}", Pass { bad: u64::from(pass.bad != 0), ..pass }), bits)
        };
        let mut all = Vec::new();
        let mut portable = blocks();
        all.push(told(pass(Portable, event, &mut portable), portable));
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("pclmulqdq") {
            let mut found = blocks();
            // SAFETY: the features were found; every processor with AVX2 has the others.
            all.push(told(unsafe { run_avx2(event, &mut found) }, found));
        }
        if is_x86_feature_detected!("avx512bw") {
            let mut found = blocks();
            // SAFETY: as above.
            all.push(told(unsafe { run_avx512(event, &mut found) }, found));
        }
        all
    }

    proptest! {
        #![proptest_config(crate::testing::cases())]

        #[test]
        fn the_passes_agree(event in prop::collection::vec(prop::sample::select(&b"\"\"\\{}[]:,a 1\x01\xc3\xa4Nl"[..]), 0..300)) {
            let all = passes(&event);
            prop_assert!(all.iter().all(|one| *one == all[0]), "{all:?}");
        }
    }
}

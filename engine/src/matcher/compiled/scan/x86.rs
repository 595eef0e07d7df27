//! The same pass and the same lists with the wide vectors of x86-64, chosen while running: AVX-512 with VBMI2, else AVX2, else neither.
//!
//! It is here because it pays: at one trigger the pass is most of the work, and it takes a third of the time that the portable
//! one takes (docs/benchmarks.md).
//!
//! This is the engine's one module with unsafe code. What makes it sound:
//! - A function with `#[target_feature]` is called only for a [`Level`] that names these features, and there is such a level only where
//!   the processor was asked for each of them ([`Vectors::all`]).
//! - The intrinsics are called from functions that are inlined into one of those, and nowhere else: the two types that have them are
//!   built only there.
//! - Loads are unaligned ones, from `&[u8; 64]` or `&[u64; 8]`, within its 64 bytes, or of as many bytes as slices have; stores are to eight
//!   tokens of a `&mut [Token; 16]`, to four blocks, or to eight numbers.
//!
//! `the_ways_agree` holds all of them against the portable one, and the matcher's own tests judge each event in every way that the
//! processor has. It is clean under valgrind's memcheck, which shows no AVX-512 and so runs AVX2; `make fuzz` judges events under
//! AddressSanitizer, in the way that the processor has. Miri was not run: it comes with nightly toolchains alone, and knows no AVX-512.

#![expect(unsafe_code, reason = "vector intrinsics; the module's head tells why they are sound")]

mod avx2;
mod avx512;
mod eights;

use std::arch::x86_64::*;

use super::Room;
use super::list::Lists;
use super::pass::{Block, Pass, pass};
use super::portable::Portable;
use super::seek::{Needle, Needles, first_inside};
use avx2::Avx2;
use avx512::Avx512;

/// Wide vectors that this processor has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vectors(Level);

#[derive(Debug, Clone, Copy)]
enum Level {
    Avx512,
    Avx2,
}

impl Vectors {
    /// All that this processor has, the widest first.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let has_avx2 = !cfg!(miri)
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("pclmulqdq")
            && is_x86_feature_detected!("popcnt")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2");
        let has_avx512 = has_avx2
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vpopcntdq")
            && is_x86_feature_detected!("vpclmulqdq")
            && is_x86_feature_detected!("avx512vbmi2");
        has_avx512.then_some(Self(Level::Avx512)).into_iter().chain(has_avx2.then_some(Self(Level::Avx2)))
    }

    pub(super) fn run(self, event: &[u8], blocks: &mut [Block], room: &mut Room) -> Pass {
        // SAFETY: there is such a level only where the processor has these features.
        unsafe {
            match self.0 {
                Level::Avx512 => run_avx512(event, blocks, room),
                Level::Avx2 => run_avx2(event, blocks),
            }
        }
    }

    pub(super) fn list(self, event: &[u8], blocks: &[Block], lists: &mut Lists) -> bool {
        // SAFETY: there is such a level only where the processor has these features.
        unsafe {
            match self.0 {
                Level::Avx512 => list_avx512(event, blocks, lists),
                Level::Avx2 => list_avx2(event, blocks, lists),
            }
        }
    }

    pub(super) fn seek(self, text: &[u8], needles: &[Needle], all: &Needles) -> Option<usize> {
        match self.0 {
            // SAFETY: there is such a level only where the processor has these features.
            Level::Avx512 => unsafe { seek_avx512(text, needles, all) },
            Level::Avx2 => first_inside(Portable, text, needles, all),
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vbmi2,avx512vpopcntdq,vpclmulqdq,avx2,pclmulqdq,popcnt,bmi1,bmi2")]
fn run_avx512(event: &[u8], blocks: &mut [Block], room: &mut Room) -> Pass {
    eights::pass(event, blocks, room)
}

#[target_feature(enable = "avx2,pclmulqdq,popcnt,bmi1,bmi2")]
fn run_avx2(event: &[u8], blocks: &mut [Block]) -> Pass {
    pass(Avx2, event, blocks)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,avx2,pclmulqdq,popcnt,bmi1,bmi2")]
fn list_avx512(event: &[u8], blocks: &[Block], lists: &mut Lists) -> bool {
    lists.fill(Avx512, event, blocks)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,avx2,pclmulqdq,popcnt,bmi1,bmi2")]
fn seek_avx512(text: &[u8], needles: &[Needle], all: &Needles) -> Option<usize> {
    first_inside(Avx512, text, needles, all)
}

#[target_feature(enable = "avx2,pclmulqdq,popcnt,bmi1,bmi2")]
fn list_avx2(event: &[u8], blocks: &[Block], lists: &mut Lists) -> bool {
    lists.fill(Avx2, event, blocks)
}

/// Asks for memory.
#[inline]
pub(super) fn prefetch<T>(items: &[T]) {
    let (start, length) = (items.as_ptr().cast::<i8>(), size_of_val(items));
    let mut offset = 0;
    // Four lines at a time, as nobody foresees where it ends; what is asked for beyond the end does no harm.
    while offset < length {
        for line in [0, 64, 128, 192] {
            // SAFETY: asking for memory does not read it, and every address may be asked for.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(offset + line)) };
        }
        offset += 256;
    }
    // The end may lie in a line that no step reached.
    // SAFETY: as above.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(length)) };
}

/// By their lower halves the structural characters, as they are with the bit 0x20. (0x0C and 0x1A seem to be two of them; they
/// are control characters, with which no event is sound.)
#[inline(always)]
unsafe fn tokens() -> __m128i {
    let [colon, open, comma, close] = b":{,}".map(u8::cast_signed);
    // SAFETY: inlined into a function with SSE2, as the caller promises.
    unsafe { _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, colon, open, comma, close, 0, 0) }
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

/// Of some bits those where `within` has ones, moved together.
#[inline(always)]
unsafe fn among(bits: u64, within: u64) -> u64 {
    // SAFETY: inlined into a function with `bmi2`, as the caller promises.
    unsafe { _pext_u64(bits, within) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the pass and the lists tell.
    fn told(event: &[u8], run: impl FnOnce(&mut [Block]) -> Pass, list: impl Fn(&[Block], &mut Lists) -> bool) -> String {
        let mut blocks = vec![Block::default(); event.len().div_ceil(64).next_multiple_of(8)];
        let pass = run(&mut blocks);
        let told = format!("{pass:?} {blocks:?}");
        let mut lists = Lists::default();
        let alike = list(&blocks, &mut lists);
        format!("{told} {alike} {:?}", lists.tokens.get(..lists.count))
    }

    proptest! {
        #![proptest_config(crate::testing::cases())]

        #[test]
        fn the_ways_agree(
            part in prop::collection::vec(prop::sample::select(&b"\"\"\\{}[]:,a 1\x01\xc3\xa4Nl"[..]), 0..300),
            other in prop::collection::vec(prop::sample::select(&["\"", "a", ":", "{}", "[]", "\"detail\":", "\\", "{", "]", "\"eventName\":"][..]), 0..8),
            // Some are longer than what is looked at at once.
            (times, has_part, is_enclosed) in (prop::sample::select(&[0, 0, 0, 0, 1, 2, 20, 150][..]), any::<bool>(), any::<bool>()),
        ) {
            let (start, end) = if is_enclosed { (&b"{"[..], &b"}"[..]) } else { (&b""[..], &b""[..]) };
            let event = [start, if has_part { &part } else { &[] }, other.concat().repeat(times).as_bytes(), end].concat();
            let portable = told(&event, |blocks| pass(Portable, &event, blocks), |blocks, lists| lists.fill(Portable, &event, blocks));
            let mut room = Room::default();
            for vectors in Vectors::all() {
                let wide = told(&event, |blocks| vectors.run(&event, blocks, &mut room), |blocks, lists| vectors.list(&event, blocks, lists));
                prop_assert_eq!(&wide, &portable, "{:?}", vectors);
            }
        }

        #[test]
        fn the_ways_find_the_same_texts(text in "[ab1]{0,150}", needles in prop::collection::vec("[ab1]{1,7}", 1..5)) {
            let mut all = Needles::default();
            let made: Vec<Needle> = needles.iter().map(|needle| all.add(needle.as_bytes())).collect();
            let expected = needles.iter().position(|needle| text.contains(needle));
            prop_assert_eq!(first_inside(Portable, text.as_bytes(), &made, &all), expected);
            for vectors in Vectors::all() {
                prop_assert_eq!(vectors.seek(text.as_bytes(), &made, &all), expected, "{:?}", vectors);
            }
        }
    }
}

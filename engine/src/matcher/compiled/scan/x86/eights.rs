//! The pass with AVX-512, eight blocks of 64 bytes at a time: what joins the characters of a block and those of its neighbours is done for
//! all eight at once, a block in each of the eight parts of a vector.
//!
//! The characters of some times eight blocks are told apart first and left in memory; what was written in small parts would have to be
//! waited for if it were read as a whole at once. There is hardly a branch that depends on the event: none of them would be foreseen.

mod classify;
mod rare;

use std::arch::x86_64::*;

use super::super::pass::{Block, Eight, MARK_DISTANCE, Marks, NAME_DISTANCES, Pass, is_bracketed};
use super::super::{AT_ONCE, DEEPEST, Room};
use classify::Extremes;
use rare::{backslashes, leaves_bounds, unescaped};

#[inline(always)]
pub(super) fn pass(event: &[u8], blocks: &mut [Block], room: &mut Room) -> Pass {
    let (blocks, _) = blocks.as_chunks_mut::<8>();
    // SAFETY: inlined into `run_avx512`.
    let (mut state, mut extremes) = unsafe { (State::new(), Extremes::new()) };
    let mut left = event.len();
    for (bytes, blocks) in event.chunks(AT_ONCE * 512).zip(blocks.chunks_mut(AT_ONCE)) {
        for (bytes, eight) in bytes.chunks(512).zip(&mut *room) {
            eight.classify(bytes, &mut extremes);
        }
        // SAFETY: as above.
        state.has_backslash = unsafe { _mm512_testn_epi8_mask(extremes.backslash, extremes.backslash) != 0 };
        for ((bytes, eight), blocks) in bytes.chunks(512).zip(&*room).zip(blocks) {
            state.step(bytes, eight, left, blocks);
            left = left.saturating_sub(512);
        }
    }
    state.end(event, extremes)
}

/// What is carried from eight blocks to the next eight: of the vectors their last parts alone, save the depth, which all have. See
/// [`super::super::pass`], which has the same one block at a time.
struct State {
    starts: __m512i,
    separators: __m512i,
    ends: __m512i,
    quotes: __m512i,
    marks: __m512i,
    depth: __m512i,
    bad: __m512i,
    in_string: u8,
    escaping: u64,
    has_backslash: bool,
    out_of_bounds: bool,
    marked: Marked,
    base: u32,
}

/// The blocks that have marks, with room for eight more than are counted.
struct Marked {
    bits: [u64; MOST_MARKED + 8],
    bases: [u64; MOST_MARKED + 8],
    count: usize,
}

/// Beyond so many there are too many marks.
const MOST_MARKED: usize = 16;

impl State {
    #[inline(always)]
    unsafe fn new() -> Self {
        // SAFETY: inlined into `run_avx512`.
        let none = unsafe { _mm512_setzero_si512() };
        Self {
            // An event begins as if a colon stood before it.
            // SAFETY: as above.
            starts: unsafe { _mm512_set1_epi64(i64::MIN) },
            separators: none,
            ends: none,
            quotes: none,
            marks: none,
            depth: none,
            bad: none,
            in_string: 0,
            escaping: 0,
            has_backslash: false,
            out_of_bounds: false,
            marked: Marked { bits: [0; _], bases: [0; _], count: 0 },
            base: 0,
        }
    }

    /// `left` bytes are the event's from the blocks' start on.
    #[inline(always)]
    fn step(&mut self, bytes: &[u8], eight: &Eight, left: usize, blocks: &mut [Block; 8]) {
        // SAFETY: inlined into `run_avx512`; the stores are to eight blocks of 16 bytes.
        unsafe {
            let mut quotes = load(&eight.quotes);
            if self.has_backslash {
                quotes = load(&unescaped(&eight.quotes, backslashes(bytes), &mut self.escaping));
            }
            let strings = self.strings(quotes);
            let opens = _mm512_andnot_si512(strings, load(&eight.opens));
            let closes = _mm512_andnot_si512(strings, load(&eight.closes));
            let tokens = _mm512_andnot_si512(strings, load(&eight.tokens));
            self.mark(tokens, quotes, load(&eight.marks));

            // What may stand beside what.
            let starts = _mm512_andnot_si512(closes, tokens);
            let separators = _mm512_andnot_si512(opens, starts);
            let ends = _mm512_or_si512(_mm512_andnot_si512(strings, quotes), closes);
            let behind_start = behind::<1>(starts, self.starts);
            let behind_separator = behind::<1>(separators, self.separators);
            let behind_end = behind::<1>(ends, self.ends);
            let begins = _mm512_or_si512(_mm512_and_si512(quotes, strings), opens);
            let wrong_begin = _mm512_andnot_si512(behind_start, begins);
            let wrong_separator = _mm512_and_si512(separators, behind_start);
            let wrong_close = _mm512_and_si512(closes, behind_separator);
            let wrong_end = _mm512_and_si512(_mm512_andnot_si512(tokens, behind_end), first_bits(left));
            let wrong = _mm512_or_si512(_mm512_or_si512(wrong_begin, wrong_separator), _mm512_or_si512(wrong_close, wrong_end));
            self.bad = _mm512_or_si512(self.bad, wrong);
            (self.starts, self.separators, self.ends) = (starts, separators, ends);

            let inner = first_bits(left.saturating_sub(1));
            self.nest(_mm512_and_si512(opens, inner), _mm512_and_si512(closes, inner));

            let brackets = _mm512_or_si512(opens, closes);
            let (first, second) = blocks.split_at_mut(4);
            let lower = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
            let upper = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
            _mm512_storeu_si512(first.as_mut_ptr().cast(), _mm512_permutex2var_epi64(tokens, lower, brackets));
            _mm512_storeu_si512(second.as_mut_ptr().cast(), _mm512_permutex2var_epi64(tokens, upper, brackets));
        }
    }

    /// The bytes within strings, their opening quotes among them.
    #[inline(always)]
    unsafe fn strings(&mut self, quotes: __m512i) -> __m512i {
        // SAFETY: inlined into `run_avx512`.
        unsafe {
            // Multiplied by all ones without carry: for each bit the parity of it and all below, block by block.
            let all = _mm512_set1_epi64(-1);
            let even = _mm512_clmulepi64_epi128::<0>(quotes, all);
            let odd = _mm512_clmulepi64_epi128::<1>(quotes, all);
            let parity = _mm512_unpacklo_epi64(even, odd);
            // The same over the blocks.
            let mut ends_inside = _mm512_movepi64_mask(parity);
            ends_inside ^= ends_inside << 1;
            ends_inside ^= ends_inside << 2;
            ends_inside ^= ends_inside << 4;
            ends_inside ^= self.in_string.wrapping_neg();
            let begins_inside = ends_inside << 1 | self.in_string;
            self.in_string = ends_inside >> 7;
            _mm512_mask_xor_epi64(parity, begins_inside, parity, all)
        }
    }

    /// Puts the blocks with marks behind those found before.
    #[inline(always)]
    unsafe fn mark(&mut self, tokens: __m512i, quotes: __m512i, marks: __m512i) {
        const DISTANCE: i32 = MARK_DISTANCE.cast_signed();
        const SHORT: i32 = NAME_DISTANCES[0].cast_signed();
        const LONG: i32 = NAME_DISTANCES[1].cast_signed();
        // SAFETY: inlined into `run_avx512`; the stores are to arrays of eight numbers.
        unsafe {
            let names = _mm512_or_si512(behind::<SHORT>(quotes, self.quotes), behind::<LONG>(quotes, self.quotes));
            let ends = _mm512_and_si512(behind::<DISTANCE>(marks, self.marks), behind::<1>(quotes, self.quotes));
            let marked = _mm512_and_si512(_mm512_and_si512(tokens, ends), names);
            (self.quotes, self.marks) = (quotes, marks);
            let is_marked = _mm512_test_epi64_mask(marked, marked);
            let bases = _mm512_add_epi64(_mm512_set1_epi64(i64::from(self.base)), _mm512_setr_epi64(0, 64, 128, 192, 256, 320, 384, 448));
            self.base = self.base.wrapping_add(512);
            let Marked { bits, bases: all_bases, count } = &mut self.marked;
            let at = (*count).min(MOST_MARKED);
            if let (Some(bits), Some(all_bases)) = (bits.get_mut(at..at + 8), all_bases.get_mut(at..at + 8)) {
                _mm512_storeu_si512(bits.as_mut_ptr().cast(), _mm512_maskz_compress_epi64(is_marked, marked));
                _mm512_storeu_si512(all_bases.as_mut_ptr().cast(), _mm512_maskz_compress_epi64(is_marked, bases));
            }
            *count = at + is_marked.count_ones() as usize;
        }
    }

    /// Counts brackets, all but the event's last byte.
    #[inline(always)]
    unsafe fn nest(&mut self, opens: __m512i, closes: __m512i) {
        // SAFETY: inlined into `run_avx512`.
        unsafe {
            let (opened, closed) = (_mm512_popcnt_epi64(opens), _mm512_popcnt_epi64(closes));
            let more = _mm512_sub_epi64(opened, closed);
            let none = _mm512_setzero_si512();
            let mut sum = _mm512_add_epi64(more, _mm512_alignr_epi64::<7>(more, none));
            sum = _mm512_add_epi64(sum, _mm512_alignr_epi64::<6>(sum, none));
            sum = _mm512_add_epi64(sum, _mm512_alignr_epi64::<4>(sum, none));
            let after = _mm512_add_epi64(self.depth, sum);
            let before = _mm512_sub_epi64(after, more);
            self.depth = _mm512_permutexvar_epi64(_mm512_set1_epi64(7), after);
            // The first byte is taken for a bracket that opens.
            let low = _mm512_cmpge_epi64_mask(closed, _mm512_max_epi64(before, _mm512_set1_epi64(1)));
            let high = _mm512_cmpgt_epi64_mask(_mm512_add_epi64(before, opened), _mm512_set1_epi64(i64::from(DEEPEST)));
            if low | high != 0 {
                self.out_of_bounds |= leaves_bounds(&store(before), &store(opens), &store(closes));
            }
        }
    }

    #[inline(always)]
    fn end(self, event: &[u8], extremes: Extremes) -> Pass {
        let mut marks = Marks::default();
        let Marked { bits, bases, count } = self.marked;
        for (bits, base) in bits.into_iter().zip(bases).take(count) {
            // Beyond 4 GiB there are none.
            marks.note(u32::try_from(base).unwrap_or(u32::MAX), bits);
        }
        // SAFETY: inlined into `run_avx512`.
        unsafe {
            // The last byte closes the first bracket.
            let is_open = _mm_cvtsi128_si64(_mm512_castsi512_si128(self.depth)) == 1;
            Pass {
                in_string: self.in_string != 0,
                bad: _mm512_test_epi64_mask(self.bad, self.bad) != 0,
                nested: is_bracketed(event) && self.in_string == 0 && is_open && !self.out_of_bounds,
                control: _mm512_cmplt_epu8_mask(extremes.lowest, _mm512_set1_epi8(0x20)) != 0,
                high: _mm512_movepi8_mask(extremes.union) != 0,
                has_backslash: self.has_backslash,
                marks,
            }
        }
    }
}

/// Of eight blocks the first bits, as many as they have bytes of those that are left.
#[inline(always)]
unsafe fn first_bits(left: usize) -> __m512i {
    // SAFETY: inlined into `run_avx512`.
    unsafe {
        let left = _mm512_set1_epi64(i64::try_from(left).unwrap_or(i64::MAX));
        let left = _mm512_sub_epi64(left, _mm512_setr_epi64(0, 64, 128, 192, 256, 320, 384, 448));
        let all = _mm512_set1_epi64(-1);
        // A shift by more than 63 leaves nothing.
        _mm512_andnot_si512(_mm512_sllv_epi64(all, _mm512_max_epi64(left, _mm512_setzero_si512())), all)
    }
}

/// The bits `DISTANCE` before each; `earlier` are those of the eight blocks before.
#[inline(always)]
unsafe fn behind<const DISTANCE: i32>(bits: __m512i, earlier: __m512i) -> __m512i {
    // SAFETY: inlined into `run_avx512`.
    unsafe { _mm512_shldi_epi64::<DISTANCE>(bits, _mm512_alignr_epi64::<7>(bits, earlier)) }
}

#[inline(always)]
unsafe fn load(numbers: &[u64; 8]) -> __m512i {
    // SAFETY: inlined into `run_avx512`; the load reads the 64 bytes of `numbers`.
    unsafe { _mm512_loadu_si512(numbers.as_ptr().cast()) }
}

#[inline(always)]
unsafe fn store(vector: __m512i) -> [u64; 8] {
    let mut numbers = [0; 8];
    // SAFETY: inlined into `run_avx512`; the store writes the 64 bytes of `numbers`.
    unsafe { _mm512_storeu_si512(numbers.as_mut_ptr().cast(), vector) };
    numbers
}

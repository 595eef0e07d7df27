//! What few events need: backslashes, and a closer look at brackets.

use super::super::super::DEEPEST;
use super::super::super::pass::escaped;

/// The backslashes of up to 512 bytes.
#[cold]
#[inline(never)]
pub(super) fn backslashes(bytes: &[u8]) -> [u64; 8] {
    let mut found = [0; 8];
    for place in memchr::memchr_iter(b'\\', bytes) {
        if let Some(bits) = found.get_mut(place / 64) {
            *bits |= 1 << (place % 64);
        }
    }
    found
}

/// The quotes without those that are escaped.
#[cold]
#[inline(never)]
pub(super) fn unescaped(quotes: &[u64; 8], backslashes: [u64; 8], escaping: &mut u64) -> [u64; 8] {
    let mut kept = *quotes;
    for (quotes, backslashes) in kept.iter_mut().zip(backslashes) {
        *quotes &= !escaped(backslashes, escaping);
    }
    kept
}

/// Whether the brackets of blocks, bracket by bracket, close the first one of the event or are too deep.
#[cold]
#[inline(never)]
pub(super) fn leaves_bounds(before: &[u64; 8], opens: &[u64; 8], closes: &[u64; 8]) -> bool {
    let mut is_out = false;
    for ((before, opens), closes) in before.iter().zip(opens).zip(closes) {
        let mut depth = before.cast_signed();
        let mut brackets = opens | closes;
        while brackets != 0 {
            let lowest = brackets & brackets.wrapping_neg();
            brackets ^= lowest;
            depth += if opens & lowest == 0 { -1 } else { 1 };
            is_out |= !(1..=i64::from(DEEPEST)).contains(&depth);
        }
    }
    is_out
}

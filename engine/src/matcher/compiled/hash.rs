//! A fast hash for short strings. It decides only where to look: what is found there is compared.

const SEED: u64 = 0x9E37_79B9_7F4A_7C15;
const FACTOR: u64 = 0xA076_1D64_78BD_642F;

/// The hash of some bytes.
#[inline]
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut state = SEED ^ (bytes.len() as u64);
    if let Some(last) = bytes.last_chunk::<8>() {
        let (chunks, rest) = bytes.as_chunks::<8>();
        for chunk in chunks {
            state = mix(state ^ u64::from_le_bytes(*chunk));
        }
        if rest.is_empty() { state } else { mix(state ^ u64::from_le_bytes(*last)) }
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        mix(state ^ u64::from(u32::from_le_bytes(*first)) ^ u64::from(u32::from_le_bytes(*last)) << 32)
    } else {
        let short = bytes.iter().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
        mix(state ^ short)
    }
}

/// A hash of a hash and a second thing.
#[inline]
pub(super) fn mix(value: u64) -> u64 {
    let product = u128::from(value ^ FACTOR) * u128::from(SEED);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    let folded = (product as u64) ^ (product >> 64) as u64;
    folded
}

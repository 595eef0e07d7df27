//! A fast hash for short strings. It decides only where to look: what is found there is compared.

pub(super) const SEED: u64 = 0x9E37_79B9_7F4A_7C15;
const FACTOR: u64 = 0xA076_1D64_78BD_642F;

/// The hash of some bytes.
#[inline]
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let state = SEED ^ (bytes.len() as u64);
    if let (Some(first), Some(last)) = (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
        // Few branches, as nobody foresees a text's length: up to 32 bytes are in two chunks.
        let mut state = mix_two(state, first);
        if bytes.len() > 32 {
            let (chunks, _) = bytes.as_chunks::<16>();
            for chunk in chunks.iter().skip(1) {
                state = mix_two(state, chunk);
            }
        }
        mix_two(state, last)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        mix(mix(state ^ u64::from_le_bytes(*first)) ^ u64::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        mix(state ^ u64::from(u32::from_le_bytes(*first)) ^ u64::from(u32::from_le_bytes(*last)) << 32)
    } else {
        let short = bytes.iter().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
        mix(state ^ short)
    }
}

/// A hash of a hash and sixteen bytes.
#[inline(always)]
fn mix_two(state: u64, bytes: &[u8; 16]) -> u64 {
    let both = u128::from_le_bytes(*bytes);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    let (low, high) = (both as u64, (both >> 64) as u64);
    // Not one product of both: where one factor is zero nothing of the other would be left.
    mix(mix(state ^ low) ^ high)
}

/// A hash of a hash and a second thing.
#[inline]
pub(super) fn mix(value: u64) -> u64 {
    let product = u128::from(value ^ FACTOR) * u128::from(SEED);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    let folded = (product as u64) ^ (product >> 64) as u64;
    folded
}

/// Numbers for names.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: Vec<Box<[u8]>>,
    /// Hash and number plus one, in a table of a power of two; number 0 is an empty place.
    places: Vec<(u64, u32)>,
}

impl Names {
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The number of a name.
    #[inline]
    pub(super) fn get(&self, name: &[u8]) -> Option<u32> {
        let hashed = hash(name);
        let mut at = self.first(hashed);
        loop {
            let (other, number) = *self.places.get(at)?;
            let index = number.checked_sub(1)?;
            if other == hashed && self.names.get(index as usize).is_some_and(|known| **known == *name) {
                return Some(index);
            }
            at = (at + 1) & self.places.len().wrapping_sub(1);
        }
    }

    /// The number of a name, the next one if it is new.
    pub(super) fn intern(&mut self, name: &[u8]) -> u32 {
        if let Some(number) = self.get(name) {
            return number;
        }
        self.names.push(name.into());
        if self.names.len() * 2 > self.places.len() {
            self.places = vec![(0, 0); (self.names.len() * 4).next_power_of_two()];
            for index in 0..self.names.len() {
                self.place(index);
            }
        } else {
            self.place(self.names.len() - 1);
        }
        u32::try_from(self.names.len() - 1).unwrap_or(u32::MAX)
    }

    fn place(&mut self, index: usize) {
        let hashed = self.names.get(index).map_or(0, |name| hash(name));
        let mut at = self.first(hashed);
        while self.places.get(at).is_some_and(|(_, taken)| *taken != 0) {
            at = (at + 1) & self.places.len().wrapping_sub(1);
        }
        if let Some(place) = self.places.get_mut(at) {
            *place = (hashed, u32::try_from(index + 1).unwrap_or(u32::MAX));
        }
    }

    fn first(&self, hashed: u64) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "the low bits will do")]
        let low = hashed as usize;
        low & self.places.len().wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_numbers() {
        let mut names = Names::default();
        assert_eq!(names.get(b"x"), None);
        for round in 0..2 {
            for number in 0..500 {
                assert_eq!(names.intern(format!("name {number}").as_bytes()), number, "{round}");
            }
        }
        assert_eq!(names.get(b"name 499"), Some(499));
        assert_eq!(names.get(b"name 500"), None);
        assert_eq!(names.get(b""), None);
    }
}

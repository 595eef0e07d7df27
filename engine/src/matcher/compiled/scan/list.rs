//! The structural characters as a list, from the bits that the pass left.

use super::pass::Block;

/// Lists the positions of all structural characters and, for each opening bracket, the number of the one that closes it; tells how
/// many there are. The lists have room for all and for one block more. Brackets are as many and as deep as the pass made sure.
#[inline(always)]
pub(super) fn list(blocks: &[Block], tokens: &mut [u32], closings: &mut [u32]) -> usize {
    // The numbers of the brackets that are open: never more than 127.
    let mut open = [0_u32; 128];
    let mut depth = 0_usize;
    let mut count = 0_u32;
    let mut base = 0_u32;
    for block in blocks {
        let mut bits = block.tokens;
        let found = bits.count_ones();
        let Some((first, more)) = tokens.get_mut(count as usize..).and_then(|room| room.split_first_chunk_mut::<8>()) else { break };
        // Eight at once without a question: most blocks have fewer.
        for token in first {
            *token = base.wrapping_add(bits.trailing_zeros());
            bits &= bits.wrapping_sub(1);
        }
        if found > 8 {
            for token in more.iter_mut().take(found as usize - 8) {
                *token = base.wrapping_add(bits.trailing_zeros());
                bits &= bits.wrapping_sub(1);
            }
        }
        let mut brackets = block.opens | block.closes;
        while brackets != 0 {
            let lowest = brackets & brackets.wrapping_neg();
            brackets ^= lowest;
            let number = count + (block.tokens & (lowest - 1)).count_ones();
            if block.opens & lowest == 0 {
                depth = depth.wrapping_sub(1);
                let opening = open.get(depth & 127).copied().unwrap_or(0);
                if let Some(closing) = closings.get_mut(opening as usize) {
                    *closing = number;
                }
            } else {
                if let Some(place) = open.get_mut(depth & 127) {
                    *place = number;
                }
                depth = depth.wrapping_add(1);
            }
        }
        count += found;
        base = base.wrapping_add(64);
    }
    count as usize
}

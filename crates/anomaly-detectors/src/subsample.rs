//! Which rows a subsample holds: the same on every platform and for ever.

use std::collections::HashSet;

/// `count` different numbers below `end`, at least as many, every set of them equally likely: Floyd's
/// algorithm, in Bentley, "Programming Pearls: A Sample of Brilliance", Communications of the ACM 30
/// (1987).
///
/// Seed and index are hashed together: to add one to the other would give neighbouring seeds nearly
/// all subsamples in common.
#[allow(clippy::cast_possible_truncation)] // The product's upper half is below `end`.
pub(crate) fn subsample(seed: u64, index: usize, end: usize, count: usize) -> Vec<usize> {
    let mut state = mix(mix(seed.wrapping_add(GAMMA)).wrapping_add(index as u64));
    let mut below = |end: usize| {
        state = state.wrapping_add(GAMMA);
        ((u128::from(mix(state)) * end as u128) >> 64) as usize
    };
    let mut drawn = Vec::with_capacity(count);
    // Only asked whether it holds a number: its order, which differs from run to run, does not show.
    let mut taken = HashSet::with_capacity(count);
    for last in end - count..end {
        let candidate = below(last + 1);
        let row = if taken.insert(candidate) {
            candidate
        } else {
            taken.insert(last);
            last
        };
        drawn.push(row);
    }
    drawn
}

/// Step and finaliser of `SplitMix64`: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
/// Generators", OOPSLA 2014.
const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::subsample;

    #[test]
    fn rows_differ_and_are_equally_likely() {
        let mut counts = [0_u32; 10];
        for index in 0..10_000 {
            let drawn = subsample(3, index, 10, 4);
            assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), 4);
            for row in drawn {
                counts[row] += 1;
            }
        }
        // Five standard deviations of a binomial count.
        let likely = counts.iter().all(|count| count.abs_diff(4_000) < 245);
        assert!(likely, "{counts:?}");
    }

    #[test]
    fn neighbouring_seeds_share_no_subsample() {
        let mut seen = HashSet::new();
        for seed in 0..20 {
            for index in 0..100 {
                assert!(seen.insert(subsample(seed, index, 10_000, 8)));
            }
        }
    }
}

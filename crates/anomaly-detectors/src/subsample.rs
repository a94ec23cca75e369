//! Which rows a subsample holds: the same on every platform and for ever.

use std::collections::HashSet;

use crate::random::SplitMix64;

/// Rows of subsample `index` of the detector with `seed`; see [`draw`].
pub(crate) fn subsample(seed: u64, index: usize, end: usize, count: usize) -> Vec<usize> {
    draw(&mut SplitMix64::new(seed, index), end, count)
}

/// `count` different numbers below `end`, at least as many, every set of them equally likely: Floyd's
/// algorithm, in Bentley, "Programming Pearls: A Sample of Brilliance", Communications of the ACM 30
/// (1987).
pub(crate) fn draw(random: &mut SplitMix64, end: usize, count: usize) -> Vec<usize> {
    let mut drawn = Vec::with_capacity(count);
    // Only asked whether it holds a number: its order, which differs from run to run, does not show.
    let mut taken = HashSet::with_capacity(count);
    for last in end - count..end {
        let candidate = random.below(last + 1);
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

//! How deep rows end.

/// `c(n)`: the mean path length of an unsuccessful search in a binary search tree of `rows` keys,
/// which is what a tree would need on average to isolate a row among `rows`.
///
/// `2 H(n - 1) - 2 (n - 1) / n`, with `H(i) = ln(i) + 0.5772...`: equation 1 of Liu, Ting and Zhou
/// (2008). 1 for two rows and 0 for one, which the approximation of `H` would miss.
pub(super) fn average_path_length(rows: usize) -> f64 {
    match rows {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => {
            let (n, others) = (rows as f64, (rows - 1) as f64);
            2.0 * (libm::log(others) + std::f64::consts::EULER_GAMMA) - 2.0 * others / n
        }
    }
}

/// The depth at which a tree of this many rows, at least two, stops: `ceil(log2(rows))`.
pub(super) fn depth_limit(rows: usize) -> u32 {
    usize::BITS - (rows - 1).leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::{average_path_length, depth_limit};

    #[test]
    fn average_path_length_is_that_of_the_paper() {
        // Equation 1, as scikit-learn 1.9.1 computes it.
        for (rows, expected) in [
            (0, 0.0),
            (1, 0.0),
            (2, 1.0),
            (3, 1.207_392_357_589_623),
            (10, 3.748_880_484_475_505),
            (256, 10.244_770_920_119_917),
            (65_536, 21.335_141_107_488_486),
        ] {
            let difference = average_path_length(rows) - expected;
            assert!(
                difference.abs() < 1e-14 * (1.0 + expected),
                "c({rows}) is off by {difference}"
            );
        }
    }

    #[test]
    fn depth_limit_is_the_rounded_up_binary_logarithm() {
        let limits = [2, 3, 4, 5, 255, 256, 257, 1 << 20].map(depth_limit);
        assert_eq!(limits, [1, 2, 2, 3, 8, 8, 9, 20]);
    }
}

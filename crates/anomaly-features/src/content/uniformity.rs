//! Whether symbols are equally frequent: Pearson's chi-square, made a standard normal score.

use std::ops::RangeInclusive;

/// Chi-square scores beyond this, of a block, are not those of random bytes: one random block in
/// 15,000 is lost.
const MOST_BLOCK_Z: f64 = 4.0;
/// Scores beyond this, of a whole file, are not those of random bytes: one random file in a million
/// is lost.
pub(super) const MOST_Z: f64 = 5.0;
/// What is tested must have so many expected pairs of equal symbols, that is `n (n - 1) / (2 k)`: then
/// [`MOST_Z`] is reached by data whose symbols repeat a quarter more often than random ones.
const FEWEST_PAIRS: f64 = 500.0;

/// Sums of squared counts of a block of 4,096 random bytes: chi-square 174 to 356 at 255 degrees of
/// freedom, as `chi-square = squares / 16 - 4096`.
pub(super) const RANDOM_BLOCK_SQUARES: RangeInclusive<u32> = 68_327..=71_225;
/// Bytes repeat by at least this factor more often than random ones where something else is among
/// them; what is compressed repeats less.
const MIXED_EXCESS: f64 = 0.1;
/// The same of a block, as a sum of squared counts: `16 * (4096 + 255 + 0.1 * 4096)`.
pub(super) const MIXED_BLOCK_SQUARES: u32 = 76_169;
/// Sums of squared counts from which a block is far from random: chi-square per degree of freedom 20,
/// entropy around 7.3 bits. Compressed data are below.
pub(super) const PLAIN_BLOCK_SQUARES: u32 = (4_096 + 20 * 255) * 16;

/// The chi-square of counts with this sum of squares over `symbols` equally likely ones.
pub(super) fn chi_square(squares: f64, n: f64, symbols: f64) -> f64 {
    symbols * squares / n - n
}

/// A chi-square as a standard normal score, by the cube root of Wilson and Hilferty ("The
/// distribution of chi-square", 1931).
pub(super) fn normal_score(chi_square: f64, degrees: f64) -> f64 {
    let spread = 2.0 / (9.0 * degrees);
    (libm::cbrt(chi_square / degrees) - (1.0 - spread)) / spread.sqrt()
}

/// How often a standard normal score is at least this high.
pub(super) fn upper_tail(z: f64) -> f64 {
    0.5 * libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The score of `n` symbols with this sum of squared counts over `symbols` equally likely ones.
pub(super) fn uniformity_z(squares: u128, n: u64, symbols: usize) -> f64 {
    let symbols = symbols as f64;
    normal_score(chi_square(squares as f64, n as f64, symbols), symbols - 1.0)
}

/// Whether a block's `n` symbols are equally frequent: neither less nor more than chance has it.
pub(super) fn is_uniform(squares: u128, n: u64, symbols: usize) -> bool {
    uniformity_z(squares, n, symbols).abs() <= MOST_BLOCK_Z
}

/// Whether `n` symbols of `symbols` are enough to tell random ones from others.
pub(super) fn is_enough(n: u64, symbols: usize) -> bool {
    n as f64 * (n as f64 - 1.0) / (2.0 * symbols as f64) >= FEWEST_PAIRS
}

/// Whether there is something else among these bytes if they were random otherwise.
pub(super) fn is_mixed(squares: u128, n: u64) -> bool {
    let n = n as f64;
    n > 0.0 && (squares as f64 - n) * 256.0 / (n * n) > 1.0 + MIXED_EXCESS * 5.0
}

/// Whether bytes, too few for more, could be random: as many pairs of equal bytes, and as many
/// printable ones, as chance has it.
pub(super) fn could_be_random(squares: u128, n: u64, printable: u64) -> bool {
    let (n, squares, printable) = (n as f64, squares as f64, printable as f64);
    let pairs = n * (n - 1.0) / 2.0;
    let equal = (squares - n) / 2.0;
    let share = PRINTABLE_BYTES / 256.0;
    let within = |seen: f64, expected: f64, variance: f64| {
        (seen - expected).powi(2) <= MOST_BLOCK_Z * MOST_BLOCK_Z * variance.max(0.5)
    };
    within(equal, pairs / 256.0, pairs / 256.0 * (255.0 / 256.0))
        && within(printable, n * share, n * share * (1.0 - share))
}

/// Printable ASCII, tab, line feed and carriage return.
const PRINTABLE_BYTES: f64 = 98.0;

/// Whether a byte is printable ASCII, tab, line feed or carriage return.
pub(super) fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Beside the exact ones of `scipy.stats.chi2.sf(x, 255)`, version 1.17.1.
    #[test]
    fn tails_are_near_the_exact_ones() {
        for (chi_square, exact) in [
            (200.0, 0.995_425_444_5),
            (255.0, 0.488_222_521_8),
            (300.0, 0.027_727_522_1),
            (330.0, 0.001_067_320_1),
            (360.0, 1.593_427_3e-5),
            (384.9, 2.589_392_4e-7),
        ] {
            let tail = upper_tail(normal_score(chi_square, 255.0));
            assert!(
                (tail - exact).abs() < 2e-4 && (tail / exact - 1.0).abs() < 0.15,
                "{tail}"
            );
        }
    }

    /// The constants for blocks are the formulas' values.
    #[test]
    fn bounds_of_blocks_are_four_deviations() {
        let z = |squares: u32| uniformity_z(u128::from(squares), 4_096, 256);
        let (least, most) = RANDOM_BLOCK_SQUARES.into_inner();
        assert!(z(least) >= -MOST_BLOCK_Z && z(least - 1) < -MOST_BLOCK_Z);
        assert!(z(most) <= MOST_BLOCK_Z && z(most + 1) > MOST_BLOCK_Z);
        let mixed = chi_square(f64::from(MIXED_BLOCK_SQUARES), 4_096.0, 256.0);
        assert!((mixed - 255.0 - MIXED_EXCESS * 4_096.0).abs() < 0.1);
        let chi_square = chi_square(f64::from(PLAIN_BLOCK_SQUARES), 4_096.0, 256.0);
        assert!((chi_square / 255.0 - 20.0).abs() < 1e-9);
    }

    #[test]
    fn a_few_bytes_of_text_cannot_be_random() {
        let could = |bytes: &[u8]| {
            let mut counts = [0_u64; 256];
            for byte in bytes {
                counts[usize::from(*byte)] += 1;
            }
            let squares = counts.iter().map(|count| u128::from(*count).pow(2)).sum();
            let printable = bytes.iter().filter(|byte| is_printable(**byte)).count();
            could_be_random(squares, bytes.len() as u64, printable as u64)
        };
        assert!(!could(b"key = value\n"));
        assert!(!could(&[0; 12]));
        assert!(could(b"\x9c\x01\xfe\x33\x80\xd2\x17\x4a\xb1\xe0\x5f\x66"));
        assert!(could(b""));
    }
}

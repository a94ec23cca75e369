//! Means that do not depend on the order of what they are of.

/// Bits behind the point.
const SCALE: f64 = (1_u64 << 32) as f64;

/// Count, sum and sum of squares, in whole numbers of 2^-32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Moments {
    count: u64,
    sum: i128,
    squares: u128,
}

impl Moments {
    /// Adds a number that is small beside 2^20.
    #[expect(clippy::cast_possible_truncation, reason = "2^52 at most")]
    pub(super) fn add(&mut self, number: f64) {
        let scaled = (number * SCALE).round() as i64;
        self.count += 1;
        self.sum += i128::from(scaled);
        self.squares += u128::from(scaled.unsigned_abs()).pow(2);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.squares += other.squares;
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64 / SCALE)
    }

    /// Standard deviation of all there are.
    pub(super) fn deviation(&self) -> Option<f64> {
        let mean = self.mean()?;
        let squares = self.squares as f64 / self.count as f64 / SCALE / SCALE;
        Some((squares - mean * mean).max(0.0).sqrt())
    }
}

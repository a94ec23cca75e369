//! From one distance per column to one score per row.

use serde::{Deserialize, Serialize};

/// How the standardised distances `z` of a row's columns make one score.
///
/// Whichever is chosen, a missing value counts as `z = 0`, and a row without columns scores 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Aggregation {
    /// The largest `|z|`: one strange column is all that counts.
    Max,
    /// The sum of `z^2`: a squared distance, as if the columns were independent and normal.
    SumOfSquares,
    /// The sum of `ln(1 + z^2)`: the negative log-likelihood of independent Cauchy columns, up to a
    /// constant.
    ///
    /// The default: several moderately strange columns count together, and one wild column does
    /// not drown the others. On public labelled sets it ranks anomalies better than the other two.
    #[default]
    LogSum,
}

impl Aggregation {
    /// What one column adds. The contributions sum to the score; for `Max`, the largest is it.
    pub(crate) fn contribution(self, z: f64) -> f64 {
        match self {
            Self::Max => z.abs(),
            Self::SumOfSquares => z * z,
            Self::LogSum => libm::log1p(z * z),
        }
    }

    /// The score of a row whose distances are `z`, each at most [`crate::MAX_DISTANCE`].
    pub(crate) fn score(self, z: impl Iterator<Item = f64>) -> f64 {
        match self {
            Self::Max => z.fold(0.0, |largest, z| z.abs().max(largest)),
            Self::SumOfSquares => z.map(|z| z * z).sum::<f64>(),
            Self::LogSum => log_sum(z),
        }
    }
}

/// The sum of `ln(1 + z^2)` as the logarithm of a product: one logarithm for most rows.
fn log_sum(z: impl Iterator<Item = f64>) -> f64 {
    let (sum, product) = z.fold((0.0, 1.0), |(sum, product), z| {
        let product = product * (1.0 + z * z);
        // A factor is at most 1e200, so that a product kept below 1e100 cannot overflow.
        if product < 1e100 {
            (sum, product)
        } else {
            (sum + libm::log(product), 1.0)
        }
    });
    sum + libm::log(product)
}

//! Bringing columns to one scale before detecting.

use anomaly_detectors::ndarray::Array2;
use clap::ValueEnum;

/// What is done to each column first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scale {
    /// Nothing.
    None,
    /// The smallest number becomes 0, the largest 1; a column of equal numbers becomes 0.
    Minmax,
}

impl Scale {
    /// Missing and infinite numbers stay what they are, and do not count as smallest or largest.
    pub(super) fn apply(self, rows: &mut Array2<f64>) {
        if self == Self::None {
            return;
        }
        for mut column in rows.columns_mut() {
            let finite = column.iter().copied().filter(|value| value.is_finite());
            let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
                (low.min(v), high.max(v))
            });
            // Halved, because the difference of two huge numbers may be too large for a number.
            let range = high / 2.0 - low / 2.0;
            column.map_inplace(|value| {
                if value.is_finite() {
                    let above = *value / 2.0 - low / 2.0;
                    *value = if range > 0.0 { above / range } else { 0.0 };
                }
            });
        }
    }
}

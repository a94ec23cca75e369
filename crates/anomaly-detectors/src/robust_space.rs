//! The space that distances between rows are measured in.

use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::{Baseline, DetectorError, Fit, ModifiedZScoreParams};

/// Scales from the median where [`Transform::SignedLog`] turns from nearly linear to logarithmic.
const KNEE: f64 = 10.0;

/// What becomes of the robust distance `z` of a value from its column's median before rows are
/// compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Transform {
    /// `z` itself: a row twice as far out is twice as strange.
    Linear,
    /// `sign(z) 10 ln(1 + |z| / 10)`: nearly `z` up to a few scales, and a step per factor far out, so
    /// that one wild column does not drown the others.
    SignedLog,
}

impl Transform {
    fn apply(self, z: f64) -> f64 {
        match self {
            Self::Linear => z,
            Self::SignedLog => (KNEE * libm::log1p(z.abs() / KNEE)).copysign(z),
        }
    }
}

/// Columns standardised as [`crate::ModifiedZScore`] does, then transformed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RobustSpace {
    transform: Transform,
    columns: Vec<Baseline>,
}

impl RobustSpace {
    pub(crate) fn new(transform: Transform, columns: Vec<Baseline>) -> Self {
        Self { transform, columns }
    }

    /// The space of some data, at least two rows.
    pub(crate) fn of(
        data: ArrayView2<'_, f64>,
        transform: Transform,
        min_scale: f64,
    ) -> Result<Self, DetectorError> {
        let detector = ModifiedZScoreParams::default()
            .min_scale(min_scale)
            .check()?;
        let columns = detector.fit(data)?.baselines().to_vec();
        Ok(Self::new(transform, columns))
    }

    pub(crate) fn columns(&self) -> &[Baseline] {
        &self.columns
    }

    /// Where a row lies in each column, finite; NaN where it is missing.
    pub(crate) fn reader<'a>(&'a self, row: ArrayView1<'a, f64>) -> impl Fn(usize) -> f64 + 'a {
        move |column| {
            let value = row[column];
            if value.is_nan() {
                return value;
            }
            self.transform.apply(self.columns[column].distance(value))
        }
    }

    /// Where a row lies, with its missing values read as the median, added to `coordinates`.
    pub(crate) fn place(&self, row: ArrayView1<'_, f64>, coordinates: &mut Vec<f64>) {
        let coordinate = self.reader(row);
        let present = |value: f64| if value.is_nan() { 0.0 } else { value };
        coordinates.extend((0..self.columns.len()).map(|column| present(coordinate(column))));
    }
}

//! The jobs that a stream has learnt from.

use std::collections::VecDeque;

use anomaly_features::{FEATURES, FeatureMatrix};
use serde::{Deserialize, Serialize};

/// One job's coordinates, one per feature of [`FEATURES`], NaN where missing.
pub(crate) type Row = Vec<f32>;

/// The newest learnt jobs of a stream, oldest first.
///
/// Coordinates are kept as `f32`: seven digits are far below a feature's resolution, and a job is
/// judged in the same precision in which it is remembered.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct History {
    rows: VecDeque<Row>,
}

impl History {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Learns a job; forgets the oldest beyond `capacity`.
    pub(crate) fn push(&mut self, row: Row, capacity: usize) {
        self.rows.push_back(row);
        while self.rows.len() > capacity {
            self.rows.pop_front();
        }
    }

    /// The known values of one feature, ascending.
    pub(crate) fn sorted_column(&self, feature: usize) -> Vec<f64> {
        let mut column: Vec<f64> = self.rows.iter().map(|row| value(row, feature)).collect();
        column.retain(|value| !value.is_nan());
        column.sort_by(f64::total_cmp);
        column
    }

    /// How many jobs have a value of this feature.
    pub(crate) fn known(&self, feature: usize) -> usize {
        self.rows
            .iter()
            .filter(|row| !value(row, feature).is_nan())
            .count()
    }

    /// The chosen features of every job.
    pub(crate) fn matrix(&self, features: &[usize]) -> FeatureMatrix {
        let mut matrix = FeatureMatrix::new(features.len());
        for row in &self.rows {
            matrix.push(features.iter().map(|&feature| value(row, feature)));
        }
        matrix
    }

    /// Moves every row's columns to where `names` says that they belong today.
    pub(crate) fn rearrange(&mut self, names: &[String]) {
        for row in &mut self.rows {
            *row = rearranged(row, names);
        }
    }
}

/// The value of a feature in a row; NaN where the row has none.
pub(crate) fn value(row: &[f32], feature: usize) -> f64 {
    f64::from(row.get(feature).copied().unwrap_or(f32::NAN))
}

/// A row whose columns were called `names`, in today's order of features.
pub(crate) fn rearranged(row: &[f32], names: &[String]) -> Row {
    let column = |name: &str| names.iter().position(|other| other == name);
    let at = |name| {
        column(name)
            .and_then(|index| row.get(index))
            .copied()
            .unwrap_or(f32::NAN)
    };
    FEATURES.iter().map(|feature| at(feature.name)).collect()
}

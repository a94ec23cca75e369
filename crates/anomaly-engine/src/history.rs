//! The jobs that a stream has learnt from.

use std::collections::VecDeque;

use anomaly_features::{FEATURES, FeatureMatrix};
use serde::{Deserialize, Serialize};

/// One job's coordinates, one per feature of [`FEATURES`].
pub(crate) type Row = Vec<Coordinate>;

/// A coordinate, in units of its feature's resolution, as it is judged and remembered: to a 32nd,
/// far below what matters, and up to 1,000 units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Coordinate(i16);

impl Coordinate {
    /// Parts of a resolution.
    const PARTS: f64 = 32.0;
    pub(crate) const MISSING: Self = Self(i16::MIN);

    /// NaN is missing.
    #[expect(clippy::cast_possible_truncation, reason = "within the bounds")]
    pub(crate) fn of(coordinate: f64) -> Self {
        if coordinate.is_nan() {
            return Self::MISSING;
        }
        let bound = f64::from(i16::MAX);
        Self((coordinate * Self::PARTS).round().clamp(-bound, bound) as i16)
    }

    fn value(self) -> f64 {
        if self == Self::MISSING {
            f64::NAN
        } else {
            f64::from(self.0) / Self::PARTS
        }
    }
}

/// The newest usual jobs of a stream, oldest first.
///
/// A job is judged in the precision in which it is remembered.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct History {
    rows: VecDeque<Row>,
}

/// Adds a value, and forgets the oldest ones before, so that room for `capacity` is enough.
pub(crate) fn push_bounded<T>(values: &mut VecDeque<T>, value: T, capacity: usize) {
    let surplus = (values.len() + 1).saturating_sub(capacity.max(1));
    values.drain(..surplus);
    values.push_back(value);
}

impl History {
    pub(crate) fn new(rows: VecDeque<Row>) -> Self {
        Self { rows }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    /// Learns a job; forgets the oldest beyond `capacity`.
    pub(crate) fn push(&mut self, row: Row, capacity: usize) {
        push_bounded(&mut self.rows, row, capacity);
    }

    /// Moves every row's columns to where `names` says that they belong today.
    pub(crate) fn rearrange(&mut self, names: &[String]) {
        for row in &mut self.rows {
            *row = rearranged(row, names);
        }
    }
}

/// The jobs that say what is usual.
#[derive(Debug)]
pub(crate) struct Lessons<'a>(Vec<&'a Row>);

impl<'a> FromIterator<&'a Row> for Lessons<'a> {
    fn from_iter<I: IntoIterator<Item = &'a Row>>(rows: I) -> Self {
        Self(rows.into_iter().collect())
    }
}

impl Lessons<'_> {
    /// The known values of one feature, ascending.
    pub(crate) fn sorted_column(&self, feature: usize) -> Vec<f64> {
        let mut column: Vec<f64> = self.0.iter().map(|row| value(row, feature)).collect();
        column.retain(|value| !value.is_nan());
        column.sort_by(f64::total_cmp);
        column
    }

    /// How many jobs have a value of this feature.
    pub(crate) fn known(&self, feature: usize) -> usize {
        let values = self.0.iter().map(|row| value(row, feature));
        values.filter(|value| !value.is_nan()).count()
    }

    /// The chosen features of every job.
    pub(crate) fn matrix(&self, features: &[usize]) -> FeatureMatrix {
        let mut matrix = FeatureMatrix::new(features.len());
        for row in &self.0 {
            matrix.push(features.iter().map(|&feature| value(row, feature)));
        }
        matrix
    }
}

/// The value of a feature in a row; NaN where the row has none.
pub(crate) fn value(row: &[Coordinate], feature: usize) -> f64 {
    row.get(feature)
        .copied()
        .unwrap_or(Coordinate::MISSING)
        .value()
}

/// A row whose columns were called `names`, in today's order of features.
pub(crate) fn rearranged(row: &[Coordinate], names: &[String]) -> Row {
    let column = |name: &str| names.iter().position(|other| other == name);
    let at = |name| {
        column(name)
            .and_then(|index| row.get(index))
            .copied()
            .unwrap_or(Coordinate::MISSING)
    };
    FEATURES.iter().map(|feature| at(feature.name)).collect()
}

//! Linear regression that a few wild values do not bend.

use crate::order_statistics::{DEVIATIONS_PER_MAD, median, sort};

/// Columns that a row may have at most: level, trend, six weekdays, month's end.
pub(crate) const MOST_COLUMNS: usize = 9;

pub(crate) type Row = [f64; MOST_COLUMNS];
pub(crate) type Matrix = [Row; MOST_COLUMNS];

/// Rounds of reweighting: far more than it takes for the coefficients to settle.
const ROUNDS: usize = 24;
/// Rounds with the sharper bound, which start from nearly the least absolute deviations.
const SHARP_ROUNDS: usize = 8;
const SHARP_BOUND: f64 = 0.5;
/// Huber's bound: 95 % efficient for normal errors.
const BOUND: f64 = 1.345;
/// The bound of the scale, and what the bounded squares of normal errors are on average.
const SCALE_BOUND: f64 = 2.5;
const BOUNDED_SQUARE: f64 = 0.977_56;
const SCALE_ROUNDS: usize = 6;
/// Keeps columns that say the same solvable, and changes nothing that can be seen otherwise.
const RIDGE: f64 = 1e-9;

/// A fitted regression: `value = row . coefficients + scale * error`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Regression {
    pub(crate) coefficients: Row,
    /// Standard deviation of the errors, corrected for the columns.
    pub(crate) scale: f64,
    /// The inverse of the weighted normal matrix: how sure the coefficients are, in units of the
    /// scale squared.
    pub(crate) certainty: Matrix,
}

/// Fits `values` on the first `columns` columns of `rows`; more values than columns.
///
/// Huber's M-estimator by iteratively reweighted least squares (Huber and Ronchetti, "Robust
/// Statistics", 2009, chapter 7), started from nearly the least absolute deviations; the scale is
/// Huber's proposal 2 with the residuals bounded at 2.5.
pub(crate) fn fit(rows: &[Row], values: &[f64], columns: usize) -> Regression {
    let mut coefficients = [0.0; MOST_COLUMNS];
    coefficients[0] = median_of(values.iter().copied());
    let mut normal = [[0.0; MOST_COLUMNS]; MOST_COLUMNS];
    for round in 0..ROUNDS {
        let residual = |row: &Row, value: f64| value - dot(row, &coefficients);
        let deviations = rows
            .iter()
            .zip(values)
            .map(|(row, &value)| residual(row, value).abs());
        let bound = if round < SHARP_ROUNDS {
            SHARP_BOUND
        } else {
            BOUND
        };
        let bound = bound * DEVIATIONS_PER_MAD * median_of(deviations);
        let mut right = [0.0; MOST_COLUMNS];
        normal = [[0.0; MOST_COLUMNS]; MOST_COLUMNS];
        for (row, &value) in rows.iter().zip(values) {
            let deviation = residual(row, value).abs();
            // Where more than half fit exactly, those that do alone decide.
            let weight = if deviation <= bound {
                1.0
            } else {
                bound / deviation
            };
            for i in 0..columns {
                right[i] += weight * row[i] * value;
                for j in 0..columns {
                    normal[i][j] += weight * row[i] * row[j];
                }
            }
        }
        for (i, row) in normal.iter_mut().enumerate().take(columns) {
            row[i] += RIDGE;
        }
        coefficients = solve(&normal, right, columns);
    }
    let residuals: Vec<f64> = rows
        .iter()
        .zip(values)
        .map(|(row, &value)| value - dot(row, &coefficients))
        .collect();
    Regression {
        coefficients,
        scale: scale(&residuals, columns),
        certainty: inverse(&normal, columns),
    }
}

/// The standard deviation of normal errors, whatever a few of the residuals are.
fn scale(residuals: &[f64], columns: usize) -> f64 {
    let free = residuals.len().saturating_sub(columns).max(1) as f64;
    let mut scale = DEVIATIONS_PER_MAD * median_of(residuals.iter().map(|r| r.abs()));
    if scale <= 0.0 {
        // More than half fit exactly: what the others are off by, spread over all.
        scale = residuals.iter().map(|r| r.abs()).sum::<f64>() / free;
    }
    for _ in 0..SCALE_ROUNDS {
        if scale <= 0.0 {
            break;
        }
        let bounded = |residual: f64| (residual / scale).clamp(-SCALE_BOUND, SCALE_BOUND);
        let squares: f64 = residuals.iter().map(|&r| bounded(r) * bounded(r)).sum();
        scale *= (squares / (BOUNDED_SQUARE * free)).sqrt();
    }
    scale
}

pub(crate) fn dot(a: &Row, b: &Row) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn median_of(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    sort(&mut values);
    median(&values)
}

/// Solves `matrix x = right` by elimination; the matrix is symmetric and positive definite, so no
/// pivot is needed.
fn solve(matrix: &Matrix, mut right: Row, columns: usize) -> Row {
    let mut matrix = *matrix;
    for pivot in 0..columns {
        for row in pivot + 1..columns {
            let factor = matrix[row][pivot] / matrix[pivot][pivot];
            let above = matrix[pivot];
            for (below, above) in matrix[row].iter_mut().zip(above).skip(pivot) {
                *below -= factor * above;
            }
            right[row] -= factor * right[pivot];
        }
    }
    for pivot in (0..columns).rev() {
        let known: f64 = (pivot + 1..columns)
            .map(|j| matrix[pivot][j] * right[j])
            .sum();
        right[pivot] = (right[pivot] - known) / matrix[pivot][pivot];
    }
    right
}

fn inverse(matrix: &Matrix, columns: usize) -> Matrix {
    let mut inverse = [[0.0; MOST_COLUMNS]; MOST_COLUMNS];
    for (column, row) in inverse.iter_mut().enumerate().take(columns) {
        let mut unit = [0.0; MOST_COLUMNS];
        unit[column] = 1.0;
        *row = solve(matrix, unit, columns);
    }
    inverse
}

//! Mean and covariance of rows.

use ndarray::{ArrayView1, ArrayView2};

use super::triangle::Triangle;
use crate::parallel;
use crate::robust_space::RobustSpace;

/// A coordinate farther out counts as this: its fourth power, and sums of them, stay finite.
pub(super) const LARGEST_COORDINATE: f64 = 1e60;

/// Pieces whose sums are added up one after the other, whatever the number of threads.
const PIECES: usize = 16;

/// What is learnt from some rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moments {
    pub(super) rows: usize,
    /// Of the values that are there.
    pub(super) means: Vec<f64>,
    /// With divisor `rows`.
    pub(super) covariance: Triangle,
    /// Mean of the fourth powers of the distances from the mean.
    pub(super) fourth_moment: f64,
}

impl Moments {
    /// Of some rows of `data`, at least one, at their places in `space`.
    ///
    /// A missing value is at the mean. Deviations in its column count for more, so that the variance
    /// is that of the values that are there.
    pub(super) fn of(data: ArrayView2<'_, f64>, space: &RobustSpace, rows: &[usize]) -> Self {
        let sums = in_pieces(rows, |rows| Sums::of(data, space, rows));
        let mut whole = Sums::zero(space.columns().len());
        for part in &sums {
            whole.add(part);
        }
        let present = || whole.counts.iter().map(|&count| count.max(1) as f64);
        let means: Vec<f64> = whole
            .sums
            .iter()
            .zip(present())
            .map(|(s, n)| s / n)
            .collect();
        let all = rows.len() as f64;
        let weights: Vec<f64> = present().map(|present| (all / present).sqrt()).collect();

        let products = in_pieces(rows, |rows| {
            Products::of(data, space, rows, &means, &weights)
        });
        let mut whole = Products::zero(means.len());
        for part in &products {
            whole.add(part);
        }
        let mut covariance = whole.products;
        covariance.scale(1.0 / all);
        Self {
            rows: rows.len(),
            means,
            covariance,
            fourth_moment: whole.fourth_powers / all,
        }
    }
}

/// Where a row lies in each column: NaN where it is missing.
pub(super) fn reader<'a>(
    space: &'a RobustSpace,
    row: ArrayView1<'a, f64>,
) -> impl Fn(usize) -> f64 + 'a {
    let coordinate = space.reader(row);
    move |column| coordinate(column).clamp(-LARGEST_COORDINATE, LARGEST_COORDINATE)
}

/// What `make` gives for each piece of the rows, in their order.
fn in_pieces<T: Send>(rows: &[usize], make: impl Fn(&[usize]) -> T + Send + Sync) -> Vec<T> {
    let pieces: Vec<&[usize]> = rows.chunks(rows.len().div_ceil(PIECES).max(1)).collect();
    parallel::map(pieces.len(), |index| make(pieces[index]))
}

/// Sums of the coordinates that are there.
struct Sums {
    sums: Vec<f64>,
    counts: Vec<usize>,
}

impl Sums {
    fn zero(columns: usize) -> Self {
        Self {
            sums: vec![0.0; columns],
            counts: vec![0; columns],
        }
    }

    fn of(data: ArrayView2<'_, f64>, space: &RobustSpace, rows: &[usize]) -> Self {
        let mut sums = Self::zero(space.columns().len());
        for &row in rows {
            let coordinate = reader(space, data.row(row));
            for (column, (sum, count)) in sums.sums.iter_mut().zip(&mut sums.counts).enumerate() {
                let here = coordinate(column);
                if !here.is_nan() {
                    *sum += here;
                    *count += 1;
                }
            }
        }
        sums
    }

    fn add(&mut self, other: &Self) {
        for (sum, other) in self.sums.iter_mut().zip(&other.sums) {
            *sum += other;
        }
        for (count, other) in self.counts.iter_mut().zip(&other.counts) {
            *count += other;
        }
    }
}

/// Sums of products of deviations from the means.
struct Products {
    products: Triangle,
    fourth_powers: f64,
}

impl Products {
    fn zero(columns: usize) -> Self {
        Self {
            products: Triangle::zero(columns),
            fourth_powers: 0.0,
        }
    }

    fn of(
        data: ArrayView2<'_, f64>,
        space: &RobustSpace,
        rows: &[usize],
        means: &[f64],
        weights: &[f64],
    ) -> Self {
        let mut sums = Self::zero(means.len());
        let mut deviations = vec![0.0; means.len()];
        for &row in rows {
            let coordinate = reader(space, data.row(row));
            for (column, deviation) in deviations.iter_mut().enumerate() {
                let here = (coordinate(column) - means[column]) * weights[column];
                *deviation = if here.is_nan() { 0.0 } else { here };
            }
            let square: f64 = deviations
                .iter()
                .map(|deviation| deviation * deviation)
                .sum();
            sums.fourth_powers += square * square;
            sums.products.add_products(&deviations);
        }
        sums
    }

    fn add(&mut self, other: &Self) {
        self.products.add(&other.products);
        self.fourth_powers += other.fourth_powers;
    }
}

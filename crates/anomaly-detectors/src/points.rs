//! Points of a space, and how far a row is from all of them.

use crate::MAX_DISTANCE;

/// The most points whose distances are computed together: their sums fill a part of the nearest
/// cache, and need no allocation.
pub(crate) const LARGEST_BLOCK: usize = 1024;

/// Points in blocks. Inside a block the values of one column lie side by side, so that one value of
/// a row is compared with many at once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Points {
    count: usize,
    columns: usize,
    /// Points of a block; the last may have fewer.
    block: usize,
    values: Vec<f64>,
}

impl Points {
    /// `count` points of `columns` coordinates each, given point after point. A block has `block`
    /// points, 1 to [`LARGEST_BLOCK`].
    ///
    /// `None` if the coordinates are more or fewer than that, or are none that a transformed
    /// distance can be.
    pub(crate) fn new(
        count: usize,
        columns: usize,
        block: usize,
        coordinates: &[f64],
    ) -> Option<Self> {
        let possible = |value: &f64| value.abs() <= MAX_DISTANCE;
        if count.checked_mul(columns) != Some(coordinates.len())
            || !coordinates.iter().all(possible)
        {
            return None;
        }
        let mut values = Vec::with_capacity(coordinates.len());
        for block in coordinates.chunks((block * columns).max(1)) {
            for column in 0..columns {
                values.extend(block.iter().skip(column).step_by(columns));
            }
        }
        Some(Self {
            count,
            columns,
            block,
            values,
        })
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn coordinate(&self, point: usize, column: usize) -> f64 {
        let first = point - point % self.block;
        let points = self.block.min(self.count - first);
        self.values[first * self.columns + column * points + point % self.block]
    }

    /// The coordinates, point after point.
    pub(crate) fn coordinates(&self) -> Vec<f64> {
        (0..self.count)
            .flat_map(|point| (0..self.columns).map(move |column| self.coordinate(point, column)))
            .collect()
    }

    /// Calls `visit` for each block with its first point and the squared distances of its points
    /// from a row. A column where the row is NaN adds nothing.
    ///
    /// The distances of a point do not depend on the blocks, and are finite.
    pub(crate) fn visit_squared_distances(
        &self,
        coordinate: impl Fn(usize) -> f64,
        mut visit: impl FnMut(usize, &[f64]),
    ) {
        let mut squares = [0.0; LARGEST_BLOCK];
        for first in (0..self.count).step_by(self.block) {
            let points = self.block.min(self.count - first);
            let squares = &mut squares[..points];
            squares.fill(0.0);
            for column in 0..self.columns {
                let here = coordinate(column);
                if here.is_nan() {
                    continue;
                }
                let values = &self.values[first * self.columns + column * points..][..points];
                for (square, value) in squares.iter_mut().zip(values) {
                    let difference = here - value;
                    *square += difference * difference;
                }
            }
            visit(first, squares);
        }
    }

    /// Adds to `contributions` the part of `amount` that each column has in the squared distance of
    /// a row from one point. Nothing if the row lies on it.
    pub(crate) fn add_shares(
        &self,
        point: usize,
        coordinate: impl Fn(usize) -> f64,
        amount: f64,
        contributions: &mut [f64],
    ) {
        let square = |column| {
            let here: f64 = coordinate(column);
            let difference = here - self.coordinate(point, column);
            if here.is_nan() {
                0.0
            } else {
                difference * difference
            }
        };
        let whole: f64 = (0..self.columns).map(square).sum();
        if whole > 0.0 {
            for (column, contribution) in contributions.iter_mut().enumerate() {
                *contribution += amount * (square(column) / whole);
            }
        }
    }
}

/// The smallest of some squared distances, with one copy of the row passed over: a row of the
/// history is not its own neighbour. `None` if nothing else is there.
pub(crate) fn nearest_other(squares: impl Iterator<Item = f64>) -> Option<f64> {
    let (copies, nearest) = squares.fold((0_usize, f64::INFINITY), |(copies, nearest), square| {
        let copy = square <= 0.0;
        let other = if copy { f64::INFINITY } else { square };
        (
            copies + usize::from(copy),
            if other < nearest { other } else { nearest },
        )
    });
    if copies > 1 {
        Some(0.0)
    } else {
        Some(nearest).filter(|nearest| nearest.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::{Points, nearest_other};

    #[test]
    fn blocks_change_nothing() {
        let coordinates: Vec<f64> = (0..21).map(|i| f64::from(i * i % 13)).collect();
        let squares = |block| {
            let points = Points::new(7, 3, block, &coordinates).unwrap();
            assert_eq!(points.coordinates(), coordinates);
            let mut all = Vec::new();
            let row = [1.0, f64::NAN, 4.0];
            points.visit_squared_distances(
                |column| row[column],
                |first, squares| {
                    assert_eq!(first, all.len());
                    all.extend_from_slice(squares);
                },
            );
            all
        };
        let expected: Vec<f64> = coordinates
            .chunks(3)
            .map(|point| (point[0] - 1.0).powi(2) + (point[2] - 4.0).powi(2))
            .collect();
        for block in [1, 2, 3, 7, 1024] {
            assert_eq!(squares(block), expected);
        }
    }

    #[test]
    fn one_copy_is_passed_over() {
        let nearest = |squares: &[f64]| nearest_other(squares.iter().copied());
        assert_eq!(nearest(&[4.0, 1.0, 9.0]), Some(1.0));
        assert_eq!(nearest(&[4.0, 0.0, 9.0]), Some(4.0));
        assert_eq!(nearest(&[0.0, 4.0, 0.0]), Some(0.0));
        assert_eq!(nearest(&[0.0]), None);
        assert_eq!(nearest(&[]), None);
    }
}

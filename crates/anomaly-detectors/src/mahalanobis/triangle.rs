//! Lower triangles of matrices.

/// The most columns of a triangle; of larger matrices only the diagonal is held.
pub(super) const LARGEST_TRIANGLE: usize = 512;

/// The lower triangle of a square matrix, or its diagonal if it is larger than
/// [`LARGEST_TRIANGLE`].
///
/// Column after column, each from its diagonal element downwards, so that all the work is to add
/// multiples of one slice to another.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Triangle {
    columns: usize,
    entries: Vec<f64>,
}

impl Triangle {
    pub(super) fn zero(columns: usize) -> Self {
        let entries = vec![0.0; start(columns, columns)];
        Self { columns, entries }
    }

    /// `None` if a matrix of this size has more or fewer entries.
    pub(super) fn from_entries(columns: usize, entries: Vec<f64>) -> Option<Self> {
        let possible = start(columns, columns) == entries.len();
        possible.then_some(Self { columns, entries })
    }

    pub(super) fn entries(&self) -> &[f64] {
        &self.entries
    }

    /// Whether there is more than the diagonal.
    pub(super) fn is_whole(&self) -> bool {
        self.columns <= LARGEST_TRIANGLE
    }

    /// From the diagonal downwards.
    pub(super) fn column(&self, index: usize) -> &[f64] {
        &self.entries[start(self.columns, index)..start(self.columns, index + 1)]
    }

    fn column_mut(&mut self, index: usize) -> &mut [f64] {
        &mut self.entries[start(self.columns, index)..start(self.columns, index + 1)]
    }

    pub(super) fn diagonal(&self) -> impl Iterator<Item = f64> + '_ {
        (0..self.columns).map(|index| self.entries[start(self.columns, index)])
    }

    pub(super) fn diagonal_mut(&mut self, index: usize) -> &mut f64 {
        &mut self.entries[start(self.columns, index)]
    }

    pub(super) fn scale(&mut self, factor: f64) {
        for entry in &mut self.entries {
            *entry *= factor;
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        add_multiple(&mut self.entries, 1.0, &other.entries);
    }

    /// Adds the products of all pairs of elements of `vector`, one element per column.
    pub(super) fn add_products(&mut self, vector: &[f64]) {
        for (index, &element) in vector.iter().enumerate() {
            add_multiple(self.column_mut(index), element, &vector[index..]);
        }
    }

    /// `W` with `WᵀW` the inverse of this symmetric positive definite matrix: the inverse of its
    /// Cholesky factor.
    pub(super) fn inverse_factor(self) -> Self {
        let factor = self.cholesky();
        let mut inverse = Self::zero(factor.columns);
        for index in 0..factor.columns {
            // Solves L w = e by forward substitution.
            let solution = inverse.column_mut(index);
            solution[0] = 1.0;
            for step in 0..solution.len() {
                let (done, rest) = solution.split_at_mut(step + 1);
                let (pivot, below) = factor.column(index + step).split_at(1);
                done[step] /= pivot[0];
                add_multiple(rest, -done[step], below);
            }
        }
        inverse
    }

    /// The factor `L` of this matrix `L Lᵀ`.
    fn cholesky(mut self) -> Self {
        for index in 0..self.columns {
            let next = start(self.columns, index + 1);
            let (before, rest) = self.entries.split_at_mut(next);
            let column = &mut before[start(self.columns, index)..];
            // Above 0 whatever the roundings: they take far less than was shrunk.
            let pivot = column[0].max(f64::MIN_POSITIVE).sqrt();
            for entry in column.iter_mut() {
                *entry /= pivot;
            }
            let mut rest = rest;
            for below in 1..column.len() {
                let (other, others) = rest.split_at_mut(column.len() - below);
                add_multiple(other, -column[below], &column[below..]);
                rest = others;
            }
        }
        self
    }
}

/// Where a column of a matrix of `columns` columns begins.
fn start(columns: usize, index: usize) -> usize {
    if columns <= LARGEST_TRIANGLE {
        index * (2 * columns + 1 - index) / 2
    } else {
        index
    }
}

/// Adds `factor` times `other` to the same places of `to`, as far as both reach.
pub(super) fn add_multiple(to: &mut [f64], factor: f64, other: &[f64]) {
    for (to, other) in to.iter_mut().zip(other) {
        *to += factor * other;
    }
}

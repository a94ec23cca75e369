//! Splits that ask for several columns at once.

use serde::{Deserialize, Serialize};

/// What the splits of a tree may ask for: a column, or a projection, which is a weighted sum of
/// columns.
///
/// A *feature* is a number: the columns come first, then the projections of this tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Features {
    columns: usize,
    /// Terms of each projection.
    width: usize,
    /// Projection after projection; one with fewer terms ends with terms of factor 0.
    terms: Vec<Term>,
}

/// One column of a projection: its number and its factor.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Term(pub(super) u32, pub(super) f64);

impl Features {
    /// So many columns, and room for projections of at most `width` of them, at least one.
    pub(super) fn new(columns: usize, width: usize) -> Self {
        Self {
            columns,
            width,
            terms: Vec::new(),
        }
    }

    /// The features of a stored tree, or what is wrong with the terms.
    pub(super) fn from_terms(
        columns: usize,
        width: usize,
        terms: Vec<Term>,
    ) -> Result<Self, String> {
        if !terms.len().is_multiple_of(width) {
            let count = terms.len();
            return Err(format!("{count} terms make no projections of {width}"));
        }
        let sound = |term: &&Term| (term.0 as usize) < columns && term.1.is_finite();
        if let Some(Term(column, factor)) = terms.iter().find(|term| !sound(term)) {
            return Err(format!("a projection takes {factor} of column {column}"));
        }
        Ok(Self {
            columns,
            width,
            terms,
        })
    }

    /// The terms of all projections.
    pub(super) fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Adds a projection of at most as many terms as there is room for, and gives its number.
    pub(super) fn add(&mut self, terms: &[Term]) -> usize {
        let feature = self.len();
        self.terms.extend(terms);
        let end = (feature + 1 - self.columns) * self.width;
        self.terms.resize(end, Term(0, 0.0));
        feature
    }

    /// Takes back the last projection.
    pub(super) fn remove_last(&mut self) {
        let left = self.terms.len().saturating_sub(self.width);
        self.terms.truncate(left);
    }

    /// Columns and projections.
    pub(super) fn len(&self) -> usize {
        self.columns + self.terms.len() / self.width
    }

    /// Whether every feature is a column.
    pub(super) fn are_columns(&self) -> bool {
        self.terms.is_empty()
    }

    fn terms_of(&self, projection: usize) -> &[Term] {
        &self.terms[projection * self.width..][..self.width]
    }

    /// The value of a feature, where `value` gives that of a column, which is present.
    pub(super) fn read(&self, feature: usize, value: impl Fn(usize) -> f64) -> f64 {
        let Some(projection) = feature.checked_sub(self.columns) else {
            return value(feature);
        };
        let term = |Term(column, factor): Term| factor * value(column as usize);
        match *self.terms_of(projection) {
            // As the sum below, but without a loop.
            [first, second] => term(first) + term(second),
            ref terms => terms.iter().map(|&next| term(next)).sum(),
        }
    }

    /// A feature as two terms, the second maybe of factor 0; nothing if it takes more.
    pub(super) fn pair(&self, feature: usize) -> Option<[Term; 2]> {
        let Some(projection) = feature.checked_sub(self.columns) else {
            return Some([Term(u32::try_from(feature).ok()?, 1.0), Term(0, 0.0)]);
        };
        <[Term; 2]>::try_from(self.terms_of(projection)).ok()
    }
}

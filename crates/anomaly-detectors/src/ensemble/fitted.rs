//! A fitted ensemble: how strange its members find a row together.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut1, Axis};
use serde::{Deserialize, Serialize};

use super::member::FittedMember;
use super::record::Record;
use super::tail_curve::TailCurve;
use super::{Ensemble, NAME};
use crate::{DetectorError, Score, check, parallel};

/// Rows whose scores by each member are held at a time.
const CHUNK_ROWS: usize = 1 << 16;
/// Rows that one thread looks up at a time.
const BLOCK_ROWS: usize = 1024;

/// A fitted [`Ensemble`].
///
/// A score is the mean surprise of the members: from 0, without upper bound. About 1 is usual, since
/// the surprise of a random row of the history is 1 on average; if all members find a row stranger
/// than 99 % of the history, its score is `ln(100)`, 4.6.
///
/// [`Score::explain`] gives each member's surprise to the columns in proportion to what the member
/// itself says of them, with less than nothing taken for nothing, and evenly where the member names no
/// column; then the mean over the members. The contributions are never negative and sum to the score.
///
/// It holds the fitted members and for each of them a few hundred numbers, however long the history
/// was.
///
/// Serialises with the detector's name and a version, each member with its own, and refuses another
/// name or version, or members that no fit can give, when read back. What is read back scores as
/// before, to the last bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct FittedEnsemble {
    detector: Ensemble,
    columns: usize,
    members: Vec<(FittedMember, TailCurve)>,
}

impl FittedEnsemble {
    /// Takes one fitted member, with its scores of the history, for each that was asked for.
    pub(super) fn new(
        detector: Ensemble,
        members: Vec<(FittedMember, TailCurve)>,
    ) -> Result<Self, DetectorError> {
        let refuse = |reason: String| Err(DetectorError::invalid_state(NAME, reason));
        let asked = detector.params().members.len();
        if members.len() != asked {
            return refuse(format!("it has {} of {asked} members", members.len()));
        }
        let mut widths = members.iter().map(|(m, _)| m.detector().columns());
        let columns = widths.next().unwrap_or(0);
        if widths.any(|width| width != columns) {
            return refuse("its members were fitted on different columns".to_owned());
        }
        if members.iter().any(|(_, curve)| !curve.is_sound()) {
            return refuse("a member's scores of the history are from no fit".to_owned());
        }
        Ok(Self {
            detector,
            columns,
            members,
        })
    }

    /// The detector that was fitted.
    #[must_use]
    pub fn detector(&self) -> &Ensemble {
        &self.detector
    }

    pub(super) fn into_parts(self) -> (Ensemble, Vec<(FittedMember, TailCurve)>) {
        (self.detector, self.members)
    }

    /// The mean surprise at what the members say, one score each.
    fn mean_surprise(&self, scores: ArrayView1<'_, f64>) -> f64 {
        let members = self.members.iter().zip(scores);
        let sum = members.fold(0.0, |sum, ((_, curve), &score)| sum + curve.surprise(score));
        sum / self.members.len() as f64
    }
}

impl Score for FittedEnsemble {
    fn columns(&self) -> usize {
        self.columns
    }

    fn score_row(&self, row: ArrayView1<'_, f64>) -> Result<f64, DetectorError> {
        check::width(self.columns, row.len())?;
        let mut scores = [0.0; super::MOST_MEMBERS];
        for ((member, _), score) in self.members.iter().zip(&mut scores) {
            *score = member.detector().score_row(row)?;
        }
        Ok(self.mean_surprise(ArrayView1::from(&scores)))
    }

    fn score_into(
        &self,
        data: ArrayView2<'_, f64>,
        mut scores: ArrayViewMut1<'_, f64>,
    ) -> Result<(), DetectorError> {
        check::width(self.columns, data.ncols())?;
        check::output(data.nrows(), scores.len())?;
        let chunks = data.axis_chunks_iter(Axis(0), CHUNK_ROWS);
        for (data, scores) in chunks.zip(scores.axis_chunks_iter_mut(Axis(0), CHUNK_ROWS)) {
            let mut by_member = Array2::zeros((data.nrows(), self.members.len()));
            for ((member, _), scores) in self.members.iter().zip(by_member.columns_mut()) {
                member.detector().score_into(data, scores)?;
            }
            parallel::for_each_row(by_member.view(), scores, BLOCK_ROWS, |scores| {
                self.mean_surprise(scores)
            });
        }
        Ok(())
    }

    fn explain(&self, row: ArrayView1<'_, f64>) -> Result<Array1<f64>, DetectorError> {
        check::width(self.columns, row.len())?;
        let mut contributions = Array1::zeros(self.columns);
        for (member, curve) in &self.members {
            let surprise = curve.surprise(member.detector().score_row(row)?);
            let shares = shares(member.detector().explain(row)?);
            contributions.scaled_add(surprise / self.members.len() as f64, &shares);
        }
        Ok(contributions)
    }
}

/// What part of what speaks against a row each column is.
fn shares(contributions: Array1<f64>) -> Array1<f64> {
    let columns = contributions.len();
    let mut against = contributions.mapv_into(|contribution| contribution.max(0.0));
    let largest = against.fold(0.0, |largest: f64, &here| largest.max(here));
    if largest > 0.0 {
        // By the largest first, so that the sum is finite.
        against /= largest;
        let sum = against.sum();
        against / sum
    } else {
        Array1::from_elem(columns, 1.0 / columns.max(1) as f64)
    }
}

//! The detectors that an ensemble can be made of.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use crate::{
    ClusterDistance, DetectorError, Ecod, Fit, FittedClusterDistance, FittedEcod, FittedHistogram,
    FittedIsolationForest, FittedMahalanobis, FittedNearestNeighbours, FittedUnivariate, Histogram,
    Iqr, IsolationForest, Mahalanobis, ModifiedZScore, NearestNeighbours, Score, ZScore,
};

/// A member of an [`Ensemble`](crate::Ensemble): any other detector with its parameters.
///
/// As JSON an object of its name and parameters: `{"isolation-forest":{"trees":300}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EnsembleMember {
    /// See [`ZScore`].
    ZScore(ZScore),
    /// See [`ModifiedZScore`].
    ModifiedZScore(ModifiedZScore),
    /// See [`Iqr`].
    Iqr(Iqr),
    /// See [`IsolationForest`].
    IsolationForest(IsolationForest),
    /// See [`ClusterDistance`].
    ClusterDistance(ClusterDistance),
    /// See [`NearestNeighbours`]. Learns from the rows that the first member finds usual.
    NearestNeighbours(NearestNeighbours),
    /// See [`Histogram`].
    Histogram(Histogram),
    /// See [`Mahalanobis`]. Learns from the rows that the first member finds usual.
    Mahalanobis(Mahalanobis),
    /// See [`Ecod`].
    Ecod(Ecod),
}

/// A fitted member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FittedMember {
    ZScore(FittedUnivariate<ZScore>),
    ModifiedZScore(FittedUnivariate<ModifiedZScore>),
    Iqr(FittedUnivariate<Iqr>),
    IsolationForest(FittedIsolationForest),
    ClusterDistance(FittedClusterDistance),
    NearestNeighbours(FittedNearestNeighbours),
    Histogram(FittedHistogram),
    Mahalanobis(FittedMahalanobis),
    Ecod(FittedEcod),
}

impl EnsembleMember {
    /// The same member, drawing other random numbers if it draws any.
    pub(super) fn reseeded(&self, by: u64) -> Result<Self, DetectorError> {
        Ok(match self {
            Self::IsolationForest(forest) => {
                let params = forest.params().clone();
                let seed = params.seed.wrapping_add(by);
                Self::IsolationForest(params.seed(seed).check()?)
            }
            Self::NearestNeighbours(neighbours) => {
                let params = neighbours.params();
                let seed = params.seed.wrapping_add(by);
                Self::NearestNeighbours(params.seed(seed).check()?)
            }
            other => other.clone(),
        })
    }

    /// Fits the member to `data`, or to its rows `usual` if it is one that anomalies would mislead.
    pub(super) fn fit(
        &self,
        data: ArrayView2<'_, f64>,
        usual: &[usize],
    ) -> Result<FittedMember, DetectorError> {
        Ok(match self {
            Self::ZScore(detector) => FittedMember::ZScore(detector.fit(data)?),
            Self::ModifiedZScore(detector) => FittedMember::ModifiedZScore(detector.fit(data)?),
            Self::Iqr(detector) => FittedMember::Iqr(detector.fit(data)?),
            Self::IsolationForest(detector) => FittedMember::IsolationForest(detector.fit(data)?),
            Self::ClusterDistance(detector) => FittedMember::ClusterDistance(detector.fit(data)?),
            Self::NearestNeighbours(detector) => {
                FittedMember::NearestNeighbours(detector.fit_among(data, usual.to_vec())?)
            }
            Self::Histogram(detector) => FittedMember::Histogram(detector.fit(data)?),
            Self::Mahalanobis(detector) => {
                FittedMember::Mahalanobis(detector.fit_among(data, usual.to_vec())?)
            }
            Self::Ecod(detector) => FittedMember::Ecod(detector.fit(data)?),
        })
    }
}

impl FittedMember {
    pub(super) fn detector(&self) -> &dyn Score {
        match self {
            Self::ZScore(fitted) => fitted,
            Self::ModifiedZScore(fitted) => fitted,
            Self::Iqr(fitted) => fitted,
            Self::IsolationForest(fitted) => fitted,
            Self::ClusterDistance(fitted) => fitted,
            Self::NearestNeighbours(fitted) => fitted,
            Self::Histogram(fitted) => fitted,
            Self::Mahalanobis(fitted) => fitted,
            Self::Ecod(fitted) => fitted,
        }
    }
}

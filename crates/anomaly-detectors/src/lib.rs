#![doc = include_str!("../README.md")]
#![allow(
    clippy::needless_pass_by_value,
    reason = "a view is a pointer: it goes by value, as everywhere in ndarray"
)]

mod aggregation;
mod baseline;
mod check;
mod cluster_distance;
mod detector;
mod divergence;
mod ecod;
mod ensemble;
mod error;
mod histogram;
mod iqr;
mod isolation_forest;
mod mahalanobis;
pub mod metrics;
mod modified_z_score;
mod nearest_neighbours;
mod order_statistics;
mod parallel;
mod points;
mod random;
mod robust_space;
pub mod series;
mod subsample;
pub mod tail;
mod univariate;
mod z_score;

pub use aggregation::Aggregation;
pub use baseline::{Baseline, MAX_DISTANCE};
pub use cluster_distance::{
    Cluster, ClusterDistance, ClusterDistanceParams, FittedClusterDistance,
};
pub use detector::{Fit, Score};
pub use divergence::{Divergence, HistogramDivergence};
pub use ecod::{Ecod, EcodParams, EcodTails, FittedEcod};
pub use ensemble::{Ensemble, EnsembleMember, EnsembleParams, FittedEnsemble};
pub use error::DetectorError;
pub use histogram::{FittedHistogram, Histogram, HistogramParams};
pub use iqr::{FittedIqr, Iqr, IqrParams};
pub use isolation_forest::{
    FittedIsolationForest, ForestScoring, IsolationForest, IsolationForestParams,
};
pub use mahalanobis::{FittedMahalanobis, Mahalanobis, MahalanobisParams};
pub use modified_z_score::{FittedModifiedZScore, ModifiedZScore, ModifiedZScoreParams};
pub use nearest_neighbours::{FittedNearestNeighbours, NearestNeighbours, NearestNeighboursParams};
pub use robust_space::Transform;
pub use univariate::{FittedUnivariate, Univariate};
pub use z_score::{FittedZScore, ZScore, ZScoreParams};

/// The array library of this crate's API.
pub use ndarray;

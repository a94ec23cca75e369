//! The stored form of mean and covariance.

use serde::{Deserialize, Serialize};

use super::triangle::Triangle;
use super::{FittedMahalanobis, Mahalanobis, NAME};
use crate::robust_space::RobustSpace;
use crate::{Baseline, DetectorError, check};

const VERSION: u32 = 1;

/// The stored form of [`FittedMahalanobis`].
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    detector: String,
    version: u32,
    parameters: Mahalanobis,
    columns: Vec<Baseline>,
    /// In transformed scales from the medians.
    means: Vec<f64>,
    /// The inverse Cholesky factor of the covariance, a lower triangle column after column.
    factor: Vec<f64>,
}

impl From<FittedMahalanobis> for Record {
    fn from(fitted: FittedMahalanobis) -> Self {
        Self {
            detector: NAME.to_owned(),
            version: VERSION,
            parameters: fitted.detector(),
            columns: fitted.baselines().to_vec(),
            means: fitted.means().to_vec(),
            factor: fitted.factor().entries().to_vec(),
        }
    }
}

impl TryFrom<Record> for FittedMahalanobis {
    type Error = DetectorError;

    fn try_from(record: Record) -> Result<Self, DetectorError> {
        check::state(NAME, VERSION, &record.detector, record.version)?;
        let (columns, entries) = (record.columns.len(), record.factor.len());
        let Some(factor) = Triangle::from_entries(columns, record.factor) else {
            let reason = format!("{entries} entries are no factor of {columns} columns");
            return Err(DetectorError::invalid_state(NAME, reason));
        };
        let space = RobustSpace::new(record.parameters.params().transform, record.columns);
        Self::new(record.parameters, space, record.means, factor)
    }
}

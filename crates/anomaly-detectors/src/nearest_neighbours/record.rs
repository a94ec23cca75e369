//! The stored form of the subsamples.

use serde::{Deserialize, Serialize};

use super::{FittedNearestNeighbours, NAME, NearestNeighbours};
use crate::robust_space::RobustSpace;
use crate::{Baseline, DetectorError, check};

const VERSION: u32 = 1;

/// The stored form of [`FittedNearestNeighbours`].
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    detector: String,
    version: u32,
    parameters: NearestNeighbours,
    columns: Vec<Baseline>,
    sample_rows: usize,
    /// Transformed distances from the median, row after row of sample after sample.
    coordinates: Vec<f64>,
}

impl From<FittedNearestNeighbours> for Record {
    fn from(fitted: FittedNearestNeighbours) -> Self {
        Self {
            detector: NAME.to_owned(),
            version: VERSION,
            parameters: fitted.detector(),
            columns: fitted.baselines().to_vec(),
            sample_rows: fitted.sample_rows(),
            coordinates: fitted.points().coordinates(),
        }
    }
}

impl TryFrom<Record> for FittedNearestNeighbours {
    type Error = DetectorError;

    fn try_from(record: Record) -> Result<Self, DetectorError> {
        check::state(NAME, VERSION, &record.detector, record.version)?;
        let params = record.parameters.params();
        if !(1..=params.sample_rows).contains(&record.sample_rows) {
            let reason = format!("its subsamples have {} rows", record.sample_rows);
            return Err(DetectorError::invalid_state(NAME, reason));
        }
        let space = RobustSpace::new(params.transform, record.columns);
        Self::new(
            record.parameters,
            space,
            record.sample_rows,
            &record.coordinates,
        )
    }
}

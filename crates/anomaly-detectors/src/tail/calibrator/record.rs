//! The stored form.

use serde::{Deserialize, Serialize};

use super::{FEWEST, FittedTailCalibrator, LARGEST, NAME, TailCalibratorParams};
use crate::{DetectorError, check};

const VERSION: u32 = 1;

/// The stored form: what is learnt follows from the scores.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    detector: String,
    version: u32,
    parameters: TailCalibratorParams,
    scores: Vec<f64>,
}

impl From<FittedTailCalibrator> for Record {
    fn from(fitted: FittedTailCalibrator) -> Self {
        Self {
            detector: NAME.to_owned(),
            version: VERSION,
            parameters: fitted.params(),
            scores: fitted.sorted,
        }
    }
}

impl TryFrom<Record> for FittedTailCalibrator {
    type Error = DetectorError;

    fn try_from(record: Record) -> Result<Self, DetectorError> {
        check::state(NAME, VERSION, &record.detector, record.version)?;
        if record.scores.len() < FEWEST {
            return Err(DetectorError::invalid_state(NAME, "it has too few scores"));
        }
        let within = record.scores.iter().all(|score| score.abs() <= LARGEST);
        if !within || !record.scores.is_sorted_by(|a, b| a.total_cmp(b).is_le()) {
            let reason = "its scores are not in range and in order";
            return Err(DetectorError::invalid_state(NAME, reason));
        }
        Ok(Self::new(record.parameters.check()?, record.scores))
    }
}

//! The stored form of an ensemble.

use serde::{Deserialize, Serialize};

use super::member::FittedMember;
use super::tail_curve::TailCurve;
use super::{Ensemble, FittedEnsemble, NAME};
use crate::{DetectorError, check};

const VERSION: u32 = 1;

/// The stored form of [`FittedEnsemble`].
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    detector: String,
    version: u32,
    parameters: Ensemble,
    members: Vec<(FittedMember, TailCurve)>,
}

impl From<FittedEnsemble> for Record {
    fn from(fitted: FittedEnsemble) -> Self {
        let (parameters, members) = fitted.into_parts();
        Self {
            detector: NAME.to_owned(),
            version: VERSION,
            parameters,
            members,
        }
    }
}

impl TryFrom<Record> for FittedEnsemble {
    type Error = DetectorError;

    fn try_from(record: Record) -> Result<Self, DetectorError> {
        check::state(NAME, VERSION, &record.detector, record.version)?;
        Self::new(record.parameters, record.members)
    }
}

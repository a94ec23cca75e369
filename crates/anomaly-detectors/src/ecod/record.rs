//! The stored form of a fitted ECOD.

use serde::{Deserialize, Serialize};

use super::column::Column;
use super::{Ecod, FittedEcod, NAME};
use crate::{DetectorError, check};

const VERSION: u32 = 1;

/// The stored form of [`FittedEcod`].
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    detector: String,
    version: u32,
    parameters: Ecod,
    columns: Vec<Distribution>,
}

#[derive(Serialize, Deserialize)]
struct Distribution {
    values: Vec<f64>,
    counts: Vec<u64>,
    skewed_left: bool,
}

impl From<FittedEcod> for Record {
    fn from(fitted: FittedEcod) -> Self {
        let parameters = fitted.detector();
        let columns = fitted.into_columns().into_iter();
        Self {
            detector: NAME.to_owned(),
            version: VERSION,
            parameters,
            columns: columns.map(Distribution::from).collect(),
        }
    }
}

impl From<Column> for Distribution {
    fn from(column: Column) -> Self {
        let (values, counts, skewed_left) = column.into_parts();
        Self {
            values,
            counts,
            skewed_left,
        }
    }
}

impl TryFrom<Record> for FittedEcod {
    type Error = DetectorError;

    fn try_from(record: Record) -> Result<Self, DetectorError> {
        check::state(NAME, VERSION, &record.detector, record.version)?;
        let columns = record
            .columns
            .into_iter()
            .map(|column| Column::from_parts(column.values, column.counts, column.skewed_left))
            .collect::<Result<_, _>>()
            .map_err(|reason| DetectorError::invalid_state(NAME, reason))?;
        Ok(Self::new(record.parameters, columns))
    }
}

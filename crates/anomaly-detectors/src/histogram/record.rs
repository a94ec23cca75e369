//! The stored form of a fitted histogram.

use serde::{Deserialize, Serialize};

use super::column::Column;
use super::{FittedHistogram, Histogram, NAME};
use crate::{DetectorError, check};

const VERSION: u32 = 1;

/// The stored form of [`FittedHistogram`].
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    detector: String,
    version: u32,
    parameters: Histogram,
    columns: Vec<Bins>,
}

#[derive(Serialize, Deserialize)]
struct Bins {
    /// The lowest and the highest value.
    range: (f64, f64),
    counts: Vec<u64>,
}

impl From<FittedHistogram> for Record {
    fn from(fitted: FittedHistogram) -> Self {
        let parameters = fitted.detector();
        let columns = fitted.into_columns().into_iter();
        Self {
            detector: NAME.to_owned(),
            version: VERSION,
            parameters,
            columns: columns.map(Bins::from).collect(),
        }
    }
}

impl From<Column> for Bins {
    fn from(column: Column) -> Self {
        let (range, counts) = column.into_parts();
        Self { range, counts }
    }
}

impl TryFrom<Record> for FittedHistogram {
    type Error = DetectorError;

    fn try_from(record: Record) -> Result<Self, DetectorError> {
        check::state(NAME, VERSION, &record.detector, record.version)?;
        let detector = record.parameters;
        let column =
            |bins: Bins| Column::from_parts(bins.range, bins.counts, |n| detector.bins_for(n));
        let columns = record.columns.into_iter().map(column);
        let columns = columns
            .collect::<Result<_, _>>()
            .map_err(|reason| DetectorError::invalid_state(NAME, reason))?;
        Ok(Self::new(detector, columns))
    }
}

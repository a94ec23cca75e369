//! The table to judge, and its labels.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anomaly_detectors::ndarray::{Array2, Axis};

use super::{DetectError, csv_file, numpy_file};

/// Rows of numbers, and which of them are known to be anomalies.
#[derive(Debug)]
pub(super) struct Table {
    /// At least one column; a missing number is NaN.
    pub(super) rows: Array2<f64>,
    /// One for each row, when they were asked for.
    pub(super) labels: Option<Vec<bool>>,
}

/// Why labels are none: the row, counted from 0, and what stands there.
pub(super) struct NoLabel {
    pub(super) row: usize,
    pub(super) value: f64,
}

impl Table {
    /// Reads a file as its name's ending says. `label` is a column, or an array of an `.npz`.
    pub(super) fn read(path: &Path, label: Option<&str>) -> Result<Self, DetectError> {
        let unreadable = |source| DetectError::Read {
            path: path.to_owned(),
            source,
        };
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        let open = || Ok(BufReader::new(File::open(path).map_err(unreadable)?));
        let table = match extension.to_str() {
            Some("csv") => csv_file::read(path, open()?, label),
            Some("npy") => numpy_file::read_npy(path, open()?, label),
            Some("npz") => numpy_file::read_npz(path, open()?, label),
            _ => Err(DetectError::UnknownKind {
                path: path.to_owned(),
            }),
        }?;
        if table.rows.ncols() == 0 {
            return Err(DetectError::content(path, "no columns to judge"));
        }
        Ok(table)
    }

    /// Takes the column at `label`, which exists, as labels.
    pub(super) fn split(mut rows: Array2<f64>, label: Option<usize>) -> Result<Self, NoLabel> {
        let mut labels = None;
        if let Some(column) = label {
            labels = Some(as_labels(rows.column(column).iter().copied())?);
            rows.remove_index(Axis(1), column);
        }
        Ok(Self { rows, labels })
    }
}

/// 0 is usual, 1 an anomaly.
pub(super) fn as_labels(values: impl Iterator<Item = f64>) -> Result<Vec<bool>, NoLabel> {
    let label = |(row, value)| match value {
        0.0 => Ok(false),
        1.0 => Ok(true),
        _ => Err(NoLabel { row, value }),
    };
    values.enumerate().map(label).collect()
}

/// The column of this number, counted from 1, among so many.
pub(super) fn numbered(label: &str, columns: usize) -> Option<usize> {
    let column = label.parse::<usize>().ok()?.checked_sub(1)?;
    (column < columns).then_some(column)
}

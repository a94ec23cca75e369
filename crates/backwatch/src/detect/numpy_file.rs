//! Reading a table from `NumPy`'s `.npy` and `.npz`.

use std::io::{BufReader, ErrorKind, Read, Seek};
use std::path::Path;

use anomaly_detectors::ndarray::{Array2, ArrayD, Ix2};
use ndarray_npy::{
    NpzReader, ReadDataError, ReadNpyError, ReadNpyExt as _, ReadNpzError, ReadableElement,
};
use py_literal::Value;

use super::DetectError;
use super::table::{NoLabel, Table, as_labels, numbered};

/// The array of an `.npz` that is judged.
const ROWS: &str = "X";

/// Reads one array; its columns have numbers, no names.
pub(super) fn read_npy(
    path: &Path,
    content: impl Read,
    label: Option<&str>,
) -> Result<Table, DetectError> {
    let array = ArrayD::read_npy(content).map_err(|error| wrong_array(path, "", error))?;
    let rows = rows(path, array)?;
    let label = match label {
        Some(label) => Some(
            numbered(label, rows.ncols()).ok_or_else(|| DetectError::NoLabel {
                path: path.to_owned(),
                label: label.to_owned(),
                columns: format!("1 to {}", rows.ncols()),
            })?,
        ),
        None => None,
    };
    let column = label.map_or(0, |column| column + 1);
    Table::split(rows, label).map_err(|NoLabel { row, value }| {
        let row = row + 1;
        let reason = format!("row {row}, column {column}: the label is {value}: must be 0 or 1");
        DetectError::content(path, reason)
    })
}

/// Reads the array `X`, and the labels from the array that `label` names.
pub(super) fn read_npz(
    path: &Path,
    content: impl Read + Seek,
    label: Option<&str>,
) -> Result<Table, DetectError> {
    let failed = |name: &str, error| match error {
        ReadNpzError::Npy(error) => wrong_array(path, &format!("array {name}: "), error),
        ReadNpzError::Zip(error) => DetectError::content(path, format!("no whole .npz: {error}")),
    };
    let mut archive = NpzReader::new(content).map_err(|error| failed("", error))?;
    let names = archive.names().map_err(|error| failed("", error))?;
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if !has(ROWS) {
        let reason = format!("no array {ROWS} to judge: it has {}", names.join(", "));
        return Err(DetectError::content(path, reason));
    }
    let array = archive.by_name(ROWS).map_err(|error| failed(ROWS, error))?;
    let rows = rows(path, array)?;
    let labels = match label {
        None => None,
        Some(label) if has(label) => {
            let array = archive
                .by_name(label)
                .map_err(|error| failed(label, error))?;
            Some(labels(path, label, &array, rows.nrows())?)
        }
        Some(label) => {
            return Err(DetectError::NoLabel {
                path: path.to_owned(),
                label: label.to_owned(),
                columns: format!("the arrays {}", names.join(", ")),
            });
        }
    };
    Ok(Table { rows, labels })
}

fn rows(path: &Path, array: ArrayD<Number>) -> Result<Array2<f64>, DetectError> {
    let shape = array.shape().to_vec();
    let rows = array.into_dimensionality::<Ix2>().map_err(|_| {
        let reason = format!("the array has the shape {shape:?}: must be rows and columns");
        DetectError::content(path, reason)
    })?;
    Ok(rows.mapv(|Number(value)| value))
}

/// A row or a column of as many labels as there are rows.
fn labels(
    path: &Path,
    name: &str,
    array: &ArrayD<Number>,
    rows: usize,
) -> Result<Vec<bool>, DetectError> {
    let wrong = |reason: String| DetectError::content(path, format!("array {name}: {reason}"));
    let shape = array.shape().to_vec();
    if shape != [rows] && shape != [rows, 1] {
        return Err(wrong(format!(
            "the shape {shape:?} does not fit {rows} rows"
        )));
    }
    as_labels(array.iter().map(|number| number.0)).map_err(|NoLabel { row, value }| {
        let row = row + 1;
        wrong(format!("row {row}: the label is {value}: must be 0 or 1"))
    })
}

fn wrong_array(path: &Path, place: &str, error: ReadNpyError) -> DetectError {
    let reason = match error {
        ReadNpyError::Io(error) if error.kind() != ErrorKind::UnexpectedEof => error.to_string(),
        ReadNpyError::WrongDescriptor(found) => {
            format!("its numbers are {found}: must be f4, f8, i1 to i8, u1 to u8 or bool")
        }
        ReadNpyError::Io(_) | ReadNpyError::MissingData => {
            "cut off: the file ends early".to_owned()
        }
        error => error.to_string(),
    };
    DetectError::content(path, format!("{place}{reason}"))
}

/// A number of any type that `NumPy` stores, as the nearest `f64`.
#[derive(Debug, Clone, Copy)]
struct Number(f64);

impl ReadableElement for Number {
    fn read_to_end_exact_vec<R: Read>(
        reader: R,
        type_desc: &Value,
        len: usize,
    ) -> Result<Vec<Self>, ReadDataError> {
        let Some(kind) = type_desc.as_string().and_then(|name| Kind::named(name)) else {
            return Err(ReadDataError::WrongDescriptor(type_desc.clone()));
        };
        let mut reader = BufReader::new(reader);
        // Grows with what is there: a file that claims to be huge takes no memory for it.
        let mut numbers = Vec::new();
        let mut buffer = [0; 8];
        let stored = &mut buffer[..kind.bytes];
        for _ in 0..len {
            reader.read_exact(stored)?;
            numbers.push(Self(kind.value(stored)));
        }
        match reader.bytes().count() {
            0 => Ok(numbers),
            extra => Err(ReadDataError::ExtraBytes(extra)),
        }
    }
}

/// How a number is stored.
#[derive(Debug, Clone, Copy)]
struct Kind {
    class: Class,
    bytes: usize,
    big_endian: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Float,
    Signed,
    Unsigned,
}

impl Kind {
    /// `<f8`, `>i4`, `|u1` and the like.
    fn named(name: &str) -> Option<Self> {
        let (order, kind) = name.split_at_checked(1)?;
        let (class, bytes) = match kind {
            "f4" => (Class::Float, 4),
            "f8" => (Class::Float, 8),
            "i1" => (Class::Signed, 1),
            "i2" => (Class::Signed, 2),
            "i4" => (Class::Signed, 4),
            "i8" => (Class::Signed, 8),
            "b1" | "u1" => (Class::Unsigned, 1),
            "u2" => (Class::Unsigned, 2),
            "u4" => (Class::Unsigned, 4),
            "u8" => (Class::Unsigned, 8),
            _ => return None,
        };
        Some(Self {
            class,
            bytes,
            big_endian: order == ">",
        })
    }

    /// What these bytes, as many as the kind has, say. May reorder them.
    fn value(self, stored: &mut [u8]) -> f64 {
        if self.big_endian {
            stored.reverse();
        }
        let signed = self.class == Class::Signed;
        let negative = signed && stored.last().is_some_and(|byte| *byte >= 0x80);
        let mut wide = [if negative { 0xff } else { 0 }; 8];
        wide[..stored.len()].copy_from_slice(stored);
        match self.class {
            Class::Float if self.bytes == 4 => {
                let [a, b, c, d, ..] = wide;
                f32::from_le_bytes([a, b, c, d]).into()
            }
            Class::Float => f64::from_le_bytes(wide),
            Class::Signed => i64::from_le_bytes(wide) as f64,
            Class::Unsigned => u64::from_le_bytes(wide) as f64,
        }
    }
}

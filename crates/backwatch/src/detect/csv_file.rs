//! Reading a table from CSV.

use std::fs;
use std::io::Read;
use std::path::Path;

use anomaly_detectors::ndarray::Array2;
use csv::{ErrorKind, Position, ReaderBuilder, StringRecord, Trim};

use super::DetectError;
use super::table::{NoLabel, Table, numbered};

/// More columns than this are not listed in a message.
const LISTED_COLUMNS: usize = 20;
/// More characters than this of a value help nobody.
const SHOWN_CHARACTERS: usize = 40;

/// The first line is a header if it holds text and no number.
pub(super) fn read(
    path: &Path,
    content: impl Read,
    label: Option<&str>,
) -> Result<Table, DetectError> {
    let wrong = |reason: String| DetectError::content(path, reason);
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .trim(Trim::All)
        .from_reader(content);
    let mut header = StringRecord::new();
    let (mut values, mut starts, mut columns) = (Vec::new(), Vec::new(), 0);
    let mut record = StringRecord::new();
    while reader
        .read_record(&mut record)
        .map_err(|error| unreadable(path, error))?
    {
        let start = record.position().map_or(0, Position::byte);
        if columns == 0 {
            columns = record.len();
            if is_header(&record) {
                header = record.clone();
                continue;
            }
        }
        for (column, text) in record.iter().enumerate() {
            let value = number(text).ok_or_else(|| {
                let place = place(line_at(path, start), column, &header);
                let separator = if columns == 1 && text.contains([';', '\t', '|']) {
                    "; columns are separated by commas"
                } else {
                    ""
                };
                wrong(format!(
                    "{place}: {} is not a number{separator}",
                    shown(text)
                ))
            })?;
            values.push(value);
        }
        starts.push(start);
    }
    if starts.is_empty() {
        let reason = if header.is_empty() {
            "empty: there is nothing to judge"
        } else {
            "no rows below the header"
        };
        return Err(wrong(reason.to_owned()));
    }
    let label = match label {
        Some(label) => Some(label_column(path, label, &header, columns)?),
        None => None,
    };
    let rows = Array2::from_shape_vec((starts.len(), columns), values)
        .map_err(|error| wrong(error.to_string()))?;
    Table::split(rows, label).map_err(|NoLabel { row, value }| {
        let start = starts.get(row).copied().unwrap_or_default();
        let place = place(line_at(path, start), label.unwrap_or_default(), &header);
        wrong(format!("{place}: the label is {value}: must be 0 or 1"))
    })
}

fn is_header(record: &StringRecord) -> bool {
    let is_number = |text: &str| number(text).is_some_and(|value| !value.is_nan());
    record.iter().any(|text| number(text).is_none()) && !record.iter().any(is_number)
}

/// Nothing is a missing number, as `nan` is.
fn number(text: &str) -> Option<f64> {
    if text.is_empty() {
        return Some(f64::NAN);
    }
    text.parse().ok()
}

/// By name, else by number counted from 1.
fn label_column(
    path: &Path,
    label: &str,
    header: &StringRecord,
    columns: usize,
) -> Result<usize, DetectError> {
    let named: Vec<usize> = (0..header.len())
        .filter(|&column| header.get(column) == Some(label))
        .collect();
    match named[..] {
        [column] => return Ok(column),
        [] => {}
        _ => {
            let reason = format!("{} columns are named {label}: give its number", named.len());
            return Err(DetectError::content(path, reason));
        }
    }
    numbered(label, columns).ok_or_else(|| {
        let known: Vec<&str> = header.iter().take(LISTED_COLUMNS).collect();
        let listed = match columns.saturating_sub(known.len()) {
            _ if known.is_empty() => format!("1 to {columns}"),
            0 => known.join(", "),
            more => format!("{} and {more} more", known.join(", ")),
        };
        DetectError::NoLabel {
            path: path.to_owned(),
            label: label.to_owned(),
            columns: listed,
        }
    })
}

/// The line of the record that starts at this byte, or after the empty lines that follow it: the
/// reader skips those without counting them.
fn line_at(path: &Path, byte: u64) -> usize {
    let text = fs::read(path).unwrap_or_default();
    let before = usize::try_from(byte).unwrap_or(text.len()).min(text.len());
    let (before, after) = text.split_at(before);
    let empty = after.iter().take_while(|byte| b"\r\n".contains(byte));
    let newlines = before.iter().chain(empty).filter(|byte| **byte == b'\n');
    newlines.count() + 1
}

fn place(line: usize, column: usize, header: &StringRecord) -> String {
    let number = column + 1;
    match header.get(column) {
        Some(name) if !name.is_empty() => format!("line {line}, column {number} ({name})"),
        _ => format!("line {line}, column {number}"),
    }
}

fn shown(text: &str) -> String {
    if text.chars().count() <= SHOWN_CHARACTERS {
        return format!("\"{text}\"");
    }
    let start: String = text.chars().take(SHOWN_CHARACTERS).collect();
    format!("\"{start}...\"")
}

fn unreadable(path: &Path, error: csv::Error) -> DetectError {
    let line = line_at(path, error.position().map_or(0, Position::byte));
    let reason = match error.into_kind() {
        ErrorKind::Io(source) => {
            let path = path.to_owned();
            return DetectError::Read { path, source };
        }
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("line {line}: {len} columns, but the first line has {expected_len}"),
        ErrorKind::Utf8 { err, .. } => {
            format!("line {line}, column {}: not text in UTF-8", err.field() + 1)
        }
        kind => format!("line {line}: {kind:?}"),
    };
    DetectError::content(path, reason)
}

//! How values are written to columns, and read from them.

use std::str::FromStr;

use anomaly_model::ModelError;
use anomaly_model::chrono::{DateTime, Utc};
use rusqlite::types::Type;
use rusqlite::{Error, Result, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The JSON text of a record.
pub(super) fn to_json(record: &impl Serialize) -> Result<String> {
    serde_json::to_string(record).map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))
}

/// A record from a column of JSON text.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T> {
    let text = row
        .get_ref(column)?
        .as_str()
        .map_err(|error| damage(column, error))?;
    serde_json::from_str(text).map_err(|error| damage(column, error))
}

/// A number that counts from 0.
pub(super) fn count(row: &Row<'_>, column: usize) -> Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| Error::IntegralValueOutOfRange(column, number))
}

/// A number that counts from 0, as a column holds it. What no column can hold is never found.
pub(super) fn from_count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn from_limit(limit: Option<usize>) -> i64 {
    limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX))
}

/// A time from a column of microseconds since 1970.
pub(super) fn time(row: &Row<'_>, column: usize) -> Result<DateTime<Utc>> {
    let micros = row.get(column)?;
    DateTime::from_timestamp_micros(micros).ok_or(Error::IntegralValueOutOfRange(column, micros))
}

/// The same, of a column that may be empty.
pub(super) fn optional_time(row: &Row<'_>, column: usize) -> Result<Option<DateTime<Utc>>> {
    let is_none = row.get_ref(column)?.data_type() == Type::Null;
    if is_none {
        Ok(None)
    } else {
        time(row, column).map(Some)
    }
}

pub(super) fn from_time(time: Option<DateTime<Utc>>) -> Option<i64> {
    time.map(|time| time.timestamp_micros())
}

/// A word of a closed list.
pub(super) fn word<T: FromStr<Err = ModelError>>(row: &Row<'_>, column: usize) -> Result<T> {
    let word: String = row.get(column)?;
    word.parse().map_err(|error| damage(column, error))
}

/// A name or another identifier.
pub(super) fn name<T: TryFrom<String, Error = ModelError>>(
    row: &Row<'_>,
    column: usize,
) -> Result<T> {
    let name: String = row.get(column)?;
    T::try_from(name).map_err(|error| damage(column, error))
}

/// A number that counts from 0, of a column that may be empty.
pub(super) fn optional_count(row: &Row<'_>, column: usize) -> Result<Option<u64>> {
    let is_none = row.get_ref(column)?.data_type() == Type::Null;
    if is_none {
        Ok(None)
    } else {
        count(row, column).map(Some)
    }
}

/// What stands in a column is not what was written there.
fn damage(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

//! JSON to values, with errors that a person can use.

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _};
use serde_json::error::Category;

use anomaly_model::chrono::{DateTime, Utc};

use crate::moment::Moment;
use crate::{Place, RecordError};

/// Reads one value, whose own errors name the field.
pub(crate) fn parse<T: DeserializeOwned>(text: &str, place: Place) -> Result<T, RecordError> {
    serde_json::from_str(text).map_err(|error| explained(&error, None, place))
}

/// Reads one value; an error names the path of the field.
pub(crate) fn parse_by_path<T: DeserializeOwned>(
    text: &str,
    place: Place,
) -> Result<T, RecordError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        explained(
            error.inner(),
            Some(&path).filter(|path| *path != "."),
            place,
        )
    })?;
    json.end().map_err(|error| explained(&error, None, place))?;
    Ok(value)
}

fn explained(error: &serde_json::Error, path: Option<&String>, place: Place) -> RecordError {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let what = text.strip_suffix(&position).unwrap_or(&text);
    // The words of serde for a count or a size.
    let what = &what.replace("expected u64", "must be a whole number from 0");
    let (line, column) = (error.line() as u64, error.column() as u64);
    let mut in_first_line = None;
    let message = match error.classify() {
        Category::Data | Category::Io => match path {
            Some(path) => format!("`{path}`: {what}"),
            None => what.clone(),
        },
        // A document can have many lines, of which its place is the first.
        Category::Syntax if line > 1 => {
            let line = place.line + line - 1;
            format!("not valid JSON at line {line}, column {column}: {what}")
        }
        Category::Syntax => {
            in_first_line = Some(column);
            format!("not valid JSON: {what}")
        }
        Category::Eof => {
            in_first_line = (line == 1).then_some(column);
            "cut off in the middle of the record".to_owned()
        }
    };
    RecordError {
        // In an element of a list, columns of the first line count from the element's beginning.
        column: in_first_line.filter(|_| place.element.is_none()),
        ..RecordError::new(place, message)
    }
}

/// A time with a zone, for `#[serde(deserialize_with)]`. `null` is no time, and neither is the
/// year 1: that is how Go writes a time that was never set.
pub(crate) fn time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    parsed(
        deserializer,
        Moment::zoned,
        "an RFC 3339 time with a zone, such as 2026-11-22T03:00:00Z",
    )
}

/// Like [`time`], but a time without a zone is fine.
pub(crate) fn moment<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Moment>, D::Error> {
    parsed(
        deserializer,
        Moment::parse,
        "a time such as 2026-11-22T03:00:00",
    )
}

fn parsed<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    parse: impl Fn(&str) -> Option<T>,
    expected: &str,
) -> Result<Option<T>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    if text.starts_with("0001-01-01T00:00:00") {
        return Ok(None);
    }
    parse(&text).map(Some).ok_or_else(|| {
        let text: String = text.chars().take(40).collect();
        D::Error::custom(format_args!("{text:?} must be {expected}"))
    })
}

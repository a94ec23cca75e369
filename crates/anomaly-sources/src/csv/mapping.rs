//! The file that says which column is which field.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use crate::csv::field::Field;
use crate::csv::file::File;
use crate::csv::unit::Unit;
use crate::{SourceError, Timezone};

/// Which column of a CSV file is which field of a job.
///
/// It is written in TOML:
///
/// ```
/// use anomaly_sources::{CsvMapping, Format, ReadOptions, read};
///
/// let mapping = CsvMapping::parse(r#"
///     timezone = "Europe/Berlin"
///     time_format = "%d.%m.%Y %H:%M"
///     decimal_comma = true
///     only = { column = "Type", equals = "Backup" }
///
///     [constants]
///     source = "acme"
///     policy = "nightly"
///
///     [columns]
///     client = "Server"
///     job_id = ["Server", "Start"]
///     started_at = "Start"
///     image_bytes = { column = "Size", unit = "GiB" }
///     dedup_ratio = { column = "Saved", unit = "percent" }
///     status = { column = "Result", words = { OK = "succeeded", Warning = "partial" }, otherwise = "failed" }
/// "#)?;
///
/// let report = "Type;Server;Start;Size;Saved;Result\n\
///               Backup;mail01;22.11.2026 03:00;1,5;87,5%;OK\n\
///               Restore;mail01;22.11.2026 09:00;0,1;;OK\n";
/// let options = ReadOptions::default().csv_mapping(mapping);
/// let records = read(report.as_bytes(), Format::Csv, &options)?;
/// let jobs: Vec<_> = records.filter_map(|record| record.ok()?.job()).collect();
/// assert_eq!(jobs.len(), 1);
/// assert_eq!(jobs[0].job_id().as_str(), "mail01/22.11.2026 03:00");
/// assert_eq!(jobs[0].started_at().to_rfc3339(), "2026-11-22T02:00:00+00:00");
/// assert_eq!(jobs[0].image().image_bytes, Some(1_610_612_736));
/// assert_eq!(jobs[0].image().dedup_ratio, Some(0.875));
///
/// let wrong = CsvMapping::parse("[columns]\nclient = \"Server\"\nimage_byte = \"Size\"\n");
/// assert!(wrong.unwrap_err().to_string().starts_with("line 3: unknown variant `image_byte`"));
/// # Ok::<(), anomaly_sources::SourceError>(())
/// ```
///
/// Every key is described in `docs/csv-mapping.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvMapping(pub(super) Arc<Mapping>);

impl CsvMapping {
    /// Reads a mapping.
    ///
    /// # Errors
    /// [`SourceError::Mapping`] with the line of what is wrong: a key, field, unit or zone that
    /// does not exist, a unit that does not fit the field, a field that every job needs and that
    /// has neither column nor constant, ...
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let at = |span: Option<Range<usize>>, message: String| {
            let before = text.get(..span.unwrap_or_default().start).unwrap_or(text);
            SourceError::Mapping {
                line: before.matches('\n').count() as u64 + 1,
                message,
            }
        };
        let file: File = toml::from_str(text)
            .map_err(|error| at(error.span(), error.message().trim().to_owned()))?;
        let mapping = file
            .check()
            .map_err(|(span, message)| at(Some(span), message))?;
        Ok(Self(Arc::new(mapping)))
    }
}

impl FromStr for CsvMapping {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        Self::parse(text)
    }
}

/// A mapping without mistakes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapping {
    pub(super) delimiter: Option<u8>,
    pub(super) has_header: bool,
    pub(super) skip_lines: u64,
    pub(super) decimal_comma: bool,
    pub(super) timezone: Option<Timezone>,
    /// Texts that stand for nothing, besides the empty one.
    pub(super) missing: Vec<String>,
    pub(super) only: Vec<Rule>,
    pub(super) skip: Vec<Rule>,
    pub(super) constants: BTreeMap<Field, String>,
    pub(super) columns: BTreeMap<Field, Spec>,
}

/// How to find the value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spec {
    /// At least one; the texts of several are joined.
    pub(super) columns: Vec<ColumnName>,
    pub(super) unit: Option<Unit>,
    pub(super) format: Option<TimeFormat>,
    /// What words in the cells mean; in lower case.
    pub(super) words: BTreeMap<String, String>,
    /// What all other words mean.
    pub(super) otherwise: Option<String>,
}

/// A column by its name in the header, or by its number, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ColumnName {
    Header(String),
    Number(usize),
}

impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "column {name:?}"),
            Self::Number(number) => write!(f, "column {number}"),
        }
    }
}

/// How a time is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TimeFormat {
    /// RFC 3339, or without its zone, and with a space for the `T`.
    Iso,
    EpochSeconds,
    EpochMilliseconds,
    /// By `strftime`.
    Pattern(String),
}

/// Records of which a column has one of some texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) column: ColumnName,
    /// In lower case.
    pub(super) equals: Vec<String>,
}

/// What is done with a record whose status has a word for that.
pub(super) const SKIP: &str = "skip";

//! The file that says which column is which field.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use anomaly_model::chrono::format::{Item, StrftimeItems};
use anomaly_model::{JobStatus, ModelError, ScheduleType};
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

use crate::csv::field::{Field, Kind};
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

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    delimiter: Option<Spanned<String>>,
    #[serde(default = "yes")]
    header: bool,
    #[serde(default)]
    skip_lines: u64,
    #[serde(default)]
    decimal_comma: bool,
    timezone: Option<Spanned<String>>,
    time_format: Option<Spanned<String>>,
    #[serde(default)]
    missing: Vec<String>,
    only: Option<OneOrMore<RuleFile>>,
    skip: Option<OneOrMore<RuleFile>>,
    #[serde(default)]
    constants: BTreeMap<Spanned<Field>, Spanned<Constant>>,
    columns: Spanned<BTreeMap<Spanned<Field>, Spanned<SpecFile>>>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    column: Spanned<ColumnName>,
    equals: OneOrMore<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpecTable {
    column: OneOrMore<ColumnName>,
    unit: Option<Spanned<Unit>>,
    format: Option<Spanned<String>>,
    #[serde(default)]
    words: BTreeMap<String, Spanned<String>>,
    otherwise: Option<Spanned<String>>,
}

/// A column alone, several, or a table.
struct SpecFile(SpecTable);

/// What is wrong, and where.
type Fault = (Range<usize>, String);

impl File {
    fn check(self) -> Result<Mapping, Fault> {
        let default_format = self.time_format.map(time_format).transpose()?;
        let timezone = self.timezone.map(|name| {
            let span = name.span();
            name.into_inner()
                .parse::<Timezone>()
                .map_err(|error| (span, error.to_string()))
        });
        let timezone = timezone.transpose()?;
        let whole = self.columns.span();
        let has_header = self.header;
        let mut columns = BTreeMap::new();
        for (field, spec) in self.columns.into_inner() {
            let (field, span) = (field.into_inner(), spec.span());
            let spec = spec.into_inner().0;
            let spec = spec.check(field, &span, default_format.as_ref(), has_header)?;
            columns.insert(field, spec);
        }
        let mut constants = BTreeMap::new();
        for (field, constant) in self.constants {
            let (span, field) = (field.span(), field.into_inner());
            let text = constant.into_inner().0;
            if columns.contains_key(&field) {
                let message = format!("`{}` has a column and a constant", field.name());
                return Err((span, message));
            }
            meaning(field, &text).map_err(|message| (span, message))?;
            constants.insert(field, text);
        }
        for needed in [Field::StartedAt, Field::Status] {
            if !columns.contains_key(&needed) && !constants.contains_key(&needed) {
                let name = needed.name();
                let message = format!("`{name}` has neither a column nor a constant");
                return Err((whole.start..whole.start, message));
            }
        }
        let rules = |rules: Option<OneOrMore<RuleFile>>| {
            let rules = rules.map(|rules| rules.0).unwrap_or_default();
            rules
                .into_iter()
                .map(|rule| {
                    let equals = rule.equals.0.iter().map(|text| text.to_lowercase());
                    Ok(Rule {
                        column: column(rule.column.span(), rule.column.into_inner(), has_header)?,
                        equals: equals.collect(),
                    })
                })
                .collect::<Result<Vec<_>, Fault>>()
        };
        Ok(Mapping {
            delimiter: self.delimiter.map(delimiter).transpose()?,
            has_header,
            skip_lines: self.skip_lines,
            decimal_comma: self.decimal_comma,
            timezone,
            missing: self.missing,
            only: rules(self.only)?,
            skip: rules(self.skip)?,
            constants,
            columns,
        })
    }
}

impl SpecTable {
    fn check(
        self,
        field: Field,
        span: &Range<usize>,
        default_format: Option<&TimeFormat>,
        has_header: bool,
    ) -> Result<Spec, Fault> {
        let (name, kind) = (field.name(), field.kind());
        let misplaced = |span: Range<usize>, what: &str| (span, format!("`{name}` has no {what}"));
        if let Some(unit) = &self.unit
            && unit.get_ref().kind() != kind
        {
            let takes = match kind {
                Kind::Bytes => "B, KB, KiB, MB, MiB, ..., cell or cell_1024",
                Kind::Seconds => "milliseconds, seconds, minutes, hours, days, hh:mm:ss or iso8601",
                Kind::Share => "ratio, percent or factor",
                _ => return Err(misplaced(unit.span(), "unit")),
            };
            return Err((
                unit.span(),
                format!("the unit of `{name}` is one of {takes}"),
            ));
        }
        let format = self
            .format
            .map(|format| (format.span(), time_format(format)));
        let format = match format {
            Some((span, _)) if kind != Kind::Time => return Err(misplaced(span, "format")),
            Some((_, format)) => Some(format?),
            None => default_format.filter(|_| kind == Kind::Time).cloned(),
        };
        let has_words = matches!(kind, Kind::Text | Kind::Status | Kind::ScheduleType);
        let mut words = BTreeMap::new();
        for (word, meant) in self.words {
            words.insert(
                word.trim().to_lowercase(),
                word_for(field, has_words, meant)?,
            );
        }
        let otherwise = self
            .otherwise
            .map(|meant| word_for(field, has_words, meant));
        let columns = self.column.0.into_iter();
        let columns = columns.map(|name| column(span.clone(), name, has_header));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        Ok(Spec {
            columns,
            unit: self.unit.map(Spanned::into_inner),
            format,
            words,
            otherwise: otherwise.transpose()?,
        })
    }
}

fn word_for(field: Field, has_words: bool, meant: Spanned<String>) -> Result<String, Fault> {
    let (span, meant) = (meant.span(), meant.into_inner());
    if !has_words {
        return Err((span, format!("`{}` has no words", field.name())));
    }
    meaning(field, &meant).map_err(|message| (span, message))?;
    Ok(meant)
}

/// Checks a text that stands in the mapping for a value of `field`.
fn meaning(field: Field, text: &str) -> Result<(), String> {
    let shown = |error: ModelError| error.to_string();
    match field.kind() {
        Kind::Status if text == SKIP => Ok(()),
        Kind::Status => text.parse::<JobStatus>().map(drop).map_err(shown),
        Kind::ScheduleType => text.parse::<ScheduleType>().map(drop).map_err(shown),
        _ => Ok(()),
    }
}

fn column(span: Range<usize>, name: ColumnName, has_header: bool) -> Result<ColumnName, Fault> {
    match name {
        ColumnName::Number(0) => Err((span, "columns are counted from 1".to_owned())),
        ColumnName::Header(_) if !has_header => Err((
            span,
            "without a header, a column is named by its number".to_owned(),
        )),
        name => Ok(name),
    }
}

fn delimiter(text: Spanned<String>) -> Result<u8, Fault> {
    let span = text.span();
    match text.get_ref().as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err((
            span,
            "the delimiter is one ASCII character, such as \";\"".to_owned(),
        )),
    }
}

fn time_format(text: Spanned<String>) -> Result<TimeFormat, Fault> {
    let (span, text) = (text.span(), text.into_inner());
    match text.as_str() {
        "iso" => return Ok(TimeFormat::Iso),
        "epoch" => return Ok(TimeFormat::EpochSeconds),
        "epoch_ms" => return Ok(TimeFormat::EpochMilliseconds),
        _ => {}
    }
    let mut items = StrftimeItems::new(&text);
    let is_plain = |item: &Item<'_>| matches!(item, Item::Literal(_) | Item::Space(_));
    let is_wrong = items.clone().any(|item| item == Item::Error);
    if is_wrong || items.all(|item| is_plain(&item)) {
        let message = format!(
            "{text:?} is no format of a time: use iso, epoch, epoch_ms, or a strftime format such \
             as \"%d.%m.%Y %H:%M:%S\""
        );
        return Err((span, message));
    }
    Ok(TimeFormat::Pattern(text))
}

/// A text or a number, as text.
struct Constant(String);

/// One of something, or a list of them.
struct OneOrMore<T>(Vec<T>);

impl<'de> Deserialize<'de> for Constant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl Visitor<'_> for Any {
            type Value = Constant;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }

            fn visit_str<E>(self, text: &str) -> Result<Constant, E> {
                Ok(Constant(text.to_owned()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Constant, E> {
                Ok(Constant(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Constant, E> {
                Ok(Constant(number.to_string()))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

impl<'de> Deserialize<'de> for ColumnName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl Visitor<'_> for Any {
            type Value = ColumnName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a column, or its number from 1")
            }

            fn visit_str<E>(self, name: &str) -> Result<ColumnName, E> {
                Ok(ColumnName::Header(name.trim().to_owned()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<ColumnName, E> {
                let number = usize::try_from(number);
                let refused = |_| E::custom("columns are counted from 1");
                number.map(ColumnName::Number).map_err(refused)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMore<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Any<T> {
            type Value = OneOrMore<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one or a list")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<OneOrMore<T>, E> {
                one(text.into_deserializer())
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<OneOrMore<T>, E> {
                one(number.into_deserializer())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OneOrMore<T>, A::Error> {
                one(MapAccessDeserializer::new(map))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<OneOrMore<T>, A::Error> {
                let list = Vec::deserialize(SeqAccessDeserializer::new(list))?;
                if list.is_empty() {
                    return Err(A::Error::custom("the list is empty"));
                }
                Ok(OneOrMore(list))
            }
        }

        deserializer.deserialize_any(Any(PhantomData))
    }
}

fn one<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<OneOrMore<T>, D::Error> {
    Ok(OneOrMore(vec![T::deserialize(deserializer)?]))
}

impl<'de> Deserialize<'de> for SpecFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = SpecFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column, a list of columns, or a table with `column`")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<SpecFile, E> {
                one(name.into_deserializer()).map(SpecFile::plain)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<SpecFile, E> {
                one(number.into_deserializer()).map(SpecFile::plain)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<SpecFile, A::Error> {
                let columns = OneOrMore::deserialize(SeqAccessDeserializer::new(list));
                columns.map(SpecFile::plain)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SpecFile, A::Error> {
                SpecTable::deserialize(MapAccessDeserializer::new(map)).map(SpecFile)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

impl SpecFile {
    fn plain(column: OneOrMore<ColumnName>) -> Self {
        Self(SpecTable {
            column,
            unit: None,
            format: None,
            words: BTreeMap::new(),
            otherwise: None,
        })
    }
}

//! One record of a CSV file made a job.

use std::sync::Arc;

use anomaly_model::BackupJob;
use anomaly_model::chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde_json::{Map, Value};

use crate::csv::field::{Field, Kind};
use crate::csv::mapping::{Mapping, SKIP, Spec, TimeFormat};
use crate::csv::number::Number;
use crate::csv::unit::Unit;
use crate::moment::Moment;
use crate::{Place, RecordError, Timezone};

/// The source of jobs whose mapping names none.
const SOURCE: &str = "csv";

/// Whole numbers up to here are exact in an `f64`.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// A mapping whose columns were found in a file.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) mapping: Arc<Mapping>,
    pub(super) columns: Vec<FieldColumns>,
    pub(super) only: Vec<RuleColumn>,
    pub(super) skip: Vec<RuleColumn>,
    pub(super) zone: Option<Timezone>,
    pub(super) client: Option<String>,
    pub(super) policy: Option<String>,
}

/// Where the value of a field is, in the order of the fields.
#[derive(Debug)]
pub(super) struct FieldColumns {
    pub(super) field: Field,
    pub(super) spec: Spec,
    /// From 0.
    pub(super) places: Vec<usize>,
}

/// Records of which the column at `place`, from 0, is one of some texts in lower case.
#[derive(Debug)]
pub(super) struct RuleColumn {
    pub(super) place: usize,
    pub(super) equals: Vec<String>,
}

/// What a record is.
#[derive(Debug)]
pub(super) enum Row {
    Job(Box<BackupJob>),
    Skipped(&'static str),
}

impl RuleColumn {
    fn applies(&self, cells: &[&str]) -> bool {
        let cell = cells.get(self.place).copied().unwrap_or_default();
        self.equals.contains(&cell.trim().to_lowercase())
    }
}

impl Layout {
    pub(super) fn read(&self, cells: &[&str], place: Place) -> Result<Row, RecordError> {
        if !self.only.iter().all(|rule| rule.applies(cells)) {
            return Ok(Row::Skipped("a record that `only` does not take"));
        }
        if self.skip.iter().any(|rule| rule.applies(cells)) {
            return Ok(Row::Skipped("a record that `skip` leaves out"));
        }
        let mut job = Map::new();
        let mut content = Map::new();
        let mut start = None;
        for column in &self.columns {
            let Some(text) = self.text(column, cells, place)? else {
                continue;
            };
            let value = match column.field.kind() {
                Kind::Time => {
                    let time = self.time(column, &text, start, place)?;
                    start = start.or(Some(time));
                    Value::from(time.to_rfc3339())
                }
                _ => self.value(column, &text, place)?,
            };
            if column.field == Field::Status && value == SKIP {
                return Ok(Row::Skipped("a record whose status `words` skips"));
            }
            let fields = if column.field.is_in_content() {
                &mut content
            } else {
                &mut job
            };
            fields.insert(column.field.name().to_owned(), value);
        }
        for (field, text) in &self.mapping.constants {
            let fields = if field.is_in_content() {
                &mut content
            } else {
                &mut job
            };
            fields.insert(field.name().to_owned(), constant(*field, text));
        }
        if !content.is_empty() {
            job.insert("content".to_owned(), content.into());
        }
        self.fill_gaps(&mut job);
        let job = serde_json::from_value(job.into());
        let job = job.map_err(|error| RecordError::new(place, error.to_string()))?;
        Ok(Row::Job(Box::new(job)))
    }

    /// The text of a field; `None` if there is none.
    fn text(
        &self,
        column: &FieldColumns,
        cells: &[&str],
        place: Place,
    ) -> Result<Option<String>, RecordError> {
        let is_nothing = |text: &str| {
            text.is_empty() || self.mapping.missing.iter().any(|nothing| nothing == text)
        };
        let mut parts = Vec::with_capacity(column.places.len());
        for &at in &column.places {
            let cell = cells.get(at).ok_or_else(|| {
                let (name, found) = (column.field.name(), cells.len());
                let message = format!("has {found} columns, but `{name}` is in column {}", at + 1);
                RecordError::new(place, message)
            })?;
            let cell = cell.trim();
            if !is_nothing(cell) {
                parts.push(cell);
            }
        }
        let mark = if column.field.kind() == Kind::Time {
            " "
        } else {
            "/"
        };
        Ok((!parts.is_empty()).then(|| parts.join(mark)))
    }

    fn value(&self, column: &FieldColumns, text: &str, place: Place) -> Result<Value, RecordError> {
        let FieldColumns { field, spec, .. } = column;
        let decimal_comma = self.mapping.decimal_comma;
        let refused = |expected: &str| refused(column, text, expected, place);
        let in_unit = |unit: Unit| {
            let number = unit.read(text, decimal_comma);
            number.map(json).map_err(|expected| refused(&expected))
        };
        match field.kind() {
            Kind::Text | Kind::Time => Ok(Value::from(word(spec, text).unwrap_or(text))),
            Kind::Status => {
                let own = ["succeeded", "partial", "failed", "cancelled"];
                known_word(spec, text, &own).map_err(|words| refused(&words))
            }
            Kind::ScheduleType => {
                let own = [
                    "full",
                    "differential_incremental",
                    "cumulative_incremental",
                    "incremental",
                    "user_backup",
                    "other",
                ];
                known_word(spec, text, &own).map_err(|words| refused(&words))
            }
            Kind::Integer => {
                let integer = text.parse::<i64>().map(Value::from);
                integer.map_err(|_| refused("a whole number"))
            }
            Kind::Bytes => in_unit(spec.unit.unwrap_or(Unit::B)),
            Kind::Seconds => in_unit(spec.unit.unwrap_or(Unit::Seconds)),
            Kind::Share => in_unit(spec.unit.unwrap_or(Unit::Ratio)),
            Kind::Count | Kind::Number => {
                let number = Number::parse(text, decimal_comma).map(json);
                number.ok_or_else(|| refused("a number"))
            }
        }
    }

    fn time(
        &self,
        column: &FieldColumns,
        text: &str,
        start: Option<DateTime<Utc>>,
        place: Place,
    ) -> Result<DateTime<Utc>, RecordError> {
        let name = column.field.name();
        let format = column.spec.format.as_ref().unwrap_or(&TimeFormat::Iso);
        let moment = moment(format, text).ok_or_else(|| {
            let expected = match format {
                TimeFormat::Iso => "a time such as 2026-11-22T03:00:00Z".to_owned(),
                TimeFormat::EpochSeconds => "seconds since 1970".to_owned(),
                TimeFormat::EpochMilliseconds => "milliseconds since 1970".to_owned(),
                TimeFormat::Pattern(pattern) => format!("a time in the format {pattern:?}"),
            };
            refused(column, text, &expected, place)
        })?;
        match start {
            Some(start) => moment.end(name, self.zone, place, start),
            None => moment.start(name, self.zone, place),
        }
    }

    /// What the record does not say, and is known from elsewhere.
    fn fill_gaps(&self, job: &mut Map<String, Value>) {
        let mut fill = |field: Field, text: Option<&str>| {
            if let Some(text) = text.filter(|_| !job.contains_key(field.name())) {
                job.insert(field.name().to_owned(), Value::from(text));
            }
        };
        fill(Field::Source, Some(SOURCE));
        fill(Field::Client, self.client.as_deref());
        fill(Field::Policy, self.policy.as_deref());
        let text = |field: Field| job.get(field.name()).and_then(Value::as_str);
        let parts = (
            text(Field::Client),
            text(Field::Policy),
            text(Field::StartedAt),
        );
        if let (Some(client), Some(policy), Some(start)) = parts {
            let id = format!("{client}/{policy}@{start}");
            job.entry(Field::JobId.name()).or_insert_with(|| id.into());
        }
    }
}

fn refused(column: &FieldColumns, text: &str, expected: &str, place: Place) -> RecordError {
    let shown: String = text.chars().take(40).collect();
    let name = column.field.name();
    let columns: Vec<_> = column
        .spec
        .columns
        .iter()
        .map(ToString::to_string)
        .collect();
    let columns = columns.join(", ");
    RecordError::new(
        place,
        format!("`{name}` ({columns}) is {shown:?}: must be {expected}"),
    )
}

/// What the mapping says that a text means.
fn word<'a>(spec: &'a Spec, text: &str) -> Option<&'a str> {
    let word = spec
        .words
        .get(&text.to_lowercase())
        .or(spec.otherwise.as_ref());
    word.map(String::as_str)
}

/// As [`word`], or one of `own`. The error lists all words.
fn known_word(spec: &Spec, text: &str, own: &[&str]) -> Result<Value, String> {
    let lower = text.to_lowercase();
    let named = spec.words.get(&lower).map(String::as_str);
    let itself = || own.iter().copied().find(|word| *word == lower);
    let found = named.or_else(itself).or(spec.otherwise.as_deref());
    found.map(Value::from).ok_or_else(|| {
        let words = spec.words.keys().map(String::as_str);
        let words: Vec<_> = words.chain(own.iter().copied()).collect();
        format!("one of {}", words.join(", "))
    })
}

fn moment(format: &TimeFormat, text: &str) -> Option<Moment> {
    let since_1970 = |units_per_second: i64| {
        let units: i64 = text.parse().ok()?;
        let seconds = units.div_euclid(units_per_second);
        let rest = units.rem_euclid(units_per_second);
        let nanos = u32::try_from(rest * (1_000_000_000 / units_per_second)).ok()?;
        DateTime::from_timestamp(seconds, nanos).map(Moment::Zoned)
    };
    match format {
        TimeFormat::Iso => Moment::parse(text),
        TimeFormat::EpochSeconds => since_1970(1),
        TimeFormat::EpochMilliseconds => since_1970(1000),
        TimeFormat::Pattern(pattern) => {
            let zoned = || DateTime::parse_from_str(text, pattern).ok();
            let local = || NaiveDateTime::parse_from_str(text, pattern).ok();
            let day = || NaiveDate::parse_from_str(text, pattern).ok();
            zoned()
                .map(|time| Moment::Zoned(time.to_utc()))
                .or_else(|| local().map(Moment::Local))
                .or_else(|| day().map(|day| Moment::Local(day.and_time(NaiveTime::MIN))))
        }
    }
}

fn json(number: Number) -> Value {
    match number {
        Number::Whole(number) => number.into(),
        // A minus sign, as it was written.
        Number::Real(number) if number.fract() == 0.0 && number.abs() < MAX_EXACT => {
            #[expect(clippy::cast_possible_truncation, reason = "checked")]
            let whole = number as i64;
            whole.into()
        }
        Number::Real(number) => number.into(),
    }
}

/// A constant as the number that it is, where the field is one.
fn constant(field: Field, text: &str) -> Value {
    let as_text = || Value::from(text);
    match field.kind() {
        Kind::Text | Kind::Time | Kind::Status | Kind::ScheduleType => as_text(),
        _ => text
            .parse::<i64>()
            .map(Value::from)
            .or_else(|_| text.parse::<f64>().map(Value::from))
            .unwrap_or_else(|_| as_text()),
    }
}

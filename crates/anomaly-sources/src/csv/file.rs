//! A mapping file, and the one check that makes a mapping of it.

use std::collections::BTreeMap;
use std::ops::Range;

use anomaly_model::chrono::format::{Item, StrftimeItems};
use anomaly_model::{JobStatus, ModelError, ScheduleType};
use serde::Deserialize;
use toml::Spanned;

use crate::Timezone;
use crate::csv::field::{Field, Kind};
use crate::csv::mapping::{ColumnName, Mapping, Rule, SKIP, Spec, TimeFormat};
use crate::csv::written::{Constant, OneOrMore, RuleFile, SpecFile, SpecTable};

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
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

/// What is wrong, and where.
pub(super) type Fault = (Range<usize>, String);

impl File {
    pub(super) fn check(self) -> Result<Mapping, Fault> {
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
            delimiter: self.delimiter.as_ref().map(delimiter).transpose()?,
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

fn delimiter(text: &Spanned<String>) -> Result<u8, Fault> {
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

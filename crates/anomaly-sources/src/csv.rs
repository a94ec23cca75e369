//! Any CSV file, with a mapping of its columns to the fields of a job.

mod field;
mod file;
mod mapping;
mod number;
mod row;
mod unit;
mod written;

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use crate::csv::field::Field;
use crate::csv::mapping::{ColumnName, Mapping, Rule, Spec};
use crate::csv::row::{FieldColumns, Layout, Row, RuleColumn};
use crate::csv_records::{CsvRecord, CsvRecords, Fields};
use crate::{
    Format, Head, Input, Located, Place, ReadOption, ReadOptions, Record, RecordError, Records,
    Source, SourceError,
};

pub use crate::csv::mapping::CsvMapping;

/// The format `csv`.
#[derive(Debug)]
pub(crate) struct Csv;

/// What a header has that names its columns like the fields of the job format.
const OWN_COLUMNS: [&str; 3] = ["job_id", "client", "started_at"];

impl Source for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn input(&self) -> &'static str {
        "a CSV file, with a mapping of its columns"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        let line = String::from_utf8_lossy(head.lines().next()?);
        let columns: Vec<&str> = (line.split([',', ';', '\t']))
            .map(|column| column.trim().trim_matches('"'))
            .collect();
        (OWN_COLUMNS.iter().all(|own| columns.contains(own)))
            .then_some("its first line has the columns `job_id`, `client` and `started_at`")
    }

    fn never_knows(&self) -> &'static [&'static str] {
        &[]
    }

    fn stream_key(&self) -> &'static str {
        "client, policy and schedule type as the mapping has them"
    }

    fn options(&self) -> &'static [ReadOption] {
        &[
            ReadOption::Client,
            ReadOption::Policy,
            ReadOption::Timezone,
            ReadOption::CsvMapping,
        ]
    }

    fn open<'a>(
        &self,
        input: Input<'a>,
        options: &ReadOptions,
    ) -> Result<Records<'a>, SourceError> {
        let mut input = input.not_empty()?.with_line_feeds()?;
        let mapping = options
            .csv_mapping
            .as_ref()
            .map(|mapping| Arc::clone(&mapping.0));
        if let Some(mapping) = &mapping {
            input = without_lines(input, mapping.skip_lines)?.not_empty()?;
        }
        let delimiter = mapping.as_ref().and_then(|mapping| mapping.delimiter);
        let mut records = match delimiter {
            Some(delimiter) => CsvRecords::parted_by(delimiter, true, input, options),
            None => CsvRecords::new(input, options),
        };
        let options = options.clone();
        let mut layout = None;
        let mut before = 0;
        let mut next = move || {
            loop {
                let Some(CsvRecord { place, fields }) = records.next()? else {
                    return Ok(None);
                };
                let fields = match fields {
                    Ok(fields) => fields,
                    Err(error) => return Ok(Some(Record::Bad(error))),
                };
                let layout = if let Some(layout) = &layout {
                    layout
                } else {
                    let has_header = mapping.as_ref().is_none_or(|mapping| mapping.has_header);
                    let header = has_header.then(|| fields.iter().collect::<Vec<_>>());
                    let found = located(mapping.as_ref(), header.as_deref(), &options)?;
                    before = header.map(|header| header.len()).unwrap_or_default();
                    let layout = layout.insert(found);
                    if has_header {
                        continue;
                    }
                    layout
                };
                return Ok(Some(record(layout, fields, &mut before, place)));
            }
        };
        Ok(Box::new(std::iter::from_fn(move || next().transpose())))
    }
}

/// Reads one record, behind one of `before` columns.
fn record(layout: &Layout, fields: &Fields, before: &mut usize, place: Place) -> Record {
    let cells: Vec<&str> = fields.iter().collect();
    if fields.may_be_cut() && cells.len() < *before {
        let message = "cut off in the middle of the record";
        return Record::Bad(RecordError::new(place, message));
    }
    *before = cells.len();
    match layout.read(&cells, place) {
        Ok(Row::Job(job)) => Record::Job(Located::new(place, *job)),
        Ok(Row::Skipped(why)) => Record::skipped(place, why),
        Err(error) => Record::Bad(error),
    }
}

/// What follows the first lines that are not blank.
fn without_lines(input: Input<'_>, mut lines: u64) -> Result<Input<'_>, SourceError> {
    if lines == 0 {
        return Ok(input);
    }
    let Input {
        mut text, mut line, ..
    } = input;
    let mut is_blank = true;
    while lines > 0 {
        let mut byte = [0];
        let unreadable = |source| SourceError::Unreadable { line, source };
        if text.read(&mut byte).map_err(unreadable)? == 0 {
            break;
        }
        is_blank &= byte[0].is_ascii_whitespace();
        if byte[0] == b'\n' {
            line += 1;
            lines -= u64::from(!is_blank);
            is_blank = true;
        }
    }
    let rest = Input::new(text)?;
    Ok(Input {
        line: line + rest.line - 1,
        ..rest
    })
}

/// Finds the columns of a mapping in a file; without a mapping, those named like fields.
fn located(
    mapping: Option<&Arc<Mapping>>,
    header: Option<&[&str]>,
    options: &ReadOptions,
) -> Result<Layout, SourceError> {
    let mapping = match mapping {
        Some(mapping) => Arc::clone(mapping),
        None => Arc::new(own_mapping(header.unwrap_or_default())?),
    };
    for (field, option, given) in [
        (Field::Client, ReadOption::Client, &options.client),
        (Field::Policy, ReadOption::Policy, &options.policy),
    ] {
        let is_known =
            mapping.columns.contains_key(&field) || mapping.constants.contains_key(&field);
        if !is_known && given.is_none() {
            let format = Format::Csv;
            return Err(SourceError::OptionNeeded { format, option });
        }
    }
    let columns = mapping.columns.iter().map(|(field, spec)| {
        let places = spec.columns.iter().map(|column| place(column, header));
        Ok(FieldColumns {
            field: *field,
            spec: spec.clone(),
            places: places.collect::<Result<_, _>>()?,
        })
    });
    let rules = |rules: &[Rule]| {
        let located = rules.iter().map(|rule| {
            Ok(RuleColumn {
                place: place(&rule.column, header)?,
                equals: rule.equals.clone(),
            })
        });
        located.collect::<Result<_, SourceError>>()
    };
    let mut columns = columns.collect::<Result<Vec<_>, SourceError>>()?;
    // A record that its status skips need not have good values.
    columns.sort_by_key(|column| column.field != Field::Status);
    Ok(Layout {
        columns,
        only: rules(&mapping.only)?,
        skip: rules(&mapping.skip)?,
        zone: mapping.timezone.or(options.timezone),
        client: options.client.clone(),
        policy: options.policy.clone(),
        mapping,
    })
}

/// The place of a column, from 0.
fn place(column: &ColumnName, header: Option<&[&str]>) -> Result<usize, SourceError> {
    let name = match column {
        ColumnName::Number(number) => return Ok(number.saturating_sub(1)),
        ColumnName::Header(name) => name,
    };
    let header = header.unwrap_or_default();
    let all = |is: &dyn Fn(&str) -> bool| {
        let places = header
            .iter()
            .enumerate()
            .filter(|(_, column)| is(column.trim()));
        places.map(|(place, _)| place).collect::<Vec<_>>()
    };
    let mut places = all(&|column| column == name);
    if places.is_empty() {
        places = all(&|column| column.to_lowercase() == name.to_lowercase());
    }
    match places.as_slice() {
        [place] => Ok(*place),
        [] => {
            let columns: Vec<_> = header.iter().map(|column| column.trim()).collect();
            let message = format!("no {column} among {}", columns.join(", "));
            Err(SourceError::Columns { message })
        }
        _ => {
            let message = format!("{column} is there twice: name it by its number");
            Err(SourceError::Columns { message })
        }
    }
}

/// The mapping of a file whose columns are named like the fields of the job format.
fn own_mapping(header: &[&str]) -> Result<Mapping, SourceError> {
    let is_there = |field: &Field| header.iter().any(|column| column.trim() == field.name());
    let spec = |field: Field| Spec {
        columns: vec![ColumnName::Header(field.name().to_owned())],
        unit: None,
        format: None,
        words: BTreeMap::new(),
        otherwise: None,
    };
    let fields = Field::ALL.iter().copied().filter(is_there);
    let columns: BTreeMap<_, _> = fields.map(|field| (field, spec(field))).collect();
    if columns.is_empty() {
        let message = "no column is named like a field of a job: a mapping is needed".to_owned();
        return Err(SourceError::Columns { message });
    }
    Ok(Mapping {
        delimiter: None,
        has_header: true,
        skip_lines: 0,
        decimal_comma: false,
        timezone: None,
        missing: Vec::new(),
        only: Vec::new(),
        skip: Vec::new(),
        constants: BTreeMap::new(),
        columns,
    })
}

//! What `llist jobs` prints after `.api 2`, and what a query of the catalogue does there: JSON.

use serde_json::{Map, Value};

use super::job::record;
use super::row::{Column, Row};
use super::{NEVER_KNOWS, OPTIONS, STREAM_KEY};
use crate::values::{ELEMENT, Path, Values};
use crate::{
    Head, Input, Place, ReadOption, ReadOptions, Record, RecordError, Records, Source, SourceError,
    json,
};

/// The format `bareos-json`.
#[derive(Debug)]
pub(crate) struct Json;

/// So many of the first documents are looked into: one answers `.api 2`, and one may name the
/// catalogue.
const FIRST_DOCUMENTS: usize = 4;

/// What `llist jobs` answers, and what `.sql query=` does.
const ROWS: &[Path] = &[&["result", "jobs", ELEMENT], &["result", "query", ELEMENT]];

impl Source for Json {
    fn name(&self) -> &'static str {
        "bareos-json"
    }

    fn input(&self) -> &'static str {
        "`llist jobs` of Bareos, or a query of its catalogue, after `.api 2`"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        let mut documents = documents(head.text()).take(FIRST_DOCUMENTS);
        let has_rows = |text| {
            let head = Head::new(text);
            head.has(&["result.jobs[].jobid", "result.jobs[].level"])
                || head.has(&["result.query[].jobid", "result.query[].level"])
        };
        let is = documents.any(has_rows);
        is.then_some("it has a `result` with a list of jobs with `jobid` and `level`")
    }

    fn never_knows(&self) -> &'static [&'static str] {
        NEVER_KNOWS
    }

    fn stream_key(&self) -> &'static str {
        STREAM_KEY
    }

    fn options(&self) -> &'static [ReadOption] {
        OPTIONS
    }

    fn open<'a>(
        &self,
        input: Input<'a>,
        options: &ReadOptions,
    ) -> Result<Records<'a>, SourceError> {
        let options = options.clone();
        let mut values = Values::new(input.not_empty()?, ROWS, &options);
        let mut is_empty = true;
        let mut next = move || {
            while let Some(value) = values.next()? {
                // What the console says before and after it answers.
                if value.is_stray {
                    continue;
                }
                is_empty = false;
                let place = value.raw.place;
                let row = value.raw.text.and_then(|text| row(text, place));
                return Ok(Some(match row {
                    Ok(row) => record(&row, &options),
                    Err(error) => Record::Bad(error),
                }));
            }
            if is_empty { Err(NO_JOBS) } else { Ok(None) }
        };
        Ok(Box::new(std::iter::from_fn(move || next().transpose())))
    }
}

const NO_JOBS: SourceError = SourceError::Empty {
    reason: "there is nothing in a list of jobs, as `llist jobs` prints it after `.api 2`",
};

/// The text from each line that begins a document on.
fn documents(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let starts = std::iter::once(0).chain(
        text.iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'\n')
            .map(|(end, _)| end + 1),
    );
    starts
        .map(|start| &text[start..])
        .filter(|text| text.starts_with(b"{"))
}

/// Numbers are printed as text; one that is not is fine too.
fn row(text: &str, place: Place) -> Result<Row<String>, RecordError> {
    let object: Map<String, Value> = json::parse(text, place)?;
    let mut row = Row::new(place);
    for (name, value) in object {
        let Some(column) = Column::named(&name) else {
            continue;
        };
        let text = match value {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        row.set(column, text);
    }
    Ok(row)
}

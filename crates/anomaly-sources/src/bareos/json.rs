//! What `llist jobs` prints after `.api 2`, and what a query of the catalogue does there: JSON.

use serde_json::{Map, Value};

use super::job::record;
use super::row::{Column, Row};
use super::{NEVER_KNOWS, OPTIONS, STREAM_KEY};
use crate::values::{ELEMENT, Path, Values};
use crate::{
    Head, Input, Place, ReadOption, ReadOptions, RecordError, Records, Source, SourceError, json,
};

/// The format `bareos-json`.
#[derive(Debug)]
pub(crate) struct Json;

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
        let has = |list: &str| head.has_below(list, &["jobid", "level"]);
        let is = has("result.jobs[]") || has("result.query[]");
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
        let values = Values::new(input.not_empty()?, ROWS, &options);
        Ok(values.records(NO_JOBS, move |value| {
            // What the console says before and after it answers.
            if value.is_stray {
                return Ok(None);
            }
            let row = row(value.raw.text?, value.raw.place)?;
            Ok(Some(record(&row, &options)))
        }))
    }
}

const NO_JOBS: &str =
    "there is nothing in a list of jobs, as `llist jobs` prints it after `.api 2`";

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

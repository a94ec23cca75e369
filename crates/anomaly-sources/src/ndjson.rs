//! Backwatch's own job records, one JSON object per line.

use crate::lines::Lines;
use crate::raw_record::RawRecord;
use crate::{Head, Input, ReadOption, ReadOptions, Record, Records, Source, SourceError, json};

/// The format `ndjson`.
#[derive(Debug)]
pub(crate) struct Ndjson;

impl Source for Ndjson {
    fn name(&self) -> &'static str {
        "ndjson"
    }

    fn input(&self) -> &'static str {
        "Backwatch's own job records, one a line"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        let is = head.has(&["source", "job_id", "started_at"]);
        is.then_some("it has lines with `source`, `job_id` and `started_at`")
    }

    fn never_knows(&self) -> &'static [&'static str] {
        &[]
    }

    fn stream_key(&self) -> &'static str {
        "client, policy and schedule type as the record has them"
    }

    fn options(&self) -> &'static [ReadOption] {
        &[]
    }

    fn open<'a>(
        &self,
        input: Input<'a>,
        options: &ReadOptions,
    ) -> Result<Records<'a>, SourceError> {
        let mut lines = Lines::new(input.not_empty()?, options);
        Ok(Box::new(std::iter::from_fn(move || {
            lines.next().map(|line| line.map(record)).transpose()
        })))
    }
}

fn record(line: RawRecord<'_>) -> Record {
    let place = line.place;
    Record::new(place, line.text.and_then(|text| json::parse(text, place)))
}

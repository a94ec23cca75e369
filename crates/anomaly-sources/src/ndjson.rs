//! Backwatch's own job records, one JSON object per line.

use crate::raw_record::RawRecord;
use crate::{Record, json};

pub(crate) fn record(line: RawRecord<'_>) -> Record {
    let place = line.place;
    Record::new(place, line.text.and_then(|text| json::parse(text, place)))
}

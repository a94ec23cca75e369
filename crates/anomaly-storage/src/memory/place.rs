//! What orders a list of anomalies in memory.

use std::cmp::Ordering;

use super::data::Row;
use crate::{Sort, SortKey};

/// Where an anomaly stands in a list.
#[derive(Debug)]
pub(super) struct Place<'a> {
    key: Key<'a>,
    started_at_micros: i64,
    number: u64,
}

#[derive(Debug, PartialEq, PartialOrd)]
enum Key<'a> {
    Number(i64),
    Score(f64),
    Name(&'a str),
}

/// Below every score.
const NO_SCORE: f64 = -1.0;

impl<'a> Place<'a> {
    pub(super) fn of(sort: Sort, number: u64, row: &'a Row) -> Self {
        let verdict = &row.verdict;
        let started_at_micros = row.started_at_micros();
        let counted = |count: usize| Key::Number(i64::try_from(count).unwrap_or(i64::MAX));
        let key = match sort.key {
            SortKey::Started => Key::Number(started_at_micros),
            SortKey::Received => Key::Number(i64::try_from(number).unwrap_or(i64::MAX)),
            SortKey::Score => Key::Score(verdict.score().unwrap_or(NO_SCORE)),
            SortKey::Severity => {
                Key::Number(verdict.severity().map_or(-1, |severity| severity as i64))
            }
            SortKey::Client => Key::Name(verdict.client.as_str()),
            SortKey::Policy => Key::Name(verdict.policy.as_str()),
            SortKey::Count => counted(verdict.findings.len()),
        };
        Self {
            key,
            started_at_micros,
            number,
        }
    }

    /// Which of two stands first.
    pub(super) fn compare(&self, other: &Self, sort: Sort) -> Ordering {
        let by_key = self.key.partial_cmp(&other.key);
        let by_key = by_key.unwrap_or(Ordering::Equal);
        let by_key = if sort.ascending {
            by_key
        } else {
            by_key.reverse()
        };
        let newest_first =
            |place: &Self| std::cmp::Reverse((place.started_at_micros, place.number));
        by_key.then_with(|| newest_first(self).cmp(&newest_first(other)))
    }
}

//! Lists, a page at a time.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;

const DEFAULT: usize = 50;
const MOST: usize = 1_000;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// What is on it.
    pub(crate) items: Vec<T>,
    /// The `cursor` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// How much is on a page: 1 to 1,000, 50 unless asked.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Limit(Option<usize>);

impl Limit {
    pub(crate) fn get(self) -> Result<usize, Problem> {
        match self.0.unwrap_or(DEFAULT) {
            limit @ 1..=MOST => Ok(limit),
            _ => Err(Problem::invalid(format!("`limit` must be 1 to {MOST}."))),
        }
    }
}

impl<T> Page<T> {
    /// Of a list that was asked for one more than `limit`: whether there is more is then known.
    pub(crate) fn cut(mut items: Vec<T>, limit: usize, place: impl FnOnce(&T) -> String) -> Self {
        let is_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| is_more).map(place);
        Self { items, next }
    }

    pub(crate) fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next: self.next,
        }
    }
}

//! What a list is filtered and sorted by, as its form, its chips and its address have it.

use anomaly_storage::{Sort, SortKey};

use super::super::words::encoded;
use crate::api::Filter;

/// The names and values of an address, without the place in the list.
pub(super) struct Filtered {
    asked: Vec<(&'static str, String)>,
    sort: Sort,
}

/// A condition, and the address without it.
pub(super) struct Chip {
    pub(super) words: String,
    pub(super) without: String,
}

/// The head of a column by which the list can be sorted.
pub(super) struct Column {
    /// The list sorted by it, or the other way round.
    pub(super) address: String,
    /// As `aria-sort` says it; empty while the list is sorted by something else.
    pub(super) sorted: &'static str,
    pub(super) arrow: &'static str,
}

impl Filtered {
    pub(super) fn new(filter: Filter) -> Self {
        fn text(value: Option<impl ToString>) -> Option<String> {
            value.map(|value| value.to_string())
        }
        let sort = filter.sort.unwrap_or_default();
        let time = |time: Option<anomaly_model::chrono::DateTime<_>>| {
            time.map(
                |time: anomaly_model::chrono::DateTime<anomaly_model::chrono::Utc>| {
                    let is_midnight = time.timestamp().rem_euclid(86_400) == 0;
                    if is_midnight {
                        time.date_naive().to_string()
                    } else {
                        time.to_rfc3339()
                    }
                },
            )
        };
        let all = [
            ("contains", filter.contains),
            ("client", text(filter.client)),
            ("policy", text(filter.policy)),
            ("policy_type", text(filter.policy_type)),
            ("schedule", text(filter.schedule)),
            ("schedule_type", text(filter.schedule_type)),
            ("severity", text(filter.severity)),
            ("least_score", text(filter.least_score)),
            ("kind", text(filter.kind)),
            ("status", text(filter.status)),
            ("incident", text(filter.incident)),
            ("started_from", time(filter.started_from)),
            ("started_until", time(filter.started_until)),
            ("sort", (sort != Sort::default()).then(|| sort.to_string())),
        ];
        let asked = all.into_iter();
        Self {
            asked: asked
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
            sort,
        }
    }

    /// What a field of the form holds.
    pub(super) fn value(&self, name: &str) -> &str {
        let asked = self.asked.iter().find(|(known, _)| *known == name);
        asked.map_or("", |(_, value)| value.as_str())
    }

    /// The same of a field that takes dates.
    pub(super) fn date(&self, name: &str) -> &str {
        self.value(name).get(..10).unwrap_or("")
    }

    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.value(name) == value
    }

    /// Whether any of the conditions is set that are asked for less often.
    pub(super) fn has_more(&self) -> bool {
        let often = ["contains", "severity", "status", "kind", "sort", "incident"];
        self.asked.iter().any(|(name, _)| !often.contains(name))
    }

    pub(super) fn address(&self) -> String {
        written(self.asked.iter())
    }

    /// The address with another value of a name, or without it.
    pub(super) fn address_with(&self, name: &'static str, value: Option<String>) -> String {
        let value = value.map(|value| (name, value));
        let others = self.asked.iter().filter(|(other, _)| *other != name);
        written(others.chain(&value))
    }

    pub(super) fn chips(&self) -> Vec<Chip> {
        let conditions = self.asked.iter().filter(|(name, _)| *name != "sort");
        conditions
            .map(|(name, value)| Chip {
                words: in_words(name, value),
                without: self.address_with(name, None),
            })
            .collect()
    }

    pub(super) fn column(&self, key: SortKey) -> Column {
        let is_it = self.sort.key == key;
        let begins_ascending = matches!(key, SortKey::Client | SortKey::Policy);
        let ascending = if is_it {
            !self.sort.ascending
        } else {
            begins_ascending
        };
        let sort = Sort { key, ascending };
        let value = (sort != Sort::default()).then(|| sort.to_string());
        let (sorted, arrow) = match (is_it, self.sort.ascending) {
            (false, _) => ("", ""),
            (true, true) => ("ascending", "↑"),
            (true, false) => ("descending", "↓"),
        };
        Column {
            address: self.address_with("sort", value),
            sorted,
            arrow,
        }
    }
}

fn in_words(name: &str, value: &str) -> String {
    match name {
        "contains" => format!("contains “{value}”"),
        "severity" if value == "high" => "severity: high".to_owned(),
        "severity" => format!("severity: {value} or higher"),
        "least_score" => format!("score: {value} or higher"),
        "started_from" => format!("started from {value}"),
        "started_until" => format!("started before {value}"),
        "kind" | "status" | "schedule_type" => {
            format!("{}: {}", name.replace('_', " "), value.replace('_', " "))
        }
        _ => format!("{}: {value}", name.replace('_', " ")),
    }
}

fn written<'a>(pairs: impl Iterator<Item = &'a (&'static str, String)>) -> String {
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    if pairs.is_empty() {
        "/anomalies".to_owned()
    } else {
        format!("/anomalies?{}", pairs.join("&"))
    }
}

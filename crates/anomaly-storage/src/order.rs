//! In which order anomalies are listed.

use std::fmt;
use std::str::FromStr;

use anomaly_model::ModelError;
use serde::{Deserialize, Serialize};

/// What a list of anomalies is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SortKey {
    /// When the job started.
    #[default]
    Started,
    /// When the anomaly was stored.
    Received,
    /// How strange the job is. One that only rules judged has no score, and is below all others.
    Score,
    /// How much it matters.
    Severity,
    /// Who was backed up.
    Client,
    /// By which rules.
    Policy,
    /// How many features are unusual.
    Count,
}

impl SortKey {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Started,
        Self::Received,
        Self::Score,
        Self::Severity,
        Self::Client,
        Self::Policy,
        Self::Count,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Received => "received",
            Self::Score => "score",
            Self::Severity => "severity",
            Self::Client => "client",
            Self::Policy => "policy",
            Self::Count => "count",
        }
    }
}

/// In which order anomalies are listed. Equals are always in the order of their start, the newest
/// first, and of the same start the one stored last first.
///
/// Written as the name of the key, with a minus before it for the largest or newest first.
///
/// ```
/// use anomaly_storage::{Sort, SortKey};
///
/// let sort: Sort = "-score".parse()?;
/// assert_eq!((sort.key, sort.ascending), (SortKey::Score, false));
/// assert_eq!(sort.to_string(), "-score");
/// assert_eq!(Sort::default().to_string(), "-started");
/// # Ok::<(), anomaly_model::ModelError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sort {
    /// What it is sorted by.
    pub key: SortKey,
    /// Whether the smallest or oldest comes first.
    pub ascending: bool,
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minus = if self.ascending { "" } else { "-" };
        write!(f, "{minus}{}", self.key.as_str())
    }
}

impl FromStr for Sort {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        let name = text.strip_prefix('-');
        let ascending = name.is_none();
        let name = name.unwrap_or(text);
        let key = SortKey::ALL.iter().find(|key| key.as_str() == name);
        match key {
            Some(&key) => Ok(Self { key, ascending }),
            None => Err(ModelError::Invalid {
                field: "sort",
                value: format!("{text:.40?}"),
                expected: format!(
                    "one of {}, with or without a minus before it",
                    SortKey::ALL
                        .iter()
                        .map(|key| key.as_str())
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            }),
        }
    }
}

impl TryFrom<String> for Sort {
    type Error = ModelError;

    fn try_from(text: String) -> Result<Self, ModelError> {
        text.parse()
    }
}

impl From<Sort> for String {
    fn from(sort: Sort) -> Self {
        sort.to_string()
    }
}

//! Who changed what, and when.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{JobKey, Review, Severity};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::setters::setters;

/// One change: who made it, when, to what, and what stood there before and after.
///
/// An entry with a severity is a system event: something that makes Backwatch see less, say.
///
/// ```
/// use anomaly_storage::AuditEntry;
/// # let now = anomaly_model::chrono::DateTime::UNIX_EPOCH;
/// let entry = AuditEntry::new(now, "ann", "exclude", "mail01 / daily")
///     .with_reason("is being replaced")
///     .with_change(None, Some(serde_json::json!({ "until": "2026-12-31" })));
/// assert_eq!(entry.severity, None);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuditEntry {
    /// When it was done, by the clock of whoever recorded it.
    pub at: DateTime<Utc>,
    /// A person, or a program.
    pub who: String,
    /// What was done, in a word: `review`, `settings`, `exclude`.
    pub what: String,
    /// What it was done to, as people read it.
    pub subject: String,
    /// How much it matters to whoever watches over Backwatch; `None` for what is done every day.
    pub severity: Option<Severity>,
    /// Why, in the words of whoever did it.
    pub reason: Option<String>,
    /// What stood there before.
    pub before: Option<Value>,
    /// What stands there now.
    pub after: Option<Value>,
}

impl AuditEntry {
    /// A change of every day, without a reason or values.
    #[must_use]
    pub fn new(
        at: DateTime<Utc>,
        who: impl Into<String>,
        what: impl Into<String>,
        subject: impl Into<String>,
    ) -> Self {
        Self {
            at,
            who: who.into(),
            what: what.into(),
            subject: subject.into(),
            severity: None,
            reason: None,
            before: None,
            after: None,
        }
    }

    /// What was done, where a person decided about an anomaly.
    pub(crate) const REVIEW: &str = "review";

    /// The source and the id of each job that a review's subject may name: a name may have the word in
    /// it that stands between them.
    pub(crate) fn jobs_named(subject: &str) -> impl Iterator<Item = (&str, &str)> {
        const OF: &str = " of ";
        let names = subject.strip_prefix("job ").unwrap_or_default();
        names
            .match_indices(OF)
            .map(|(place, _)| (&names[place + OF.len()..], &names[..place]))
    }

    /// That a person decided about an anomaly.
    pub(crate) fn of_review(job: &JobKey, before: Option<&Review>, after: &Review) -> Self {
        // A review is made of text, words and times, all of which JSON can hold.
        let json = |review| serde_json::to_value(review).ok();
        Self {
            at: after.recorded_at(),
            who: after.recorded_by().to_owned(),
            what: Self::REVIEW.into(),
            subject: format!("job {} of {}", job.job_id, job.source),
            severity: None,
            reason: match &after.undo {
                Some(undo) => undo.reason.clone(),
                None => after.reason.clone(),
            },
            before: before.and_then(json),
            after: json(after),
        }
    }

    /// The same, as a system event of this severity.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// The same, with its reason.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// The same, with what stood there before and what stands there now.
    #[must_use]
    pub fn with_change(mut self, before: Option<Value>, after: Option<Value>) -> Self {
        self.before = before;
        self.after = after;
        self
    }
}

/// Which entries to list: those that meet every condition that is set. The default is all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AuditQuery {
    /// Only of what was done by this one.
    pub who: Option<String>,
    /// Only of this word.
    pub what: Option<String>,
    /// Only of what was done to this.
    pub subject: Option<String>,
    /// Only system events of this severity or a higher one.
    pub at_least: Option<Severity>,
    /// Only entries that were written before the one with this number: the next page.
    pub before: Option<u64>,
    /// Only entries that were written after the one with this number, and the oldest first: what is
    /// new since then.
    pub after: Option<u64>,
    /// No more than this many: those written last, or with `after` those written first.
    pub limit: Option<usize>,
}

setters! {
    AuditQuery {
        who: String,
        what: String,
        subject: String,
        at_least: Severity,
        before: u64,
        after: u64,
        limit: usize,
    }
}

//! What a person decided about an anomaly.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::raw::Raw;
use crate::words::words;
use crate::{FeatureName, ModelError};

words! {
    /// What a person decided about an anomaly.
    pub enum ReviewStatus, "review_status" {
        /// Nobody has decided yet.
        NotReviewed = "not_reviewed",
        /// It is what it looks like.
        Confirmed = "confirmed",
        /// It was a usual job after all.
        FalsePositive = "false_positive",
        /// It does not matter.
        Ignored = "ignored",
    }
}

impl ReviewStatus {
    /// Whether an anomaly that was decided so counts: nobody has called it usual or irrelevant.
    #[must_use]
    pub const fn stands(self) -> bool {
        matches!(self, Self::NotReviewed | Self::Confirmed)
    }
}

/// What a false positive says of other jobs than its own.
///
/// Written as `"this_job"`, `"level_shift"`, `"this_stream"` or `{"features": ["rewritten_share"]}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReviewScope {
    /// Nothing: this job was usual, and teaches its stream as one usual job does.
    #[default]
    ThisJob,
    /// That what went on from this job, up to now, is how the stream is now: this job and those
    /// teach.
    LevelShift,
    /// That later jobs of the stream are usual too, as far as all that is strange about them was
    /// strange about this one. This job teaches.
    ThisStream,
    /// That later jobs of the stream are usual too, as far as nothing but these features or shares
    /// is strange about them. Nothing is taught.
    Features(Vec<FeatureName>),
}

impl ReviewScope {
    /// Whether it covers jobs that are yet to come.
    #[must_use]
    pub fn covers_later_jobs(&self) -> bool {
        matches!(self, Self::ThisStream | Self::Features(_))
    }

    /// Whether the job itself is learnt as a usual one.
    #[must_use]
    pub fn teaches(&self) -> bool {
        !matches!(self, Self::Features(_))
    }
}

/// How far beyond the value of the reviewed job a scope covers others: a factor, 1 to 2.
///
/// 1 covers what is no more than that job; 1.1, the default, a tenth more: what a stream that grows
/// by 3 % a month gains in the 90 days for which a scope holds by default. More than that is another
/// event.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Ceiling(f64);

impl Ceiling {
    /// No more than the reviewed job.
    pub const NO_MORE: Self = Self(1.0);

    /// Checks a factor.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] unless `1 <= factor <= 2`.
    pub fn new(factor: f64) -> Result<Self, ModelError> {
        Raw::from(factor).real("ceiling", &(1.0..=2.0)).map(Self)
    }

    /// The factor.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

// A factor is a number, and equal to itself.
impl Eq for Ceiling {}

impl Default for Ceiling {
    fn default() -> Self {
        Self(1.1)
    }
}

impl TryFrom<f64> for Ceiling {
    type Error = ModelError;

    fn try_from(factor: f64) -> Result<Self, ModelError> {
        Self::new(factor)
    }
}

impl From<Ceiling> for f64 {
    fn from(ceiling: Ceiling) -> Self {
        ceiling.0
    }
}

/// Who took a later decision back, so that an earlier one stands again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Undo {
    /// The person who took it back.
    pub by: String,
    /// When it was taken back.
    pub at: DateTime<Utc>,
    /// Why, in that person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Undo {
    /// `by` took a decision back at `at`.
    #[must_use]
    pub fn new(by: impl Into<String>, at: DateTime<Utc>) -> Self {
        Self {
            by: by.into(),
            at,
            reason: None,
        }
    }

    /// The same, with its reason.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// A person's decision about one anomaly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Review {
    /// The decision.
    pub status: ReviewStatus,
    /// Who decided.
    pub reviewer: String,
    /// When it was decided.
    pub reviewed_at: DateTime<Utc>,
    /// Why, in the reviewer's words.
    pub reason: Option<String>,
    /// What a false positive says of other jobs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scope: ReviewScope,
    /// How far beyond this job's values the scope covers others.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ceiling: Ceiling,
    /// Jobs that start at this time or later are not covered any more; `None` for no end. What the
    /// job itself taught is forgotten like any job, whatever this says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Set where the decision stands again because a later one was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Undo>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Review {
    /// A decision of `reviewer` at `reviewed_at` about this job alone, without a reason.
    #[must_use]
    pub fn new(
        status: ReviewStatus,
        reviewer: impl Into<String>,
        reviewed_at: DateTime<Utc>,
    ) -> Self {
        Self {
            status,
            reviewer: reviewer.into(),
            reviewed_at,
            reason: None,
            scope: ReviewScope::default(),
            ceiling: Ceiling::default(),
            expires_at: None,
            undo: None,
        }
    }

    /// The same decision, with its reason.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// The same decision, with what it says of other jobs, and until when.
    #[must_use]
    pub fn with_scope(
        mut self,
        scope: ReviewScope,
        ceiling: Ceiling,
        expires_at: Option<DateTime<Utc>>,
    ) -> Self {
        self.scope = scope;
        self.ceiling = ceiling;
        self.expires_at = expires_at;
        self
    }

    /// Whether it says that the job was usual.
    #[must_use]
    pub fn is_false_positive(&self) -> bool {
        self.status == ReviewStatus::FalsePositive
    }

    /// Whether it covers later jobs, up to its expiry.
    #[must_use]
    pub fn covers_later_jobs(&self) -> bool {
        self.is_false_positive() && self.scope.covers_later_jobs()
    }

    /// Who made it stand: the reviewer, or whoever took a later decision back.
    #[must_use]
    pub fn recorded_by(&self) -> &str {
        self.undo.as_ref().map_or(&self.reviewer, |undo| &undo.by)
    }

    /// Since when it stands.
    #[must_use]
    pub fn recorded_at(&self) -> DateTime<Utc> {
        self.undo.as_ref().map_or(self.reviewed_at, |undo| undo.at)
    }

    /// Checks that the parts of the decision belong together.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] when there is no reviewer, when anything but a false positive has a
    /// scope beyond its job, when a scope names no feature, or when it expires before it was made.
    pub fn check(&self) -> Result<(), ModelError> {
        let invalid = |field, value: &dyn std::fmt::Display, expected: &str| {
            Err(ModelError::invalid(field, &value.to_string(), expected))
        };
        if self.reviewer.trim().is_empty() {
            return invalid("reviewer", &"\"\"", "text that is not blank");
        }
        if self.scope != ReviewScope::ThisJob && !self.is_false_positive() {
            let expected = "that of one job, unless it is a false_positive";
            return invalid("scope", &"wider than one job", expected);
        }
        if matches!(&self.scope, ReviewScope::Features(names) if names.is_empty()) {
            return invalid("scope", &"a list of no features", "at least one feature");
        }
        match self.expires_at {
            Some(end) if end <= self.reviewed_at => invalid(
                "expires_at",
                &end.to_rfc3339(),
                &format!("after `reviewed_at`, {}", self.reviewed_at.to_rfc3339()),
            ),
            _ => Ok(()),
        }
    }

    /// The decisions that stand, the one that counts last, after all that were recorded of one
    /// anomaly, oldest first: each one that was taken back is left out.
    #[must_use]
    pub fn standing(recorded: &[Self]) -> Vec<&Self> {
        let mut standing: Vec<&Self> = Vec::new();
        for review in recorded {
            if review.undo.is_some() {
                standing.pop();
            } else {
                standing.push(review);
            }
        }
        standing
    }

    /// What is recorded when the last of the decisions is taken back: the one before it, or
    /// `not_reviewed`. `None` when there is nothing to take back.
    #[must_use]
    pub fn taking_back(recorded: &[Self], undo: Undo) -> Option<Self> {
        let standing = Self::standing(recorded);
        let (_, before) = standing.split_last()?;
        let mut restored = match before.last() {
            Some(&before) => before.clone(),
            None => Self::new(ReviewStatus::NotReviewed, undo.by.clone(), undo.at),
        };
        restored.undo = Some(undo);
        Some(restored)
    }
}

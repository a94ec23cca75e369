//! Decisions about anomalies, as they are asked for and answered.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{FeatureName, JobKey, ModelError, Review, ReviewStatus, Undo};

/// What the reviewer believes to stand: a decision that someone else made meanwhile is then not
/// overwritten unseen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Expected {
    /// Whatever stands is replaced.
    #[default]
    Anything,
    /// This decision, or that nobody has decided.
    Standing(Option<Review>),
}

/// A decision about one anomaly, or that the last one is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReviewRequest {
    /// The anomaly.
    pub job: JobKey,
    /// What is decided.
    pub change: ReviewChange,
    /// What is believed to stand.
    pub expected: Expected,
}

/// What is decided about an anomaly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReviewChange {
    /// This decision, in place of the one that stands.
    Decide(Review),
    /// That the last decision does not hold, and the one before it does.
    TakeBack(Undo),
}

impl ReviewRequest {
    /// A decision about the anomaly `job`, whatever stands.
    #[must_use]
    pub fn decide(job: JobKey, review: Review) -> Self {
        Self {
            job,
            change: ReviewChange::Decide(review),
            expected: Expected::Anything,
        }
    }

    /// Takes the last decision about the anomaly `job` back, whatever it is.
    #[must_use]
    pub fn take_back(job: JobKey, undo: Undo) -> Self {
        Self {
            job,
            change: ReviewChange::TakeBack(undo),
            expected: Expected::Anything,
        }
    }

    /// The same, if what is believed to stand does.
    #[must_use]
    pub fn expecting(mut self, standing: Option<Review>) -> Self {
        self.expected = Expected::Standing(standing);
        self
    }
}

/// What a review did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reviewed {
    /// The decision that counts now.
    pub review: Review,
    /// The decision that it replaces.
    pub replaced: Option<Review>,
    /// Whether the job was learnt as a usual one, with others if the decision was about a change
    /// that lasts. Only a false positive is, where its scope says so; and not when the job is too old
    /// to be remembered in full.
    pub learnt: bool,
    /// Whether what an earlier decision had taught was forgotten.
    pub unlearnt: bool,
}

/// Why a decision was not taken down. Nothing changed for this anomaly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReviewRefused {
    /// There is no such anomaly, or no more.
    #[error(
        "no anomaly is stored for job {} of {}: it never was one, or it was purged",
        job.job_id, job.source
    )]
    Gone {
        /// The job.
        job: JobKey,
    },
    /// Someone else decided meanwhile.
    #[error(
        "job {} of {} is not as expected: {}; look again, and decide anew",
        job.job_id, job.source, standing_in_words(.standing.as_deref())
    )]
    Changed {
        /// The job.
        job: JobKey,
        /// What stands now.
        standing: Option<Box<Review>>,
    },
    /// There is no decision to take back.
    #[error("nobody has decided about job {} of {}: there is nothing to take back", job.job_id, job.source)]
    NothingToTakeBack {
        /// The job.
        job: JobKey,
    },
    /// The decision itself is not allowed.
    #[error(transparent)]
    Invalid(#[from] ModelError),
    /// The reason is a book.
    #[error("a reason may have {most} characters at most: put the rest where it can be read")]
    ReasonTooLong {
        /// Characters at most.
        most: usize,
    },
    /// The scope covers later jobs, and says not why.
    #[error("a false positive that covers later jobs needs a reason")]
    NoReason,
    /// The scope covers later jobs, and says not until when.
    #[error(
        "a false positive that covers later jobs needs an end: give one, or set review.endless"
    )]
    Endless,
    /// It would cover later jobs for longer than the settings allow.
    #[error("it may cover later jobs until {latest} at most: see review.longest_days")]
    TooLong {
        /// The latest end that is allowed.
        latest: DateTime<Utc>,
    },
    /// The scope names a feature that the anomaly does not show.
    #[error("the anomaly shows nothing unusual of `{feature}`: its scope may name {}", listed(.found))]
    NotFound {
        /// The feature.
        feature: FeatureName,
        /// What it shows.
        found: Vec<FeatureName>,
    },
    /// The scope would cover nothing, because a rule that measures nothing raised the anomaly.
    #[error(
        "nothing was measured that later jobs could be compared with: decide about this job alone, \
         or switch the rule off for the stream"
    )]
    NothingMeasured,
    /// The stored model of the stream cannot be used.
    #[error("the model of the stream {stream} cannot be used: {why}")]
    Model {
        /// The stream, as people read it.
        stream: String,
        /// What is wrong with it.
        why: String,
    },
}

fn standing_in_words(standing: Option<&Review>) -> String {
    match standing {
        Some(review) if review.status != ReviewStatus::NotReviewed => format!(
            "{} called it {} at {}",
            review.recorded_by(),
            review.status,
            review.recorded_at().format("%Y-%m-%d %H:%M UTC")
        ),
        _ => "nobody has decided about it".to_owned(),
    }
}

fn listed(names: &[FeatureName]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<&str> = names.iter().map(FeatureName::as_str).collect();
    names.join(", ")
}

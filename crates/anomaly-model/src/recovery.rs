//! From where to restore.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::words::words;
use crate::{FeatureName, JobRef, StreamKey};

words! {
    /// How much speaks for a recovery point.
    pub enum Confidence, "confidence" {
        /// The image was judged normal, but little was seen of it, or the incident may have begun
        /// before it: restore it beside what there is, and look.
        Low = "low",
        /// The image and those before it were judged normal by numbers alone, or a person said that
        /// it was usual: what changes no numbers would not show.
        Medium = "medium",
        /// The image and those before it were judged normal, and what was written was looked at.
        High = "high",
    }
}

words! {
    /// Why an image after the recovery point is not to be trusted.
    pub enum SuspectReason, "suspect" {
        /// It is an anomaly that nobody called a false positive.
        Anomalous = "anomalous",
        /// It goes on with what was reported.
        GoesOn = "goes_on",
        /// It is less strange than an anomaly, and stranger than nearly all usual ones, shortly
        /// before one.
        Raised = "raised",
        /// It was judged normal, after the first sign.
        AfterFirstSign = "after_first_sign",
        /// Its stream was warming up: that nothing was found says little.
        WarmingUp = "warming_up",
        /// It was not judged.
        NotJudged = "not_judged",
        /// Some of the source could not be read.
        Partial = "partial",
        /// In a loss or change in small steps, it comes after the last image that had everything.
        Shrinking = "shrinking",
    }
}

/// An image that is not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Suspect {
    /// The job that made it.
    pub job: JobRef,
    /// Why not.
    pub reason: SuspectReason,
}

impl Suspect {
    /// The image of `job`, and why it is not to be trusted.
    #[must_use]
    pub fn new(job: JobRef, reason: SuspectReason) -> Self {
        Self { job, reason }
    }
}

/// The image to restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecoveryImage {
    /// The job that made it.
    pub job: JobRef,
    /// How much speaks for it.
    pub confidence: Confidence,
    /// What it was not judged on, because the tool does not report it.
    pub unseen: Vec<FeatureName>,
}

impl RecoveryImage {
    /// The image of `job`.
    #[must_use]
    pub fn new(job: JobRef, confidence: Confidence, unseen: Vec<FeatureName>) -> Self {
        Self {
            job,
            confidence,
            unseen,
        }
    }
}

/// From where to restore one stream, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecoveryPoint {
    /// Which stream.
    pub stream: StreamKey,
    /// The newest image that was judged normal before the first sign; `None` if there is none.
    pub image: Option<RecoveryImage>,
    /// When the first sign of the incident was: that of the client's first anomaly, or of what came
    /// before it in this stream; `None` if there is no incident.
    pub first_sign: Option<DateTime<Utc>>,
    /// Why this image, or why none, in plain sentences.
    pub reasons: Vec<String>,
    /// The images after it, newest first; at most [`MOST_SUSPECTS`](Self::MOST_SUSPECTS).
    pub suspects: Vec<Suspect>,
    /// How many more suspect images there are, older than those listed.
    pub more_suspects: u64,
}

impl RecoveryPoint {
    /// The most suspect images that are listed.
    pub const MOST_SUSPECTS: usize = 1_000;

    /// Nothing is known of the stream yet.
    #[must_use]
    pub fn new(stream: StreamKey) -> Self {
        Self {
            stream,
            image: None,
            first_sign: None,
            reasons: Vec::new(),
            suspects: Vec::new(),
            more_suspects: 0,
        }
    }
}

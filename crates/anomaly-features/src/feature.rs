//! What a feature is.

use anomaly_model::{BackupJob, FeatureName, ModelError};

use crate::{Previous, Transform, Unit};

/// On which side of its usual range a feature is suspicious.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suspicion {
    /// Only when it is higher than usual.
    Above,
    /// Only when it is lower than usual.
    Below,
    /// On either side.
    Both,
}

/// A feature's value in one job.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Reading {
    /// The value, in the feature's unit.
    pub value: f64,
    /// What the value is compared with or a part of, in the same unit; 1 where there is no such.
    pub reference: f64,
}

impl Reading {
    pub(crate) fn new(value: f64, reference: f64) -> Self {
        Self { value, reference }
    }
}

/// Why a job has no value of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Absent {
    /// The tool did not report what it takes: a blind spot.
    NotReported,
    /// There is nothing to measure: no previous image, or too few files written.
    NotApplicable,
}

/// One measured property of a job: its name, unit, scale, and how it is read.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Feature {
    /// The name in verdicts and settings; that of the job format's field where there is one.
    pub name: &'static str,
    /// How people call it.
    pub label: &'static str,
    /// What its number counts.
    pub unit: Unit,
    /// On which side it is suspicious.
    pub suspicion: Suspicion,
    /// The scale on which differences are compared.
    pub transform: Transform,
    /// The smallest difference that matters, on that scale. A stream that never varies is taken
    /// to vary this much: one file more than always is no anomaly.
    pub resolution: f64,
    pub(crate) read: fn(&BackupJob, Option<&Previous>) -> Result<Reading, Absent>,
}

impl Feature {
    /// Reads the feature from a job.
    ///
    /// # Errors
    /// [`Absent`] when the job has no value of it, with the reason.
    pub fn read(&self, job: &BackupJob, previous: Option<&Previous>) -> Result<Reading, Absent> {
        (self.read)(job, previous)
    }

    /// Where a reading lies on the feature's scale, in units of its resolution.
    #[must_use]
    pub fn coordinate(&self, reading: Reading) -> f64 {
        self.transform.forward(reading.value, reading.reference) / self.resolution
    }

    /// The value at a coordinate, for a job with this reference.
    #[must_use]
    pub fn value_at(&self, coordinate: f64, reference: f64) -> f64 {
        self.transform
            .inverse(coordinate * self.resolution, reference)
    }

    /// The name as a finding carries it.
    ///
    /// # Errors
    /// None for the features of [`FEATURES`](crate::FEATURES), whose names are not blank.
    pub fn feature_name(&self) -> Result<FeatureName, ModelError> {
        FeatureName::new(self.name)
    }
}

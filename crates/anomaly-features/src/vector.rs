//! All features of one job.

use anomaly_model::BackupJob;

use crate::{Absent, FEATURES, Feature, Previous, Reading};

/// All features of one job, in the order of [`FEATURES`].
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureVector {
    readings: Vec<Result<Reading, Absent>>,
}

/// Reads every feature of `job`; `previous` is the stream's image before it, if there was one.
#[must_use]
pub fn extract(job: &BackupJob, previous: Option<&Previous>) -> FeatureVector {
    FeatureVector {
        readings: FEATURES
            .iter()
            .map(|feature| feature.read(job, previous))
            .collect(),
    }
}

impl FeatureVector {
    /// The readings, one per feature of [`FEATURES`].
    pub fn readings(&self) -> &[Result<Reading, Absent>] {
        &self.readings
    }

    /// The reading of the feature called `name`, if the job has one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Reading> {
        let index = FEATURES.iter().position(|feature| feature.name == name)?;
        self.readings.get(index)?.ok()
    }

    /// The value of the feature called `name`, in its unit.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<f64> {
        self.get(name).map(|reading| reading.value)
    }

    /// Where each feature lies on its scale; NaN where the job has no value.
    pub fn coordinates(&self) -> impl Iterator<Item = f64> {
        self.readings
            .iter()
            .zip(FEATURES)
            .map(|(reading, feature)| {
                reading.map_or(f64::NAN, |reading| feature.coordinate(reading))
            })
    }

    /// The features that the tool did not report.
    pub fn unreported(&self) -> impl Iterator<Item = &'static Feature> {
        self.readings
            .iter()
            .zip(FEATURES)
            .filter(|(reading, _)| **reading == Err(Absent::NotReported))
            .map(|(_, feature)| feature)
    }
}

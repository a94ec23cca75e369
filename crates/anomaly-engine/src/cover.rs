//! What a person said was usual, and what later jobs that covers.

use anomaly_features::Share;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    AnomalyKind, BackupJob, Ceiling, CoveredBy, Direction, FeatureName, Finding, JobRef, Review,
    ReviewScope, Severity, Verdict,
};

use crate::alarm::Alarm;
use crate::levels::rounded;

/// A false positive that covers later jobs of its stream, as far as they are no stranger.
#[derive(Debug, Clone, PartialEq)]
pub struct FalsePositive {
    by: CoveredBy,
    severity: Severity,
    ceiling: Ceiling,
    covered: Vec<Measured>,
}

/// A number that stood out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    pub(crate) feature: FeatureName,
    pub(crate) direction: Direction,
    pub(crate) value: f64,
    /// Whether it is the least of several jobs in a row: many small ones are not one large one.
    pub(crate) lasting: bool,
}

impl Measured {
    pub(crate) fn of(finding: &Finding) -> Self {
        Self {
            feature: finding.feature.clone(),
            direction: finding.direction,
            value: finding.observed,
            lasting: false,
        }
    }

    /// A share of the data.
    pub(crate) fn share(share: Share, value: f64, lasting: bool) -> Option<Self> {
        Some(Self {
            feature: FeatureName::new(share.name()).ok()?,
            direction: Direction::Above,
            value: rounded(value),
            lasting,
        })
    }
}

impl FalsePositive {
    /// What the review of an anomaly covers; `None` if it covers nothing but the job itself, or
    /// nothing that its scope names was measured.
    #[must_use]
    pub fn of(anomaly: &Verdict, review: &Review) -> Option<Self> {
        if !review.covers_later_jobs() {
            return None;
        }
        let (severity, kind) = (anomaly.severity()?, anomaly.kind()?);
        let is_named = |feature: &FeatureName| match &review.scope {
            ReviewScope::Features(names) => names.contains(feature),
            _ => true,
        };
        let covered: Vec<Measured> = anomaly
            .findings
            .iter()
            .filter(|finding| is_named(&finding.feature))
            .map(|finding| Measured {
                lasting: kind == AnomalyKind::SlowDrift,
                ..Measured::of(finding)
            })
            .collect();
        let job = JobRef::new(anomaly.key(), anomaly.started_at);
        (!covered.is_empty()).then(|| Self {
            by: CoveredBy::new(job, review),
            severity,
            ceiling: review.ceiling,
            covered,
        })
    }

    /// Whether it covers every alarm of `job`.
    fn covers(&self, job: &BackupJob, alarms: &[Alarm]) -> bool {
        self.is_in_force_at(job.started_at()) && alarms.iter().all(|alarm| self.explains(alarm))
    }

    /// From the job on that it is about, until it expires: both by the jobs' own clock.
    fn is_in_force_at(&self, start: DateTime<Utc>) -> bool {
        self.by.job.started_at <= start && self.by.expires_at.is_none_or(|end| start < end)
    }

    /// Whether all that stands out in an alarm was usual. What was not measured is not covered.
    fn explains(&self, alarm: &Alarm) -> bool {
        let evidence = alarm.evidence();
        // What cannot wait is told, unless a person has seen as much of it and said it was usual.
        let ceiling = match alarm.severity {
            Severity::High if self.severity < Severity::High => return false,
            Severity::High => Ceiling::NO_MORE,
            _ => self.ceiling,
        };
        !evidence.is_empty() && evidence.iter().all(|now| self.reaches(now, ceiling))
    }

    fn reaches(&self, now: &Measured, ceiling: Ceiling) -> bool {
        self.covered
            .iter()
            .filter(|usual| {
                usual.feature == now.feature
                    && usual.direction == now.direction
                    && (usual.lasting || !now.lasting)
            })
            .any(|usual| {
                let most = furthest(usual.value, usual.direction, ceiling);
                match usual.direction {
                    Direction::Below => now.value >= most,
                    _ => now.value <= most,
                }
            })
    }
}

/// How far a value may go in one direction.
fn furthest(value: f64, direction: Direction, ceiling: Ceiling) -> f64 {
    let away_from_zero = (direction == Direction::Below) == (value < 0.0);
    if away_from_zero {
        value * ceiling.get()
    } else {
        value / ceiling.get()
    }
}

/// The false positive that covers all alarms of a job; the one that was said last of several.
pub(crate) fn covering<'a>(
    false_positives: &'a [FalsePositive],
    job: &BackupJob,
    alarms: &[Alarm],
) -> Option<&'a CoveredBy> {
    let covering = false_positives
        .iter()
        .filter(|said| !alarms.is_empty() && said.covers(job, alarms));
    covering
        .map(|said| &said.by)
        .max_by_key(|by| by.reviewed_at)
}

#[cfg(test)]
mod tests {
    use anomaly_model::{Ceiling, Direction};

    use super::furthest;

    /// A ceiling lets a value go further the way it went: away from zero or towards it, on either side.
    #[test]
    fn a_ceiling_is_further_the_same_way() {
        let ceiling = Ceiling::new(2.0).unwrap();
        for (value, direction, expected) in [
            (4.0, Direction::Above, 8.0),
            (4.0, Direction::Below, 2.0),
            (-4.0, Direction::Above, -2.0),
            (-4.0, Direction::Below, -8.0),
            (0.0, Direction::Above, 0.0),
        ] {
            let found = furthest(value, direction, ceiling);
            assert_eq!(
                found.to_bits(),
                f64::to_bits(expected),
                "{value} {direction:?}"
            );
            assert_eq!(
                furthest(value, direction, Ceiling::NO_MORE).to_bits(),
                value.to_bits()
            );
        }
    }
}

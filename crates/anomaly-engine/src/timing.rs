//! Whether a job came when its stream's jobs come.

use anomaly_model::BackupJob;
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};

use crate::StreamModel;

/// A start this much before the latest one is a clock that was set back, or a late arrival.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::hours(1);
/// A gap this many times the longest one of late means that a job was missed.
const MISSED_FACTOR: f64 = 2.5;
/// However much gaps differ, a gap this many times the longest is no usual one.
const MOST_FACTOR: f64 = 4.0;
/// No job counts as missed before this: who starts one again and again by hand keeps no schedule.
const LEAST_PATIENCE: TimeDelta = TimeDelta::hours(1);
/// Gaps needed to know a stream's cadence.
const CADENCE_GAPS: usize = 7;
/// No schedule has fewer jobs than one in a year and a month.
const MOST_GAP_SECONDS: i64 = 400 * 24 * 60 * 60;

/// Whether a job came when its stream's jobs come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timing {
    /// As usual, this long after the job before it; zero for the first one.
    Usual { gap: TimeDelta },
    /// So much before a job that ran earlier.
    Early { back: TimeDelta },
    /// After a gap far beyond the longest one of late.
    Late {
        gap: TimeDelta,
        longest: TimeDelta,
        /// Whether one as long was reported twice before.
        is_known: bool,
        /// Whether a person has confirmed, while it lasted, that a job was missed.
        is_confirmed: bool,
    },
}

impl Timing {
    /// Compares with the stream's latest job, and with the job of odd time after it, if there was
    /// one: what is odd twice in the same way is the new time.
    pub(crate) fn of(job: &BackupJob, model: &StreamModel) -> Self {
        let Some(latest) = model.latest_start() else {
            return Self::Usual {
                gap: TimeDelta::zero(),
            };
        };
        let against_latest = Self::against(job, latest, model);
        let odd = model.odd_start();
        let against_odd = odd.map(|odd| Self::against(job, odd, model));
        match (against_latest, against_odd) {
            // The gap is the one to the nearer of the two.
            (Self::Usual { .. }, _) if odd.is_none_or(|odd| odd < latest) => against_latest,
            (_, Some(usual @ Self::Usual { .. })) => usual,
            (Self::Late { gap, .. }, Some(late @ Self::Late { gap: nearer, .. }))
                if nearer < gap =>
            {
                late
            }
            _ => against_latest,
        }
    }

    fn against(job: &BackupJob, reference: DateTime<Utc>, model: &StreamModel) -> Self {
        let gap = job.started_at() - reference;
        if is_before(job.started_at(), reference) {
            return Self::Early { back: -gap };
        }
        match Cadence::of(model) {
            Some(cadence) if gap > cadence.patience => Self::Late {
                gap,
                longest: cadence.longest,
                is_known: gap <= cadence.told_patience,
                is_confirmed: false,
            },
            _ => Self::Usual {
                gap: gap.max(TimeDelta::zero()),
            },
        }
    }
}

/// How often the jobs of a stream come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cadence {
    /// The longest gap of late.
    pub(crate) longest: TimeDelta,
    /// How long nothing may come before a job counts as missed.
    pub(crate) patience: TimeDelta,
    /// The same, where what was reported twice counts as usual: a gap between the two is known.
    pub(crate) told_patience: TimeDelta,
}

impl Cadence {
    /// `None` while there are too few gaps to know it.
    ///
    /// Where gaps differ much, longer ones are to come: the longest may be as far from the next one
    /// as from the middle. Gaps that were reported make no stream one where gaps differ: each longer
    /// one is reported again.
    pub(crate) fn of(model: &StreamModel) -> Option<Self> {
        let mut gaps: Vec<i64> = model.gaps().map(|gap| gap.num_seconds()).collect();
        gaps.sort_unstable();
        if let [.., next, longest] = *gaps
            && is_by_a_wrong_clock(longest, next)
        {
            gaps.pop();
        }
        if gaps.len() < CADENCE_GAPS {
            return None;
        }
        let middle = gaps.get(gaps.len() / 2).copied().unwrap_or(1).max(1);
        let usual = gaps.last().copied().unwrap_or(1);
        let factor = (usual as f64 / middle as f64).clamp(MISSED_FACTOR, MOST_FACTOR);
        let longest = TimeDelta::seconds(usual);
        let longest = longest.max(model.longest_accepted_gap().unwrap_or_default());
        let told = model.longest_told_gap();
        let told = told.map_or(longest, |told| told.max(longest));
        Some(Self {
            longest,
            patience: times(longest, factor).max(LEAST_PATIENCE),
            told_patience: times(told, factor).max(LEAST_PATIENCE),
        })
    }
}

/// Whether the longest gap is none between two jobs: a clock that began anew, before there were
/// enough gaps to notice, leaves one of years.
fn is_by_a_wrong_clock(longest: i64, next: i64) -> bool {
    longest > MOST_GAP_SECONDS && longest as f64 > MOST_FACTOR * next as f64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "gaps are below 2^32 seconds"
)]
fn times(gap: TimeDelta, factor: f64) -> TimeDelta {
    TimeDelta::seconds((gap.num_seconds() as f64 * factor) as i64)
}

/// Whether `start` is before `reference` by more than jobs get out of turn.
pub(crate) fn is_before(start: DateTime<Utc>, reference: DateTime<Utc>) -> bool {
    reference - start > CLOCK_TOLERANCE
}

#[cfg(test)]
mod tests {
    use super::is_by_a_wrong_clock;

    /// What is longer than 400 days, and more than four times as long as the next, is no gap between jobs.
    #[test]
    fn a_gap_of_years_is_of_a_wrong_clock() {
        let days = |days: i64| days * 24 * 60 * 60;
        for (longest, next, is_wrong) in [
            (days(400), days(1), false),
            (days(400) + 1, days(1), true),
            (days(404), days(101), false),
            (days(404) + 1, days(101), true),
            (days(20_000), days(5_001), false),
        ] {
            assert_eq!(
                is_by_a_wrong_clock(longest, next),
                is_wrong,
                "{longest} {next}"
            );
        }
    }
}

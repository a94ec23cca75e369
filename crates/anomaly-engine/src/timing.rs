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
/// Gaps needed to know a stream's cadence.
const CADENCE_GAPS: usize = 7;

/// Whether a job came when its stream's jobs come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timing {
    /// As usual, this long after the job before it; zero for the first one.
    Usual { gap: TimeDelta },
    /// So much before a job that ran earlier.
    Early { back: TimeDelta },
    /// After a gap far beyond the longest one of late.
    Late { gap: TimeDelta, longest: TimeDelta },
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
        match model
            .longest_gap()
            .filter(|_| model.gaps().len() >= CADENCE_GAPS)
        {
            Some(longest) if is_missing(gap, longest, model) => Self::Late { gap, longest },
            _ => Self::Usual {
                gap: gap.max(TimeDelta::zero()),
            },
        }
    }
}

/// Whether a gap means that a job was missed. Where gaps differ much, longer ones are to come: the
/// longest may be as far from the next one as from the middle. Gaps that were reported make no
/// stream one where gaps differ: each longer one is reported again.
fn is_missing(gap: TimeDelta, longest: TimeDelta, model: &StreamModel) -> bool {
    let mut gaps: Vec<i64> = model.gaps().map(|gap| gap.num_seconds()).collect();
    gaps.sort_unstable();
    let middle = gaps.get(gaps.len() / 2).copied().unwrap_or(1).max(1);
    let spread = gaps.last().copied().unwrap_or(1) as f64 / middle as f64;
    gap.num_seconds() as f64
        > longest.num_seconds() as f64 * spread.clamp(MISSED_FACTOR, MOST_FACTOR)
}

/// Whether `start` is before `reference` by more than jobs get out of turn.
pub(crate) fn is_before(start: DateTime<Utc>, reference: DateTime<Utc>) -> bool {
    reference - start > CLOCK_TOLERANCE
}

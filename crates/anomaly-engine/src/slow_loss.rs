//! Data that go a little every day.

use anomaly_model::BackupJob;

use crate::memory::{Memory, Remembered};

/// Lost by and by, beside the largest single step, this part of the files or the data is too much.
const TOO_MUCH: f64 = 0.15;
/// So much more must go before it is reported again.
const MORE: f64 = 0.1;

/// How much of a stream's data and files is gone since the most that it remembers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SlowLoss {
    pub(crate) bytes: f64,
    pub(crate) files: f64,
    /// The smaller part that went by and by: without the largest single step.
    gradual: f64,
}

impl SlowLoss {
    /// Up to and with this job. `None` if it reports no sizes, or there is nothing to lose.
    ///
    /// The most that is remembered does not move with what is lost: step by step does not make it
    /// usual.
    pub(crate) fn of(memory: &Memory, job: &BackupJob) -> Option<Self> {
        if job.schedule().holds_changes_only() {
            return None;
        }
        let bytes = decline(memory, job.image().image_bytes?, |job| job.image_bytes)?;
        let files = decline(memory, job.image().file_count?, |job| job.file_count)?;
        Some(Self {
            bytes: bytes.whole,
            files: files.whole,
            gradual: bytes.gradual.min(files.gradual),
        })
    }

    /// The part of data and files that is gone.
    pub(crate) fn lost(self) -> f64 {
        self.bytes.min(self.files)
    }

    /// Whether to report it, when it was last reported at `reported` lost.
    pub(crate) fn is_news(self, reported: f64) -> bool {
        self.gradual >= TOO_MUCH
            && self.lost() >= reported + if reported > 0.0 { MORE } else { 0.0 }
    }

    /// Whether what was reported is over: most of it came back, or was forgotten.
    pub(crate) fn is_over(self) -> bool {
        self.lost() < MORE
    }
}

/// How far a number fell below the most that is remembered, in parts of that.
#[derive(Debug, Clone, Copy)]
struct Decline {
    whole: f64,
    /// Without the largest single step.
    gradual: f64,
}

fn decline(
    memory: &Memory,
    now: u64,
    number: impl Fn(&Remembered) -> Option<u64>,
) -> Option<Decline> {
    let mut most = 0_u64;
    let mut before = None;
    let mut largest_step = 0_u64;
    for value in memory.jobs().filter_map(number).chain([now]) {
        if value >= most {
            (most, largest_step) = (value, 0);
        } else if let Some(before) = before {
            largest_step = largest_step.max(u64::saturating_sub(before, value));
        }
        before = Some(value);
    }
    if most == 0 {
        return None;
    }
    let part = |lost: u64| lost as f64 / most as f64;
    let whole = part(most - now.min(most));
    Some(Decline {
        whole,
        gradual: whole - part(largest_step),
    })
}

//! Data that go a little every day.

use anomaly_model::BackupJob;

use crate::memory::{Memory, Remembered};

/// Lost by and by, beside the largest single step, this part of the files or the data is too much.
const TOO_MUCH: f64 = 0.15;
/// So is this part in all, if no single step took more than half of it.
const TOO_MUCH_IN_ALL: f64 = 0.2;
/// So much more must go before it is reported again.
const MORE: f64 = 0.1;

/// How much of a stream's data and files is gone since the most that it remembers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SlowLoss {
    pub(crate) bytes: f64,
    pub(crate) files: f64,
    /// The smaller part that went by and by: without the largest single step.
    gradual: f64,
    /// The smaller part that went with this job.
    last_step: f64,
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
            last_step: bytes.last_step.min(files.last_step),
        })
    }

    /// The part of data and files that is gone.
    pub(crate) fn lost(self) -> f64 {
        self.bytes.min(self.files)
    }

    /// Whether to report it, when it was last reported at `reported` lost. A job with which much of
    /// it went is told as what it is, and may be made good by the next.
    pub(crate) fn is_news(self, reported: f64) -> bool {
        let (lost, gradual) = (self.lost(), self.gradual);
        let too_much = gradual >= TOO_MUCH || lost >= TOO_MUCH_IN_ALL && gradual >= lost / 2.0;
        // A step that took more than half of what is lost leaves too little beside it.
        let sudden = self.last_step > TOO_MUCH;
        too_much && !sudden && lost >= reported + MORE
    }

    /// What counts as reported after this job, if `reported` did before. What came back, or was
    /// forgotten, is news when it goes again.
    pub(crate) fn reported(self, reported: f64) -> f64 {
        let lost = self.lost();
        if self.is_news(reported) {
            lost
        } else if lost < MORE {
            0.0
        } else {
            reported.min(lost)
        }
    }
}

/// How far a number fell below the most that is remembered, in parts of that.
#[derive(Debug, Clone, Copy)]
struct Decline {
    whole: f64,
    /// Without the largest single step.
    gradual: f64,
    last_step: f64,
}

fn decline(
    memory: &Memory,
    now: u64,
    number: impl Fn(&Remembered) -> Option<u64>,
) -> Option<Decline> {
    let jobs = memory.jobs();
    let (mut numbers, mut confirmed): (Vec<u64>, Vec<bool>) = jobs
        .filter_map(|job| Some((number(job)?, job.is_confirmed())))
        .unzip();
    numbers.push(now);
    confirmed.push(false);
    let most = numbers.iter().copied().max().filter(|most| *most > 0)?;
    let since = numbers.iter().rposition(|number| *number == most)?;
    let (since, confirmed) = (&numbers[since..], &confirmed[since..]);
    let part = |lost: u64| lost as f64 / most as f64;
    let whole = part(most - now);
    let step = largest_lasting_fall(since).max(second_largest_fall(since, confirmed));
    let before = since.iter().rev().nth(1).copied().unwrap_or(now);
    Some(Decline {
        whole,
        gradual: whole - part(step),
        last_step: part(before.saturating_sub(now)),
    })
}

/// The largest fall from one number to the next that later ones did not make good.
fn largest_lasting_fall(numbers: &[u64]) -> u64 {
    let mut largest = 0;
    let mut most_after = numbers.last().copied().unwrap_or(0);
    for &number in numbers.iter().rev() {
        if number > most_after {
            largest = largest.max(number - most_after);
            most_after = number;
        }
    }
    largest
}

/// The largest fall from one number to the next but for one. A stream that fell so twice goes up
/// and down by itself; one fall, made good the day after, hides nothing, nor does one that was
/// confirmed.
fn second_largest_fall(numbers: &[u64], confirmed: &[bool]) -> u64 {
    let (mut largest, mut second) = (0, 0);
    let falls = numbers.windows(2).zip(confirmed.iter().skip(1));
    for (pair, _) in falls.filter(|(_, confirmed)| !**confirmed) {
        let fall = pair[0].saturating_sub(pair[1]);
        second = second.max(fall.min(largest));
        largest = largest.max(fall);
    }
    second
}

#[cfg(test)]
mod tests {
    use anomaly_model::{BackupImage, BackupJob};

    use super::SlowLoss;
    use crate::memory::Memory;

    /// Of nothing, no part is gone.
    #[test]
    fn there_is_nothing_to_lose() {
        let image = BackupImage::default().image_bytes(0).file_count(0);
        let start = "2026-01-01T00:00:00Z".parse().unwrap();
        let job = BackupJob::builder("restic", "1", "mail01", "daily", start);
        let job = job.image(image).build().unwrap();
        assert_eq!(SlowLoss::of(&Memory::default(), &job), None);
    }
}

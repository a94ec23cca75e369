//! The last jobs of a stream, as they are needed to judge the next one.

use std::collections::VecDeque;
use std::ops::Range;

use anomaly_features::{AffectedShares, Share, Usual, compression};
use anomaly_model::BackupJob;
use serde::{Deserialize, Serialize};

use crate::history::push_bounded;
use crate::level::{Level, StoredLevel, smallest_in_windows};
use crate::statistic::Statistic;

/// Compressions of which the median is the usual one.
const COMPRESSIONS: usize = 32;
/// A share of most of the data.
pub(crate) const MOST: f64 = 0.5;
/// A stream that did something this often does so at times.
const AT_TIMES: usize = 2;
/// A sustained statistic needs this many earlier windows to compare with.
const FEWEST_WINDOWS: usize = 3;

/// What is known of a strange job beyond that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Strange {
    /// Nothing: it waits for a person.
    #[default]
    Unsaid,
    /// It teaches once there is one like it: only where every job is known to be ordinary, as where a
    /// population is learnt.
    Ordinary,
    /// A person confirmed it, or it goes on with one that was: it says nothing of what the stream does
    /// by itself, however often it comes.
    Confirmed,
}

/// One job that left an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// Whether it was strange, and no person has said that it was usual.
    pub(crate) held: bool,
    pub(crate) strange: Strange,
    pub(crate) image_bytes: Option<u64>,
    pub(crate) file_count: Option<u64>,
    pub(crate) transferred_bytes: Option<u64>,
    pub(crate) duration_seconds: Option<f32>,
    /// See [`anomaly_features::compression`].
    pub(crate) compression: Option<f32>,
    /// By [`Share`].
    levels: [StoredLevel; Share::COUNT],
}

impl Remembered {
    #[expect(clippy::cast_possible_truncation, reason = "seven digits are enough")]
    pub(crate) fn of(job: &BackupJob, shares: &AffectedShares, held: bool) -> Self {
        let image = job.image();
        let mut levels = [StoredLevel::default(); Share::COUNT];
        for (level, &share) in levels.iter_mut().zip(Share::ALL) {
            *level = shares.get(share).map(Level::of).into();
        }
        Self {
            held,
            strange: Strange::Unsaid,
            image_bytes: image.image_bytes,
            file_count: image.file_count,
            transferred_bytes: image.transferred_bytes,
            duration_seconds: job.duration_seconds().map(|seconds| seconds as f32),
            compression: compression(job).map(|ratio| ratio as f32),
            levels,
        }
    }

    pub(crate) fn level(&self, share: Share) -> Option<Level> {
        self.stored_level(share).get()
    }

    pub(crate) fn stored_level(&self, share: Share) -> StoredLevel {
        self.levels[share as usize]
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        self.strange == Strange::Confirmed
    }

    fn is_ordinary(&self) -> bool {
        self.strange == Strange::Ordinary
    }

    pub(crate) fn is_sound(&self) -> bool {
        self.levels.iter().all(|level| level.is_sound())
    }
}

/// The last jobs of a stream, oldest first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Memory {
    jobs: VecDeque<Remembered>,
    /// How many there have been.
    count: u64,
}

/// What a statistic was in the past, and is now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) now: Level,
    /// What teaches.
    pub(crate) past: Vec<Level>,
    /// The most of what was strange, and does not teach.
    pub(crate) strangest: Option<Level>,
}

impl Memory {
    pub(crate) fn jobs(&self) -> impl DoubleEndedIterator<Item = &Remembered> + ExactSizeIterator {
        self.jobs.iter()
    }

    pub(crate) fn push(&mut self, job: Remembered, capacity: usize) {
        self.count = self.count.saturating_add(1);
        push_bounded(&mut self.jobs, job, capacity);
    }

    /// How many jobs there have been.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Where the job of this number, from 0, is among those that are remembered.
    fn index(&self, number: u64) -> Option<usize> {
        let first = self.count.checked_sub(self.jobs.len() as u64)?;
        let index = usize::try_from(number.checked_sub(first)?).ok()?;
        (index < self.jobs.len()).then_some(index)
    }

    /// Whether the job of this number, from 0, is still remembered.
    pub(crate) fn remembers(&self, number: u64) -> bool {
        self.index(number).is_some()
    }

    /// Marks a remembered job as one that does not teach, or does.
    pub(crate) fn mark(&mut self, number: Option<u64>, held: bool) {
        let index = number.and_then(|number| self.index(number));
        if let Some(job) = index.and_then(|index| self.jobs.get_mut(index)) {
            job.held = held;
        }
    }

    /// Whether the job of this number, from 0, is remembered as one that was confirmed.
    pub(crate) fn is_confirmed(&self, number: Option<u64>) -> bool {
        let index = number.and_then(|number| self.index(number));
        let job = index.and_then(|index| self.jobs.get(index));
        job.is_some_and(Remembered::is_confirmed)
    }

    /// Marks the strange jobs of these numbers, from 0, as confirmed, or takes that back.
    pub(crate) fn confirm(&mut self, numbers: Range<u64>, confirmed: bool) {
        let first = self.count.saturating_sub(self.jobs.len() as u64);
        for (number, job) in (first..).zip(&mut self.jobs) {
            if !numbers.contains(&number) || !job.held {
                continue;
            }
            job.strange = match (confirmed, job.strange) {
                (true, _) => Strange::Confirmed,
                (false, Strange::Confirmed) => Strange::Unsaid,
                (false, other) => other,
            };
        }
    }

    /// No strange job teaches, but where a person accepted it.
    pub(crate) fn teach_only_accepted(&mut self) {
        for job in &mut self.jobs {
            job.strange = Strange::Unsaid;
        }
    }

    pub(crate) fn is_sound(&self) -> bool {
        self.jobs.iter().all(Remembered::is_sound)
    }

    /// What is usual in the stream.
    pub(crate) fn usual(&self) -> Usual {
        Usual::new(self.usual_compression(), self.whole())
    }

    /// The largest image, if the stream's images hold everything at times and changes only at
    /// others.
    fn whole(&self) -> Option<(u64, u64)> {
        if !self.alternates() {
            return None;
        }
        let bytes = self.jobs.iter().filter_map(|job| job.image_bytes).max()?;
        let files = self.jobs.iter().filter_map(|job| job.file_count).max()?;
        Some((bytes, files))
    }

    /// Whether the stream's images hold everything at times and changes only at others: half of the
    /// data and of the files went from one job to the next more than once. A deletion that stays
    /// did so once, and one that was confirmed is none of the stream's own.
    pub(crate) fn alternates(&self) -> bool {
        let sizes = self
            .jobs
            .iter()
            .filter_map(|job| Some((job.image_bytes?, job.file_count?, job.is_confirmed())));
        let fell =
            |before: u64, now: u64| (now as f64) <= (1.0 - MOST) * before as f64 && before > 0;
        let falls = sizes
            .clone()
            .zip(sizes.skip(1))
            .filter(|(before, now)| !now.2 && fell(before.0, now.0) && fell(before.1, now.1));
        falls.take(AT_TIMES).count() == AT_TIMES
    }

    /// Whether a remembered job did so with at least this share of the data.
    pub(crate) fn happened(&self, share: Share, at_least: f64) -> bool {
        let level = Level::of(at_least);
        self.jobs
            .iter()
            .any(|job| !job.is_confirmed() && job.level(share).is_some_and(|past| past >= level))
    }

    /// The part of new data that is usually left when they are stored: the median of late.
    fn usual_compression(&self) -> Option<f64> {
        let usual = self.jobs.iter().rev().filter(|job| !job.held);
        let mut of_late: Vec<f32> = usual
            .filter_map(|job| job.compression)
            .take(COMPRESSIONS)
            .collect();
        let middle = of_late.len() / 2;
        of_late.sort_by(f32::total_cmp);
        of_late.get(middle).map(|&ratio| f64::from(ratio))
    }

    /// A statistic of the job now, and of the jobs before it.
    ///
    /// `None` if the job has no value, or a sustained statistic too short a past.
    pub(crate) fn compare(
        &self,
        statistic: Statistic,
        shares: &AffectedShares,
    ) -> Option<Comparison> {
        let now = Level::of(shares.get(statistic.share)?);
        if statistic.is_sustained() {
            self.compare_sustained(statistic, now)
        } else {
            Some(self.compare_one(statistic.share, now))
        }
    }

    /// A share of one job. Usual jobs teach. Where every job is ordinary, strange ones do too, all but
    /// the strangest: one says nothing, the same again is how the stream is.
    fn compare_one(&self, share: Share, now: Level) -> Comparison {
        let mut past = Vec::with_capacity(self.jobs.len());
        let (mut strangest, mut kept_back) = (None, None);
        for job in &self.jobs {
            let Some(level) = job.level(share) else {
                continue;
            };
            if !job.held {
                past.push(level);
                continue;
            }
            strangest = strangest.max(Some(level));
            if job.is_ordinary() {
                past.extend(kept_back.map(|before| level.min(before)));
                kept_back = kept_back.max(Some(level));
            }
        }
        Comparison {
            now,
            past,
            strangest,
        }
    }

    /// The smallest level of the last jobs, this one included, and that of each window of jobs that
    /// ended before them: what goes on now has not taught what it is compared with. A window that
    /// ended with a strange job does not teach, as that job does not: what lasted once, and nobody
    /// called usual, is told when it comes again.
    fn compare_sustained(&self, statistic: Statistic, now: Level) -> Option<Comparison> {
        let mut before: Vec<StoredLevel> = self
            .jobs
            .iter()
            .map(|job| job.stored_level(statistic.share))
            .collect();
        let first = before.len().checked_sub(statistic.window - 1)?;
        let lasting = before.drain(first..).min()?;
        let ends = self.jobs.iter().skip(statistic.window - 1);
        let mut past = Vec::with_capacity(self.jobs.len());
        let mut strangest = None;
        for (level, end) in smallest_in_windows(before, statistic.window)
            .into_iter()
            .zip(ends)
        {
            let Some(level) = level.get() else { continue };
            if !end.held || end.is_ordinary() {
                past.push(level);
            } else {
                strangest = strangest.max(Some(level));
            }
        }
        (past.len() >= FEWEST_WINDOWS).then_some(Comparison {
            now: now.min(lasting.get()?),
            past,
            strangest,
        })
    }
}

#[cfg(test)]
mod tests {
    use anomaly_features::AffectedShares;
    use anomaly_model::{BackupImage, BackupJob};

    use super::{Memory, Remembered};

    /// Half of both went, twice, by itself: data alone, files alone, and nothing at all do not count.
    #[test]
    fn a_stream_alternates_where_half_of_both_goes_more_than_once() {
        let alternates = |sizes: &[(u64, u64)], confirmed: Option<u64>| {
            let mut memory = Memory::default();
            for (bytes, files) in sizes {
                let image = BackupImage::default()
                    .image_bytes(*bytes)
                    .file_count(*files);
                let start = "2026-01-01T00:00:00Z".parse().unwrap();
                let job = BackupJob::builder("restic", "1", "mail01", "daily", start);
                let job = job.image(image).build().unwrap();
                let shares = AffectedShares::of(&job, None, &memory.usual());
                memory.push(Remembered::of(&job, &shares, true), 10);
            }
            if let Some(number) = confirmed {
                memory.confirm(number..number + 1, true);
            }
            memory.alternates()
        };
        let both = [(80, 40), (40, 20), (80, 40), (39, 19)];
        assert!(alternates(&both, None));
        assert!(!alternates(&both[..3], None));
        assert!(!alternates(&both, Some(3)));
        assert!(alternates(&both, Some(2)));
        assert!(!alternates(&both.map(|(bytes, _)| (bytes, 40)), None));
        assert!(!alternates(&both.map(|(_, files)| (80, files)), None));
        assert!(!alternates(
            &both.map(|(bytes, files)| (bytes.max(41), files)),
            None
        ));
        assert!(!alternates(&[(0, 0); 4], None));
    }
}

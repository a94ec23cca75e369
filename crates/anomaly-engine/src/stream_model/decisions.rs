//! What people decided about a stream's anomalies: accepted, confirmed, and taken back.

use anomaly_model::JobKey;
use anomaly_model::chrono::TimeDelta;

use super::{CONFIRMED_GAP, StreamModel, seconds};
use crate::held::{Acceptance, Held, Lesson};

impl StreamModel {
    /// Learns an anomalous job after all, because a person says that it was a usual one. An empty
    /// image that is accepted is what the next one is compared with.
    ///
    /// Says whether it did: a job that is not held (never anomalous, accepted before, or older
    /// than the 32 newest strange ones) changes nothing.
    pub fn accept(&mut self, job: &JobKey) -> bool {
        self.accept_where(Acceptance::Itself, |held| held.job == *job) > 0
    }

    /// Learns an anomalous job and those that went on from it without being reported, because they
    /// are how the stream is now.
    ///
    /// Says how many: none if the job is not held, or was accepted before.
    pub fn accept_level_shift(&mut self, job: &JobKey) -> usize {
        let began = self.held.find(job).filter(|held| held.accepted.is_none());
        let Some(first) = began.and_then(|held| held.number) else {
            return 0;
        };
        let part = first..self.next_told(first);
        let is_part = |held: &Held| held.number.is_some_and(|number| part.contains(&number));
        self.accept_where(Acceptance::LevelShift(first), is_part)
    }

    /// The number of the job that was reported next after that of number `first`; the greatest of all
    /// if none was.
    fn next_told(&self, first: u64) -> u64 {
        let after = self.held.iter().filter(|held| held.number > Some(first));
        let mut told = after.filter(|held| held.told);
        told.find_map(|held| held.number).unwrap_or(u64::MAX)
    }

    /// Notes that an anomalous job, and those that went on from it without being reported, are what
    /// they looked like. They never taught; now they do not even say, by coming again, that the
    /// stream does such things at times. So do those that go on from it later.
    ///
    /// Says whether the job is still known as a strange one; else nothing changes.
    pub fn confirm(&mut self, job: &JobKey) -> bool {
        self.mark_confirmed(job, true)
    }

    /// Takes a [`confirm`](Self::confirm) back.
    pub fn unconfirm(&mut self, job: &JobKey) -> bool {
        self.mark_confirmed(job, false)
    }

    fn mark_confirmed(&mut self, job: &JobKey, confirmed: bool) -> bool {
        let Some(first) = self.held.find(job).and_then(|held| held.number) else {
            return false;
        };
        let numbers = first..self.next_told(first);
        self.memory.confirm(numbers, confirmed);
        true
    }

    /// Notes that a gap which was reported while it lasted, and not with the job that ended it, was what
    /// it looked like, or takes that back: it does not say, by coming again, that the stream has such
    /// gaps.
    ///
    /// Says whether the gap is remembered as one that was reported; else nothing changes.
    pub fn confirm_gap(&mut self, gap: TimeDelta, confirmed: bool) -> bool {
        let (mark, marked) = if confirmed {
            (0, CONFIRMED_GAP)
        } else {
            (CONFIRMED_GAP, 0)
        };
        let Some(gap_seconds) = seconds(gap) else {
            return false;
        };
        let mut told = self.odd_gap_seconds.iter_mut();
        let found = told.find(|told| **told == gap_seconds | mark);
        let is_known = found.is_some();
        if let Some(told) = found {
            *told = gap_seconds | marked;
        }
        is_known
    }

    /// Whether an anomalous job was accepted, and can still be taken back.
    #[must_use]
    pub fn is_accepted(&self, job: &JobKey) -> bool {
        let held = self.held.find(job);
        held.is_some_and(|held| held.accepted.is_some())
    }

    /// Marks held jobs as usual, and says how many were not before.
    fn accept_where(&mut self, how: Acceptance, is_meant: impl Fn(&Held) -> bool) -> usize {
        let Self {
            held,
            memory,
            previous,
            written_files,
            ..
        } = self;
        let waiting = held.iter_mut().filter(|held| held.accepted.is_none());
        let mut accepted = 0;
        for held in waiting.filter(|held| is_meant(held)) {
            held.accepted = Some(how);
            accepted += 1;
            written_files.accept(&held.job);
            match &mut held.lesson {
                Lesson::Numbers { .. } => memory.mark(held.number, false),
                Lesson::Empty { image, replaced } => {
                    *replaced = previous.replace(*image);
                }
            }
        }
        accepted
    }

    /// Takes an [`accept`](Self::accept) or an [`accept_level_shift`](Self::accept_level_shift)
    /// back: what the jobs taught is forgotten, and the model is what it would be if they had
    /// taught only what came in between. They may be accepted again.
    ///
    /// Says whether there was something to take back. An empty image that was accepted stays what
    /// images are compared with when another came after it, and so do accepted attributes of files
    /// when others were learnt since.
    pub fn retract(&mut self, job: &JobKey) -> bool {
        let found = self.held.find(job);
        let Some((number, how)) = found.and_then(|held| Some((held.number, held.accepted?))) else {
            return false;
        };
        let Self {
            held,
            memory,
            previous,
            written_files,
            ..
        } = self;
        let began_shift = number.map(Acceptance::LevelShift);
        for held in held.iter_mut() {
            let is_meant = match how {
                Acceptance::LevelShift(_) if began_shift == Some(how) => held.accepted == Some(how),
                _ => held.job == *job,
            };
            if !is_meant || held.accepted.take().is_none() {
                continue;
            }
            written_files.retract(&held.job);
            match &mut held.lesson {
                Lesson::Numbers { .. } => memory.mark(held.number, true),
                Lesson::Empty { image, replaced } => {
                    let before = replaced.take();
                    if previous.as_ref() == Some(image) {
                        *previous = before;
                    }
                }
            }
        }
        true
    }
}

//! What is known of a stream without reading its jobs.

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{
    BackupJob, ClientName, FeatureName, JobRef, Judgement, LevelShift, PolicyName, PolicyType,
    ScheduleType, Silence, StreamCoverage, StreamKey, Verdict, Watch,
};
use anomaly_settings::{Settings, Subject, SwitchedOffBy};
use serde::{Deserialize, Serialize};

use crate::StreamModel;
use crate::judge::SWITCHED_OFF;
use crate::timing::Cadence;

/// A start this much after now is that of a wrong clock.
const AHEAD: TimeDelta = TimeDelta::days(1);

/// What is known of a stream without reading its jobs: whether it is judged, and when its next job
/// has to come.
///
/// It is a record for a store, written with each job, from which [`coverage`](Self::coverage) and
/// [`overdue`](Self::overdue) are answered at any time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamStatus {
    client: ClientName,
    policy: PolicyName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy_type: Option<PolicyType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schedule_type: Option<ScheduleType>,
    last_job: JobRef,
    jobs: u64,
    learnt_jobs: u32,
    /// Why the last job was not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_scored: Option<String>,
    /// Of the last job that was judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unseen: Vec<FeatureName>,
    /// The latest start of a job that came when it was due.
    latest_start: Option<DateTime<Utc>>,
    /// The start of the last job, if it came at an odd time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    odd_start: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rhythm: Option<Rhythm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    missed: Option<Missed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proposal: Option<LevelShift>,
}

/// How often jobs come.
#[expect(
    clippy::struct_field_names,
    reason = "the unit is the last word of a number's name"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Rhythm {
    /// The longest gap of late.
    longest_seconds: i64,
    /// How long nothing may come.
    patience_seconds: i64,
    /// How long nothing may come before that is told again.
    told_patience_seconds: i64,
}

impl Rhythm {
    fn of(model: &StreamModel) -> Option<Self> {
        let cadence = Cadence::of(model)?;
        Some(Self {
            longest_seconds: cadence.longest.num_seconds(),
            patience_seconds: cadence.patience.num_seconds(),
            told_patience_seconds: cadence.told_patience.num_seconds(),
        })
    }
}

/// A missed job that was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Missed {
    /// The start of the job before it.
    after: DateTime<Utc>,
    /// When it was reported.
    told_at: DateTime<Utc>,
    /// Whether a person has confirmed it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    confirmed: bool,
}

/// Whether a job that is due has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overdue {
    /// It has come, or is not due yet: to be asked again at this time, if ever.
    Not {
        /// The time to ask again; `None` when it is never due.
        again_at: Option<DateTime<Utc>>,
    },
    /// It may not have come; whether that is so, the next tick says.
    Wait,
    /// It has not come, and nobody was told.
    Missed(Silence),
}

impl StreamStatus {
    /// After a job that nobody could judge, because the stream's model cannot be used: what was known
    /// stays.
    #[must_use]
    pub fn after_unjudged(before: Option<&Self>, job: &BackupJob, verdict: &Verdict) -> Self {
        let mut status = Self::after(before, job, verdict, &StreamModel::default());
        if let Some(before) = before {
            status.learnt_jobs = before.learnt_jobs;
            status.latest_start = before.latest_start.max(Some(job.started_at()));
            status.odd_start = before.odd_start;
            status.rhythm = before.rhythm;
            status.proposal.clone_from(&before.proposal);
        }
        status
    }

    /// After a job was judged: `before` is the status before it, `model` that of the stream after
    /// it.
    #[must_use]
    pub fn after(
        before: Option<&Self>,
        job: &BackupJob,
        verdict: &Verdict,
        model: &StreamModel,
    ) -> Self {
        let not_scored = match &verdict.judgement {
            // Whether detection is on, the settings are asked, which may change.
            Judgement::NotScored { reason } if reason != SWITCHED_OFF => Some(reason.clone()),
            _ => None,
        };
        let was_judged = verdict.p_value.is_some() || verdict.judgement == Judgement::Normal;
        let unseen = match before {
            Some(before) if !was_judged => before.unseen.clone(),
            _ => verdict.unseen.clone(),
        };
        let proposal = match &verdict.level_shift {
            Some(shift) => (!shift.accepted).then(|| shift.clone()),
            None if verdict.is_anomalous() || !model.goes_on() => None,
            None => before.and_then(|before| before.proposal.clone()),
        };
        Self {
            client: job.client().name.clone(),
            policy: job.policy().name.clone(),
            policy_type: job.policy().policy_type.clone(),
            schedule_type: job.schedule().schedule_type,
            last_job: JobRef::new(job.key(), job.started_at()),
            jobs: before.map_or(0, |before| before.jobs).saturating_add(1),
            learnt_jobs: u32::try_from(model.learnt_jobs()).unwrap_or(u32::MAX),
            not_scored,
            unseen,
            latest_start: model.latest_start(),
            odd_start: model.odd_start(),
            rhythm: Rhythm::of(model),
            missed: before.and_then(|before| before.missed),
            proposal,
        }
    }

    /// The same, after a person decided what was proposed, or what else was learnt or unlearnt.
    #[must_use]
    pub fn after_review(mut self, model: &StreamModel) -> Self {
        self.learnt_jobs = u32::try_from(model.learnt_jobs()).unwrap_or(u32::MAX);
        // A model that was forgotten has none yet; what was known of the stream's jobs still holds.
        self.rhythm = Rhythm::of(model).or(self.rhythm);
        self.proposal = self.proposal.filter(|proposal| {
            let began = proposal.began_with.as_ref();
            began.is_none_or(|began| !model.is_accepted(began))
        });
        self
    }

    /// The start of the job after which one was reported as missed, before the next one came.
    #[must_use]
    pub fn missed_after(&self) -> Option<DateTime<Utc>> {
        self.missed.map(|missed| missed.after)
    }

    /// Whether a person has confirmed that.
    #[must_use]
    pub fn missed_is_confirmed(&self) -> bool {
        self.missed.is_some_and(|missed| missed.confirmed)
    }

    /// A time at which [`overdue`](Self::overdue) is to be asked, since a job may be missed then;
    /// `None` while too few jobs say how often they come, or after that was told.
    ///
    /// `last_tick` is when it was last asked: a job that says to have started long after that has a
    /// wrong clock, and does not put off the next one.
    #[must_use]
    pub fn due_at(&self, last_tick: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        let start = match last_tick {
            Some(last) => self.reference(last)?,
            None => self.latest_start?,
        };
        let was_told = self.missed.is_some_and(|missed| missed.after == start);
        let may_be_ahead = self.odd_start.is_some_and(|odd| odd > start);
        if was_told && !may_be_ahead {
            return None;
        }
        self.told_due_after(start)
    }

    /// Whether the job that is due has come, at `now` by the caller's clock, when the last time that
    /// the caller asked was `last_tick`.
    ///
    /// A missed job is told once, until the stream's next job. After a pause longer than half of
    /// what the stream may be late, the first answer is to wait: jobs that came meanwhile may not
    /// have been handed over yet. What was overdue when it came, because a clock is wrong or jobs are
    /// handed over late, is not told again.
    #[must_use]
    pub fn overdue(
        &self,
        settings: &Settings,
        now: DateTime<Utc>,
        last_tick: Option<DateTime<Utc>>,
    ) -> Overdue {
        let never = Overdue::Not { again_at: None };
        let Some((start, rhythm)) = self.reference(now).zip(self.rhythm) else {
            return never;
        };
        let told_before = self.missed.filter(|missed| missed.after != start);
        let Some(due_at) = self.told_due_after(start) else {
            return never;
        };
        let already_told = self.missed.is_some_and(|missed| missed.after == start);
        if already_told || told_before.is_some_and(|missed| due_at <= missed.told_at) {
            return never;
        }
        if now < due_at {
            return Overdue::Not {
                again_at: Some(due_at),
            };
        }
        let subject = self.subject(now);
        if settings.switched_off_for(subject).is_some()
            || !settings.detection_for(subject).rules.missed_backup
        {
            // The settings may change, and the job may still not have come then.
            return Overdue::Not {
                again_at: Some(now + TimeDelta::seconds(rhythm.longest_seconds.max(3_600))),
            };
        }
        let pause = TimeDelta::seconds(rhythm.patience_seconds / 2);
        let seen_before = last_tick.is_some_and(|last| due_at <= last || now - last <= pause);
        if seen_before {
            Overdue::Missed(Silence::new(start, due_at))
        } else {
            Overdue::Wait
        }
    }

    /// Notes that a missed job was reported at `now`.
    pub fn note_missed(&mut self, silence: &Silence, now: DateTime<Utc>) {
        self.missed = Some(Missed {
            after: silence.since,
            told_at: now,
            confirmed: false,
        });
    }

    /// Notes that a person has confirmed that a job was missed after the one that started at `since`, or
    /// has taken that back.
    pub fn confirm_missed(&mut self, since: DateTime<Utc>, confirmed: bool) {
        if let Some(missed) = self.missed.as_mut().filter(|missed| missed.after == since) {
            missed.confirmed = confirmed;
        }
    }

    /// How well the stream is watched, at `now` by the caller's clock.
    #[must_use]
    pub fn coverage(
        &self,
        stream: StreamKey,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> StreamCoverage {
        let mut coverage =
            StreamCoverage::new(stream, self.watch(settings, now), self.last_job.clone());
        coverage.blind.clone_from(&self.unseen);
        let off = settings.detection_for(self.subject(now)).switched_off();
        coverage.switched_off = off.names().map(str::to_owned).collect();
        let start = self.reference(now);
        coverage.due_at = start.and_then(|start| self.due_after(start));
        coverage.silence = start
            .zip(coverage.due_at)
            .filter(|(_, due_at)| *due_at <= now)
            .map(|(start, due_at)| Silence::new(start, due_at));
        let late = self.missed.zip(coverage.due_at);
        let came_overdue = late.is_some_and(|(missed, due_at)| {
            start != Some(missed.after) && due_at <= missed.told_at
        });
        let ahead = self.last_job.started_at > now + AHEAD;
        coverage.wrong_clock = ahead || came_overdue;
        coverage.proposal.clone_from(&self.proposal);
        coverage.jobs = self.jobs;
        coverage
    }

    /// The longest gap of late, if there are enough to know.
    pub(crate) fn longest_gap(&self) -> Option<TimeDelta> {
        let rhythm = self.rhythm?;
        Some(TimeDelta::seconds(rhythm.longest_seconds))
    }

    pub(crate) fn subject(&self, at: DateTime<Utc>) -> Subject<'_> {
        Subject {
            client: &self.client,
            policy: &self.policy,
            policy_type: self.policy_type.as_ref(),
            schedule_type: self.schedule_type,
            at,
        }
    }

    fn watch(&self, settings: &Settings, now: DateTime<Utc>) -> Watch {
        let subject = self.subject(now);
        match settings.switched_off_for(subject) {
            Some(SwitchedOffBy::Fleet) => return Watch::Off,
            Some(SwitchedOffBy::Scope(scope)) => {
                return Watch::Excluded {
                    by: scope.to_string(),
                    until: scope.until,
                };
            }
            None => {}
        }
        let warm_up = settings.detection_for(subject).warm_up_jobs.get();
        match &self.not_scored {
            Some(reason) => Watch::NotScored {
                reason: reason.clone(),
            },
            None if self.learnt_jobs < warm_up => Watch::WarmingUp {
                jobs_left: warm_up - self.learnt_jobs,
            },
            None => Watch::Judged,
        }
    }

    /// The start from which the gap runs: that of the last job, unless it is one that has yet to
    /// come.
    fn reference(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let latest = self.latest_start?;
        let odd = self.odd_start;
        let has_come = |odd: &DateTime<Utc>| *odd >= latest && *odd <= now + AHEAD;
        Some(odd.filter(has_come).unwrap_or(latest))
    }

    fn due_after(&self, start: DateTime<Utc>) -> Option<DateTime<Utc>> {
        start.checked_add_signed(TimeDelta::seconds(self.rhythm?.patience_seconds))
    }

    fn told_due_after(&self, start: DateTime<Utc>) -> Option<DateTime<Utc>> {
        start.checked_add_signed(TimeDelta::seconds(self.rhythm?.told_patience_seconds))
    }
}

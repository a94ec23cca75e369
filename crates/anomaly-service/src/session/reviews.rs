//! Decisions of people, with all that follows from them.

use std::collections::BTreeMap;

use anomaly_engine::{FalsePositive, StreamModel, missed_after};
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{Review, ReviewScope, ReviewStatus, StreamKey, Verdict};
use anomaly_settings::ReviewSettings;
use anomaly_storage::{ObservationQuery, Origin};

use super::{Session, Stream};
use crate::review::{Expected, ReviewChange};
use crate::{ReviewRefused, ReviewRequest, Reviewed, ServiceError};

/// The answer to one decision of several: an error of the store fails them all.
type Answer<T> = Result<Result<T, ReviewRefused>, ServiceError>;

/// Incidents whose reviews have changed, and when.
type Touched = BTreeMap<u64, DateTime<Utc>>;

/// Jobs that are read at once.
const PAGE: usize = 200;

/// A decision that may be taken down.
struct Allowed {
    verdict: Verdict,
    before: Option<Review>,
    review: Review,
}

impl Session<'_> {
    /// Takes down one decision.
    pub(crate) fn review(&mut self, request: &ReviewRequest) -> Answer<Reviewed> {
        let mut incidents = BTreeMap::new();
        let answer = self.decide(request, &mut incidents)?;
        self.regroup_all(incidents)?;
        Ok(answer)
    }

    /// Takes down several decisions, each with an answer of its own.
    pub(crate) fn review_all(
        &mut self,
        requests: &[ReviewRequest],
    ) -> Result<Vec<Result<Reviewed, ReviewRefused>>, ServiceError> {
        let mut answers = Vec::with_capacity(requests.len());
        // Incidents are put together anew once, however many of their anomalies are reviewed.
        let mut incidents = BTreeMap::new();
        for request in requests {
            answers.push(self.decide(request, &mut incidents)?);
        }
        self.regroup_all(incidents)?;
        Ok(answers)
    }

    fn decide(&mut self, request: &ReviewRequest, incidents: &mut Touched) -> Answer<Reviewed> {
        match self.allowed(request)? {
            Ok(allowed) => self.take_down(allowed, incidents),
            Err(refused) => Ok(Err(refused)),
        }
    }

    fn regroup_all(&mut self, incidents: Touched) -> Result<(), ServiceError> {
        let mut incidents = incidents.into_iter();
        incidents.try_for_each(|(number, at)| self.regroup(number, at))
    }

    fn allowed(&self, request: &ReviewRequest) -> Answer<Allowed> {
        let job = &request.job;
        let verdict = self.transaction.verdict(job)?;
        let Some(verdict) = verdict.filter(Verdict::is_anomalous) else {
            return Ok(Err(ReviewRefused::Gone { job: job.clone() }));
        };
        let recorded = self.transaction.reviews(job)?;
        if let Expected::Standing(expected) = &request.expected
            && decided(expected.as_ref()) != decided(recorded.last())
        {
            let (job, standing) = (job.clone(), recorded.last().cloned().map(Box::new));
            return Ok(Err(ReviewRefused::Changed { job, standing }));
        }
        let review = match &request.change {
            ReviewChange::Decide(review) => {
                let allowed = check(&self.engine.settings().review, &verdict, review);
                allowed.map(|()| review.clone())
            }
            ReviewChange::TakeBack(undo) => Review::taking_back(&recorded, undo.clone())
                .ok_or_else(|| ReviewRefused::NothingToTakeBack { job: job.clone() }),
        };
        Ok(review.map(|review| Allowed {
            verdict,
            before: recorded.last().cloned(),
            review,
        }))
    }

    fn take_down(&mut self, allowed: Allowed, incidents: &mut Touched) -> Answer<Reviewed> {
        let Allowed {
            verdict,
            before,
            review,
        } = allowed;
        let key = verdict.key();
        let change = Change::of(before.as_ref(), &review);
        let (mut learnt, mut unlearnt) = (false, false);
        if change.concerns_model()
            && let Some(stored) = self.transaction.observation(&key)?
        {
            // What a job that was missed says of itself may belong to another stream.
            let stream_key = stored.stream;
            let missed_after = missed_after(&stored.job).filter(|_| change.confirms.is_some());
            let gap = match missed_after {
                Some(since) => self.gap_after(&stream_key, since)?,
                None => None,
            };
            let stream = self.stream(&stream_key)?;
            if let (Some(since), Some(status)) = (missed_after, &mut stream.status) {
                status.confirm_missed(since, change.confirms == Some(true));
            }
            match &mut stream.model {
                Ok(model) => {
                    (learnt, unlearnt) = change.teach(model, &verdict, &review, gap);
                    note_learnt(stream);
                }
                Err(_) if !change.taught && !change.teaches => {}
                Err(why) => {
                    return Ok(Err(ReviewRefused::Model {
                        stream: stream_key.to_string(),
                        why: why.to_string(),
                    }));
                }
            }
        }
        let at = review.recorded_at();
        self.transaction.set_now(at);
        let replaced = self.transaction.review(&key, &review)?;
        incidents.extend(
            self.transaction
                .incident_of(&key)?
                .map(|number| (number, at)),
        );
        let stood = before.is_none_or(|before| before.status.stands());
        if !stood && review.status.stands() {
            // It counts again, and may belong to others than before.
            self.add_to_incident(&verdict)?;
            incidents.extend(
                self.transaction
                    .incident_of(&key)?
                    .map(|number| (number, at)),
            );
        }
        tracing::info!(job = %key.job_id, status = %review.status, learnt, unlearnt, "reviewed");
        Ok(Ok(Reviewed {
            review,
            replaced,
            learnt,
            unlearnt,
        }))
    }
}

impl Session<'_> {
    /// How long no job of a stream came after the one that started at `since`; `None` while none has.
    fn gap_after(
        &self,
        stream: &StreamKey,
        since: DateTime<Utc>,
    ) -> Result<Option<TimeDelta>, ServiceError> {
        let later = since + TimeDelta::microseconds(1);
        let mut query = ObservationQuery::default()
            .stream(stream.clone())
            .started_from(later)
            .limit(PAGE);
        let mut first = None;
        loop {
            let page = self.transaction.observations(&query)?;
            let of_tool = page.iter().rev().find(|one| one.origin == Origin::Tool);
            first = of_tool.map(|one| one.job.started_at() - since).or(first);
            match page.last() {
                Some(last) if page.len() == PAGE => query = query.after(last.job.key()),
                _ => return Ok(first),
            }
        }
    }
}

/// What was decided, if anything was.
fn decided(review: Option<&Review>) -> Option<&Review> {
    review.filter(|review| review.status != ReviewStatus::NotReviewed)
}

fn is_confirmed(review: &Review) -> bool {
    review.status == ReviewStatus::Confirmed
}

/// What a decision in place of another is to a model.
pub(crate) struct Change {
    taught: bool,
    teaches: bool,
    /// Whether it says that something was what it looked like; `None` when that stays as it was.
    pub(crate) confirms: Option<bool>,
}

impl Change {
    pub(crate) fn of(before: Option<&Review>, review: &Review) -> Self {
        let teaches = |review: &Review| review.is_false_positive() && review.scope.teaches();
        let (was_confirmed, confirms) = (before.is_some_and(is_confirmed), is_confirmed(review));
        Self {
            taught: before.is_some_and(teaches),
            teaches: teaches(review),
            confirms: (was_confirmed != confirms).then_some(confirms),
        }
    }

    fn concerns_model(&self) -> bool {
        self.taught || self.teaches || self.confirms.is_some()
    }

    /// Has a model learn, or forget, what the decision says of a job; says whether it learnt, and
    /// whether it forgot. `gap` is how long no job came, where that is what was decided about.
    pub(crate) fn teach(
        &self,
        model: &mut StreamModel,
        verdict: &Verdict,
        review: &Review,
        gap: Option<TimeDelta>,
    ) -> (bool, bool) {
        let key = verdict.key();
        let unlearnt = self.taught && model.retract(&key);
        if self.confirms == Some(false) {
            model.unconfirm(&key);
        }
        let learnt = self.teaches
            && match review.scope {
                ReviewScope::LevelShift => model.accept_level_shift(&key) > 0,
                _ => model.accept(&key),
            };
        if self.confirms == Some(true) {
            model.confirm(&key);
        }
        if let (Some(gap), Some(confirms)) = (gap, self.confirms) {
            model.confirm_gap(gap, confirms);
        }
        (learnt, unlearnt)
    }
}

fn note_learnt(stream: &mut Stream) {
    if let (Ok(model), Some(status)) = (&stream.model, stream.status.take()) {
        stream.status = Some(status.after_review(model));
    }
    stream.is_changed = true;
}

/// What is said stays in the log for ever.
const MOST_REASON_CHARACTERS: usize = 2_000;

/// Whether a decision may be made.
fn check(
    settings: &ReviewSettings,
    verdict: &Verdict,
    review: &Review,
) -> Result<(), ReviewRefused> {
    review.check()?;
    let characters = review.reason.iter().flat_map(|reason| reason.chars());
    if characters.count() > MOST_REASON_CHARACTERS {
        return Err(ReviewRefused::ReasonTooLong {
            most: MOST_REASON_CHARACTERS,
        });
    }
    if !review.covers_later_jobs() {
        return Ok(());
    }
    let reason = review.reason.as_deref().unwrap_or_default();
    if reason.trim().is_empty() {
        return Err(ReviewRefused::NoReason);
    }
    let longest = TimeDelta::days(settings.longest_days.get().into());
    let latest = review.reviewed_at.checked_add_signed(longest);
    match (review.expires_at, latest) {
        (None, _) if !settings.endless => return Err(ReviewRefused::Endless),
        (Some(end), Some(latest)) if end > latest && !settings.endless => {
            return Err(ReviewRefused::TooLong { latest });
        }
        _ => {}
    }
    if let ReviewScope::Features(named) = &review.scope {
        let found = verdict.findings.iter().map(|finding| &finding.feature);
        let found: Vec<_> = found.cloned().collect();
        if let Some(feature) = named.iter().find(|name| !found.contains(name)) {
            let feature = feature.clone();
            return Err(ReviewRefused::NotFound { feature, found });
        }
    }
    match FalsePositive::of(verdict, review) {
        Some(_) => Ok(()),
        None => Err(ReviewRefused::NothingMeasured),
    }
}

//! Decisions of people.

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{Ceiling, JobKey, Review, ReviewScope, ReviewStatus, Undo};

use super::AnomalyService;
use crate::session::Session;
use crate::{ReviewRefused, ReviewRequest, Reviewed, ServiceError};

impl AnomalyService {
    /// Takes down what a person decided about an anomaly, whatever was decided before.
    ///
    /// A false positive is learnt as its scope says; one that is confirmed or ignored is not, and is
    /// unlearnt if it was. Who, when, before and after are in the audit log.
    ///
    /// # Errors
    /// [`ServiceError::Review`] when the decision is refused, and [`ServiceError::Store`] when the
    /// store fails; then nothing was changed.
    pub fn review(&mut self, job: &JobKey, review: &Review) -> Result<Reviewed, ServiceError> {
        self.review_one(ReviewRequest::decide(job.clone(), review.clone()))
    }

    /// Takes the last decision about an anomaly back: the one before it holds again, if there was
    /// one, and what was taught by the last one is forgotten.
    ///
    /// # Errors
    /// As [`review`](Self::review).
    pub fn take_back(&mut self, job: &JobKey, undo: &Undo) -> Result<Reviewed, ServiceError> {
        self.review_one(ReviewRequest::take_back(job.clone(), undo.clone()))
    }

    /// Takes down one decision, or takes one back, as [`review`](Self::review) and
    /// [`take_back`](Self::take_back) do; but only if what the request [expects](ReviewRequest::expecting)
    /// to stand does.
    ///
    /// # Errors
    /// As [`review`](Self::review).
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a request is made for one call"
    )]
    pub fn review_one(&mut self, request: ReviewRequest) -> Result<Reviewed, ServiceError> {
        let mut session = Session::begin(&self.engine, &mut *self.store)?;
        let reviewed = session.review(&request)?;
        session.commit()?;
        Ok(reviewed?)
    }

    /// Takes down many decisions in one transaction: all that are allowed, or none if the store
    /// fails. Each has an answer of its own, in their order.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store fails; then nothing was changed.
    pub fn review_all(
        &mut self,
        requests: &[ReviewRequest],
    ) -> Result<Vec<Result<Reviewed, ReviewRefused>>, ServiceError> {
        let mut session = Session::begin(&self.engine, &mut *self.store)?;
        let answers = session.review_all(requests)?;
        session.commit()?;
        Ok(answers)
    }

    /// Every decision about an anomaly, oldest first; the last one counts.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn reviews(&self, job: &JobKey) -> Result<Vec<Review>, ServiceError> {
        Ok(self.store.reviews(job)?)
    }

    /// A false positive with the ceiling and the end that the settings give it.
    #[must_use]
    pub fn false_positive(
        &self,
        reviewer: impl Into<String>,
        reviewed_at: DateTime<Utc>,
        scope: ReviewScope,
    ) -> Review {
        let settings = &self.settings().review;
        let days = TimeDelta::days(settings.expires_after_days.get().into());
        let ceiling = Ceiling::new(settings.ceiling.get()).unwrap_or_default();
        let expires_at = reviewed_at
            .checked_add_signed(days)
            .filter(|_| scope.covers_later_jobs());
        Review::new(ReviewStatus::FalsePositive, reviewer, reviewed_at)
            .with_scope(scope, ceiling, expires_at)
    }
}

//! Who is watched, and how well.

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{FleetCoverage, StreamCoverage, StreamKey, Watch};
use anomaly_storage::ObservationQuery;

use super::AnomalyService;
use crate::session::read_status;
use crate::{Proposal, ServiceError, StreamPage};

/// Streams that are read at once.
const PAGE: usize = 1_000;

impl AnomalyService {
    /// Who is watched, and how well, at `now` by the caller's clock: all streams, counted.
    ///
    /// They are read a thousand at a time: memory does not grow with their number.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn coverage(&self, now: DateTime<Utc>) -> Result<FleetCoverage, ServiceError> {
        let mut fleet = FleetCoverage::default();
        self.each_stream(now, |stream| {
            fleet.count(&stream);
            true
        })?;
        Ok(fleet)
    }

    /// Up to `limit` streams from the place `after` on (0 for the first of all), each with how well
    /// it is watched at `now`.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn stream_coverage(
        &self,
        now: DateTime<Utc>,
        after: u64,
        limit: usize,
    ) -> Result<StreamPage, ServiceError> {
        let page = self.store.streams(after, limit)?;
        let next = page.last().map(|stored| stored.number);
        let next = next.filter(|_| page.len() == limit);
        let mut streams = Vec::with_capacity(page.len());
        for stored in page {
            let (key, status) = stored.record;
            streams.extend(self.coverage_of(key, status.as_deref(), now)?);
        }
        Ok(StreamPage { streams, next })
    }

    /// Changes that have lasted and wait for a person; at most `limit`.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn proposals(&self, limit: usize) -> Result<Vec<Proposal>, ServiceError> {
        let mut proposals = Vec::new();
        self.each_stream(DateTime::UNIX_EPOCH, |stream| {
            if let Some(shift) = stream.proposal {
                let stream = stream.stream;
                proposals.push(Proposal { stream, shift });
            }
            proposals.len() < limit
        })?;
        proposals.truncate(limit);
        Ok(proposals)
    }

    /// Calls `visit` with each stream, until it says that it has seen enough.
    fn each_stream(
        &self,
        now: DateTime<Utc>,
        mut visit: impl FnMut(StreamCoverage) -> bool,
    ) -> Result<(), ServiceError> {
        let mut after = Some(0);
        while let Some(start) = after {
            let page = self.stream_coverage(now, start, PAGE)?;
            after = page.next;
            for stream in page.streams {
                if !visit(stream) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// How well a stream is watched; `None` if no job of it is stored.
    fn coverage_of(
        &self,
        key: StreamKey,
        status: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Option<StreamCoverage>, ServiceError> {
        if let Some(status) = status.and_then(|text| read_status(&key, text)) {
            return Ok(Some(status.coverage(key, self.settings(), now)));
        }
        // A database of an earlier version: the stream's next job says more.
        let query = ObservationQuery::default().stream(key.clone()).limit(1);
        let last = self.store.observations(&query)?.pop();
        Ok(last.map(|last| {
            let reason = "no job came since the database was made by an earlier version";
            let watch = Watch::NotScored {
                reason: reason.to_owned(),
            };
            let job = anomaly_model::JobRef::new(last.job.key(), last.job.started_at());
            StreamCoverage::new(key, watch, job)
        }))
    }
}

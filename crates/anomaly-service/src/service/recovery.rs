//! From where to restore.

use anomaly_engine::{Examined, FirstAlarm, is_of_data, recovery_point};
use anomaly_model::{Anomaly, ClientName, RecoveryPoint, ReviewStatus, StreamKey, Verdict};
use anomaly_storage::{AnomalyQuery, ObservationQuery, Origin, StoredObservation};

use super::AnomalyService;
use crate::ServiceError;

/// Jobs or anomalies that are read at once.
const PAGE: usize = 200;

impl AnomalyService {
    /// From where to restore each stream of a client: the newest image that was judged normal before
    /// the first sign of an incident in any of them, by default the newest one that is open.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn recovery_points(
        &self,
        client: &ClientName,
        incident: Option<u64>,
    ) -> Result<Vec<RecoveryPoint>, ServiceError> {
        let first_alarm = self.first_alarm(client, incident)?;
        let streams = self.store.streams_of_client(client)?;
        let points = streams.into_iter().map(|stream| {
            let query = ObservationQuery::default().client(client.clone());
            self.recovery_point_of(stream, query, first_alarm)
        });
        points.collect()
    }

    /// From where to restore a stream; see [`recovery_points`](Self::recovery_points). The incident
    /// is that of the client whose job came last.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn recovery_point(
        &self,
        stream: &StreamKey,
        incident: Option<u64>,
    ) -> Result<RecoveryPoint, ServiceError> {
        let query = ObservationQuery::default();
        let last = query.clone().stream(stream.clone()).limit(1);
        let first_alarm = match self.store.observations(&last)?.pop() {
            Some(last) => self.first_alarm(&last.job.client().name, incident)?,
            None => None,
        };
        self.recovery_point_of(stream.clone(), query, first_alarm)
    }

    fn recovery_point_of(
        &self,
        stream: StreamKey,
        query: ObservationQuery,
        first_alarm: Option<FirstAlarm>,
    ) -> Result<RecoveryPoint, ServiceError> {
        let query = query.stream(stream.clone()).limit(PAGE);
        let newest = self.store.observations(&query.clone().limit(1))?.pop();
        let settings = match &newest {
            Some(newest) => self.settings().detection_for(&newest.job),
            None => std::borrow::Cow::Borrowed(&self.settings().detection),
        };
        let pages = Pages {
            service: self,
            query,
            page: Vec::new().into_iter(),
            is_last: false,
        };
        recovery_point(stream, &settings, first_alarm, pages)
    }

    /// The first anomaly of data that a client has in an incident, and that stands.
    fn first_alarm(
        &self,
        client: &ClientName,
        incident: Option<u64>,
    ) -> Result<Option<FirstAlarm>, ServiceError> {
        let incident = match incident {
            Some(number) => Some(number),
            None => self.newest_open_incident(client)?,
        };
        let Some(number) = incident else {
            return Ok(None);
        };
        let mut first: Option<FirstAlarm> = None;
        self.each_anomaly(client, Some(number), |anomaly| {
            if let Some(alarm) = FirstAlarm::of(&anomaly.verdict).filter(|_| is_sign(anomaly)) {
                first = Some(first.map_or(alarm, |first| first.or_before(alarm)));
            }
            Ok(true)
        })?;
        Ok(first)
    }

    /// The newest incident that waits for a person and in which the client's data were hit.
    fn newest_open_incident(&self, client: &ClientName) -> Result<Option<u64>, ServiceError> {
        let mut found = None;
        self.each_anomaly(client, None, |anomaly| {
            if is_sign(anomaly)
                && let Some(number) = self.store.incident_of(&anomaly.verdict.key())?
                && let Some(record) = self.store.incident(number)?
                && (record.closed_at.is_none() || was_confirmed(anomaly))
            {
                found = Some(number);
            }
            Ok(found.is_none())
        })?;
        Ok(found)
    }

    /// Calls `visit` with each anomaly of a client, newest first, until it has seen enough.
    fn each_anomaly(
        &self,
        client: &ClientName,
        incident: Option<u64>,
        mut visit: impl FnMut(&Anomaly) -> Result<bool, ServiceError>,
    ) -> Result<(), ServiceError> {
        let query = AnomalyQuery::default().client(client.clone()).limit(PAGE);
        let mut query = query.incident(incident);
        loop {
            let page = self.store.anomalies(&query)?;
            for anomaly in &page {
                if !visit(anomaly)? {
                    return Ok(());
                }
            }
            let last = page.last().map(|anomaly| anomaly.verdict.key());
            if page.len() < PAGE || last.is_none() {
                return Ok(());
            }
            query = query.after(last);
        }
    }
}

/// Whether an anomaly says that data were hit, and nobody said otherwise.
fn is_sign(anomaly: &Anomaly) -> bool {
    let stands = matches!(
        anomaly.review_status(),
        ReviewStatus::NotReviewed | ReviewStatus::Confirmed
    );
    stands && anomaly.verdict.kind().is_some_and(is_of_data)
}

fn was_confirmed(anomaly: &Anomaly) -> bool {
    anomaly.review_status() == ReviewStatus::Confirmed
}

/// The jobs of a stream that a tool ran, newest first, read a page at a time.
struct Pages<'a> {
    service: &'a AnomalyService,
    query: ObservationQuery,
    page: std::vec::IntoIter<StoredObservation>,
    is_last: bool,
}

impl Pages<'_> {
    fn examine(&self, stored: &StoredObservation) -> Result<Examined, ServiceError> {
        let review = if stored.verdict.is_anomalous() {
            self.service.store.reviews(&stored.verdict.key())?.pop()
        } else {
            None
        };
        Ok(Examined::of(&stored.job, &stored.verdict, review.as_ref()))
    }

    fn next_stored(&mut self) -> Result<Option<StoredObservation>, ServiceError> {
        loop {
            if let Some(stored) = self.page.next() {
                if stored.origin == Origin::Tool {
                    return Ok(Some(stored));
                }
            } else if self.is_last {
                return Ok(None);
            } else {
                let page = self.service.store.observations(&self.query)?;
                self.is_last = page.len() < PAGE;
                let last = page.last().map(|stored| Verdict::key(&stored.verdict));
                self.query = self.query.clone().after(last);
                self.page = page.into_iter();
            }
        }
    }
}

impl Iterator for Pages<'_> {
    type Item = Result<Examined, ServiceError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_stored() {
            Ok(Some(stored)) => Some(self.examine(&stored)),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

//! From where to restore.

use anomaly_engine::{Examined, FirstAlarm, Onset, is_of_data, recovery_point};
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    Anomaly, ClientName, Confidence, JobRef, RecoveryPoint, ReviewStatus, Severity, StreamKey,
    Verdict,
};
use anomaly_storage::{AnomalyQuery, ObservationQuery, Origin, StoredObservation};

use super::AnomalyService;
use crate::ServiceError;

/// Jobs or anomalies that are read at once.
const PAGE: usize = 200;

impl AnomalyService {
    /// From where to restore each stream of a client: the newest image that was judged normal before
    /// the first sign of an incident in any of them. By default that is the newest incident in which
    /// the client's data were hit, and that waits for a person or was confirmed.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn recovery_points(
        &self,
        client: &ClientName,
        incident: Option<u64>,
    ) -> Result<Vec<RecoveryPoint>, ServiceError> {
        let first_alarm = self.first_alarm(client, incident)?;
        let earlier = self.earlier_incident(client, first_alarm)?;
        let streams = self.store.streams_of_client(client)?;
        let points = streams.into_iter().map(|stream| {
            let query = ObservationQuery::default().client(client.clone());
            let mut point = self.recovery_point_of(stream, query, first_alarm)?;
            if let Some(earlier) = &earlier {
                earlier.cast_doubt_on(&mut point);
            }
            Ok(point)
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
        let Some(last) = self.store.observations(&last)?.pop() else {
            return self.recovery_point_of(stream.clone(), query, None);
        };
        let client = &last.job.client().name;
        let first_alarm = self.first_alarm(client, incident)?;
        let mut point = self.recovery_point_of(stream.clone(), query, first_alarm)?;
        if let Some(earlier) = self.earlier_incident(client, first_alarm)? {
            earlier.cast_doubt_on(&mut point);
        }
        Ok(point)
    }

    /// The last job of an anomaly's stream that was judged normal before the first sign that its
    /// incident gives of the client's data: a quick answer, for a message.
    ///
    /// [`recovery_points`](Self::recovery_points) looks closer: at what came before the first alarm, at
    /// how much speaks for an image, and at changes in small steps, for which this is `None`.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn last_clean(&self, anomaly: &Verdict) -> Result<Option<JobRef>, ServiceError> {
        let job = anomaly.key();
        let first_alarm = match self.store.incident_of(&job)? {
            Some(incident) => self.first_alarm(&anomaly.client, Some(incident))?,
            None => FirstAlarm::of(anomaly),
        };
        if first_alarm.is_some_and(|alarm| alarm.onset > Onset::Sudden) {
            return Ok(None);
        }
        let first_sign = first_alarm.map_or(anomaly.started_at, |alarm| alarm.at);
        let mut last = self.store.last_normal(&job)?;
        while let Some(normal) = last.as_ref().filter(|job| job.started_at >= first_sign) {
            last = self.store.last_normal(&normal.key)?;
        }
        Ok(last)
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
        let deleted_until = self.store.purged_until(&stream)?;
        recovery_point(stream, &settings, first_alarm, deleted_until, pages)
    }

    /// The first anomaly of data that a client has in an incident, and that stands.
    fn first_alarm(
        &self,
        client: &ClientName,
        incident: Option<u64>,
    ) -> Result<Option<FirstAlarm>, ServiceError> {
        let incident = match incident {
            Some(number) => Some(number),
            None => self.newest_incident(client)?,
        };
        let Some(number) = incident else {
            return Ok(None);
        };
        let mut first: Option<FirstAlarm> = None;
        let query = AnomalyQuery::default()
            .client(client.clone())
            .incident(number);
        self.each_anomaly(query, |anomaly| {
            if let Some(alarm) = FirstAlarm::of(&anomaly.verdict).filter(|_| is_sign(anomaly)) {
                first = Some(first.map_or(alarm, |first| first.or_before(alarm)));
            }
            Ok(true)
        })?;
        Ok(first)
    }

    /// The newest incident in which the client's data were hit, and that waits for a person or was
    /// confirmed.
    fn newest_incident(&self, client: &ClientName) -> Result<Option<u64>, ServiceError> {
        let mut found = None;
        self.each_anomaly(AnomalyQuery::default().client(client.clone()), |anomaly| {
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

    /// An incident before the one that is asked about, that hit the client's data and that nobody has
    /// looked at: what came after it may hold what it left.
    fn earlier_incident(
        &self,
        client: &ClientName,
        first_alarm: Option<FirstAlarm>,
    ) -> Result<Option<EarlierIncident>, ServiceError> {
        let Some(alarm) = first_alarm else {
            return Ok(None);
        };
        let query = AnomalyQuery::default()
            .client(client.clone())
            .at_least(Severity::Medium)
            .review_status(ReviewStatus::NotReviewed)
            .started_until(alarm.at);
        let mut found = None;
        self.each_anomaly(query, |anomaly| {
            if is_sign(anomaly) {
                let incident = self.store.incident_of(&anomaly.verdict.key())?;
                found = incident.map(|number| EarlierIncident {
                    number,
                    at: anomaly.verdict.started_at,
                });
            }
            Ok(found.is_none())
        })?;
        Ok(found)
    }

    /// Calls `visit` with each anomaly that is asked for, newest first, until it has seen enough.
    fn each_anomaly(
        &self,
        query: AnomalyQuery,
        mut visit: impl FnMut(&Anomaly) -> Result<bool, ServiceError>,
    ) -> Result<(), ServiceError> {
        let mut query = query.limit(PAGE);
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

/// An incident that nobody has looked at, before the one that is asked about.
struct EarlierIncident {
    number: u64,
    /// When its last anomaly of the client was.
    at: DateTime<Utc>,
}

impl EarlierIncident {
    /// Says so where the image that was found came after it.
    fn cast_doubt_on(&self, point: &mut RecoveryPoint) {
        if let Some(image) = &mut point.image
            && image.job.started_at >= self.at
        {
            image.confidence = Confidence::Low;
            point.reasons.push(format!(
                "Nobody has looked at incident {} of {}, which was before the image: if it was an \
                 attack, restore from before that.",
                self.number,
                self.at.format("%Y-%m-%d %H:%M UTC")
            ));
        }
    }
}

/// Whether an anomaly says that data were hit, and nobody said otherwise.
fn is_sign(anomaly: &Anomaly) -> bool {
    anomaly.review_status().stands() && anomaly.verdict.kind().is_some_and(is_of_data)
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

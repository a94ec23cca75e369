//! What sinks are to be told, put into the outbox.

mod decided;

use std::collections::BTreeMap;

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{Anomaly, JobKey, PolicyType, Review};
use anomaly_notify::{
    AnomalyLine, AnomalyNews, Event, IncidentChange, IncidentNews, ReviewNews, What,
};
use anomaly_service::{AnomalyService, ServiceError};
use anomaly_storage::{AuditEntry, Message, ObservationQuery, Origin, Recorded, StoredObservation};
use serde::{Deserialize, Serialize};

use crate::damage;
use crate::duties::Duties;
use crate::system::system_news;

/// What ended longer ago is history, not news: nobody is told when the past is imported.
const NEWS: TimeDelta = TimeDelta::days(3);
/// The note that says up to where sinks were told.
const NOTE: &str = "told";
/// Records that are looked at in one go.
const PAGE: usize = 100;

/// Whether people and sinks are told at a time of what was stored then: a job that ended lately, and a
/// job that did not come, however late anybody asked for it.
///
/// Of the latter, it is history too when the job before it was handed over after this one was due: it
/// was imported with a stream that had ended by then.
pub(crate) fn is_news(
    service: &AnomalyService,
    stored: &StoredObservation,
    at: DateTime<Utc>,
) -> Result<bool, ServiceError> {
    let job = &stored.job;
    if at - job.ended_at().unwrap_or(job.started_at()) < NEWS {
        return Ok(true);
    }
    if stored.origin == Origin::Tool {
        return Ok(false);
    }
    let before = ObservationQuery::default()
        .stream(stored.stream.clone())
        .origin(Origin::Tool)
        .started_until(job.started_at())
        .limit(1);
    let records = service.records();
    let before = match records.observations(&before) {
        Err(error) if error.is_damaged() => return Ok(true),
        before => before?.pop(),
    };
    let handed_over_at = match before {
        Some(before) => records.recorded_at(before.number)?,
        None => None,
    };
    Ok(handed_over_at.is_none_or(|at| at < job.started_at()))
}

/// Up to where sinks were told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// The last observation or review, by its number.
    #[serde(alias = "observation")]
    pub(crate) record: u64,
    /// The last entry of the audit log.
    pub(crate) audit: u64,
}

impl Told {
    /// As it was kept. Of a database that nobody was told of, all that is there is old: that is kept
    /// at once, so that what comes next is news.
    pub(crate) fn begin(service: &mut AnomalyService) -> Result<Self, ServiceError> {
        let records = service.records();
        let kept = records.note(NOTE)?;
        if let Some(told) = kept.and_then(|note| serde_json::from_str(&note).ok()) {
            return Ok(told);
        }
        let told = Self::all(service)?;
        told.put(service)?;
        Ok(told)
    }

    /// All that is there is old, told or not: nobody wants to know.
    pub(crate) fn skip(service: &mut AnomalyService) -> Result<(), ServiceError> {
        Self::all(service)?.put(service)
    }

    fn all(service: &AnomalyService) -> Result<Self, ServiceError> {
        let size = service.records().log_head()?.size;
        Ok(Self {
            record: size,
            audit: size,
        })
    }

    fn put(self, service: &mut AnomalyService) -> Result<(), ServiceError> {
        let mut transaction = service.transaction()?;
        transaction.put_note(NOTE, &self.written()?)?;
        Ok(transaction.commit()?)
    }

    fn written(self) -> Result<String, ServiceError> {
        serde_json::to_string(&self).map_err(|source| ServiceError::Record { source })
    }
}

/// What every message has.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    /// The installation.
    pub(crate) instance: String,
    /// The address that links begin with.
    pub(crate) address: String,
    /// Who is told, by name.
    pub(crate) sinks: Vec<String>,
    /// Where is noted what was passed over.
    pub(crate) duties: Duties,
}

impl Sender {
    /// Puts what is new into the outbox, page by page, and notes how far: of a page both, or neither.
    /// What was recorded is all that there is up to the number `until`. What else a message would say is
    /// left out where it is damaged.
    pub(crate) fn post(
        &self,
        service: &mut AnomalyService,
        recorded: &[Recorded],
        until: u64,
        now: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        let mut told = Told::begin(service)?;
        let new = recorded
            .iter()
            .filter(|record| record.number() > told.record);
        let mut strange = Vec::new();
        let mut reviews = Vec::new();
        let mut decided = Vec::new();
        for record in new {
            match record {
                Recorded::Observation(stored) => {
                    if stored.verdict.is_anomalous() && is_news(service, stored, now)? {
                        strange.push(stored);
                    }
                }
                Recorded::Review { job, review, .. } => {
                    let event = self.of_review(service, job, review);
                    reviews.extend(self.duties.unless_damaged(event)?);
                    decided.push((job, review));
                }
            }
        }
        let mut events = self.of_anomalies(service, &strange, now)?;
        events.extend(reviews);
        events.extend(self.of_decided(service, &decided)?);
        if until > told.record {
            told.record = until;
            self.put(service, &events, told, now)?;
        }
        loop {
            let page = damage::system_events(&self.duties, service.records(), told.audit, PAGE)?;
            if page.until > told.audit {
                told.audit = page.until;
                let entries = page.found.iter();
                let events = entries.filter_map(|entry| self.of_system(&entry.record));
                self.put(service, &events.collect::<Vec<_>>(), told, now)?;
            }
            if page.is_last {
                return Ok(());
            }
        }
    }

    /// Puts events into the outbox, and notes up to where sinks were told with them.
    fn put(
        &self,
        service: &mut AnomalyService,
        events: &[Event],
        told: Told,
        now: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        let sinks: Vec<&str> = self.sinks.iter().map(String::as_str).collect();
        let json = |source| ServiceError::Record { source };
        let note = told.written()?;
        let mut transaction = service.transaction()?;
        for event in events {
            let message = Message {
                made_at: now,
                topic: event.topic().as_str().to_owned(),
                body: serde_json::to_value(event).map_err(json)?,
            };
            transaction.post(&message, &sinks)?;
        }
        transaction.put_note(NOTE, &note)?;
        transaction.commit()?;
        Ok(())
    }

    /// One event for each anomaly, and one for each incident that has grown by them.
    fn of_anomalies(
        &self,
        service: &AnomalyService,
        strange: &[&StoredObservation],
        now: DateTime<Utc>,
    ) -> Result<Vec<Event>, ServiceError> {
        let mut events = Vec::new();
        let mut incidents: BTreeMap<u64, Vec<&StoredObservation>> = BTreeMap::new();
        for stored in strange {
            let key = stored.job.key();
            let incident = service.incident_of(&key)?;
            let mut anomaly = Anomaly::new(stored.verdict.clone());
            anomaly.last_normal = self.duties.unless_damaged(service.last_normal(&key))?;
            let news = AnomalyNews::new(anomaly, incident, policy_type(stored));
            let link = format!("{}{}", self.address, crate::web::address(&key));
            let event = Event::new(&self.instance, now, What::Anomaly(Box::new(news)));
            events.push(event.with_link(link));
            if let Some(number) = incident {
                incidents.entry(number).or_default().push(stored);
            }
        }
        for (number, own) in incidents {
            let report = self.duties.unless_damaged(service.incident(number))?;
            let Some(report) = report else {
                continue;
            };
            let change = if report.incident.anomalies() <= own.len() as u64 {
                IncidentChange::Opened
            } else {
                IncidentChange::Grown
            };
            let lines = own.iter().filter_map(|stored| {
                let link = format!("{}{}", self.address, crate::web::address(&stored.job.key()));
                Some(AnomalyLine::of(&stored.verdict)?.with_link(link))
            });
            let client = &own[0].verdict.client;
            let recovery = service.recovery_points(client, Some(number));
            let recovery = self.duties.unless_damaged(recovery)?;
            // Of the anomalies before these it is not looked up what their policies protect.
            let before = (change == IncidentChange::Grown).then_some(None);
            let policy_types = own.iter().map(|stored| policy_type(stored)).chain(before);
            let news = IncidentNews::new(number, change, report.incident)
                .with_policy_types(policy_types)
                .with_anomalies(lines)
                .with_recovery(recovery.iter().map(anomaly_notify::RecoveryLine::from));
            let link = format!("{}/incidents/{number}", self.address);
            let event = Event::new(&self.instance, now, What::Incident(Box::new(news)));
            events.push(event.with_link(link));
        }
        Ok(events)
    }

    /// What somebody decided about an anomaly; `None` when its job is gone by now.
    fn of_review(
        &self,
        service: &AnomalyService,
        job: &JobKey,
        review: &Review,
    ) -> Result<Option<Event>, ServiceError> {
        let Some(verdict) = service.verdict(job)? else {
            return Ok(None);
        };
        let policy_type = service.records().job(job)?;
        let policy_type = policy_type.and_then(|job| job.policy().policy_type.clone());
        let incident = service.incident_of(job)?;
        let news = ReviewNews::new(
            &Anomaly::new(verdict),
            review.clone(),
            incident,
            policy_type,
        );
        let what = What::Review(Box::new(news));
        let event = Event::new(&self.instance, review.reviewed_at, what);
        let link = format!("{}{}", self.address, crate::web::address(job));
        Ok(Some(event.with_link(link)))
    }

    fn of_system(&self, entry: &AuditEntry) -> Option<Event> {
        let news = system_news(entry)?;
        let event = Event::new(&self.instance, entry.at, What::System(news));
        Some(event.with_link(format!("{}/audit", self.address)))
    }
}

fn policy_type(stored: &StoredObservation) -> Option<PolicyType> {
    stored.job.policy().policy_type.clone()
}

#[cfg(test)]
mod tests {
    use anomaly_model::{BackupJob, JobStatus};
    use anomaly_settings::Settings;

    use super::*;

    const SINK: &str = "log";

    fn day(number: i64) -> DateTime<Utc> {
        let start: DateTime<Utc> = "2026-01-01T22:00:00Z".parse().unwrap();
        start + TimeDelta::days(number)
    }

    fn job(client: &str, number: i64, hours: i64, status: JobStatus) -> BackupJob {
        let id = format!("{client}-{number}");
        let job = BackupJob::builder("restic", id, client, "daily", day(number));
        let job = job.ended_at(day(number) + TimeDelta::hours(hours));
        job.status(status).build().unwrap()
    }

    /// A service of which sinks were told all that there is.
    fn service() -> AnomalyService {
        let mut service = AnomalyService::in_memory(Settings::default());
        Told::begin(&mut service).unwrap();
        service
    }

    /// How many anomalies sinks are told of at a time.
    fn told(service: &mut AnomalyService, now: DateTime<Utc>) -> usize {
        let sender = Sender {
            instance: "1".to_owned(),
            address: "http://localhost".to_owned(),
            sinks: vec![SINK.to_owned()],
            duties: Duties::default(),
        };
        let recorded = service.records().recorded_after(None, 0, 1_000).unwrap();
        let until = recorded.last().map_or(0, Recorded::number);
        sender.post(service, &recorded, until, now).unwrap();
        let messages = service.records().due_messages(SINK, now, 1_000).unwrap();
        let anomalies = messages
            .iter()
            .filter(|message| message.record.topic == "anomaly");
        anomalies.count()
    }

    /// What counts is when a job ended: a long one is news when it does.
    #[test]
    fn a_long_job_is_news_when_it_ends() {
        for (hours, expected) in [(80, 1), (1, 0)] {
            let mut service = service();
            let failed = job("mail01", 0, hours, JobStatus::Failed);
            assert!(service.observe(&failed).unwrap().verdict.is_anomalous());
            let now = day(0) + TimeDelta::hours(81);
            assert_eq!(told(&mut service, now), expected, "{hours} hours");
        }
    }

    /// A job that did not come while nobody asked is news however late; that of a stream which was
    /// imported after its end is not.
    #[test]
    fn a_missed_job_is_news_however_late_it_is_found() {
        for (handed_over_on, expected) in [(40, 1), (60, 0)] {
            let mut service = service();
            service.set_received_at(day(handed_over_on));
            let usual = (0..40).map(|number| job("mail01", number, 1, JobStatus::Succeeded));
            service.observe_all(usual, |_| {}).unwrap();
            let now = day(60);
            service.tick(now - TimeDelta::minutes(1), |_| {}).unwrap();
            assert_eq!(service.tick(now, |_| {}).unwrap().missed, 1);
            let count = told(&mut service, now);
            assert_eq!(count, expected, "handed over on day {handed_over_on}");
        }
    }
}

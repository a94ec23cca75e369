//! What sinks are to be told, put into the outbox.

use std::collections::{BTreeMap, BTreeSet};

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{Anomaly, JobKey, PolicyType, Review, Severity};
use anomaly_notify::{
    AnomalyLine, AnomalyNews, Event, IncidentChange, IncidentNews, ReviewNews, What,
};
use anomaly_service::{AnomalyService, ServiceError};
use anomaly_storage::{AnomalyQuery, AuditEntry, AuditQuery, Message, Recorded, StoredObservation};
use serde::{Deserialize, Serialize};

use crate::system::system_news;

/// Anomalies of jobs that started earlier are history, not news: nobody is told when the past is
/// imported.
pub(crate) const NEWS: TimeDelta = TimeDelta::days(3);
/// The note that says up to where sinks were told.
const NOTE: &str = "told";
/// Records that are looked at in one go.
const PAGE: usize = 100;
/// Pages of an incident that are looked at.
const MOST_PAGES: usize = 10;

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
}

impl Sender {
    /// Puts what is new into the outbox, page by page, and notes how far: of a page both, or neither.
    pub(crate) fn post(
        &self,
        service: &mut AnomalyService,
        recorded: &[Recorded],
        now: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        let told = Told::begin(service)?;
        let new = recorded
            .iter()
            .filter(|record| record.number() > told.record);
        let mut strange = Vec::new();
        let mut reviews = Vec::new();
        let mut decided = Vec::new();
        for record in new {
            match record {
                Recorded::Observation(stored)
                    if stored.verdict.is_anomalous() && now - stored.job.started_at() < NEWS =>
                {
                    strange.push(stored);
                }
                Recorded::Review { job, review, .. } => {
                    reviews.extend(self.of_review(service, job, review)?);
                    decided.push((job, review));
                }
                Recorded::Observation(_) => {}
            }
        }
        let mut events = self.of_anomalies(service, &strange, now)?;
        events.extend(reviews);
        events.extend(self.of_closed(service, &decided)?);
        let mut told = told;
        if let Some(last) = recorded.last() {
            told.record = told.record.max(last.number());
            self.put(service, &events, told, now)?;
        }
        loop {
            let query = AuditQuery::default()
                .at_least(Severity::Low)
                .after(told.audit)
                .limit(PAGE);
            let entries = service.records().audit_entries(&query)?;
            let Some(last) = entries.last() else {
                return Ok(());
            };
            told.audit = last.number;
            let events: Vec<Event> = entries
                .iter()
                .filter_map(|entry| self.of_system(&entry.record))
                .collect();
            self.put(service, &events, told, now)?;
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
            anomaly.last_normal = service.last_normal(&key)?;
            let news = AnomalyNews::new(anomaly, incident, policy_type(stored));
            let link = format!("{}{}", self.address, crate::web::address(&key));
            let event = Event::new(&self.instance, now, What::Anomaly(Box::new(news)));
            events.push(event.with_link(link));
            if let Some(number) = incident {
                incidents.entry(number).or_default().push(stored);
            }
        }
        for (number, own) in incidents {
            let Some(report) = service.incident(number)? else {
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
            let recovery = service.recovery_points(client, Some(number))?;
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

    /// The incidents that these reviews closed, each once.
    fn of_closed(
        &self,
        service: &AnomalyService,
        decided: &[(&JobKey, &Review)],
    ) -> Result<Vec<Event>, ServiceError> {
        let mut incidents: BTreeMap<u64, BTreeSet<&JobKey>> = BTreeMap::new();
        for (job, review) in decided {
            let Some(number) = service.incident_of(job)? else {
                continue;
            };
            let report = service.incident(number)?;
            let closed_at = report.and_then(|report| report.closed_at);
            if closed_at.is_some_and(|at| is_same(at, review.reviewed_at)) {
                incidents.entry(number).or_default().insert(job);
            }
        }
        let mut events = Vec::new();
        for (number, jobs) in incidents {
            let Some(report) = service.incident(number)? else {
                continue;
            };
            let Some(closed_at) = report.closed_at.filter(|_| report.merged_into.is_none()) else {
                continue;
            };
            let closing = Closing::of(service, number, closed_at)?;
            // Many may have been decided at once, on more than one page: the first of them tells.
            if closing.first.is_some_and(|first| !jobs.contains(&first)) {
                continue;
            }
            let news = IncidentNews::new(number, IncidentChange::Closed, report.incident)
                .with_policy_types(closing.policy_types);
            let link = format!("{}/incidents/{number}", self.address);
            let event = Event::new(&self.instance, closed_at, What::Incident(Box::new(news)));
            events.push(event.with_link(link));
        }
        Ok(events)
    }

    fn of_system(&self, entry: &AuditEntry) -> Option<Event> {
        let news = system_news(entry)?;
        let event = Event::new(&self.instance, entry.at, What::System(news));
        Some(event.with_link(format!("{}/audit", self.address)))
    }
}

/// What there is to say of an incident that was closed.
#[derive(Default)]
struct Closing {
    /// The newest of those with which it was closed.
    first: Option<JobKey>,
    /// Of its newest anomalies: as many as were looked at to find the first, a page at least. `None`
    /// stands for those that were not looked at, too.
    policy_types: Vec<Option<PolicyType>>,
}

impl Closing {
    fn of(
        service: &AnomalyService,
        number: u64,
        closed_at: DateTime<Utc>,
    ) -> Result<Self, ServiceError> {
        let records = service.records();
        let mut closing = Self::default();
        let mut streams = BTreeSet::new();
        let mut query = AnomalyQuery::default().incident(number).limit(PAGE);
        for pages in 1.. {
            let page = records.anomalies(&query)?;
            for anomaly in &page {
                let verdict = &anomaly.verdict;
                let key = verdict.key();
                if streams.insert((verdict.client.clone(), verdict.policy.clone())) {
                    let job = records.job(&key)?;
                    let policy_type = job.and_then(|job| job.policy().policy_type.clone());
                    closing.policy_types.push(policy_type);
                }
                let reviewed_at = anomaly.review.as_ref().map(|review| review.reviewed_at);
                if closing.first.is_none() && reviewed_at.is_some_and(|at| is_same(at, closed_at)) {
                    closing.first = Some(key);
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => {
                    if closing.first.is_some() || pages == MOST_PAGES {
                        closing.policy_types.push(None);
                        break;
                    }
                    query = query.after(Some(last.verdict.key()));
                }
                _ => break,
            }
        }
        Ok(closing)
    }
}

/// Whether two times are the same as they are stored.
fn is_same(one: DateTime<Utc>, other: DateTime<Utc>) -> bool {
    one.timestamp_micros() == other.timestamp_micros()
}

fn policy_type(stored: &StoredObservation) -> Option<PolicyType> {
    stored.job.policy().policy_type.clone()
}

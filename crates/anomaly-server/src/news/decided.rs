//! Incidents that reviews close, and open again.

use std::collections::{BTreeMap, BTreeSet};

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{Anomaly, JobKey, PolicyType, Review, ReviewStatus};
use anomaly_notify::{Event, IncidentChange, IncidentNews, What};
use anomaly_service::{AnomalyService, ServiceError};
use anomaly_storage::AnomalyQuery;

use super::{PAGE, Sender};

/// Pages of an incident that are looked at.
const MOST_PAGES: usize = 10;

impl Sender {
    /// The incidents that these reviews closed, or opened again, each once.
    pub(super) fn of_decided(
        &self,
        service: &AnomalyService,
        decided: &[(&JobKey, &Review)],
    ) -> Result<Vec<Event>, ServiceError> {
        let mut incidents: BTreeMap<u64, Vec<(&JobKey, &Review)>> = BTreeMap::new();
        for (job, review) in decided {
            if let Some(number) = service.incident_of(job)? {
                incidents.entry(number).or_default().push((job, review));
            }
        }
        let mut events = Vec::new();
        for (number, decided) in incidents {
            let event = self.of_incident(service, number, &decided);
            events.extend(self.duties.unless_damaged(event)?);
        }
        Ok(events)
    }

    /// `None` where these reviews neither closed the incident nor opened it again, or the event is
    /// told with the first of those that did.
    fn of_incident(
        &self,
        service: &AnomalyService,
        number: u64,
        decided: &[(&JobKey, &Review)],
    ) -> Result<Option<Event>, ServiceError> {
        let report = service.incident(number)?;
        let Some(report) = report.filter(|report| report.merged_into.is_none()) else {
            return Ok(None);
        };
        let (change, at) = if let Some(at) = report.closed_at {
            (IncidentChange::Closed, at)
        } else {
            let reopened_at = reopened_at(service, number, decided)?;
            let Some(at) = reopened_at else {
                return Ok(None);
            };
            (IncidentChange::Reopened, at)
        };
        let mut of_then = decided
            .iter()
            .filter(|(_, review)| is_same(review.reviewed_at, at))
            .map(|(job, _)| *job)
            .peekable();
        if of_then.peek().is_none() {
            return Ok(None);
        }
        let found = Decided::of(service, number, at);
        let found = self.duties.unless_damaged(found)?;
        // Many may have been decided at once, on more than one page: the first of them tells.
        if found
            .first
            .is_some_and(|first| !of_then.any(|job| *job == first))
        {
            return Ok(None);
        }
        let news = IncidentNews::new(number, change, report.incident)
            .with_policy_types(found.policy_types);
        let link = format!("{}/incidents/{number}", self.address);
        let event = Event::new(&self.instance, at, What::Incident(Box::new(news)));
        Ok(Some(event.with_link(link)))
    }
}

/// When these reviews opened an incident again: when the first of them was taken back, if nothing else
/// in the incident waited then.
fn reopened_at(
    service: &AnomalyService,
    number: u64,
    decided: &[(&JobKey, &Review)],
) -> Result<Option<DateTime<Utc>>, ServiceError> {
    let waits = |review: &Review| review.status == ReviewStatus::NotReviewed;
    let taken_back = decided.iter().filter(|(_, review)| waits(review));
    let Some(at) = taken_back.map(|(_, review)| review.reviewed_at).min() else {
        return Ok(None);
    };
    let query = AnomalyQuery::default()
        .incident(number)
        .review_status(ReviewStatus::NotReviewed)
        .limit(PAGE);
    let waiting = service.records().anomalies(&query)?;
    let waited_then = |anomaly: &Anomaly| {
        let review = anomaly.review.as_ref();
        review.is_none_or(|review| review.reviewed_at < at)
    };
    Ok((!waiting.is_empty() && !waiting.iter().any(waited_then)).then_some(at))
}

/// What was decided at one time, and closed an incident or opened it again.
#[derive(Default)]
struct Decided {
    /// The newest job of those.
    first: Option<JobKey>,
    /// Of the incident's newest anomalies: as many as were looked at to find the first, a page at least.
    /// `None` stands for those that were not looked at, too.
    policy_types: Vec<Option<PolicyType>>,
}

impl Decided {
    fn of(service: &AnomalyService, number: u64, at: DateTime<Utc>) -> Result<Self, ServiceError> {
        let records = service.records();
        let mut decided = Self::default();
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
                    decided.policy_types.push(policy_type);
                }
                let reviewed_at = anomaly.review.as_ref().map(|review| review.reviewed_at);
                if decided.first.is_none() && reviewed_at.is_some_and(|other| is_same(other, at)) {
                    decided.first = Some(key);
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => {
                    if decided.first.is_some() || pages == MOST_PAGES {
                        decided.policy_types.push(None);
                        break;
                    }
                    query = query.after(Some(last.verdict.key()));
                }
                _ => break,
            }
        }
        Ok(decided)
    }
}

/// Whether two times are the same as they are stored.
fn is_same(one: DateTime<Utc>, other: DateTime<Utc>) -> bool {
    one.timestamp_micros() == other.timestamp_micros()
}

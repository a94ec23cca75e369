//! Incidents that reviews close, and open again.

use std::collections::{BTreeMap, BTreeSet};

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{JobKey, PolicyType, Review};
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
        let (change, at) = match (report.closed_at, report.reopened_at) {
            (Some(at), _) => (IncidentChange::Closed, at),
            (None, Some(at)) => (IncidentChange::Reopened, at),
            (None, None) => return Ok(None),
        };
        let mut of_then = decided
            .iter()
            .filter(|(_, review)| is_same(review.recorded_at(), at))
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
                let decided_at = anomaly.review.as_ref().map(Review::recorded_at);
                if decided.first.is_none() && decided_at.is_some_and(|other| is_same(other, at)) {
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

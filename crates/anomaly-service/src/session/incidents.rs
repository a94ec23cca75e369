//! Anomalies put together to incidents, as they come and as they are reviewed.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use anomaly_engine::{Sighting, group};
use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{Anomaly, Incident, JobKey, ReviewStatus, Verdict};
use anomaly_storage::{Around, IncidentRecord, NearbyAnomaly};
use serde::{Deserialize, Serialize};

use super::Session;
use crate::ServiceError;

/// So many neighbours on each side say which incidents an anomaly joins: where there are more, the
/// nearest have long been joined to the rest.
const NEIGHBOURS: usize = 128;

/// An incident in a session.
pub(crate) struct OpenIncident {
    details: Details,
    opened_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
    /// When it was closed before this session, if it was.
    was_closed_at: Option<DateTime<Utc>>,
    is_changed: bool,
}

/// What a store keeps of an incident beside what it searches for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Details {
    #[serde(flatten)]
    pub(crate) incident: Incident,
    /// The incident that this one turned out to be part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) merged_into: Option<u64>,
    /// When a decision about what had closed it opened it again; `None` once it is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reopened_at: Option<DateTime<Utc>>,
}

impl OpenIncident {
    fn of(incident: Incident) -> Self {
        Self {
            opened_at: incident.first_seen,
            closed_at: None,
            was_closed_at: None,
            details: Details {
                incident,
                merged_into: None,
                reopened_at: None,
            },
            is_changed: true,
        }
    }

    fn record(&self) -> Result<IncidentRecord, ServiceError> {
        let incident = &self.details.incident;
        Ok(IncidentRecord {
            first_seen: incident.first_seen,
            last_seen: incident.last_seen,
            severity: incident.severity(),
            opened_at: self.opened_at,
            closed_at: self.closed_at,
            details: serde_json::to_value(&self.details)
                .map_err(|source| ServiceError::Record { source })?,
        })
    }
}

impl Session<'_> {
    /// Puts an anomaly that is stored to the others that it belongs to.
    ///
    /// Incidents that it belongs to as well become one, under the smallest of their numbers: so
    /// that anomalies which come late give the same incidents as those that come in order.
    pub(super) fn add_to_incident(&mut self, anomaly: &Verdict) -> Result<(), ServiceError> {
        let (Some(sighting), Some(own)) = (Sighting::of(anomaly), Incident::of(anomaly)) else {
            return Ok(());
        };
        let neighbours = self.neighbours(anomaly)?;
        let sightings = neighbours.iter().map(|near| {
            Sighting::new(
                near.client.clone(),
                near.started_at,
                near.severity,
                near.kind,
            )
        });
        let sightings: Vec<Sighting> = std::iter::once(sighting).chain(sightings).collect();
        let firsts = group(&sightings, &self.engine.settings().incidents);
        let together = neighbours
            .iter()
            .zip(firsts.iter().skip(1))
            .filter(|(_, first)| **first == 0)
            .map(|(near, _)| near);
        // One that counts again comes back to where it was.
        let own_number = self.transaction.incident_of(&anomaly.key())?;
        let mut numbers: BTreeSet<u64> = own_number.into_iter().collect();
        // A database of an earlier version has anomalies without an incident.
        let mut without = Vec::new();
        for near in together {
            match near.incident {
                Some(number) => _ = numbers.insert(number),
                None => without.push(near.job.clone()),
            }
        }
        let mut numbers = numbers.into_iter();
        let number = match numbers.next() {
            Some(number) => {
                let incident = self.incident(number)?;
                incident.details.incident.merge(&own);
                incident.closed_at = None;
                incident.is_changed = true;
                number
            }
            None => self.open_incident(own)?,
        };
        self.transaction.put_in_incident(&anomaly.key(), number)?;
        for job in without {
            if let Some(verdict) = self.transaction.verdict(&job)?
                && let Some(part) = Incident::of(&verdict)
            {
                self.incident(number)?.details.incident.merge(&part);
                self.transaction.put_in_incident(&job, number)?;
            }
        }
        for other in numbers {
            self.merge_incidents(number, other)?;
        }
        Ok(())
    }

    /// The anomalies that are near enough to belong to it, without itself.
    fn neighbours(&self, anomaly: &Verdict) -> Result<Vec<NearbyAnomaly>, ServiceError> {
        let settings = &self.engine.settings().incidents;
        let hours = |hours: u32| TimeDelta::hours(hours.into());
        let near = |within, client, limit| {
            self.transaction.anomalies_around(&Around {
                at: anomaly.started_at,
                within,
                client,
                limit,
            })
        };
        // The nearest of the same client on each side, and perhaps itself.
        let of_client = near(hours(settings.client_hours.get()), Some(&anomaly.client), 2)?;
        let of_fleet = near(hours(settings.fleet_hours.get()), None, NEIGHBOURS)?;
        let own = anomaly.key();
        let by_job: BTreeMap<JobKey, NearbyAnomaly> = of_client
            .into_iter()
            .chain(of_fleet)
            .filter(|near| near.job != own)
            .map(|near| (near.job.clone(), near))
            .collect();
        Ok(by_job.into_values().collect())
    }

    /// Makes one incident part of another.
    fn merge_incidents(&mut self, number: u64, other: u64) -> Result<(), ServiceError> {
        let merged = self.incident(other)?;
        let part = merged.details.incident.clone();
        merged.details.merged_into = Some(number);
        merged.closed_at = Some(part.last_seen);
        merged.is_changed = true;
        let incident = self.incident(number)?;
        incident.details.incident.merge(&part);
        incident.closed_at = None;
        incident.is_changed = true;
        for anomaly in self.transaction.members(other)? {
            let job = anomaly.verdict.key();
            self.transaction.put_in_incident(&job, number)?;
        }
        Ok(())
    }

    /// After the reviews of an anomaly's incident changed at `at`: what was called usual or
    /// irrelevant is no part of it any more, so that it may fall apart; and it is closed once
    /// everything in it was reviewed.
    pub(super) fn regroup(&mut self, number: u64, at: DateTime<Utc>) -> Result<(), ServiceError> {
        let members = self.transaction.members(number)?;
        let stands = |anomaly: &&Anomaly| anomaly.review_status().stands();
        let standing: Vec<&Anomaly> = members.iter().filter(stands).collect();
        let sightings: Vec<Sighting> = standing
            .iter()
            .filter_map(|anomaly| Sighting::of(&anomaly.verdict))
            .collect();
        let mut parts: BTreeMap<usize, Vec<&Anomaly>> = BTreeMap::new();
        let firsts = group(&sightings, &self.engine.settings().incidents);
        for (first, anomaly) in firsts.into_iter().zip(standing) {
            parts.entry(first).or_default().push(anomaly);
        }
        let mut parts: Vec<Vec<&Anomaly>> = parts.into_values().collect();
        // The part with the earliest anomaly keeps the number: members come newest first.
        parts.sort_by_key(|part| part.last().map(|anomaly| anomaly.verdict.started_at));
        let mut parts = parts.into_iter();
        let kept = parts.next();
        let incident = self.incident(number)?;
        let is_open = match &kept {
            Some(part) => {
                if let Some(merged) = merged(part) {
                    incident.details.incident = merged;
                }
                waits(part)
            }
            None => false,
        };
        // What comes back, and was decided about as it came, has opened nothing that anyone saw.
        let closed_at = incident.closed_at.or(incident.was_closed_at);
        incident.closed_at = closed_at.or(Some(at)).filter(|_| !is_open);
        if incident.closed_at.is_some() {
            incident.details.reopened_at = None;
        } else if incident.was_closed_at.is_some() {
            incident.details.reopened_at = Some(at);
        }
        incident.is_changed = true;
        for part in parts {
            if let Some(merged) = merged(&part) {
                let other = self.open_incident(merged)?;
                if !waits(&part) {
                    self.incident(other)?.closed_at = Some(at);
                }
                for anomaly in part {
                    let job = anomaly.verdict.key();
                    self.transaction.put_in_incident(&job, other)?;
                }
            }
        }
        Ok(())
    }

    fn open_incident(&mut self, incident: Incident) -> Result<u64, ServiceError> {
        let opened = OpenIncident::of(incident);
        let number = self.transaction.open_incident(&opened.record()?)?;
        self.incidents.insert(number, opened);
        Ok(number)
    }

    /// An incident, read from the store when it is first asked for.
    fn incident(&mut self, number: u64) -> Result<&mut OpenIncident, ServiceError> {
        let place = match self.incidents.entry(number) {
            Entry::Occupied(known) => return Ok(known.into_mut()),
            Entry::Vacant(place) => place,
        };
        let record = self.transaction.incident(number)?;
        let record = record.ok_or_else(|| ServiceError::Missing {
            what: format!("incident {number}"),
        })?;
        let details = serde_json::from_value(record.details)
            .map_err(|source| ServiceError::Record { source })?;
        Ok(place.insert(OpenIncident {
            details,
            opened_at: record.opened_at,
            closed_at: record.closed_at,
            was_closed_at: record.closed_at,
            is_changed: false,
        }))
    }

    /// Writes back what changed.
    pub(super) fn put_incidents(&mut self) -> Result<(), ServiceError> {
        for (&number, incident) in &mut self.incidents {
            if std::mem::take(&mut incident.is_changed) {
                let record = incident.record()?;
                self.transaction.put_incident(number, &record)?;
            }
        }
        Ok(())
    }
}

/// Whether someone still has to look at something.
fn waits(part: &[&Anomaly]) -> bool {
    part.iter()
        .any(|anomaly| anomaly.review_status() == ReviewStatus::NotReviewed)
}

fn merged(part: &[&Anomaly]) -> Option<Incident> {
    let incidents = part
        .iter()
        .filter_map(|anomaly| Incident::of(&anomaly.verdict));
    incidents.reduce(|mut all, one| {
        all.merge(&one);
        all
    })
}

//! Anomalies that belong together.

use anomaly_model::JobKey;
use anomaly_storage::{IncidentQuery, IncidentRecord};

use super::AnomalyService;
use crate::session::Details;
use crate::{IncidentReport, ServiceError};

impl AnomalyService {
    /// The incidents that a query asks for, those seen last first. What turned out to be part of
    /// another is left out.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn incidents(&self, query: &IncidentQuery) -> Result<Vec<IncidentReport>, ServiceError> {
        let most = query.limit.unwrap_or(usize::MAX);
        let mut query = query.clone();
        let mut found = Vec::new();
        loop {
            let page = self.store.incidents(&query)?;
            let is_last = page.len() < most;
            query.after = page.last().map(|stored| stored.number);
            for stored in page {
                let report = report(stored.number, stored.record)?;
                if report.merged_into.is_none() && found.len() < most {
                    found.push(report);
                }
            }
            if is_last || found.len() >= most {
                return Ok(found);
            }
        }
    }

    /// An incident; of one that turned out to be part of another, what it was before.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn incident(&self, number: u64) -> Result<Option<IncidentReport>, ServiceError> {
        let record = self.store.incident(number)?;
        record.map(|record| report(number, record)).transpose()
    }

    /// The number of the incident that an anomaly belongs to.
    ///
    /// # Errors
    /// [`ServiceError::Store`] when the store cannot be read.
    pub fn incident_of(&self, job: &JobKey) -> Result<Option<u64>, ServiceError> {
        Ok(self.store.incident_of(job)?)
    }
}

fn report(number: u64, record: IncidentRecord) -> Result<IncidentReport, ServiceError> {
    let details: Details =
        serde_json::from_value(record.details).map_err(|source| ServiceError::Record { source })?;
    Ok(IncidentReport {
        number,
        incident: details.incident,
        closed_at: record.closed_at,
        reopened_at: details.reopened_at,
        merged_into: details.merged_into,
    })
}

//! Jobs, numbers and names in addresses.

use anomaly_model::{JobId, JobKey, SourceName};
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// A job that an address names: `{source}/{job_id}`.
#[derive(Debug, Clone)]
pub(crate) struct JobPath(pub(crate) JobKey);

#[derive(Deserialize)]
struct Raw {
    source: String,
    job_id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for JobPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<Raw>::from_request_parts(parts, state).await;
        let Path(raw) = path.map_err(|error: PathRejection| Problem::invalid(error.body_text()))?;
        let source = SourceName::new(raw.source);
        let job_id = JobId::new(raw.job_id);
        match (source, job_id) {
            (Ok(source), Ok(job_id)) => Ok(Self(JobKey::new(source, job_id))),
            _ => Err(Problem::not_found("job")),
        }
    }
}

/// One part of an address, with a problem instead of plain text when it is none.
pub(crate) struct InPath<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for InPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        let Path(part) =
            path.map_err(|error: PathRejection| Problem::invalid(error.body_text()))?;
        Ok(Self(part))
    }
}

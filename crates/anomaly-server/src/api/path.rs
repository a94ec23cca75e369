//! Jobs, numbers and names in addresses.

use anomaly_model::{JobId, JobKey, SourceName};
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::problem::Problem;
use crate::web::encoded;

/// What browsers and other clients take for a step in a path, also when it is `%2E`.
const STEPS: [&str; 2] = [".", ".."];
/// What stands before a part that would be one.
const NO_STEP: &str = "~";

/// Text as a part of a path. One `~` more stands before a step, and before what looks like one that was
/// written so; nothing else is changed.
pub(crate) fn part(text: &str) -> String {
    let before = if is_step(text) { NO_STEP } else { "" };
    format!("{before}{}", encoded(text))
}

/// The other way round, of a part that is decoded.
fn meant(part: &str) -> &str {
    let rest = part.strip_prefix(NO_STEP).filter(|rest| is_step(rest));
    rest.unwrap_or(part)
}

fn is_step(text: &str) -> bool {
    STEPS.contains(&text.trim_start_matches(NO_STEP))
}

/// A job in an address: `{source}/{job_id}`.
pub(crate) fn job_in_path(job: &JobKey) -> String {
    format!(
        "{}/{}",
        part(job.source.as_str()),
        part(job.job_id.as_str())
    )
}

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
        let source = SourceName::new(meant(&raw.source));
        let job_id = JobId::new(meant(&raw.job_id));
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

#[cfg(test)]
mod tests {
    use super::{meant, part};

    /// No part is a step, each is another one, and those that never were one are as they always were.
    #[test]
    fn a_part_is_no_step_and_leads_back() {
        for text in ["", "~", "...", "j.1", "~j", "a/..", ".~"] {
            assert_eq!(part(text), crate::web::encoded(text));
            assert_eq!(meant(text), text);
        }
        for text in [".", "..", "~.", "~..", "~~.."] {
            assert_eq!(part(text), format!("~{text}"));
            assert_eq!(meant(&part(text)), text);
        }
        // Who does not take it for a step may go on writing it so.
        assert_eq!((meant("."), meant("..")), (".", ".."));
    }
}

//! Jobs, handed over and looked at.

use std::borrow::Cow;
use std::sync::Arc;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{BackupJob, ClientName, JobKey, StreamKey, Verdict};
use anomaly_service::{NotKept, Observed};
use anomaly_settings::Role;
use anomaly_sources::{Format, ReadOptions, Record, Timezone, read, recognise};
use anomaly_storage::{ObservationQuery, StoredObservation};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::Asked;
use super::{Cursor, JobPath, Limit, Page};
use crate::account::Permission;
use crate::app::App;
use crate::guard::Caller;
use crate::identity::Identity;
use crate::problem::Problem;

/// Jobs that are committed together: another request gets in between.
const TOGETHER: usize = 1_000;

/// Records of one body: each has a line in the answer.
const MOST_RECORDS: usize = 10_000;

/// What a body of jobs is.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HandOver {
    /// The tool's own format, such as `restic-backup` or `auto`, where `Content-Type` does not say.
    format: Option<String>,
    /// The client, for formats that do not name it.
    client: Option<String>,
    /// The policy, for formats that do not name it.
    policy: Option<String>,
    /// When the job started, for formats that do not say.
    started_at: Option<DateTime<Utc>>,
    /// The exit status of the tool whose output it is, for formats that do not say.
    exit_code: Option<i64>,
    /// The zone of times that are printed without one, such as `Europe/Berlin` or `+02:00`.
    timezone: Option<String>,
}

/// What became of one record of a body.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Received {
    /// Where it stood, such as `line 3`.
    place: String,
    /// `new`, `known`, `not_kept`, `skipped`, or `refused`.
    outcome: Outcome,
    /// The verdict on a new job. That on a known one is told to who may see jobs, elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    verdict: Option<Verdict>,
    /// Why it was not kept, skipped, or refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Judged and kept.
    New,
    /// Kept before; nothing changed.
    Known,
    /// Neither judged nor kept: its id is that of another job, or its source is Backwatch's own.
    NotKept,
    /// Not a finished backup.
    Skipped,
    /// It cannot be used. The others were.
    Refused,
}

/// What became of a body of jobs.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Receipt {
    /// Jobs that were judged and kept.
    new_jobs: u64,
    /// Jobs that were kept before.
    known_jobs: u64,
    /// Jobs that were neither judged nor kept.
    not_kept_jobs: u64,
    /// Records that cannot be used.
    refused: u64,
    /// Jobs among the new ones that are anomalous.
    anomalous: u64,
    /// Each record, in its order.
    records: Vec<Received>,
}

/// Hands over jobs, which are judged and kept before the answer comes.
///
/// The body is one job record (`application/json`), records a line each (`application/x-ndjson`), a
/// document of NetBackup's REST interface (`application/vnd.netbackup+json`), or whatever a backup
/// tool prints, with `format`. The same job again changes nothing: send it again if no answer came.
#[utoipa::path(post, path = "/api/v1/jobs", tag = "jobs", params(HandOver),
    request_body(content(
        (Object = "application/json"), (String = "application/x-ndjson"),
        (Object = "application/vnd.netbackup+json"))),
    responses((status = 200, body = Receipt), (status = 400, body = Problem),
        (status = 403, body = Problem), (status = 422, body = Receipt), (status = 503, body = Problem)))]
pub(crate) async fn hand_over(
    State(app): State<App>,
    caller: Caller,
    Asked(asked): Asked<HandOver>,
    headers: HeaderMap,
    body: axum::body::Body,
) -> Result<Response, Problem> {
    if !app.readers.settings().is_on(Role::Gather) {
        return Err(Problem::not_gathered());
    }
    let _upload = app.upload().await;
    let body = axum::body::to_bytes(body, app.options.most_request_bytes);
    let body = body.await.map_err(|_| Problem::too_large())?;
    let parsing = Arc::clone(&app.parsing).acquire_owned().await;
    let most = app.options.most_request_bytes;
    let records = tokio::task::spawn_blocking(move || {
        let _parsing = parsing;
        records(&asked, &headers, &body, most)
    });
    let records = records
        .await
        .map_err(|error| Problem::internal(&error.to_string()))??;
    let mut receipt = Receipt::default();
    let mut jobs = Vec::new();
    for record in records {
        let (place, outcome, reason) = match record {
            Record::Job(job) => {
                let place = job.place.to_string();
                match refusal(&caller, &job.value) {
                    None => {
                        jobs.push((receipt.records.len(), job.value));
                        (place, Outcome::New, None)
                    }
                    Some(reason) => (place, Outcome::Refused, Some(reason)),
                }
            }
            Record::Skipped(why) | Record::Remark(why) => (
                why.place.to_string(),
                Outcome::Skipped,
                Some(why.value.to_owned()),
            ),
            Record::Bad(error) => {
                let place = error.place.to_string();
                (place, Outcome::Refused, Some(error.to_string()))
            }
            _ => continue,
        };
        receipt.refused += u64::from(outcome == Outcome::Refused);
        receipt.records.push(Received {
            place,
            outcome,
            verdict: None,
            reason,
        });
    }
    let mut are_first = true;
    while !jobs.is_empty() {
        let rest = jobs.split_off(jobs.len().min(TOGETHER));
        let (places, batch): (Vec<usize>, Vec<BackupJob>) = jobs.into_iter().unzip();
        jobs = rest;
        // Whoever is turned away was told of nothing that was kept.
        let observed = if are_first {
            app.writer.observe(batch).await?
        } else {
            app.writer.observe_patiently(batch).await?
        };
        are_first = false;
        for (place, observed) in places.into_iter().zip(observed) {
            app.note_job();
            receipt.note(place, observed, &caller);
        }
    }
    let not_taken = receipt.refused + receipt.not_kept_jobs;
    let nothing_kept = not_taken > 0 && receipt.new_jobs + receipt.known_jobs == 0;
    let status = if nothing_kept {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    Ok((status, Json(receipt)).into_response())
}

impl Receipt {
    fn note(&mut self, place: usize, observed: Observed, caller: &Identity) {
        let Some(record) = self.records.get_mut(place) else {
            return;
        };
        if let Some(why) = &observed.not_kept {
            self.not_kept_jobs += 1;
            record.outcome = Outcome::NotKept;
            record.reason = Some(in_words(why, caller));
        } else if observed.already_known {
            self.known_jobs += 1;
            record.outcome = Outcome::Known;
        } else {
            self.new_jobs += 1;
            self.anomalous += u64::from(observed.verdict.is_anomalous());
            record.verdict = Some(observed.verdict);
        }
    }
}

/// Why a job was not kept. Whose the other one is, is told to who may see jobs.
fn in_words(why: &NotKept, caller: &Identity) -> String {
    match why {
        NotKept::OtherJob { .. } if !caller.may(Permission::See) => {
            "its id is that of another job, which is stored".to_owned()
        }
        why => why.to_string(),
    }
}

fn refusal(caller: &Identity, job: &BackupJob) -> Option<String> {
    (!caller.covers(job.source())).then(|| {
        let source = job.source();
        format!("{} may not hand over jobs of {source}", caller.name)
    })
}

/// All records of a body.
fn records(
    asked: &HandOver,
    headers: &HeaderMap,
    body: &[u8],
    most_bytes: usize,
) -> Result<Vec<Record>, Problem> {
    let format = format_of(asked, headers, body)?;
    let timezone = asked.timezone.as_deref().map(str::parse::<Timezone>);
    let timezone = timezone.transpose();
    let timezone = timezone.map_err(|error| Problem::invalid(error.to_string()))?;
    let options = ReadOptions::default()
        .client(asked.client.clone())
        .policy(asked.policy.clone())
        .started_at(asked.started_at)
        .exit_code(asked.exit_code)
        .timezone(timezone)
        .max_record_bytes(most_bytes);
    let body = match format {
        Format::Ndjson => on_one_line(body),
        _ => Cow::Borrowed(body),
    };
    let mut records = Vec::new();
    for record in read(&*body, format, &options).map_err(|error| unreadable(&error))? {
        if records.len() == MOST_RECORDS {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_many_records",
                format!(
                    "The body has more than {MOST_RECORDS} records: send fewer at once. None was kept."
                ),
            ));
        }
        records.push(record.map_err(|error| unreadable(&error))?);
    }
    Ok(records)
}

/// A body that is one record may be laid out on several lines, as people and many programs write JSON.
fn on_one_line(body: &[u8]) -> Cow<'_, [u8]> {
    let is_one = body.trim_ascii_end().contains(&b'\n')
        && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
    if !is_one {
        return Cow::Borrowed(body);
    }
    // Within a text a line end would be escaped.
    let is_end = |byte: u8| matches!(byte, b'\n' | b'\r');
    let on_one_line = body
        .iter()
        .map(|&byte| if is_end(byte) { b' ' } else { byte });
    Cow::Owned(on_one_line.collect())
}

fn format_of(asked: &HandOver, headers: &HeaderMap, body: &[u8]) -> Result<Format, Problem> {
    let content_type = headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let media_type = content_type.map(|text| text.split(';').next().unwrap_or(text).trim());
    match (asked.format.as_deref(), media_type) {
        (Some("auto"), _) => match recognise(body) {
            Ok(recognised) => Ok(recognised.format),
            Err(error) => Err(unreadable(&error)),
        },
        (Some(name), _) => name.parse().map_err(|error| unreadable(&error)),
        (None, Some("application/vnd.netbackup+json")) => Ok(Format::NetBackupRest),
        (None, Some("application/json" | "application/x-ndjson" | "application/jsonl")) => {
            Ok(Format::Ndjson)
        }
        (None, _) => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unknown_format",
            "Say what the body is: with `Content-Type: application/json`, `application/x-ndjson` \
             or `application/vnd.netbackup+json`, or with `?format=` and the name of a format.",
        )),
    }
}

fn unreadable(error: &anomaly_sources::SourceError) -> Problem {
    Problem::invalid(format!("The body {error}."))
}

/// Which jobs to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only of this client.
    #[param(value_type = Option<String>)]
    client: Option<ClientName>,
    /// Only those that started at this time or later.
    started_from: Option<DateTime<Utc>>,
    /// Only those that started before this time.
    started_until: Option<DateTime<Utc>>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// How many: 1 to 1,000; 50 when not given.
    #[serde(default)]
    #[param(value_type = Option<u16>)]
    limit: Limit,
}

/// A job with what was concluded about it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobView {
    /// The parts of the job's stream, each with its value.
    #[schema(value_type = Vec<Vec<Option<String>>>)]
    stream: StreamKey,
    /// The job, as it was handed over.
    #[schema(value_type = Object)]
    job: BackupJob,
    /// What was concluded about it.
    #[schema(value_type = Object)]
    verdict: Verdict,
}

impl From<StoredObservation> for JobView {
    fn from(stored: StoredObservation) -> Self {
        Self {
            stream: stored.stream,
            job: stored.job,
            verdict: stored.verdict,
        }
    }
}

/// Jobs with their verdicts, newest first.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", params(Filter),
    responses((status = 200, body = Page<JobView>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(app): State<App>,
    Asked(filter): Asked<Filter>,
) -> Result<Json<Page<JobView>>, Problem> {
    let limit = filter.limit.get()?;
    let after = filter.cursor.as_deref().map(Cursor::read::<JobKey>);
    let query = ObservationQuery::default()
        .client(filter.client)
        .started_from(filter.started_from)
        .started_until(filter.started_until)
        .after(after.transpose()?)
        .limit(limit + 1);
    let found = app
        .readers
        .read(move |service| Ok(service.records().observations(&query)?))
        .await?;
    let page = Page::cut(found, limit, |stored| Cursor::write(&stored.job.key()));
    Ok(Json(page.map(JobView::from)))
}

/// A job with its verdict.
#[utoipa::path(get, path = "/api/v1/jobs/{source}/{job_id}", tag = "jobs",
    params(("source" = String, Path, description = "The tool that ran it."),
        ("job_id" = String, Path, description = "The tool's own id.")),
    responses((status = 200, body = JobRecord), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(app): State<App>,
    JobPath(key): JobPath,
) -> Result<Json<JobRecord>, Problem> {
    let found = app
        .readers
        .read(move |service| {
            let records = service.records();
            Ok(records.job(&key)?.zip(records.verdict(&key)?))
        })
        .await?;
    let (job, verdict) = found.ok_or_else(|| Problem::not_found("job"))?;
    Ok(Json(JobRecord { job, verdict }))
}

/// A job with its verdict.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobRecord {
    /// The job, as it was handed over.
    #[schema(value_type = Object)]
    job: BackupJob,
    /// What was concluded about it.
    #[schema(value_type = Object)]
    verdict: Verdict,
}

#[cfg(test)]
mod tests {
    use super::on_one_line;

    #[test]
    fn one_record_may_stand_on_several_lines() {
        assert_eq!(
            *on_one_line(b"{\n \"a\":\r\n \"\\n\"\n}\n"),
            *b"{  \"a\":   \"\\n\" } "
        );
        for as_it_was in ["{\"a\":1}\n", "{\"a\":1}\n{\"a\":2}\n", "{\n", ""] {
            assert_eq!(*on_one_line(as_it_was.as_bytes()), *as_it_was.as_bytes());
        }
    }
}

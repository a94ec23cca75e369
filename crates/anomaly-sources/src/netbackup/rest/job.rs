//! A job of `/admin/jobs`.

use anomaly_model::chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::netbackup::codes;
use crate::netbackup::families::{Member, NoRun};
use crate::netbackup::rest::{Element, bytes, missing};
use crate::netbackup::run::{Run, known_moved, ratio_of_percent};
use crate::{Place, RecordError, duration, json};

/// Whose a job is: it counts even where the rest cannot be read.
#[derive(Debug, Deserialize)]
struct Relatives {
    attributes: Numbers,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Numbers {
    job_id: Option<u64>,
    /// 0 for a job without a parent.
    parent_job_id: Option<u64>,
    child_count: Option<u64>,
    job_type: String,
    client_name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Job {
    attributes: Attributes,
}

/// What is used of a job, with NetBackup's names. The same from API 4.0 (NetBackup 8.3) to 14.0
/// (11.2), except that 4.0 knows no children and writes lengths of time as `HH:MM:SS`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    state: Option<String>,
    status: Option<u64>,
    client_name: Option<String>,
    policy_name: Option<String>,
    policy_type: Option<String>,
    schedule_name: Option<String>,
    schedule_type: Option<String>,
    #[serde(default, deserialize_with = "json::time")]
    start_time: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::time")]
    end_time: Option<DateTime<Utc>>,
    elapsed_time: Option<String>,
    kilobytes_transferred: Option<u64>,
    kilobytes_data_transferred: Option<u64>,
    number_of_files: Option<u64>,
    /// In percent.
    dedup_ratio: Option<f64>,
}

pub(super) fn read(text: &str, place: Place) -> Result<Element, RecordError> {
    let Relatives { attributes } = json::parse_by_path(text, place)?;
    let id = attributes.job_id.ok_or_else(|| missing("jobId", place))?;
    if let Some(why) = codes::no_backup_in_word(&attributes.job_type) {
        return Ok(Element::OtherJob(id, why));
    }
    let children = attributes.child_count;
    Ok(Element::Job(Box::new(Member {
        id,
        parent: attributes.parent_job_id.unwrap_or_default(),
        has_children: children.is_some_and(|children| children > 0),
        client: attributes.client_name.unwrap_or_default(),
        place,
        run: run(id, text, place),
    })))
}

/// What a job did, if that is known.
fn run(id: u64, text: &str, place: Place) -> Result<Run, NoRun> {
    let Job { attributes } = json::parse_by_path(text, place).map_err(NoRun::Bad)?;
    match not_ended(attributes.state.as_deref(), place) {
        Ok(Some(why)) => Err(NoRun::NotEnded(why)),
        Ok(None) => ended_run(id, attributes, place).map_err(NoRun::Bad),
        Err(error) => Err(NoRun::Bad(error)),
    }
}

/// Why a job has not ended; `None` if it has.
fn not_ended(state: Option<&str>, place: Place) -> Result<Option<&'static str>, RecordError> {
    let state = state.ok_or_else(|| missing("state", place))?;
    codes::not_ended_in_word(state).map_err(|()| {
        let message = format!("`attributes.state` is {state:?}: must be DONE or a state before");
        RecordError::new(place, message)
    })
}

fn ended_run(id: u64, attributes: Attributes, place: Place) -> Result<Run, RecordError> {
    let exit_code = attributes.status.ok_or_else(|| missing("status", place))?;
    let started_at = attributes.start_time;
    let image = attributes.kilobytes_transferred;
    let moved = known_moved(attributes.kilobytes_data_transferred, image);
    let name = |name: Option<String>| name.filter(|name| name != "-" && !name.trim().is_empty());
    let policy_type = attributes.policy_type.as_deref();
    let schedule_type = attributes.schedule_type.as_deref();
    Ok(Run {
        place,
        job_id: id.to_string(),
        client: attributes.client_name.unwrap_or_default(),
        policy: attributes.policy_name.unwrap_or_default(),
        policy_type: policy_type.and_then(codes::policy_type_in_word),
        schedule: name(attributes.schedule_name),
        schedule_type: schedule_type.and_then(codes::schedule_type_in_word),
        started_at: started_at.ok_or_else(|| missing("startTime", place))?,
        // A time that was never set is one of these.
        ended_at: (attributes.end_time).filter(|&end| end != DateTime::UNIX_EPOCH),
        duration_seconds: (attributes.elapsed_time.as_deref())
            .filter(|text| !text.is_empty())
            .map(|text| length_seconds(text, place))
            .transpose()?,
        status: codes::status_of(exit_code),
        exit_code: Some(exit_code),
        image_bytes: bytes("kilobytesTransferred", image, place)?,
        file_count: attributes.number_of_files,
        transferred_bytes: bytes("kilobytesDataTransferred", moved, place)?,
        dedup_ratio: attributes.dedup_ratio.and_then(ratio_of_percent),
    })
}

fn length_seconds(text: &str, place: Place) -> Result<f64, RecordError> {
    let seconds = duration::of_iso_8601(text).or_else(|| duration::of_clock(text));
    seconds.ok_or_else(|| {
        let text: String = text.chars().take(40).collect();
        let message = format!(
            "`attributes.elapsedTime` is {text:?}: must be a length such as PT5M46S or 00:05:46"
        );
        RecordError::new(place, message)
    })
}

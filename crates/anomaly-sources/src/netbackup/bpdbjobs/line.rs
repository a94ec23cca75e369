//! One record of `bpdbjobs` made a job.

use anomaly_model::chrono::{DateTime, Utc};

use crate::netbackup::bpdbjobs::columns::{Column, Columns};
use crate::netbackup::bpdbjobs::tail::Tail;
use crate::netbackup::families::Member;
use crate::netbackup::run::{MAX_KB, Run, bytes_of_kb};
use crate::netbackup::{codes, run};
use crate::{Place, RecordError};

const fn column(index: usize, name: &'static str) -> Column {
    Column { index, name }
}

const JOB_ID: Column = column(0, "jobid");
const JOB_TYPE: Column = column(1, "jobtype");
const STATE: Column = column(2, "state");
const STATUS: Column = column(3, "status");
const POLICY: Column = column(4, "policy");
const SCHEDULE: Column = column(5, "schedule");
const CLIENT: Column = column(6, "client");
const STARTED: Column = column(8, "started");
const ELAPSED: Column = column(9, "elapsed");
const ENDED: Column = column(10, "ended");
const KILOBYTES: Column = column(14, "kbytes");
const FILES: Column = column(15, "files");
const POLICY_TYPE: Column = column(21, "policytype");
const SCHEDULE_TYPE: Column = column(22, "scheduletype");

/// What a record of `bpdbjobs` is.
#[derive(Debug)]
pub(super) enum Line {
    /// A backup, ended or not.
    Backup(Box<Member>),
    /// A job of another kind, or one of which nothing is recorded.
    Other(&'static str),
}

impl Line {
    /// Reads one record, of however many lines.
    ///
    /// Every record stands on its own: an input may have records of several versions.
    pub(super) fn read(text: &str, place: Place) -> Result<Self, RecordError> {
        let bad = |message: String| RecordError::new(place, message);
        let columns = Columns::new(text);
        let number = |column| columns.number(column).map_err(bad);
        let needed = |column: Column, number: Option<u64>| {
            number.ok_or_else(|| bad(format!("{column} is empty")))
        };
        let id = needed(JOB_ID, number(JOB_ID)?)?;
        let (job_type, state) = (number(JOB_TYPE)?, number(STATE)?);
        if job_type.is_none() && state.is_none() {
            return Ok(Self::Other("a job of which nothing is recorded"));
        }
        if let Some(why) = codes::no_backup(needed(JOB_TYPE, job_type)?) {
            return Ok(Self::Other(why));
        }
        let client = columns.text(CLIENT).unwrap_or_default().into_owned();
        let tail = Tail::new(&columns, &client);
        let state = needed(STATE, state)?;
        let not_ended = codes::not_ended(state)
            .map_err(|()| bad(format!("{STATE} is {state}: must be a number from 0 to 5")))?;
        let ended = number(ENDED)?;
        let not_ended = not_ended.or((ended == Some(0)).then_some(codes::RUNNING));
        let run = match not_ended {
            Some(why) => Err(why),
            None => {
                let tail = tail.ok_or_else(|| bad(cut_off(columns.len())))?;
                Ok(ended_run(id, &columns, &client, &tail, place).map_err(bad)?)
            }
        };
        Ok(Self::Backup(Box::new(Member {
            id,
            parent: tail.and_then(|tail| tail.parent).unwrap_or_default(),
            has_children: false,
            client,
            place,
            run,
        })))
    }
}

fn cut_off(columns: usize) -> String {
    format!(
        "cut off after {columns} columns, or no record of `bpdbjobs -report` with -all_columns or \
         -most_columns"
    )
}

/// What a job did that has ended.
fn ended_run(
    id: u64,
    columns: &Columns<'_>,
    client: &str,
    tail: &Tail,
    place: Place,
) -> Result<Run, String> {
    let number = |column| columns.number(column);
    let needed = |column: Column| number(column)?.ok_or_else(|| format!("{column} is empty"));
    let exit_code = needed(STATUS)?;
    let started_at = time(STARTED, needed(STARTED)?)?;
    let ended_at = number(ENDED)?.map(|seconds| time(ENDED, seconds)).transpose()?;
    let elapsed = number(ELAPSED)?;
    // A job without numbers of its own has those of its last try.
    let kilobytes = number(KILOBYTES)?.or(tail.try_kilobytes);
    let files = number(FILES)?.or(tail.try_files);
    let bytes = |kilobytes: u64| {
        bytes_of_kb(kilobytes)
            .ok_or_else(|| format!("{KILOBYTES} is {kilobytes} KB: must be at most {MAX_KB}"))
    };
    let schedule = columns.text(SCHEDULE).filter(|name| name != "-");
    Ok(Run {
        place,
        job_id: id.to_string(),
        client: client.to_owned(),
        policy: columns.text(POLICY).unwrap_or_default().into_owned(),
        policy_type: number(POLICY_TYPE)?.map(codes::policy_type),
        schedule: schedule.map(std::borrow::Cow::into_owned),
        schedule_type: number(SCHEDULE_TYPE)?.map(codes::schedule_type),
        started_at,
        ended_at,
        duration_seconds: elapsed.map(|seconds| seconds as f64),
        status: codes::status_of(exit_code),
        exit_code,
        image_bytes: kilobytes.map(bytes).transpose()?,
        file_count: files,
        transferred_bytes: tail.rates.kilobytes_moved.map(bytes).transpose()?,
        dedup_ratio: tail.rates.dedup_ratio,
    })
}

/// Seconds since 1970.
fn time(column: Column, seconds: u64) -> Result<DateTime<Utc>, String> {
    let time = i64::try_from(seconds).ok();
    time.and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or_else(|| format!("{column} is {seconds}: must be seconds since 1970"))
}

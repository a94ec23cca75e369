//! One record of `bpdbjobs` made a job.

use std::borrow::Cow;

use crate::netbackup::bpdbjobs::columns::Columns;
use crate::netbackup::bpdbjobs::tail::Tail;
use crate::netbackup::codes;
use crate::netbackup::column::Column;
use crate::netbackup::families::{Member, NoRun};
use crate::netbackup::run::{Run, known_moved};
use crate::{Place, RecordError};

const JOB_ID: Column = Column::new(0, "jobid");
const JOB_TYPE: Column = Column::new(1, "jobtype");
const STATE: Column = Column::new(2, "state");
const STATUS: Column = Column::new(3, "status");
const POLICY: Column = Column::new(4, "policy");
const SCHEDULE: Column = Column::new(5, "schedule");
const CLIENT: Column = Column::new(6, "client");
const STARTED: Column = Column::new(8, "started");
const ELAPSED: Column = Column::new(9, "elapsed");
const ENDED: Column = Column::new(10, "ended");
const KILOBYTES: Column = Column::new(14, "kbytes");
const FILES: Column = Column::new(15, "files");
const POLICY_TYPE: Column = Column::new(21, "policytype");
const SCHEDULE_TYPE: Column = Column::new(22, "scheduletype");

/// What a record of `bpdbjobs` is.
#[derive(Debug)]
pub(super) enum Line {
    /// A backup, ended or not, and how many columns stand behind the lists.
    Backup(Box<Member>, Option<usize>),
    /// A job of another kind, or one of which nothing is recorded, by its number.
    Other(u64, &'static str),
}

impl Line {
    /// Reads one record, of however many lines.
    ///
    /// Every record stands on its own: an input may have records of several versions.
    pub(super) fn read(text: &str, place: Place) -> Result<Self, RecordError> {
        let bad = |message: String| RecordError::new(place, message);
        let columns = Columns::new(text);
        let id = columns.number(JOB_ID).map_err(bad)?;
        let id = id.ok_or_else(|| bad(format!("{JOB_ID} is empty")))?;
        let (job_type, state) = (columns.number(JOB_TYPE), columns.number(STATE));
        if job_type == Ok(None) && state == Ok(None) {
            return Ok(Self::Other(id, "a job of which nothing is recorded"));
        }
        if let Ok(Some(job_type)) = job_type
            && let Some(why) = codes::no_backup(job_type)
        {
            return Ok(Self::Other(id, why));
        }
        let client = columns.text(CLIENT).unwrap_or_default().into_owned();
        let tail = Tail::new(&columns, &client);
        // Whatever is wrong with it, it may be a stream of a backup, which is not whole without it.
        let is_sound = job_type.and_then(|job_type| {
            job_type.ok_or_else(|| format!("{JOB_TYPE} is empty"))?;
            are_text(&[&client, columns.raw(POLICY.index)])
        });
        let run = match is_sound.and_then(|()| not_ended(&columns)) {
            Ok(Some(why)) => Err(NoRun::NotEnded(why)),
            Ok(None) => tail
                .ok_or_else(|| cut_off(columns.len()))
                .and_then(|tail| ended_run(id, &columns, &client, &tail, place))
                .map_err(|message| NoRun::Bad(bad(message))),
            Err(message) => Err(NoRun::Bad(bad(message))),
        };
        let member = Box::new(Member {
            id,
            parent: tail.and_then(|tail| tail.parent).unwrap_or_default(),
            has_children: false,
            client,
            place,
            run,
        });
        Ok(Self::Backup(member, tail.map(|tail| tail.columns)))
    }
}

fn are_text(names: &[&str]) -> Result<(), String> {
    if names
        .iter()
        .any(|name| name.contains(char::REPLACEMENT_CHARACTER))
    {
        return Err("the client or the policy is not UTF-8 text".to_owned());
    }
    Ok(())
}

/// Why a job has not ended; `None` if it has.
fn not_ended(columns: &Columns<'_>) -> Result<Option<&'static str>, String> {
    let state = columns.number(STATE)?;
    let state = state.ok_or_else(|| format!("{STATE} is empty"))?;
    let by_state = codes::not_ended(state)
        .map_err(|()| format!("{STATE} is {state}: must be a number from 0 to 5"))?;
    let by_time = || Ok((columns.number(ENDED)? == Some(0)).then_some(codes::RUNNING));
    by_state.map_or_else(by_time, |why| Ok(Some(why)))
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
    let started_at = STARTED.time(needed(STARTED)?)?;
    let ended_at = number(ENDED)?
        .map(|seconds| ENDED.time(seconds))
        .transpose()?;
    let elapsed = number(ELAPSED)?;
    // A job without numbers of its own has those of its last try.
    let kilobytes = number(KILOBYTES)?.or(tail.try_kilobytes);
    let files = number(FILES)?.or(tail.try_files);
    let moved = known_moved(tail.rates.kilobytes_moved, kilobytes);
    let bytes = |kilobytes: Option<u64>| {
        kilobytes
            .map(|kilobytes| KILOBYTES.bytes(kilobytes))
            .transpose()
    };
    let schedule = columns.text(SCHEDULE).filter(|name| name != "-");
    Ok(Run {
        place,
        job_id: id.to_string(),
        client: client.to_owned(),
        policy: columns.text(POLICY).unwrap_or_default().into_owned(),
        policy_type: number(POLICY_TYPE)?.map(codes::policy_type),
        schedule: schedule.map(Cow::into_owned),
        schedule_type: number(SCHEDULE_TYPE)?.map(codes::schedule_type),
        started_at,
        ended_at,
        duration_seconds: elapsed.map(|seconds| seconds as f64),
        status: codes::status_of(exit_code),
        exit_code: Some(exit_code),
        image_bytes: bytes(kilobytes)?,
        file_count: files,
        transferred_bytes: bytes(moved)?,
        dedup_ratio: tail.rates.dedup_ratio,
    })
}

//! When a job ran: the catalogue has the director's local times, and one moment in UTC.

use anomaly_model::chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::row::{Column, Row};
use crate::moment::Moment;
use crate::{ReadOption, ReadOptions, RecordError};

/// Offsets from UTC are whole quarters of an hour, ...
const QUARTER_SECONDS: i64 = 900;
/// ... and no clock is further away.
const FURTHEST_SECONDS: i64 = 14 * 3600;

/// The start of a job, and its end where the catalogue has one.
///
/// `JobTDate` is the moment of the end, or of the start while there is no end, in seconds since
/// 1970. Beside the local time of that moment it gives the offset of the director's clock from UTC,
/// so that no zone has to be told. A zone that is told also knows whether clocks were set while the
/// job ran; it must fit the offset.
pub(super) fn times<T: AsRef<str>>(
    row: &Row<T>,
    options: &ReadOptions,
) -> Result<(DateTime<Utc>, Option<DateTime<Utc>>), RecordError> {
    let place = row.place;
    let bad = |message: String| RecordError::new(place, message);
    let (start, field) = match row.moment(Column::StartTime)? {
        Some(start) => (start, "StartTime"),
        // One that was cancelled while it waited has never started.
        None => match row.moment(Column::SchedTime)? {
            Some(scheduled) => (scheduled, "SchedTime"),
            None => return Err(bad("`StartTime` is missing".to_owned())),
        },
    };
    let end = row.moment(Column::EndTime)?;
    let clock = match end.unwrap_or(start) {
        Moment::Zoned(_) => None,
        Moment::Local(local) => offset(local, row.count(Column::JobTDate)?),
    };
    let Some(zone) = options.timezone else {
        let on_clock = |moment| match (moment, clock) {
            (Moment::Zoned(time), _) => Ok(time),
            (Moment::Local(local), Some(offset)) => Ok(local.and_utc() - offset),
            (Moment::Local(_), None) => Err(RecordError::needs(place, ReadOption::Timezone)),
        };
        let (start, end) = (on_clock(start)?, end.map(on_clock).transpose()?);
        if end.is_some_and(|end| end < start) {
            return Err(bad(format!(
                "`EndTime` is before `{field}`: if clocks were set back in between, give the time \
                 zone as an option"
            )));
        }
        return Ok((start, end));
    };
    let start = start.start(field, Some(zone), place)?;
    let Some(end) = end else {
        return Ok((start, None));
    };
    let ended = end.end("EndTime", Some(zone), place, start)?;
    let (Moment::Local(local), Some(offset)) = (end, clock) else {
        return Ok((start, Some(ended)));
    };
    // Of an hour that comes twice, `JobTDate` knows which it was.
    let exactly = local.and_utc() - offset;
    if ended == exactly || zone.to_utc_from(local, exactly) == Some(exactly) {
        return Ok((start, Some(exactly)));
    }
    let minutes = offset.num_minutes();
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
    Err(bad(format!(
        "`EndTime` and `JobTDate` show that the director's clock was at {sign}{hours:02}:\
         {minutes:02} from UTC, which that of {zone} was not: is that the zone?"
    )))
}

/// How far a clock that showed `local` at `epoch_seconds` is ahead of UTC; `None` if the two cannot
/// be the same moment.
fn offset(local: NaiveDateTime, epoch_seconds: Option<u64>) -> Option<TimeDelta> {
    let epoch = i64::try_from(epoch_seconds?)
        .ok()
        .filter(|epoch| *epoch > 0)?;
    let offset = local.and_utc().timestamp().checked_sub(epoch)?;
    let is_offset = offset % QUARTER_SECONDS == 0 && offset.abs() <= FURTHEST_SECONDS;
    is_offset.then(|| TimeDelta::seconds(offset))
}

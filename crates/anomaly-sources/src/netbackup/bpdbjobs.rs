//! `bpdbjobs -report` with `-all_columns` or `-most_columns`: the jobs database.

mod columns;
mod line;
mod lines;
mod tail;

use crate::netbackup::bpdbjobs::line::Line;
use crate::netbackup::bpdbjobs::lines::{JobLines, is_job};
use crate::netbackup::bpdbjobs::tail::KNOWN_TAILS;
use crate::netbackup::column::is_whole;
use crate::netbackup::families::{Families, NoRun};
use crate::netbackup::gather::records;
use crate::netbackup::{JOBS_NEVER_TELL, STREAM_KEY};
use crate::{
    Head, Input, ReadOption, ReadOptions, Record, RecordError, Records, Source, SourceError,
};

/// The format `netbackup-bpdbjobs`.
#[derive(Debug)]
pub(crate) struct Bpdbjobs;

impl Source for Bpdbjobs {
    fn name(&self) -> &'static str {
        "netbackup-bpdbjobs"
    }

    fn input(&self) -> &'static str {
        "`bpdbjobs -report` with `-all_columns` or `-most_columns`"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        (head.lines().any(is_job))
            .then_some("it has lines of job number, type, state and status, and the times of a job")
    }

    fn never_knows(&self) -> &'static [&'static str] {
        JOBS_NEVER_TELL
    }

    fn stream_key(&self) -> &'static str {
        STREAM_KEY
    }

    fn options(&self) -> &'static [ReadOption] {
        &[]
    }

    fn open<'a>(
        &self,
        input: Input<'a>,
        options: &ReadOptions,
    ) -> Result<Records<'a>, SourceError> {
        let mut lines = JobLines::new(input.not_empty()?, options);
        let mut before = None;
        let take = move |families: &mut Families| {
            let Some(job) = lines.next()? else {
                return Ok(false);
            };
            let place = job.place;
            match job.text.and_then(|text| Line::read(&text, place)) {
                Ok(Line::Backup(mut member, tail)) => {
                    let is_whole =
                        tail.is_some_and(|columns| is_whole(columns, &KNOWN_TAILS, before));
                    if job.may_be_cut && !is_whole {
                        families.cut();
                        if !matches!(member.run, Err(NoRun::Bad(_))) {
                            let message = "cut off in the middle of the record";
                            member.run = Err(NoRun::Bad(RecordError::new(place, message)));
                        }
                    }
                    before = tail.or(before);
                    families.add(member);
                }
                Ok(Line::Other(number, why)) => {
                    families.see(number);
                    families.pass(Record::skipped(place, why));
                }
                Err(error) => {
                    if job.may_be_cut {
                        families.cut();
                    }
                    families.pass(Record::Bad(error));
                }
            }
            Ok(true)
        };
        Ok(records(Families::default(), take, NO_JOBS))
    }
}

const NO_JOBS: SourceError = SourceError::Empty {
    reason: "no line is a job as `bpdbjobs -report` prints it with -all_columns or -most_columns",
};

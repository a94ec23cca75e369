//! `bpdbjobs -report` with `-all_columns` or `-most_columns`: the jobs database.

mod columns;
mod line;
mod lines;
mod tail;

use crate::netbackup::bpdbjobs::line::Line;
use crate::netbackup::bpdbjobs::lines::{JobLines, is_job};
use crate::netbackup::families::Families;
use crate::netbackup::gather::records;
use crate::{Head, Input, ReadOption, ReadOptions, Record, Records, Source, SourceError};

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
        &[
            "stored_bytes",
            "files_new",
            "files_changed",
            "files_unmodified",
            "files_deleted",
            "directory_count",
            "content",
        ]
    }

    fn stream_key(&self) -> &'static str {
        "client, policy and schedule type, as NetBackup itself groups them"
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
        let take = move |families: &mut Families| {
            let Some((place, text)) = lines.next()? else {
                return Ok(false);
            };
            match text.and_then(|text| Line::read(&text, place)) {
                Ok(Line::Backup(member)) => families.add(member),
                Ok(Line::Other(why)) => {
                    families.pass(Record::skipped(place, why));
                }
                Err(error) => families.pass(Record::Bad(error)),
            }
            Ok(true)
        };
        Ok(records(Families::default(), take, NO_JOBS))
    }
}

const NO_JOBS: SourceError = SourceError::Empty {
    reason: "no line is a job as `bpdbjobs -report` prints it with -all_columns or -most_columns",
};

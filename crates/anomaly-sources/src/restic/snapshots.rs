//! `restic snapshots --json` and `rustic snapshots --json`: the list of a repository's snapshots.

use std::iter;

use anomaly_model::BackupImage;

use crate::input::shown;
use crate::restic::snapshot::Snapshot;
use crate::values::{ELEMENT, Path, Values};
use crate::{
    Format, Head, Input, Located, ReadOption, ReadOptions, Record, Records, Source, SourceError,
};

/// The format `restic-snapshots`.
#[derive(Debug)]
pub(crate) struct Snapshots;

/// The format `rustic-snapshots`.
#[derive(Debug)]
pub(crate) struct RusticSnapshots;

impl Source for Snapshots {
    fn name(&self) -> &'static str {
        "restic-snapshots"
    }

    fn input(&self) -> &'static str {
        "`restic snapshots --json`"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        let is = is_list(head) && !is_by_rustic(head);
        is.then_some("it is a list of objects with `time`, `tree` and `paths`")
    }

    fn never_knows(&self) -> &'static [&'static str] {
        &["exit_code", "dedup_ratio", "files_deleted", "content"]
    }

    fn stream_key(&self) -> &'static str {
        "`hostname`, and as policy the sorted paths and the sorted tags; restic has no schedules"
    }

    fn policy_parts(&self) -> &'static [&'static str] {
        &["paths", "tags"]
    }

    fn options(&self) -> &'static [ReadOption] {
        OPTIONS
    }

    fn open<'a>(
        &self,
        input: Input<'a>,
        options: &ReadOptions,
    ) -> Result<Records<'a>, SourceError> {
        open(Format::ResticSnapshots, LISTED, input, options)
    }
}

impl Source for RusticSnapshots {
    fn name(&self) -> &'static str {
        "rustic-snapshots"
    }

    fn input(&self) -> &'static str {
        "`rustic snapshots --json`"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        let is = is_list(head) && is_by_rustic(head);
        is.then_some("it is a list of objects with `time`, `tree` and `paths`, made by rustic")
    }

    fn never_knows(&self) -> &'static [&'static str] {
        Snapshots.never_knows()
    }

    fn stream_key(&self) -> &'static str {
        "`hostname`, and as policy the label, the sorted paths and the sorted tags; rustic has no \
         schedules"
    }

    fn policy_parts(&self) -> &'static [&'static str] {
        &["label", "paths", "tags"]
    }

    fn options(&self) -> &'static [ReadOption] {
        OPTIONS
    }

    fn open<'a>(
        &self,
        input: Input<'a>,
        options: &ReadOptions,
    ) -> Result<Records<'a>, SourceError> {
        open(Format::RusticSnapshots, LISTED_BY_RUSTIC, input, options)
    }
}

const OPTIONS: &[ReadOption] = &[
    ReadOption::Client,
    ReadOption::Policy,
    ReadOption::PolicyParts,
    ReadOption::StartedAt,
];

/// Where snapshots are: in the list, or in its groups, which begin with what they have in common.
const LISTED: &[Path] = &[
    &[ELEMENT],
    &[ELEMENT, "snapshots", ELEMENT],
    &[ELEMENT, "group_key"],
];
/// In rustic's lists up to 0.9, a group was a list of what it has in common and its snapshots.
const LISTED_BY_RUSTIC: &[Path] = &[
    &[ELEMENT],
    &[ELEMENT, "snapshots", ELEMENT],
    &[ELEMENT, ELEMENT, ELEMENT],
    &[ELEMENT, "group_key"],
    &[ELEMENT, ELEMENT],
];

/// Whether what snapshots of a group have in common is there.
fn is_group_key(path: Path) -> bool {
    matches!(path, [ELEMENT, "group_key" | ELEMENT])
}

fn is_list(head: &Head<'_>) -> bool {
    let has = |list: &str| head.has_below(list, &["time", "tree", "paths"]);
    has("[]") || has("[].snapshots[]") || has("[][][]")
}

fn is_by_rustic(head: &Head<'_>) -> bool {
    head.has_text("program_version", "rustic")
}

fn open<'a>(
    format: Format,
    wanted: &'static [Path],
    input: Input<'a>,
    options: &ReadOptions,
) -> Result<Records<'a>, SourceError> {
    let input = input.not_empty()?;
    // Text may stand before the list, but not for it.
    if input.surely_lacks(b"[") {
        return Err(SourceError::WrongFormat {
            format,
            expected: "a list, as `snapshots --json` prints it",
            found: shown(&input.head),
        });
    }
    let values = Values::new(input, wanted, options);
    let options = options.clone();
    let empty = "the list of snapshots is empty";
    let records = values.records(empty, move |value| {
        let place = value.raw.place;
        let text = value.raw.text?;
        if wanted
            .get(value.path)
            .is_some_and(|path| is_group_key(path))
        {
            return Ok(None);
        }
        let job = Snapshot::parse(text, place)?.job(place, &options)?;
        Ok(Some(Record::built(place, job.build())))
    });
    Ok(Box::new(records.flat_map(|found| {
        let remark = found.as_ref().ok().and_then(without_numbers);
        iter::once(found).chain(remark.map(Ok))
    })))
}

/// What to say behind a snapshot of which only the time is known.
fn without_numbers(record: &Record) -> Option<Record> {
    const WHAT: &str = "a snapshot without numbers, as restic before 0.17 makes them: how much was \
                        backed up is not known";
    match record {
        Record::Job(job) if *job.value.image() == BackupImage::default() => {
            Some(Record::Remark(Located::new(job.place, WHAT)))
        }
        _ => None,
    }
}

//! `restic snapshots --json` and `rustic snapshots --json`: the list of a repository's snapshots.

use crate::input::shown;
use crate::restic::snapshot::Snapshot;
use crate::values::{ELEMENT, Path, Values};
use crate::{
    Format, Head, Input, Place, ReadOption, ReadOptions, Record, RecordError, Records, Source,
    SourceError,
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
        let expected = "a list, as `restic snapshots --json` prints it";
        open(Format::ResticSnapshots, expected, input, options)
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
        let expected = "a list, as `rustic snapshots --json` prints it";
        open(Format::RusticSnapshots, expected, input, options)
    }
}

const OPTIONS: &[ReadOption] = &[
    ReadOption::Client,
    ReadOption::Policy,
    ReadOption::PolicyParts,
    ReadOption::StartedAt,
];

/// Where snapshots are in a list: in the list itself, ...
const PLAIN: &[Path] = &[&[ELEMENT]];
/// ... in groups, as both print them, or as rustic did before 0.10.
const GROUPED: &[Path] = &[
    &[ELEMENT, "snapshots", ELEMENT],
    &[ELEMENT, ELEMENT, ELEMENT],
];

fn is_grouped(head: &Head<'_>) -> bool {
    head.has(&["[].group_key"]) || head.has(&["[][]"])
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
    expected: &'static str,
    input: Input<'a>,
    options: &ReadOptions,
) -> Result<Records<'a>, SourceError> {
    let input = input.not_empty()?;
    if !input.head.starts_with(b"[") {
        let found = shown(&input.head);
        return Err(SourceError::WrongFormat {
            format,
            expected,
            found,
        });
    }
    let is_grouped = is_grouped(&Head::new(&input.head));
    let wanted = if is_grouped { GROUPED } else { PLAIN };
    let values = Values::new(input, wanted, options);
    let options = options.clone();
    Ok(
        values.records("the list of snapshots is empty", move |text, place| {
            record(text, place, &options)
        }),
    )
}

fn record(text: &str, place: Place, options: &ReadOptions) -> Result<Record, RecordError> {
    let job = Snapshot::parse(text, place)?.job(place, options)?;
    Ok(Record::built(place, job.build()))
}

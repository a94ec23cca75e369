//! `kopia snapshot list --json`: the manifests of a repository.

use crate::kopia::{POLICY_PARTS, STREAM_KEY, manifest};
use crate::values::{ELEMENT, Values};
use crate::{Head, Input, ReadOption, ReadOptions, Records, Source, SourceError};

/// The format `kopia-list`.
#[derive(Debug)]
pub(crate) struct List;

impl Source for List {
    fn name(&self) -> &'static str {
        "kopia-list"
    }

    fn input(&self) -> &'static str {
        "`kopia snapshot list --json`"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        let is = head.has(&["[].source.userName", "[].startTime"]);
        is.then_some("it is a list of objects with `source.userName` and `startTime`")
    }

    fn never_knows(&self) -> &'static [&'static str] {
        &[
            "exit_code",
            "dedup_ratio",
            "files_new",
            "files_changed",
            "files_deleted",
            "content",
        ]
    }

    fn stream_key(&self) -> &'static str {
        STREAM_KEY
    }

    fn policy_parts(&self) -> &'static [&'static str] {
        POLICY_PARTS
    }

    fn options(&self) -> &'static [ReadOption] {
        &[
            ReadOption::Client,
            ReadOption::Policy,
            ReadOption::PolicyParts,
            ReadOption::StartedAt,
        ]
    }

    fn open<'a>(
        &self,
        input: Input<'a>,
        options: &ReadOptions,
    ) -> Result<Records<'a>, SourceError> {
        let values = Values::new(input.not_empty()?, &[&[ELEMENT]], options);
        let options = options.clone();
        Ok(
            values.records("the list of snapshots is empty", move |value| {
                manifest::record(value.raw.text?, value.raw.place, &options).map(Some)
            }),
        )
    }
}

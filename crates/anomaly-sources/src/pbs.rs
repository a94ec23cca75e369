//! Proxmox Backup Server: its lists of tasks and of snapshots, and the manifests of snapshots.

mod element;
mod join;

use crate::pbs::join::Join;
use crate::{Head, Input, ReadOption, ReadOptions, Records, Source, SourceError};

/// The format `pbs`.
#[derive(Debug)]
pub(crate) struct Pbs;

impl Source for Pbs {
    fn name(&self) -> &'static str {
        "pbs"
    }

    fn input(&self) -> &'static str {
        "Proxmox Backup Server's task list, manifests and snapshot list"
    }

    fn recognise(&self, head: &Head<'_>) -> Option<&'static str> {
        let has = |keys| head.has_below("[]", keys) || head.has_below("data[]", keys);
        let is_manifest = head.has(&["backup-type", "backup-id", "backup-time"]);
        if has(&["upid", "worker_type"]) {
            Some("it is a list of objects with `upid` and `worker_type`")
        } else if has(&["backup-type", "backup-time"]) {
            Some("it is a list of objects with `backup-type` and `backup-time`")
        } else {
            is_manifest.then_some("it is an object with `backup-type` and `backup-time`")
        }
    }

    fn never_knows(&self) -> &'static [&'static str] {
        &[
            "exit_code",
            "file_count",
            "dedup_ratio",
            "files_new",
            "files_changed",
            "files_unmodified",
            "files_deleted",
            "directory_count",
            "content",
        ]
    }

    fn stream_key(&self) -> &'static str {
        "the backup group (`vm/100`), and as policy the datastore that the option names"
    }

    fn options(&self) -> &'static [ReadOption] {
        &[ReadOption::Policy]
    }

    fn open<'a>(
        &self,
        input: Input<'a>,
        options: &ReadOptions,
    ) -> Result<Records<'a>, SourceError> {
        let mut join = Join::new(input.not_empty()?, options)?;
        Ok(Box::new(std::iter::from_fn(move || {
            join.next().transpose()
        })))
    }
}

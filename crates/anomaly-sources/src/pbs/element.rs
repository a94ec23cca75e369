//! One element of a list: a task, a snapshot or a manifest.

use anomaly_model::JobStatus;
use anomaly_model::chrono::{DateTime, Utc};
use serde::Deserialize;

/// What is used of an element. A task has `upid`, a snapshot and its manifest have `backup-time`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Element {
    pub(super) upid: Option<String>,
    pub(super) worker_type: Option<String>,
    pub(super) worker_id: Option<String>,
    pub(super) starttime: Option<i64>,
    pub(super) endtime: Option<i64>,
    pub(super) status: Option<String>,
    #[serde(rename = "backup-type")]
    pub(super) backup_type: Option<String>,
    #[serde(rename = "backup-id")]
    pub(super) backup_id: Option<String>,
    #[serde(rename = "backup-time")]
    pub(super) backup_time: Option<i64>,
    pub(super) ns: Option<String>,
    pub(super) size: Option<u64>,
    pub(super) unprotected: Option<Unprotected>,
}

impl Element {
    /// The backup group of a snapshot: `vm/100`.
    pub(super) fn group(&self) -> Option<String> {
        let (kind, id) = (self.backup_type.as_ref()?, self.backup_id.as_ref()?);
        Some(format!("{kind}/{id}"))
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Unprotected {
    pub(super) chunk_upload_stats: Option<Upload>,
}

/// What a backup sent.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Upload {
    size: Option<u64>,
    compressed_size: Option<u64>,
    duplicates: Option<u64>,
}

impl Upload {
    /// The chunks that were sent, before compression.
    pub(super) fn transferred_bytes(self) -> Option<u64> {
        self.size
    }

    /// The chunks that were sent, compressed; known to be what was stored only if none of them was
    /// there before.
    pub(super) fn stored_bytes(self) -> Option<u64> {
        self.compressed_size.filter(|_| self.duplicates == Some(0))
    }
}

/// How a task ended; a backup whose task ended badly was removed by the server.
pub(super) fn status_of(status: &str) -> JobStatus {
    if status == "OK" {
        JobStatus::Succeeded
    } else if status.starts_with("WARNINGS") {
        JobStatus::Partial
    } else if status == "task aborted" {
        JobStatus::Cancelled
    } else {
        JobStatus::Failed
    }
}

/// The datastore, and the group with its type, of a task's id: `store:vm/100`. Groups in
/// namespaces may have their path between the two.
pub(super) fn worker_id(text: &str) -> Option<(Option<&str>, &str)> {
    let (store, path) = match text.split_once(':') {
        Some((store, path)) => (Some(store), path),
        None => (None, text),
    };
    let (before, _) = path.rsplit_once('/')?;
    let begin = before.rfind('/').map_or(0, |slash| slash + 1);
    Some((store, path.get(begin..)?))
}

/// A time in seconds since 1970.
pub(super) fn time(seconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0)
}

#[cfg(test)]
mod tests {
    use super::worker_id;

    #[test]
    fn ids_of_tasks() {
        for (text, expected) in [
            ("store1:vm/100", Some((Some("store1"), "vm/100"))),
            ("store1:ns/a/ct/101", Some((Some("store1"), "ct/101"))),
            ("host/mail01", Some((None, "host/mail01"))),
            ("store1", None),
            ("", None),
        ] {
            assert_eq!(worker_id(text), expected, "{text}");
        }
    }
}

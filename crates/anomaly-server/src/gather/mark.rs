//! How far a source was read, as it is kept from one run of the service to the next.

use std::collections::BTreeMap;

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_service::{AnomalyService, ServiceError};
use anomaly_storage::AuditEntry;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::options::GatherOptions;

/// How far a source was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// What was read there: of a source that is configured anew under the same name nothing was.
    #[serde(default)]
    pub(super) of: String,
    /// When it was last read to its end.
    pub(crate) succeeded_at: Option<DateTime<Utc>>,
    /// The end of the newest job.
    pub(crate) latest: Option<DateTime<Utc>>,
    /// Since when it cannot be read, if that was told.
    #[serde(default)]
    pub(crate) degraded_since: Option<DateTime<Utc>>,
}

/// The files of a directory that were read, by name.
pub(super) type Files = BTreeMap<String, SeenFile>;

/// A file as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SeenFile {
    /// Its size, in bytes, and what else changes with it.
    pub(super) print: Print,
    /// Why it cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
}

/// The files, as they are kept.
#[derive(Debug, Serialize, Deserialize)]
struct Read<F> {
    /// What read them: the mark may be of another configuration by then, which has read none.
    of: String,
    files: F,
}

/// What changes when a file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Print {
    pub(super) bytes: u64,
    /// Nanoseconds since 1970.
    pub(super) modified: i64,
    /// The same, of its change: nobody sets that back.
    pub(super) changed: i64,
    pub(super) inode: u64,
}

/// A file that was being written when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unsettled {
    pub(super) name: String,
    pub(super) print: Print,
    /// Since when it is like this, by the clock of this machine, in nanoseconds since 1970.
    pub(super) since: i64,
}

impl Print {
    /// When it changed last, by the clock of whoever keeps it.
    pub(super) fn newest(self) -> i64 {
        self.modified.max(self.changed)
    }
}

impl Mark {
    /// As it was kept, with the files.
    pub(super) fn load(
        service: &AnomalyService,
        source: &GatherOptions,
    ) -> Result<(Self, Files), ServiceError> {
        let note = service.records().note(&name(source))?;
        let mark: Option<Self> = note.and_then(|note| serde_json::from_str(&note).ok());
        let of = identity(source);
        let Some(mark) = mark.filter(|mark| mark.of == of) else {
            let new = Self {
                of,
                ..Self::default()
            };
            return Ok((new, Files::new()));
        };
        let note = service.records().note(&name_of_files(source))?;
        let read: Option<Read<Files>> = note.and_then(|note| serde_json::from_str(&note).ok());
        let files = read.filter(|read| read.of == mark.of);
        Ok((mark, files.map(|read| read.files).unwrap_or_default()))
    }

    /// Keeps it, and with it what happened to the source.
    pub(super) fn keep(
        &self,
        service: &mut AnomalyService,
        source: &GatherOptions,
        happened: Option<&AuditEntry>,
    ) -> Result<(), ServiceError> {
        let note = written(self)?;
        let mut transaction = service.transaction()?;
        if let Some(entry) = happened {
            transaction.set_now(entry.at);
            transaction.audit(entry)?;
        }
        transaction.put_note(&name(source), &note)?;
        transaction.commit()?;
        Ok(())
    }

    /// From when on to read, with `overlap` before the newest job. A job from the future hides none.
    pub(super) fn since(&self, overlap: TimeDelta, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let latest = self.latest?.min(self.succeeded_at.unwrap_or(now));
        latest.checked_sub_signed(overlap)
    }
}

/// Keeps which files need not be read again.
pub(super) fn keep_files(
    service: &mut AnomalyService,
    source: &GatherOptions,
    files: &Files,
) -> Result<(), ServiceError> {
    let of = identity(source);
    let note = written(&Read { of, files })?;
    let mut transaction = service.transaction()?;
    transaction.put_note(&name_of_files(source), &note)?;
    transaction.commit()?;
    Ok(())
}

fn written(note: &impl Serialize) -> Result<String, ServiceError> {
    serde_json::to_string(note).map_err(|source| ServiceError::Record { source })
}

fn name(source: &GatherOptions) -> String {
    format!("gather/{}", source.name)
}

fn name_of_files(source: &GatherOptions) -> String {
    format!("gather/{}/files", source.name)
}

/// What stands for what is read, and how: for all of it but how often.
fn identity(source: &GatherOptions) -> String {
    let hash = Sha256::digest(format!("{:?}", source.kind));
    let hex = hash.iter().take(16).map(|byte| format!("{byte:02x}"));
    hex.collect()
}

#[cfg(test)]
mod tests {
    use anomaly_settings::Settings;

    use super::*;

    fn source(client: &str) -> GatherOptions {
        let text = format!("name = 'drop'\n[directory]\npath = '/drop'\nclient = '{client}'");
        toml::from_str(&text).unwrap()
    }

    /// What is configured anew and could not be read yet has read no file, whatever the source of that
    /// name had read before.
    #[test]
    fn files_are_those_of_who_read_them() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db");
        let mut service = AnomalyService::open(path, Settings::default()).unwrap();
        let (before, after) = (source("a"), source("b"));
        let print = Print {
            bytes: 1,
            modified: 2,
            changed: 3,
            inode: 4,
        };
        let refused = Some("it has no column".to_owned());
        let files = Files::from([("f.csv".to_owned(), SeenFile { print, refused })]);
        let (mark, _) = Mark::load(&service, &before).unwrap();
        mark.keep(&mut service, &before, None).unwrap();
        keep_files(&mut service, &before, &files).unwrap();
        assert_eq!(Mark::load(&service, &before).unwrap(), (mark, files));

        let (mark, files) = Mark::load(&service, &after).unwrap();
        assert_eq!(files, Files::new());
        // It is degraded, which is kept.
        mark.keep(&mut service, &after, None).unwrap();
        assert_eq!(Mark::load(&service, &after).unwrap(), (mark, files));
    }
}

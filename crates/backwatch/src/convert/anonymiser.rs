//! Names become keyed hashes, and times move.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anomaly_model::BackupJob;
use anomaly_model::chrono::{DateTime, TimeDelta};
use serde_json::Value;

use crate::exit::Failure;

/// A shorter key could be found by trying.
const KEY_BYTES: usize = 16;
/// The furthest that times are moved, in weeks.
const MOST_WEEKS: u64 = 104;

/// Takes from jobs what says whose they are.
///
/// A name becomes the first 64 bits of its keyed BLAKE3 hash, of which the field is a part: the same
/// name is the same hash wherever the key is the same, so streams stay together. All times move
/// into the past by the same number of weeks, which the key tells: weekday, time of day and what
/// lies between two times stay, and verdicts depend on nothing else of a time.
pub(super) struct Anonymiser {
    key: [u8; blake3::KEY_LEN],
    shift: TimeDelta,
    /// What was left as it was, to be told.
    kept: BTreeSet<String>,
}

impl Anonymiser {
    /// With a key that nobody will ever have.
    pub(super) fn with_random_key() -> Result<Self, Failure> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self::new(&bytes))
    }

    /// With the bytes of a file as the key.
    pub(super) fn with_key_of(path: &Path) -> Result<Self, Failure> {
        let bytes = fs::read(path).map_err(|source| Failure::Open {
            path: path.to_owned(),
            source,
        })?;
        if bytes.len() < KEY_BYTES {
            return Err(Failure::ShortKey {
                path: path.to_owned(),
                bytes: bytes.len(),
                needed: KEY_BYTES,
            });
        }
        Ok(Self::new(&bytes))
    }

    fn new(bytes: &[u8]) -> Self {
        let mut anonymiser = Self {
            key: blake3::derive_key("backwatch convert --anonymise", bytes),
            shift: TimeDelta::zero(),
            kept: BTreeSet::new(),
        };
        let weeks = 1 + anonymiser.hash("weeks", "") % MOST_WEEKS;
        anonymiser.shift = TimeDelta::weeks(weeks.cast_signed());
        anonymiser
    }

    /// The job without its names, at another time.
    ///
    /// It goes by the record, so that no number of a job is forgotten here; a text that is not known
    /// to be harmless is left out.
    ///
    /// # Errors
    /// When the job ran so long ago that no earlier time is valid.
    pub(super) fn job(&mut self, job: &BackupJob) -> serde_json::Result<BackupJob> {
        let mut record = serde_json::to_value(job)?;
        if let Value::Object(fields) = &mut record {
            fields.retain(|field, value| self.anonymise(field, value));
        }
        serde_json::from_value(record)
    }

    /// Takes the name out of one field; `false` if it can only be left out.
    fn anonymise(&mut self, field: &str, value: &mut Value) -> bool {
        let Value::String(text) = value else {
            return true;
        };
        match field {
            "job_id" => *text = self.pseudonym("job", text),
            "client" | "policy" | "schedule" => *text = self.pseudonym(field, text),
            "started_at" | "ended_at" => match DateTime::parse_from_rfc3339(text) {
                Ok(time) => *text = (time.to_utc() - self.shift).to_rfc3339(),
                Err(_) => return false,
            },
            "source" | "policy_type" => {
                let kept = format!("{field} {text}");
                if !self.kept.contains(&kept) {
                    self.kept.insert(kept);
                }
            }
            "schedule_type" | "status" => {}
            _ => return false,
        }
        true
    }

    /// What was left as it was.
    pub(super) fn summary(&self) -> String {
        let kept: String = self.kept.iter().map(|kept| format!(", {kept}")).collect();
        format!("kept as they were: numbers{kept}; times were moved by a number of whole weeks")
    }

    fn pseudonym(&self, field: &str, name: &str) -> String {
        format!("{field}-{:016x}", self.hash(field, name))
    }

    fn hash(&self, field: &str, name: &str) -> u64 {
        // No field has a NUL in its name: two pairs are never the same bytes.
        let text = format!("{field}\0{name}");
        let hash = blake3::keyed_hash(&self.key, text.as_bytes());
        let (first, _) = hash.as_bytes().split_at(8);
        first
            .iter()
            .fold(0, |bits, &byte| bits << 8 | u64::from(byte))
    }
}

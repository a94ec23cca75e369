//! Names become keyed hashes, and times move.

use std::collections::BTreeSet;
use std::fs;
use std::mem;
use std::path::Path;

use anomaly_features::SuspiciousExtensions;
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
    suspicious: SuspiciousExtensions,
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
            suspicious: SuspiciousExtensions::default(),
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
        self.anonymise("", &mut record);
        serde_json::from_value(record)
    }

    /// Takes the names out of a field, and of what is in it; `false` if it can only be left out.
    fn anonymise(&mut self, field: &str, value: &mut Value) -> bool {
        let text = match value {
            Value::String(text) => text,
            Value::Array(list) => {
                list.retain_mut(|value| self.anonymise(field, value));
                return true;
            }
            Value::Object(counts) if field == "written_extensions" => {
                let counts_of = mem::take(counts).into_iter();
                counts.extend(counts_of.map(|(extension, count)| {
                    // What ransomware is known to write is nobody's name, and decides a verdict.
                    if extension.is_empty() || self.suspicious.family_of(&extension).is_some() {
                        (extension, count)
                    } else {
                        (self.pseudonym("extension", &extension), count)
                    }
                }));
                return true;
            }
            Value::Object(fields) => {
                fields.retain(|field, value| self.anonymise(field, value));
                return true;
            }
            _ => return true,
        };
        match field {
            "job_id" => *text = self.pseudonym("job", text),
            "client" | "policy" | "schedule" => *text = self.pseudonym(field, text),
            "path" | "previous_path" => *text = self.pseudonym("path", text),
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
            // Words of closed lists.
            "schedule_type" | "status" | "change" | "reasons" => {}
            _ => return false,
        }
        true
    }

    /// What was left as it was.
    pub(super) fn summary(&self) -> String {
        let numbers = std::iter::once("numbers");
        let kept: Vec<&str> = numbers
            .chain(self.kept.iter().map(String::as_str))
            .collect();
        let kept = kept.join(", ");
        format!("kept as they were: {kept}; times were moved by a number of whole weeks")
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use anomaly_model::{
        BackupImage, ContentStatistics, FileChange, FileInspection, FileReason, JobStatus,
        NotableFile, ScheduleType, StreamPart,
    };
    use anomaly_model::{StreamKey, Verdict};
    use anomaly_service::AnomalyService;
    use anomaly_settings::Settings;
    use proptest::prelude::*;

    use super::*;
    use crate::report::json;

    /// What no name of a field, no word and no hash has in it.
    const MARK: &str = "Zq";

    fn name() -> impl Strategy<Value = String> {
        "[a-z/ \"\\\\\\n\u{1b}\u{202e}]{0,4}Zq[a-zA-Z0-9äπ/, \\[\\]\"\\\\-]{0,12}"
    }

    /// The jobs of a few streams on some days, with whatever numbers.
    fn history() -> impl Strategy<Value = Vec<BackupJob>> {
        let stream = (name(), name(), proptest::option::of(name()));
        let job = (0_usize..3, 0_u64..1_000, 0_u8..20, any::<bool>());
        (
            proptest::collection::vec(stream, 3),
            proptest::collection::vec((job, name()), 1..60),
        )
            .prop_map(|(streams, jobs)| {
                let job = |(day, ((stream, size, status, reports_all), id)): (usize, _)| {
                    let (client, policy, schedule): &(String, String, Option<String>) =
                        &streams[stream];
                    let day: i64 = day.try_into().unwrap();
                    let start = DateTime::from_timestamp(1_400_000_000 + day * 80_000, 1_000);
                    let mut image = BackupImage::default()
                        .image_bytes(1_000_000 + size)
                        .file_count(100 + size / 50);
                    if reports_all {
                        image = image
                            .transferred_bytes(size * 900)
                            .dedup_ratio(size as f64 / 1_000.0)
                            .content(ContentStatistics::default().random_files(size / 30));
                    }
                    let id = format!("{day}{id}");
                    BackupJob::builder("borg", id, client, policy, start.unwrap())
                        .policy_type("filesystem")
                        .schedule(schedule.as_deref())
                        .schedule_type(ScheduleType::Incremental)
                        .ended_at(start.map(|start| start + TimeDelta::milliseconds(61_500)))
                        .duration_seconds(reports_all.then_some(60.25))
                        .exit_code(i64::from(status))
                        .status(match status {
                            0 => JobStatus::Failed,
                            1 => JobStatus::Partial,
                            _ => JobStatus::Succeeded,
                        })
                        .image(image)
                        .inspection(reports_all.then(|| {
                            let mut inspection = FileInspection::default();
                            inspection.written_files = Some(size);
                            inspection.written_extensions = [
                                (schedule.clone().unwrap_or_default(), 7),
                                ("lockbit".to_owned(), size % 5),
                            ]
                            .into();
                            let reasons = vec![FileReason::LooksRandom];
                            let mut file =
                                NotableFile::new(format!("{client}/a.x"), FileChange::New, reasons);
                            file.previous_path = Some(policy.clone());
                            inspection.notable_files = vec![file];
                            inspection
                        }))
                        .build()
                        .unwrap()
                };
                jobs.into_iter().enumerate().map(job).collect()
            })
    }

    fn anonymous(jobs: &[BackupJob], key: &[u8]) -> Vec<BackupJob> {
        let mut anonymiser = Anonymiser::new(key);
        let jobs = jobs.iter().map(|job| anonymiser.job(job).unwrap());
        jobs.collect()
    }

    /// Everything but names and times, in words.
    fn numbers(job: &BackupJob) -> serde_json::Value {
        let mut record = serde_json::to_value(job).unwrap();
        let fields = record.as_object_mut().unwrap();
        for field in ["job_id", "client", "policy", "schedule"] {
            fields.insert(field.into(), fields.contains_key(field).into());
        }
        for field in ["started_at", "ended_at"] {
            fields.remove(field);
        }
        if let Some(inspection) = fields.get_mut("inspection") {
            let extensions = inspection["written_extensions"].as_object().unwrap();
            // Under other names they stand in another order.
            let mut counts: Vec<Option<u64>> =
                extensions.values().map(serde_json::Value::as_u64).collect();
            counts.sort_unstable();
            inspection["written_extensions"] = serde_json::json!(counts);
            inspection["notable_files"][0]["path"].take();
            inspection["notable_files"][0]["previous_path"].take();
        }
        record
    }

    fn verdicts(jobs: &[BackupJob]) -> Vec<Verdict> {
        let mut service = AnomalyService::in_memory(Settings::default());
        let mut verdicts = Vec::new();
        service
            .observe_all(jobs.to_vec(), |observed| verdicts.push(observed.verdict))
            .unwrap();
        verdicts
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn no_name_is_left_and_no_number_changes(
            jobs in history(),
            key in proptest::collection::vec(any::<u8>(), 16..40),
        ) {
            let anonymous = anonymous(&jobs, &key);
            let mut pseudonyms = BTreeMap::new();
            for (job, anonymous) in jobs.iter().zip(&anonymous) {
                let text = serde_json::to_string(anonymous).unwrap();
                prop_assert!(!text.contains(MARK), "{text}");
                prop_assert_eq!(numbers(anonymous), numbers(job));
                let took = |job: &BackupJob| job.ended_at().map(|end| end - job.started_at());
                prop_assert_eq!(took(anonymous), took(job));
                let stream = |job| StreamKey::of(job, StreamPart::ALL);
                let pseudonym = pseudonyms.entry(stream(job)).or_insert_with(|| stream(anonymous));
                prop_assert_eq!(&*pseudonym, &stream(anonymous));
            }
            let distinct: std::collections::BTreeSet<_> = pseudonyms.values().collect();
            prop_assert_eq!(distinct.len(), pseudonyms.len());
        }

        #[test]
        fn what_is_written_reads_back_to_the_same_bytes(jobs in history()) {
            for job in jobs {
                let mut once = Vec::new();
                json::line(&mut once, &job).unwrap();
                let read: BackupJob = serde_json::from_slice(&once).unwrap();
                let mut twice = Vec::new();
                json::line(&mut twice, &read).unwrap();
                prop_assert_eq!(read, job);
                prop_assert_eq!(twice, once);
            }
        }

        #[test]
        fn no_verdict_changes(jobs in history(), key in any::<[u8; 32]>()) {
            let anonymous = verdicts(&anonymous(&jobs, &key));
            let original = verdicts(&jobs);
            prop_assert_eq!(anonymous.len(), original.len());
            for (mut anonymous, original) in anonymous.into_iter().zip(original) {
                let shift = original.started_at - anonymous.started_at;
                prop_assert!(shift.num_weeks() >= 1 && shift == TimeDelta::weeks(shift.num_weeks()));
                anonymous.job_id = original.job_id.clone();
                anonymous.client = original.client.clone();
                anonymous.policy = original.policy.clone();
                anonymous.started_at = original.started_at;
                prop_assert_eq!(anonymous.files.len(), original.files.len());
                anonymous.files.clone_from(&original.files);
                prop_assert_eq!(anonymous, original);
            }
        }

        #[test]
        fn other_keys_are_other_hashes(one in any::<[u8; 16]>(), other in any::<[u8; 16]>()) {
            prop_assume!(one != other);
            let name = |key: &[u8]| Anonymiser::new(key).pseudonym("client", "mail01");
            prop_assert_ne!(name(&one), name(&other));
        }
    }

    /// A text that a later version of the record may have is not let through.
    #[test]
    fn an_unknown_text_is_left_out() {
        let mut anonymiser = Anonymiser::new(&[0; 16]);
        let left = |anonymiser: &mut Anonymiser, field, value| {
            let mut value = serde_json::json!(value);
            anonymiser.anonymise(field, &mut value)
        };
        assert!(!left(&mut anonymiser, "comment", "of mail01"));
        let mut nested = serde_json::json!({"notes": ["of mail01"], "count": 3, "by": "mail01"});
        assert!(anonymiser.anonymise("content", &mut nested));
        assert_eq!(nested, serde_json::json!({"notes": [], "count": 3}));
    }
}

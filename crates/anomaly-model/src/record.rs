//! The job record as it is written, and the one check that makes a job of it.

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use crate::content::ContentRecord;
use crate::image::ImageRecord;
use crate::job::BackupJob;
use crate::raw::{Key, Raw};
use crate::{
    BackupImage, Client, ClientName, FileInspection, JobId, JobStatus, ModelError, Policy,
    PolicyName, PolicyType, Schedule, ScheduleName, SourceName,
};

/// The longest duration that is believed: a hundred years.
pub(crate) const MAX_DURATION_SECONDS: f64 = 100.0 * 366.0 * 86_400.0;

macro_rules! job_record {
    ($($field:ident),* $(,)?) => {
        /// Every field of a job record, unchecked.
        #[derive(Debug, Clone, Default)]
        pub(crate) struct JobRecord {
            $(pub(crate) $field: Option<Raw>,)*
            pub(crate) image: ImageRecord,
            pub(crate) content: Option<ContentRecord>,
            pub(crate) inspection: Option<Box<FileInspection>>,
        }

        impl JobRecord {
            fn set(&mut self, key: &str, value: Option<Raw>) {
                match key {
                    $(stringify!($field) => self.$field = value,)*
                    // A field of a newer writer is nobody's, and ignored.
                    _ => _ = self.image.set(key, value),
                }
            }
        }
    };
}

job_record! {
    source, job_id, client, policy, policy_type, schedule, schedule_type, started_at, ended_at,
    status, exit_code, duration_seconds,
}

impl JobRecord {
    /// The one validation of a job, whether it was built or read.
    pub(crate) fn check(&self) -> Result<BackupJob, ModelError> {
        let started_at = needed(self.started_at.as_ref(), "started_at")?.time("started_at")?;
        let ended_at = optional(self.ended_at.as_ref(), |raw| raw.time("ended_at"))?;
        if let Some(ended_at) = ended_at.filter(|&ended_at| ended_at < started_at) {
            let expected = format!("not before `started_at`, {}", started_at.to_rfc3339());
            return Err(ModelError::invalid(
                "ended_at",
                &ended_at.to_rfc3339(),
                expected,
            ));
        }
        let image = self.checked_image()?;
        if let Some(inspection) = &self.inspection {
            inspection.check()?;
        }
        Ok(BackupJob {
            source: SourceName::from_raw(needed(self.source.as_ref(), "source")?)?,
            job_id: JobId::from_raw(needed(self.job_id.as_ref(), "job_id")?)?,
            client: Client::new(ClientName::from_raw(needed(
                self.client.as_ref(),
                "client",
            )?)?),
            policy: Policy::new(
                PolicyName::from_raw(needed(self.policy.as_ref(), "policy")?)?,
                optional(self.policy_type.as_ref(), PolicyType::from_raw)?,
            ),
            schedule: Schedule::new(
                optional(self.schedule.as_ref(), ScheduleName::from_raw)?,
                optional(self.schedule_type.as_ref(), |raw| raw.word("schedule_type"))?,
            ),
            started_at,
            ended_at,
            status: needed(self.status.as_ref(), "status")?.word::<JobStatus>("status")?,
            exit_code: optional(self.exit_code.as_ref(), |raw| raw.integer("exit_code"))?,
            duration_seconds: optional(self.duration_seconds.as_ref(), |raw| {
                raw.real("duration_seconds", &(0.0..=MAX_DURATION_SECONDS))
            })?,
            image,
            inspection: self.inspection.clone(),
        })
    }
}

impl JobRecord {
    /// Takes in the numbers of `image`.
    pub(crate) fn set_image(&mut self, image: &BackupImage) {
        self.image = image.into();
        self.content = image.content.as_ref().map(Into::into);
    }

    pub(crate) fn checked_image(&self) -> Result<BackupImage, ModelError> {
        let mut image = self.image.check()?;
        image.content = optional(self.content.as_ref(), ContentRecord::check)?;
        Ok(image)
    }
}

fn needed<'a>(raw: Option<&'a Raw>, field: &'static str) -> Result<&'a Raw, ModelError> {
    raw.ok_or(ModelError::Missing { field })
}

fn optional<R, T>(
    raw: Option<&R>,
    check: impl FnOnce(&R) -> Result<T, ModelError>,
) -> Result<Option<T>, ModelError> {
    raw.map(check).transpose()
}

impl<'de> Deserialize<'de> for JobRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = JobRecord;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a job record: an object with `source`, `job_id`, `client`, ...")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JobRecord, A::Error> {
                let mut record = JobRecord::default();
                while let Some(Key(key)) = map.next_key()? {
                    match &*key {
                        "content" => record.content = map.next_value()?,
                        "inspection" => {
                            record.inspection = map.next_value().map_err(|error| {
                                A::Error::custom(format_args!("`inspection`: {error}"))
                            })?;
                        }
                        _ => record.set(&key, map.next_value()?),
                    }
                }
                Ok(record)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

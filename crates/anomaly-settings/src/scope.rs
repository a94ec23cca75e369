//! Settings for some of the jobs.

use anomaly_model::{BackupJob, ClientName, PolicyName, PolicyType, ScheduleType};
use serde::{Deserialize, Serialize};

use crate::DetectionOverrides;
use crate::section::{RawValue, Refusal, read};

/// Changes settings for the jobs that it names: `[[scope]]` in the file.
///
/// It is for the jobs that agree with everything it names. It names at least one thing; with
/// client, policy and schedule type it names one stream of the usual kind.
///
/// Where several scopes are for a job, the narrower one wins: a client is narrower than a policy,
/// a policy than a policy type, a policy type than a schedule type, and whatever names more of
/// the same is narrower still. Of two that name the same things the later one wins.
///
/// ```
/// use anomaly_model::ClientName;
/// use anomaly_settings::{Scope, Settings};
///
/// let mut laptops = Scope::default();
/// laptops.client = Some(ClientName::new("laptop07")?);
/// laptops.detection.rules.missed_backup = Some(false);
///
/// let mut settings = Settings::default();
/// settings.scopes.push(laptops);
/// # Ok::<(), anomaly_model::ModelError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Scope {
    /// Jobs of policies of this type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_type: Option<PolicyType>,
    /// Jobs of this policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyName>,
    /// Jobs of this client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientName>,
    /// Jobs of this schedule type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_type: Option<ScheduleType>,
    /// What changes for them.
    #[serde(skip_serializing_if = "crate::section::is_unset")]
    pub detection: DetectionOverrides,
}

impl Scope {
    /// The keys that say which jobs a scope is for, widest first.
    pub const NAMES: [&str; 4] = ["schedule_type", "policy_type", "policy", "client"];

    /// Whether it names nothing. Such a scope is refused where settings are read; in one built in
    /// code it is for every job.
    #[must_use]
    pub fn names_nothing(&self) -> bool {
        self.rank() == [false; 4]
    }

    /// Whether it is for `job`.
    #[must_use]
    pub fn covers(&self, job: &BackupJob) -> bool {
        fn agrees<T: PartialEq>(named: Option<&T>, found: Option<&T>) -> bool {
            named.is_none() || named == found
        }

        let policy = job.policy();
        agrees(self.client.as_ref(), Some(&job.client().name))
            && agrees(self.policy.as_ref(), Some(&policy.name))
            && agrees(self.policy_type.as_ref(), policy.policy_type.as_ref())
            && agrees(
                self.schedule_type.as_ref(),
                job.schedule().schedule_type.as_ref(),
            )
    }

    /// Sets the key of this full name.
    pub(crate) fn set(&mut self, key: &str, value: RawValue<'_>) -> Result<(), Refusal> {
        match key.strip_prefix("scope.") {
            Some("policy_type") => self.policy_type = Some(read(value)?),
            Some("policy") => self.policy = Some(read(value)?),
            Some("client") => self.client = Some(read(value)?),
            Some("schedule_type") => self.schedule_type = Some(read(value)?),
            Some(key) => self.detection.set(key, value)?,
            None => return Err(Refusal::UnknownKey),
        }
        Ok(())
    }

    /// How narrow it is: the greater, the narrower.
    pub(crate) fn rank(&self) -> [bool; 4] {
        [
            self.client.is_some(),
            self.policy.is_some(),
            self.policy_type.is_some(),
            self.schedule_type.is_some(),
        ]
    }
}

//! Settings for some of the jobs.

use std::fmt;

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{ClientName, PolicyName, PolicyType, ScheduleType};
use serde::{Deserialize, Serialize};

use crate::section::{RawValue, Refusal, read};
use crate::{DetectionOverrides, Subject};

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
    /// Only jobs that start before this time: an end that needs nobody to remember it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
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

    /// Whether it is for a job.
    #[must_use]
    pub fn covers<'a>(&self, job: impl Into<Subject<'a>>) -> bool {
        fn agrees<T: PartialEq>(named: Option<&T>, found: Option<&T>) -> bool {
            named.is_none() || named == found
        }

        let job = job.into();
        agrees(self.client.as_ref(), Some(job.client))
            && agrees(self.policy.as_ref(), Some(job.policy))
            && agrees(self.policy_type.as_ref(), job.policy_type)
            && agrees(self.schedule_type.as_ref(), job.schedule_type.as_ref())
            && self.until.is_none_or(|until| job.at < until)
    }

    /// Whether there may be jobs that both are for.
    pub(crate) fn may_meet(&self, other: &Self) -> bool {
        fn agree<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
            one.zip(other).is_none_or(|(one, other)| one == other)
        }

        agree(self.client.as_ref(), other.client.as_ref())
            && agree(self.policy.as_ref(), other.policy.as_ref())
            && agree(self.policy_type.as_ref(), other.policy_type.as_ref())
            && agree(self.schedule_type.as_ref(), other.schedule_type.as_ref())
    }

    /// Sets the key of this full name.
    pub(crate) fn set(&mut self, key: &str, value: RawValue<'_>) -> Result<(), Refusal> {
        match key.strip_prefix("scope.") {
            Some("policy_type") => self.policy_type = Some(read(value)?),
            Some("policy") => self.policy = Some(read(value)?),
            Some("client") => self.client = Some(read(value)?),
            Some("schedule_type") => self.schedule_type = Some(read(value)?),
            Some("until") => self.until = Some(read(value)?),
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

/// What it names: `client mail01, policy daily`.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schedule_type = self.schedule_type.map(ScheduleType::as_str);
        let names = [
            ("client", self.client.as_ref().map(ClientName::as_str)),
            ("policy", self.policy.as_ref().map(PolicyName::as_str)),
            (
                "policy type",
                self.policy_type.as_ref().map(PolicyType::as_str),
            ),
            ("schedule type", schedule_type),
        ];
        let mut separator = "";
        for (what, name) in names {
            if let Some(name) = name {
                write!(f, "{separator}{what} {name}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

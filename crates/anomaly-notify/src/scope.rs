//! Whose events a sink wants.

use anomaly_model::{ClientName, PolicyName, PolicyType};
use serde::{Deserialize, Serialize};

use crate::{Event, What};

/// Whose events a sink wants: `[sinks.scope]` in the file. What it does not name it does not ask
/// for.
///
/// Names are exact, as those of the settings' scopes are. An event agrees when it has one of the
/// clients, one of the policies and one of the policy types that are named. Of an incident it is
/// enough that it has each somewhere; and where it is not known whether it has one, it agrees:
/// rather too much is told than too little. Events of the watching itself concern everyone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SinkScope {
    /// Clients by name; none means any.
    pub clients: Vec<ClientName>,
    /// Policies by name; none means any.
    pub policies: Vec<PolicyName>,
    /// What the policies protect.
    pub policy_types: Vec<PolicyType>,
}

/// Whether `wanted` names nothing, or one of `found`, or one that may be there unseen.
fn agrees<'a, T: PartialEq + 'a>(
    wanted: &[T],
    found: impl IntoIterator<Item = &'a T>,
    there_are_others: bool,
) -> bool {
    wanted.is_empty() || there_are_others || found.into_iter().any(|name| wanted.contains(name))
}

impl SinkScope {
    /// Whether it agrees with an event.
    #[must_use]
    pub fn covers(&self, event: &Event) -> bool {
        let of_job = |client, policy, policy_type: Option<&PolicyType>| {
            agrees(&self.clients, [client], false)
                && agrees(&self.policies, [policy], false)
                && agrees(&self.policy_types, policy_type, policy_type.is_none())
        };
        match &event.what {
            What::Anomaly(news) => {
                let verdict = &news.anomaly.verdict;
                of_job(&verdict.client, &verdict.policy, news.policy_type.as_ref())
            }
            What::Review(news) => of_job(&news.client, &news.policy, news.policy_type.as_ref()),
            What::Incident(news) => {
                let incident = &news.incident;
                agrees(
                    &self.clients,
                    &incident.clients.names,
                    incident.clients.and_more,
                ) && agrees(
                    &self.policies,
                    &incident.policies.names,
                    incident.policies.and_more,
                ) && agrees(
                    &self.policy_types,
                    &news.policy_types,
                    news.other_policy_types,
                )
            }
            What::System(_) | What::Test => true,
        }
    }
}

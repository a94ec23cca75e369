//! Which anomalies are one incident.

use std::collections::{BTreeMap, HashMap};

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{AnomalyKind, ClientName, Severity, Verdict};
use anomaly_settings::IncidentSettings;

/// What of an anomaly decides which others it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    client: ClientName,
    started_at: DateTime<Utc>,
    severity: Severity,
    kind: AnomalyKind,
}

impl Sighting {
    /// Of an anomaly of `client`.
    #[must_use]
    pub fn new(
        client: ClientName,
        started_at: DateTime<Utc>,
        severity: Severity,
        kind: AnomalyKind,
    ) -> Self {
        Self {
            client,
            started_at,
            severity,
            kind,
        }
    }

    /// Of an anomaly; `None` if the verdict is none.
    #[must_use]
    pub fn of(anomaly: &Verdict) -> Option<Self> {
        Some(Self {
            client: anomaly.client.clone(),
            started_at: anomaly.started_at,
            severity: anomaly.severity()?,
            kind: anomaly.kind()?,
        })
    }

    /// What counts when many clients are hit at once. One low anomaly is what a fleet has every few
    /// days by chance; a backup that is missed is never more than that, and many at once are.
    fn class(&self) -> Option<Class> {
        match self.kind {
            AnomalyKind::MissedBackup => Some(Class::Operation),
            _ if self.severity == Severity::Low => None,
            AnomalyKind::Failure | AnomalyKind::Slowdown => Some(Class::Operation),
            _ => Some(Class::Data),
        }
    }
}

/// What many clients share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// Something happened to the data.
    Data,
    /// Something happened to the backups.
    Operation,
}

/// Which anomalies are one incident: for each of them, the place of the first of its incident.
///
/// Anomalies of one client belong together when they started within
/// [`client_hours`](IncidentSettings::client_hours) of each other, whatever they are. Anomalies of
/// many clients do when [`clients`](IncidentSettings::clients) of them fall within
/// [`fleet_hours`](IncidentSettings::fleet_hours): of data that were hit, or of backups that failed
/// or were missed, low ones not counted but for missed backups. Belonging together carries over:
/// whatever shares an anomaly is one incident.
///
/// The answer is that of the set: the order of the anomalies has no part in it, but for which of an
/// incident is the first.
#[must_use]
pub fn group(anomalies: &[Sighting], settings: &IncidentSettings) -> Vec<usize> {
    let mut together = Together::new(anomalies.len());
    let mut by_time: Vec<usize> = (0..anomalies.len()).collect();
    by_time.sort_by_key(|&index| anomalies[index].started_at);
    let within = TimeDelta::hours(settings.client_hours.get().into());
    let mut last_of_client: HashMap<&ClientName, usize> = HashMap::new();
    for &index in &by_time {
        let anomaly = &anomalies[index];
        if let Some(before) = last_of_client.insert(&anomaly.client, index)
            && anomaly.started_at - anomalies[before].started_at <= within
        {
            together.join(before, index);
        }
    }
    for class in [Class::Data, Class::Operation] {
        let of_class = by_time.iter().copied();
        let of_class = of_class.filter(|&index| anomalies[index].class() == Some(class));
        join_many(
            anomalies,
            &of_class.collect::<Vec<_>>(),
            settings,
            &mut together,
        );
    }
    (0..anomalies.len())
        .map(|index| together.first(index))
        .collect()
}

/// Joins what lies in a window with many clients; `by_time` are anomalies of one class.
fn join_many(
    anomalies: &[Sighting],
    by_time: &[usize],
    settings: &IncidentSettings,
    together: &mut Together,
) {
    let within = TimeDelta::hours(settings.fleet_hours.get().into());
    let many = settings.clients.get() as usize;
    let mut in_window: BTreeMap<&ClientName, usize> = BTreeMap::new();
    // The first of the window, and the first that is not yet joined to the one after it.
    let (mut first, mut unjoined) = (0, 0);
    for (last, &index) in by_time.iter().enumerate() {
        let anomaly = &anomalies[index];
        *in_window.entry(&anomaly.client).or_default() += 1;
        while anomaly.started_at - anomalies[by_time[first]].started_at > within {
            let left = &anomalies[by_time[first]].client;
            if let Some(count) = in_window.get_mut(left) {
                *count -= 1;
                if *count == 0 {
                    in_window.remove(left);
                }
            }
            first += 1;
        }
        if in_window.len() >= many {
            for place in first.max(unjoined)..last {
                together.join(by_time[place], by_time[place + 1]);
            }
            unjoined = last;
        }
    }
}

/// Sets of things that belong together, each known by its smallest member.
struct Together {
    parents: Vec<usize>,
}

impl Together {
    fn new(size: usize) -> Self {
        Self {
            parents: (0..size).collect(),
        }
    }

    fn first(&mut self, index: usize) -> usize {
        let mut root = index;
        while self.parents[root] != root {
            root = self.parents[root];
        }
        let mut at = index;
        while self.parents[at] != root {
            at = std::mem::replace(&mut self.parents[at], root);
        }
        root
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.first(a), self.first(b));
        self.parents[a.max(b)] = a.min(b);
    }
}

//! What a backtest found.

use std::collections::BTreeMap;

use anomaly_engine::{Sighting, group};
use anomaly_features::counted;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{AnomalyKind, ClientName, JobKey, ReviewStatus, Severity, StreamKey};
use anomaly_settings::IncidentSettings;
use serde::Serialize;

/// So many anomalies of each list, and so many streams, are named; all are counted.
const LISTED: usize = 1_000;

/// What other settings would have changed: see [`Backtest`](crate::Backtest).
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct BacktestReport {
    /// Streams with jobs in the time that was asked for.
    pub streams: u64,
    /// Jobs in that time.
    pub jobs: u64,
    /// What a replay under the settings of today says.
    pub before: Alarms,
    /// What a replay under the other settings says.
    pub after: Alarms,
    /// Anomalies that a person confirmed, and that the other settings would not raise.
    pub confirmed_lost: Changes,
    /// Anomalies that a person confirmed, and that the other settings would raise with a lower
    /// severity.
    pub confirmed_lowered: Changes,
    /// Anomalies that the other settings would not raise, those that were confirmed among them.
    pub lost: Changes,
    /// Of these, those that a person called a false positive.
    pub false_positives_gone: u64,
    /// Of these, those that a person ignored.
    pub ignored_gone: u64,
    /// Of these, those that nobody has decided about.
    pub unreviewed_lost: u64,
    /// Anomalies that only the other settings raise.
    pub gained: Changes,
    /// Anomalies that both raise, with another severity or kind.
    pub changed: u64,
    /// The streams with the most changes.
    pub by_stream: Vec<StreamChange>,
    /// How what is stored differs from what the replay under the settings of today says.
    pub stored: StoredDifference,
    #[serde(skip)]
    pub(super) sightings: [Vec<Sighting>; 2],
}

/// What one replay raised.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct Alarms {
    /// How many anomalies.
    pub anomalies: u64,
    /// How many for 30 jobs.
    pub per_30_jobs: f64,
    /// How many of each severity.
    pub by_severity: BTreeMap<Severity, u64>,
    /// How many of each kind.
    pub by_kind: BTreeMap<AnomalyKind, u64>,
    /// How many incidents they are together, without those that people called usual or irrelevant.
    pub incidents: u64,
    /// Jobs that were not judged.
    pub not_scored_jobs: u64,
}

/// Anomalies that are in one replay and not in the other.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct Changes {
    /// How many there are, of which `anomalies` may name less.
    pub count: u64,
    /// How many of each severity.
    pub by_severity: BTreeMap<Severity, u64>,
    /// How many of each kind.
    pub by_kind: BTreeMap<AnomalyKind, u64>,
    /// Which, a thousand at most: by stream in the order in which those were first seen.
    pub anomalies: Vec<ChangedAnomaly>,
}

/// An anomaly that only one of the replays raises.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ChangedAnomaly {
    /// The job.
    pub job: JobKey,
    /// Its client.
    pub client: ClientName,
    /// Its stream, as people read it.
    pub stream: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// How severe the replay that raises it finds it; of one whose severity falls, what it was.
    pub severity: Severity,
    /// What it looks like.
    pub kind: AnomalyKind,
    /// What a person decided.
    pub review_status: ReviewStatus,
}

/// What changes in one stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StreamChange {
    /// The stream, as people read it.
    pub stream: String,
    /// Its jobs.
    pub jobs: u64,
    /// Anomalies under the settings of today.
    pub before: u64,
    /// Anomalies under the other settings.
    pub after: u64,
    /// Anomalies that only the other settings raise.
    pub gained: u64,
    /// Anomalies that only the settings of today raise.
    pub lost: u64,
}

/// How what is stored differs from what a replay under the settings of today says: an earlier
/// version or other settings judged then, a model was forgotten, or older jobs were deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct StoredDifference {
    /// Anomalies that are stored and that the replay does not raise.
    pub only_stored: u64,
    /// Of these, those that a person confirmed: neither of the replays need raise them.
    pub only_stored_confirmed: u64,
    /// Anomalies that the replay raises and that are not stored.
    pub only_replayed: u64,
}

/// One job in both replays.
pub(super) struct Compared {
    pub(super) anomaly: ChangedAnomaly,
    pub(super) before: Option<(Severity, AnomalyKind)>,
    pub(super) after: Option<(Severity, AnomalyKind)>,
    pub(super) stored: bool,
}

impl BacktestReport {
    /// What it comes to, in a sentence: `In 57 jobs of 2 streams, it would have missed 1 anomaly.`
    #[must_use]
    pub fn in_words(&self) -> String {
        let jobs = counted(self.jobs, "job");
        let of = format!("In {jobs} of {}", counted(self.streams, "stream"));
        let more = match self.gained.count {
            1 => "1 more anomaly".to_owned(),
            gained => format!("{gained} more anomalies"),
        };
        match (self.gained.count, self.lost.count) {
            (0, 0) if self.changed > 0 => format!(
                "{of}, the same would have been found, {} with another severity or kind.",
                self.changed
            ),
            (0, 0) => format!("{of}, the same would have been found."),
            (_, 0) => format!("{of}, it would have found {more}."),
            (0, lost) => format!("{of}, it would have missed {}.", counted(lost, "anomaly")),
            (_, lost) => format!("{of}, it would have found {more}, and missed {lost}."),
        }
    }

    /// Takes in what was found in one stream: its jobs, and those that some side calls anomalous.
    pub(super) fn add_stream(&mut self, stream: &StreamKey, jobs: u64, compared: Vec<Compared>) {
        if jobs == 0 && compared.is_empty() {
            return;
        }
        self.streams += 1;
        self.jobs += jobs;
        let mut change = StreamChange {
            stream: stream.to_string(),
            jobs,
            before: 0,
            after: 0,
            gained: 0,
            lost: 0,
        };
        for one in compared {
            change.before += u64::from(one.before.is_some());
            change.after += u64::from(one.after.is_some());
            change.gained += u64::from(one.before.is_none() && one.after.is_some());
            change.lost += u64::from(one.before.is_some() && one.after.is_none());
            self.add(one);
        }
        if change.gained + change.lost > 0 {
            self.by_stream.push(change);
            if self.by_stream.len() > 2 * LISTED {
                self.sort_streams();
            }
        }
    }

    fn add(&mut self, one: Compared) {
        let Compared {
            mut anomaly,
            before,
            after,
            stored,
        } = one;
        let status = anomaly.review_status;
        let confirmed = status == ReviewStatus::Confirmed;
        self.before.count(before);
        self.after.count(after);
        for (sightings, side) in self.sightings.iter_mut().zip([before, after]) {
            if let Some((severity, kind)) = side.filter(|_| status.stands()) {
                let (client, at) = (anomaly.client.clone(), anomaly.started_at);
                sightings.push(Sighting::new(client, at, severity, kind));
            }
        }
        match (stored, before.is_some()) {
            (true, false) => {
                self.stored.only_stored += 1;
                self.stored.only_stored_confirmed += u64::from(confirmed);
            }
            (false, true) => self.stored.only_replayed += 1,
            _ => {}
        }
        match (before, after) {
            (Some(was), None) => {
                (anomaly.severity, anomaly.kind) = was;
                match status {
                    ReviewStatus::Confirmed => self.confirmed_lost.add(anomaly.clone()),
                    ReviewStatus::FalsePositive => self.false_positives_gone += 1,
                    ReviewStatus::Ignored => self.ignored_gone += 1,
                    _ => self.unreviewed_lost += 1,
                }
                self.lost.add(anomaly);
            }
            (None, Some(is)) => {
                (anomaly.severity, anomaly.kind) = is;
                self.gained.add(anomaly);
            }
            (Some(was), Some(is)) if was != is => {
                self.changed += 1;
                (anomaly.severity, anomaly.kind) = was;
                if confirmed && is.0 < was.0 {
                    self.confirmed_lowered.add(anomaly);
                }
            }
            _ => {}
        }
    }

    /// What follows from all of it.
    pub(super) fn finish(&mut self, incidents: [&IncidentSettings; 2]) {
        self.sort_streams();
        let jobs = self.jobs;
        let sightings = std::mem::take(&mut self.sightings);
        let sides = [&mut self.before, &mut self.after];
        for ((side, sightings), settings) in sides.into_iter().zip(sightings).zip(incidents) {
            let mut firsts = group(&sightings, settings);
            firsts.sort_unstable();
            firsts.dedup();
            side.incidents = firsts.len() as u64;
            if jobs > 0 {
                side.per_30_jobs = 30.0 * side.anomalies as f64 / jobs as f64;
            }
        }
    }

    /// Those with the most changes first; a stream is added once, so that what is cut off here would
    /// be in the end.
    fn sort_streams(&mut self) {
        self.by_stream.sort_by(|a, b| {
            let most = (b.gained + b.lost).cmp(&(a.gained + a.lost));
            most.then_with(|| a.stream.cmp(&b.stream))
        });
        self.by_stream.truncate(LISTED);
    }
}

impl Alarms {
    fn count(&mut self, anomaly: Option<(Severity, AnomalyKind)>) {
        if let Some((severity, kind)) = anomaly {
            self.anomalies += 1;
            *self.by_severity.entry(severity).or_default() += 1;
            *self.by_kind.entry(kind).or_default() += 1;
        }
    }
}

impl Changes {
    fn add(&mut self, anomaly: ChangedAnomaly) {
        self.count += 1;
        *self.by_severity.entry(anomaly.severity).or_default() += 1;
        *self.by_kind.entry(anomaly.kind).or_default() += 1;
        if self.anomalies.len() < LISTED {
            self.anomalies.push(anomaly);
        }
    }
}

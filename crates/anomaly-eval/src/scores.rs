//! Every figure of one judge on one track.

use std::collections::{BTreeMap, HashMap};

use anomaly_model::{Severity, StreamKey};
use serde::Serialize;

use crate::normal::{CleanJob, DayClass};
use crate::{Event, Group, Share, Track};

/// False alarms of one stream at most so many of its jobs apart are one incident.
const INCIDENT_JOBS: usize = 7;

/// A slow attack is found in time before this share of the files is touched.
const TOO_LATE: f64 = 0.3;

/// Every figure of one judge on one track.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Scores {
    /// What the judge was shown.
    pub track: Track,
    /// Clean jobs on which an alarm is false.
    pub normal_jobs: usize,
    /// Normal jobs to which there was no answer.
    pub verdicts_missing: usize,
    /// Alarms on normal jobs.
    pub false_alarms: usize,
    /// The same per 90 normal jobs.
    pub false_alarms_per_90: f64,
    /// The same per 365 normal jobs.
    pub false_alarms_per_365: f64,
    /// False alarms, of which those of one stream at most 7 of its jobs apart count once.
    pub false_incidents: usize,
    /// The same per 365 normal jobs.
    pub false_incidents_per_365: f64,
    /// Alarms on clean days on which much changed.
    pub busy_flagged: Share,
    /// Legitimate mass changes with an alarm of high severity: busy days, and benign branches.
    pub legitimate_high: Share,
    /// Slow attacks with an alarm before 30 % of the files were touched, of those where that is known.
    pub slow_in_time: Share,
    /// Alarms among the first 14 jobs of the streams.
    pub early_alarms: Share,
    /// The score above which an alarm is raised exactly once per 90 normal jobs.
    pub threshold_per_90: f64,
    /// The score above which an alarm is raised exactly once per 365 normal jobs.
    pub threshold_per_365: f64,
    /// How it did on each group of events: `ALL ATTACKS`, every family, every `family/kind`, and
    /// `ransomware: fast` (at least 15 % of the files at once), `small` (less) and `drip` (a little
    /// per job).
    pub groups: BTreeMap<String, Group>,
}

impl Scores {
    /// Counts the answers.
    #[must_use]
    pub fn count(track: Track, clean: &[CleanJob], events: &[Event]) -> Self {
        let of_class = |class| {
            clean
                .iter()
                .filter(move |job: &&CleanJob| job.class == class)
        };
        let normal: Vec<&CleanJob> = of_class(DayClass::Normal).collect();
        let false_alarms = normal.iter().filter(|job| job.is_alarm()).count();
        let false_incidents = incidents(&normal);
        let per = |count: usize, jobs: f64| jobs * count as f64 / normal.len().max(1) as f64;

        let (above_90, above_365) = (threshold(&normal, 90.0), threshold(&normal, 365.0));
        let mut grouped: BTreeMap<String, Vec<&Event>> = BTreeMap::new();
        for event in events {
            for group in event.groups() {
                grouped.entry(group).or_default().push(event);
            }
        }
        let groups: BTreeMap<String, Group> = grouped
            .into_iter()
            .map(|(name, events)| (name, Group::count(&events, above_90, above_365)))
            .collect();

        let busy_high = Share::of(of_class(DayClass::Busy), |job| {
            let severity = job.answer.as_ref().and_then(|answer| answer.severity);
            job.is_alarm() && severity == Some(Severity::High)
        });
        let benign_high = groups
            .get("benign")
            .map(|group| group.high)
            .unwrap_or_default();
        Self {
            track,
            normal_jobs: normal.len(),
            verdicts_missing: normal.iter().filter(|job| job.answer.is_none()).count(),
            false_alarms,
            false_alarms_per_90: per(false_alarms, 90.0),
            false_alarms_per_365: per(false_alarms, 365.0),
            false_incidents,
            false_incidents_per_365: per(false_incidents, 365.0),
            busy_flagged: Share::of(of_class(DayClass::Busy), CleanJob::is_alarm),
            legitimate_high: Share::new(
                busy_high.hits + benign_high.hits,
                busy_high.all + benign_high.all,
            ),
            slow_in_time: Share::of(
                events
                    .iter()
                    .filter_map(|event| event.is_flagged_before(TOO_LATE)),
                |in_time| in_time,
            ),
            early_alarms: Share::of(of_class(DayClass::Early), CleanJob::is_alarm),
            threshold_per_90: above_90,
            threshold_per_365: above_365,
            groups,
        }
    }
}

/// How often a person is called: alarms of one stream close to each other are one call.
fn incidents(normal: &[&CleanJob]) -> usize {
    let mut last: HashMap<&StreamKey, usize> = HashMap::new();
    let alarms = normal.iter().filter(|job| job.is_alarm());
    alarms
        .filter(|job| {
            let before = last.insert(&job.stream, job.jobs_before);
            before.is_none_or(|before| job.jobs_before - before > INCIDENT_JOBS)
        })
        .count()
}

/// The score above which exactly one in so many normal jobs lies (to the nearest whole number of
/// jobs, less the one that gives the threshold).
fn threshold(normal: &[&CleanJob], jobs: f64) -> f64 {
    let mut levels: Vec<f64> = normal.iter().map(|job| job.level()).collect();
    levels.sort_by(|a, b| b.total_cmp(a));
    let allowed = (levels.len() as f64 / jobs).round_ties_even().max(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number, at most the number of jobs"
    )]
    let last_allowed = allowed as usize - 1;
    levels.get(last_allowed).copied().unwrap_or(f64::INFINITY)
}

//! The way of one job through the engine.

use anomaly_features::{Absent, FeatureVector, Previous, extract};
use anomaly_model::{BackupJob, Judgement, Verdict};
use anomaly_settings::DetectionSettings;

use crate::alarm::Alarm;
use crate::evidence::{Evidence, weigh};
use crate::history::Row;
use crate::impact::Impact;
use crate::timing::Timing;
use crate::{StreamModel, classify, rules, sentence};

/// Judges `job` against `model`, and takes it into the model.
pub(crate) fn judge(
    settings: &DetectionSettings,
    job: &BackupJob,
    model: &mut StreamModel,
) -> Verdict {
    let timing = Timing::of(job, model);
    if !settings.enabled {
        // What comes after is judged against what was, so that switching on raises no alarm.
        model.note_run(job, timing);
        if rules::has_image(job) && !Previous::of(job).is_empty() {
            model.note_image(job);
        }
        return not_scored(job, "detection is switched off for this stream");
    }
    let mut seen = Seen::new(settings, job, model, model.previous());
    let threshold = settings.alarm_budget.p_value_threshold();
    if seen.is_alarm(threshold) && model.odd_image().is_some() {
        // The last job was an anomaly. What goes on from there is not another one.
        let after = Seen::new(settings, job, model, model.odd_image());
        if !after.is_alarm(threshold) {
            seen = after;
        }
    }
    let alarms = rules::check(&settings.rules, job, model, timing, seen.emptied);
    let verdict = conclude(settings, job, model, &seen, alarms);
    tracing::debug!(job = %job.job_id(), client = %job.client().name, judgement = ?verdict.judgement);

    let Seen {
        row,
        judged,
        emptied,
        ..
    } = seen;
    // A late arrival is not the image that the next job follows on.
    let in_turn = judged && !matches!(timing, Timing::Early { .. });
    match verdict.judgement {
        Judgement::Normal | Judgement::WarmingUp => {
            model.learn(job, row, settings.history_jobs.get() as usize);
            model.note_image(job);
        }
        Judgement::Anomalous { .. } if judged => {
            model.hold_numbers(job, row, timing);
            if in_turn {
                model.note_odd_image(job);
            }
        }
        Judgement::Anomalous { .. } if emptied => model.hold_empty(job),
        _ if judged => model.note_image(job),
        _ => {}
    }
    model.note_run(job, timing);
    verdict
}

/// What can be seen of a job beside one earlier image.
struct Seen {
    features: FeatureVector,
    row: Row,
    /// Whether the image holds next to nothing.
    emptied: bool,
    /// Whether there is an image whose numbers mean something.
    judged: bool,
    evidence: Option<Evidence>,
}

impl Seen {
    fn new(
        settings: &DetectionSettings,
        job: &BackupJob,
        model: &StreamModel,
        before: Option<&Previous>,
    ) -> Self {
        let features = extract(job, before);
        let row: Row = features.coordinates().map(to_f32).collect();
        let emptied = rules::is_emptied(job, &features);
        let judged = rules::has_image(job) && !emptied;
        let warmed_up = model.learnt_jobs() >= settings.warm_up_jobs.get() as usize;
        let weighed =
            (judged && warmed_up).then(|| weigh(settings, &model.history, &features, &row));
        Self {
            features,
            row,
            emptied,
            judged,
            evidence: weighed.flatten(),
        }
    }

    fn is_alarm(&self, threshold: f64) -> bool {
        self.evidence
            .as_ref()
            .is_some_and(|evidence| evidence.p_value.get() < threshold)
    }
}

/// Loses nothing that matters: see [`crate::history::History`].
#[expect(clippy::cast_possible_truncation, reason = "the rounding is meant")]
fn to_f32(coordinate: f64) -> f32 {
    coordinate as f32
}

fn conclude(
    settings: &DetectionSettings,
    job: &BackupJob,
    model: &StreamModel,
    seen: &Seen,
    mut alarms: Vec<Alarm>,
) -> Verdict {
    if seen.is_alarm(settings.alarm_budget.p_value_threshold()) {
        alarms.extend(
            seen.evidence
                .as_ref()
                .map(|found| statistical(job, &seen.features, found)),
        );
    }
    let mut verdict = match alarms.iter().max_by_key(|alarm| alarm.rank()) {
        Some(alarm) => {
            let judgement = Judgement::Anomalous {
                severity: alarm.severity,
                kind: alarm.kind,
            };
            Verdict::new(job, judgement, &alarm.summary)
        }
        None => quiet(settings, job, model, seen),
    };
    // Whichever alarm gives the sentence, every finding is told, the measured ones first.
    alarms.reverse();
    for finding in alarms.into_iter().flat_map(|alarm| alarm.findings) {
        if verdict
            .findings
            .iter()
            .all(|told| told.feature != finding.feature)
        {
            verdict.findings.push(finding);
        }
    }
    verdict.p_value = seen.evidence.as_ref().map(|evidence| evidence.p_value);
    let excluded = settings.excluded_features.names();
    verdict.unseen = seen
        .features
        .unreported()
        .filter_map(|feature| feature.feature_name().ok())
        .filter(|name| !excluded.contains(name))
        .collect();
    verdict
}

/// The verdict when nothing is wrong, or nothing could be seen.
fn quiet(
    settings: &DetectionSettings,
    job: &BackupJob,
    model: &StreamModel,
    seen: &Seen,
) -> Verdict {
    if !rules::has_image(job) {
        return not_scored(
            job,
            "the job left no image, and the rule for failed jobs is off",
        );
    }
    if !seen.judged {
        return not_scored(
            job,
            "the image is empty, which was accepted, or its rule is off",
        );
    }
    if seen
        .features
        .readings()
        .iter()
        .all(|reading| *reading == Err(Absent::NotReported))
    {
        return not_scored(job, "the job reports no size, count or duration");
    }
    let (learnt, needed) = (model.learnt_jobs(), settings.warm_up_jobs.get() as usize);
    if learnt < needed {
        let summary = format!(
            "Learning: {learnt} of {needed} jobs learnt, so only what needs no history was judged."
        );
        return Verdict::new(job, Judgement::WarmingUp, summary);
    }
    if seen.evidence.is_none() {
        return not_scored(
            job,
            "the detectors that are on have too little history of what the job reports",
        );
    }
    Verdict::new(
        job,
        Judgement::Normal,
        "Nothing unusual in what was reported.",
    )
}

fn not_scored(job: &BackupJob, reason: &str) -> Verdict {
    let judgement = Judgement::NotScored {
        reason: reason.to_owned(),
    };
    Verdict::new(job, judgement, format!("Not judged: {reason}."))
}

fn statistical(job: &BackupJob, features: &FeatureVector, evidence: &Evidence) -> Alarm {
    let impact = Impact::of(job, features);
    let kind = classify::kind(&impact, &evidence.findings);
    let summary = sentence::describe(kind, job, features, &impact, &evidence.findings);
    let mut alarm = Alarm::new(classify::severity(kind, &impact), kind, summary);
    alarm.findings.clone_from(&evidence.findings);
    alarm
}

//! The way of one job through the engine.

use anomaly_features::{Absent, FeatureVector, extract};
use anomaly_model::{BackupJob, Judgement, Verdict};
use anomaly_settings::DetectionSettings;

use crate::alarm::Alarm;
use crate::evidence::{Evidence, weigh};
use crate::history::Row;
use crate::impact::Impact;
use crate::{StreamModel, classify, rules, sentence};

/// Judges `job` against `model`, and takes it into the model.
pub(crate) fn judge(
    settings: &DetectionSettings,
    job: &BackupJob,
    model: &mut StreamModel,
) -> Verdict {
    if !settings.enabled {
        return not_scored(job, "detection is switched off for this stream");
    }
    let features = extract(job, model.previous());
    let row: Row = features.coordinates().map(to_f32).collect();
    let alarms = rules::check(&settings.rules, job, model, &features);
    let judged = rules::has_image(job) && !rules::is_empty(job);
    let warmed_up = model.learnt_jobs() >= settings.warm_up_jobs.get() as usize;
    let evidence = (judged && warmed_up).then(|| weigh(settings, &model.history, &features, &row));

    let verdict = conclude(settings, job, model, &features, alarms, evidence.flatten());
    tracing::debug!(job = %job.job_id(), client = %job.client().name, judgement = ?verdict.judgement);

    if verdict.is_anomalous() {
        if rules::has_image(job) {
            model.hold(job.key(), row, rules::is_empty(job));
        }
    } else if judged {
        model.learn(row, settings.history_jobs.get() as usize);
    }
    model.note(job, judged);
    verdict
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
    features: &FeatureVector,
    mut alarms: Vec<Alarm>,
    evidence: Option<Evidence>,
) -> Verdict {
    let p_value = evidence.as_ref().map(|evidence| evidence.p_value);
    let threshold = settings.alarm_budget.p_value_threshold();
    if let Some(evidence) = evidence.filter(|evidence| evidence.p_value.get() < threshold) {
        alarms.push(statistical(job, features, evidence));
    }
    let mut verdict = match alarms.iter().max_by_key(|alarm| alarm.rank()) {
        Some(alarm) => {
            let judgement = Judgement::Anomalous {
                severity: alarm.severity,
                kind: alarm.kind,
            };
            Verdict::new(job, judgement, &alarm.summary)
        }
        None => quiet(settings, job, model, features, p_value.is_some()),
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
    verdict.p_value = p_value;
    let excluded = &settings.excluded_features;
    verdict.unseen = features
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
    features: &FeatureVector,
    scored: bool,
) -> Verdict {
    if !rules::has_image(job) {
        return not_scored(
            job,
            "the job left no image, and the rule for failed jobs is off",
        );
    }
    if rules::is_empty(job) {
        return not_scored(job, "the image is empty, as it has been called usual here");
    }
    if features
        .readings()
        .iter()
        .all(|reading| *reading == Err(Absent::NotReported))
    {
        return not_scored(job, "the job reports no size, count or duration");
    }
    let (learnt, needed) = (model.learnt_jobs(), settings.warm_up_jobs.get() as usize);
    if learnt < needed {
        let summary = format!(
            "Learning: {learnt} of {needed} jobs seen, so only what needs no history was judged."
        );
        return Verdict::new(job, Judgement::WarmingUp, summary);
    }
    if !scored {
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

fn statistical(job: &BackupJob, features: &FeatureVector, evidence: Evidence) -> Alarm {
    let impact = Impact::of(job, features);
    let kind = classify::kind(&impact, &evidence.findings);
    let summary = sentence::describe(kind, job, features, &impact, &evidence.findings);
    let mut alarm = Alarm::new(classify::severity(kind, &impact), kind, summary);
    alarm.findings = evidence.findings;
    alarm
}

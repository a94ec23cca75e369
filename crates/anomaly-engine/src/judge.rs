//! The way of one job through the engine.

use anomaly_features::{Absent, AffectedShares, FeatureVector, Previous, Share, extract};
use anomaly_model::{
    AnomalyKind, BackupJob, Finding, JobStatus, Judgement, PValue, Severity, Verdict,
};
use anomaly_settings::{DetectionSettings, DetectorName};

use crate::alarm::Alarm;
use crate::cover::{Measured, covering};
use crate::file_signs::FileSigns;
use crate::history::{Coordinate, Row};
use crate::impact::Impact;
use crate::incident::Incident;
use crate::levels::{harmonic_mean, weigh};
use crate::memory::{MOST, Remembered};
use crate::population::Population;
use crate::slow_loss::SlowLoss;
use crate::statistic::Statistic;
use crate::surprise::Surprise;
use crate::timing::Timing;
use crate::{Said, StreamModel, classify, findings, rules, sentence};

/// Why a job is not scored where the settings switch detection off.
pub(crate) const SWITCHED_OFF: &str = "detection is switched off for this stream";
/// So many jobs that go on with a change make it one to propose as the new normal: a week of daily
/// ones, after which what does not show again is over.
const PROPOSED_JOBS: u32 = 7;
/// While a stream warms up, only what is rarer by this factor than the budget asks is an anomaly.
const WARM_UP_CAUTION: f64 = 10.0;

/// Judges `job` against `model`, and takes it into the model.
pub(crate) fn judge(
    settings: &DetectionSettings,
    population: &Population,
    said: &Said,
    job: &BackupJob,
    model: &mut StreamModel,
) -> Verdict {
    let mut timing = Timing::of(job, model);
    if let Timing::Late {
        gap, is_confirmed, ..
    } = &mut timing
    {
        *is_confirmed = said.missed_is_confirmed && said.was_told(job, *gap);
    }
    if !settings.enabled {
        // What comes after is judged against what was, so that switching on raises no alarm.
        model.note_run(job, timing);
        if job.status().has_image() && !Previous::of(job).is_empty() {
            model.note_image(job);
        }
        return Verdict::not_scored(job, SWITCHED_OFF);
    }
    let see = |model: &StreamModel, before| Seen::new(settings, population, job, model, before);
    let mut seen = see(model, model.previous());
    let most_gone = |seen: &Seen| seen.share(Share::Lost) >= MOST;
    if (seen.is_strange() || most_gone(&seen)) && model.odd_image().is_some() {
        // The last job was an anomaly. What goes on from there is not another one, and what is gone
        // since then did not go now.
        let after = see(model, model.odd_image());
        let goes_on = !after.is_strange() || most_gone(&seen);
        if goes_on && !most_gone(&after) {
            seen = after;
        }
    }
    let slow_loss = SlowLoss::of(&model.memory, job)
        // What could not be read is not lost; a stream that never reads all of it loses what goes.
        .filter(|_| {
            seen.judged && (job.status() == JobStatus::Succeeded || model.last_was_partial())
        });
    let mut alarms = rules::check(&settings.rules, job, model, timing, &seen, slow_loss, said);
    let signs = FileSigns::of(settings, job, &model.written_files);
    alarms.extend(signs.iter().flat_map(|signs| signs.alarms(settings)));
    let mut verdict = conclude(settings, said, job, model, &seen, alarms);
    tracing::debug!(job = %job.job_id(), client = %job.client().name, judgement = ?verdict.judgement);
    if let Some(signs) = signs {
        learn_files(settings, job, model, &seen, &signs, &verdict);
    }
    let judged = seen.judged;
    learn(settings, job, model, seen, timing, slow_loss, &verdict);
    if judged && verdict.judgement == Judgement::Normal && verdict.covered_by.is_none() {
        note_level_shift(settings, model, &mut verdict);
    }
    verdict
}

/// Says that what goes on may be the new normal, once it has lasted; or makes it that, where the
/// settings say so.
fn note_level_shift(settings: &DetectionSettings, model: &mut StreamModel, verdict: &mut Verdict) {
    let Some(mut shift) = model.level_shift() else {
        return;
    };
    let enough = settings.accept_level_shift_after_jobs.get();
    let accepts = enough > 0 && shift.jobs >= enough;
    if let Some(job) = shift.began_with.as_ref().filter(|_| accepts) {
        shift.accepted = model.accept_level_shift(job) > 0;
    }
    if shift.accepted || shift.jobs >= PROPOSED_JOBS {
        verdict.summary = sentence::level_shift(&shift, &verdict.summary);
        verdict.level_shift = Some(shift);
    }
}

/// Takes a judged job into the model.
fn learn(
    settings: &DetectionSettings,
    job: &BackupJob,
    model: &mut StreamModel,
    seen: Seen,
    timing: Timing,
    slow_loss: Option<SlowLoss>,
    verdict: &Verdict,
) {
    let capacity = settings.history_jobs.get() as usize;
    // What goes on from a reported anomaly is as strange as that was, and as little to be learnt;
    // so is what a false positive covers: it would widen what is usual beyond its ceiling and end.
    let covered = verdict.covered_by.is_some();
    let strange = verdict.is_anomalous() || covered || seen.is_strange();
    // A late arrival is not the image that the next job follows on.
    let in_turn = !matches!(timing, Timing::Early { .. });
    if seen.judged {
        // What is covered was not reported, and nothing goes on from it.
        let shows = seen.is_strange() && !covered;
        let surprise = seen.surprise.as_ref().filter(|_| shows);
        model.incident = Incident::after(model.incident, surprise, verdict.is_anomalous());
        model.note_loss(slow_loss);
        let remembered = Remembered::of(job, &seen.shares, strange);
        if strange {
            if !covered {
                model.hold_numbers(job, seen.row, timing, verdict.is_anomalous(), capacity);
            }
            if in_turn {
                model.note_odd_image(job);
            }
        } else {
            if seen.reports_anything() {
                model.learn(seen.row, capacity);
            }
            if in_turn {
                model.note_image(job);
            }
        }
        model.memory.push(remembered, capacity);
        model.go_on_confirmed();
    } else if verdict.is_anomalous() && seen.emptied {
        model.hold_empty(job, capacity);
    }
    model.note_run(job, timing);
}

/// Takes the files that a judged job wrote into the model.
fn learn_files(
    settings: &DetectionSettings,
    job: &BackupJob,
    model: &mut StreamModel,
    seen: &Seen,
    signs: &FileSigns,
    verdict: &Verdict,
) {
    // What is covered was not reported, and teaches nothing.
    if verdict.covered_by.is_some() {
        return;
    }
    if signs.tells_of_attributes() {
        model.written_files.note_reported(job);
    }
    if verdict.is_anomalous() {
        model.written_files.hold(job, signs.suspicious_extensions());
    } else if seen.judged && !seen.is_strange() && !signs.are_attributes_strange() {
        model
            .written_files
            .learn(job, settings.attribute_rate.get());
    }
}

/// What can be seen of a job beside one earlier image.
pub(crate) struct Seen {
    pub(crate) features: FeatureVector,
    pub(crate) shares: AffectedShares,
    pub(crate) row: Row,
    /// Whether the image holds next to nothing.
    pub(crate) emptied: bool,
    /// Whether there is an image whose numbers mean something.
    pub(crate) judged: bool,
    /// Whether the stream has too little history to be judged by it alone.
    warming_up: bool,
    surprise: Option<Surprise>,
    /// Levels that stand out, where they are judged and not only shown.
    levels: Vec<Finding>,
    /// By all detectors that are on.
    p_value: Option<f64>,
    /// The p-value below which the job is strange.
    threshold: f64,
}

impl Seen {
    fn new(
        settings: &DetectionSettings,
        population: &Population,
        job: &BackupJob,
        model: &StreamModel,
        before: Option<&Previous>,
    ) -> Self {
        let features = extract(job, before);
        let excluded = settings.excluded_features.names();
        let usual = model.memory.usual();
        let shares = AffectedShares::of_visible(job, before, &usual, |field| {
            excluded.iter().any(|name| name.as_str() == field)
        });
        let row: Row = features.coordinates().map(Coordinate::of).collect();
        let emptied = rules::is_emptied(job, &features, &model.memory);
        let judged = job.status().has_image() && !emptied;
        let warming_up = model.learnt_jobs() < settings.warm_up_jobs.get() as usize;
        let mut seen = Self {
            features,
            shares,
            row,
            emptied,
            judged,
            warming_up,
            surprise: None,
            levels: Vec::new(),
            p_value: None,
            threshold: settings.p_value_threshold()
                / if warming_up { WARM_UP_CAUTION } else { 1.0 },
        };
        if judged {
            seen.ask_detectors(settings, population, job, model);
        }
        seen
    }

    fn ask_detectors(
        &mut self,
        settings: &DetectionSettings,
        population: &Population,
        job: &BackupJob,
        model: &StreamModel,
    ) {
        let mut p_values = Vec::new();
        let mut by_level = Vec::new();
        for &name in settings.detectors.names() {
            let by_shares = name == DetectorName::AffectedShares;
            if by_shares && !job.schedule().holds_changes_only() {
                self.surprise = Surprise::of(population, &model.memory, &self.shares);
                p_values.extend(self.surprise.as_ref().map(|surprise| surprise.p_value));
                continue;
            }
            // Where no part of the whole is known, how much there is can still be compared.
            let name = if by_shares {
                DetectorName::ModifiedZScore
            } else {
                name
            };
            if !by_level.contains(&name) {
                by_level.push(name);
            }
        }
        if !by_level.is_empty() && !self.warming_up {
            let levels = weigh(
                settings,
                &by_level,
                &model.lessons(),
                &self.features,
                &self.row,
            );
            if let Some(levels) = levels {
                p_values.push(levels.p_value);
                self.levels = levels.findings;
            }
        }
        self.p_value = match p_values.as_slice() {
            [] => None,
            [one] => Some(*one),
            several => Some(harmonic_mean(several)),
        };
    }

    /// Whether the job reports a size, a count or a duration.
    fn reports_anything(&self) -> bool {
        let readings = self.features.readings();
        readings
            .iter()
            .any(|reading| *reading != Err(Absent::NotReported))
    }

    /// Whether the detectors find the job stranger than the budget allows.
    pub(crate) fn is_strange(&self) -> bool {
        self.p_value.is_some_and(|p_value| p_value < self.threshold)
    }

    /// What the detectors rest on: the shares that stand out, and the levels where they are judged.
    fn rests_on(&self) -> Vec<Measured> {
        let outstanding = self.surprise.iter().flat_map(Surprise::outstanding);
        let shares = outstanding.filter_map(|term| {
            let Statistic { share, .. } = term.statistic;
            Measured::share(share, term.share(), term.statistic.is_sustained())
        });
        shares.chain(self.levels.iter().map(Measured::of)).collect()
    }

    /// Whether the share of this name is known: by other numbers than those of the feature, if need be.
    fn is_judged_as_share(&self, name: &str) -> bool {
        let mut shares = Share::ALL.iter().filter(|share| share.name() == name);
        shares.any(|&share| self.shares.get(share).is_some())
    }

    /// The share, 0 where it is not known.
    pub(crate) fn share(&self, share: Share) -> f64 {
        self.shares.get(share).unwrap_or(0.0)
    }
}

fn conclude(
    settings: &DetectionSettings,
    said: &Said,
    job: &BackupJob,
    model: &StreamModel,
    seen: &Seen,
    mut alarms: Vec<Alarm>,
) -> Verdict {
    let mut going_on = None;
    if seen.is_strange() {
        let alarm = statistical(settings, job, model, seen);
        // What cannot wait is told each time.
        let urgent = alarm.severity == Severity::High;
        let incident = model.incident.filter(|incident| {
            !urgent
                && seen
                    .surprise
                    .as_ref()
                    .is_some_and(|surprise| incident.covers(surprise))
        });
        match incident {
            Some(incident) => going_on = Some((incident, alarm)),
            None => alarms.push(alarm),
        }
    }
    if settings.rules.failed_job && job.status() == JobStatus::Partial {
        alarms = alarms
            .into_iter()
            .map(|alarm| rules::explained(job, alarm))
            .collect();
    }
    let (known, mut alarms): (Vec<Alarm>, Vec<Alarm>) =
        alarms.into_iter().partition(|alarm| alarm.is_known);
    let loudest = alarms.iter().max_by_key(|alarm| alarm.rank());
    let covered_by = covering(&said.false_positives, job, &alarms);
    let normal = |summary: String| Verdict::new(job, Judgement::Normal, summary);
    let mut verdict = match (loudest, covered_by, &going_on, known.first()) {
        (Some(alarm), Some(by), ..) => normal(sentence::covered(by, &alarm.summary)),
        (Some(alarm), None, ..) => {
            let judgement = Judgement::Anomalous {
                severity: alarm.severity,
                kind: alarm.kind,
            };
            Verdict::new(job, judgement, &alarm.summary)
        }
        (None, _, Some((incident, alarm)), _) => {
            normal(sentence::going_on(incident.age_jobs, &alarm.summary))
        }
        (None, _, None, Some(known)) => {
            let mut verdict = quiet(settings, job, model, seen);
            verdict.summary = sentence::known(&known.summary, &verdict.summary);
            verdict
        }
        (None, _, None, None) => quiet(settings, job, model, seen),
    };
    verdict.covered_by = covered_by.cloned();
    alarms.extend(known);
    alarms.extend(going_on.map(|(_, alarm)| alarm));
    // Whichever alarm gives the sentence, every finding is told, the measured ones first.
    alarms.reverse();
    for finding in alarms.into_iter().flat_map(|alarm| alarm.findings) {
        if is_new(&verdict.findings, &finding) {
            verdict.findings.push(finding);
        }
    }
    verdict.p_value = seen.p_value.map(PValue::clamped);
    let excluded = settings.excluded_features.names();
    verdict.unseen = seen
        .features
        .unreported()
        .filter(|feature| !seen.is_judged_as_share(feature.name))
        .filter_map(|feature| feature.feature_name().ok())
        .filter(|name| !excluded.contains(name))
        .collect();
    if verdict.kind().is_some_and(concerns_files)
        && let Some(inspection) = job.inspection()
    {
        verdict.files.clone_from(&inspection.notable_files);
    }
    verdict
}

/// Whether an anomaly of this kind is one of what was written.
fn concerns_files(kind: AnomalyKind) -> bool {
    use AnomalyKind::{EmptyBackup, Failure, MissedBackup, Slowdown};
    !matches!(kind, EmptyBackup | Failure | MissedBackup | Slowdown)
}

fn is_new(told: &[Finding], finding: &Finding) -> bool {
    told.iter().all(|told| told.feature != finding.feature)
}

/// The verdict when nothing is wrong, or nothing could be seen.
fn quiet(
    settings: &DetectionSettings,
    job: &BackupJob,
    model: &StreamModel,
    seen: &Seen,
) -> Verdict {
    if !job.status().has_image() {
        return Verdict::not_scored(
            job,
            "the job left no image, and the rule for failed jobs is off",
        );
    }
    if !seen.judged {
        return Verdict::not_scored(
            job,
            "the image is empty, which was accepted, or its rule is off",
        );
    }
    if !seen.reports_anything() {
        return Verdict::not_scored(job, "the job reports no size, count or duration");
    }
    if seen.warming_up {
        let (learnt, needed) = (model.learnt_jobs(), settings.warm_up_jobs.get());
        let judged = if seen.p_value.is_some() {
            "only what would be strange in any stream is seen"
        } else {
            "only what needs no history was judged"
        };
        let summary = format!("Learning: {learnt} of {needed} jobs learnt, so {judged}.");
        return Verdict::new(job, Judgement::WarmingUp, summary);
    }
    if seen.p_value.is_none() {
        return Verdict::not_scored(
            job,
            "the detectors that are on have too little history of what the job reports",
        );
    }
    Verdict::new(
        job,
        Judgement::Normal,
        sentence::normal(seen.p_value, seen.threshold),
    )
}

fn statistical(
    settings: &DetectionSettings,
    job: &BackupJob,
    model: &StreamModel,
    seen: &Seen,
) -> Alarm {
    let findings = findings::of(settings, model, seen, seen.surprise.as_ref());
    let impact = Impact::seen(job, seen);
    let surprise = seen.surprise.as_ref();
    let leading = surprise.and_then(|surprise| Some((surprise, surprise.leading()?)));
    let (severity, kind, summary) = if let Some((surprise, leading)) = leading {
        let (severity, kind) = classify::by_share(surprise, leading, &impact, &seen.shares);
        let summary = sentence::by_share(kind, job, seen, &impact, leading);
        (severity, kind, summary)
    } else {
        let kind = classify::by_level(&impact, &findings);
        let summary = sentence::describe(kind, job, &seen.features, &impact, &findings);
        (classify::severity(kind, &impact), kind, summary)
    };
    let mut alarm = Alarm::new(severity, kind, summary);
    alarm.rests_on = seen.rests_on();
    alarm.findings = findings;
    alarm
}

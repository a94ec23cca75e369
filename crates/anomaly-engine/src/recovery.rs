//! From where to restore a stream.

use anomaly_features::counted;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{
    AnomalyKind, BackupJob, Confidence, FeatureName, JobRef, JobStatus, Judgement, RecoveryImage,
    RecoveryPoint, Review, ReviewStatus, StreamKey, Suspect, SuspectReason, Verdict,
};
use anomaly_settings::DetectionSettings;

use crate::missed::when;
use crate::statistic::STATISTICS;

/// So many jobs in a row without a sign, and what came before is another story: a week of daily
/// jobs, as long as an anomaly counts as one that goes on.
const CALM_JOBS: usize = 7;
/// Evidence is raised when it is this much more frequent than an anomaly's, at most,
const RAISED: f64 = 10.0;
/// and no more frequent than one usual job in twenty.
const MOST_RAISED: f64 = 0.05;
/// A change in small steps is seen in the least of so many jobs: it began before them.
const SLOW_JOBS: usize = 14;
/// An image that is larger by less than this factor held about as much.
const NOTABLY: f64 = 1.02;

/// What of a stored job says whether its image can be trusted.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Examined {
    job: JobRef,
    status: JobStatus,
    holds_changes_only: bool,
    /// Whether anyone looked at what was written.
    content_seen: bool,
    image_bytes: Option<u64>,
    file_count: Option<u64>,
    judgement: Judgement,
    p_value: Option<f64>,
    review: ReviewStatus,
    is_covered: bool,
    /// Whether it was found in the least that each of some jobs did.
    is_drip: bool,
    unseen: Vec<FeatureName>,
}

impl Examined {
    /// Of a job, what was concluded about it, and what a person decided.
    #[must_use]
    pub fn of(job: &BackupJob, verdict: &Verdict, review: Option<&Review>) -> Self {
        let image = job.image();
        let content = image.content.as_ref();
        Self {
            job: JobRef::new(job.key(), job.started_at()),
            status: job.status(),
            holds_changes_only: job.schedule().holds_changes_only(),
            content_seen: content.is_some_and(|content| {
                content.random_files.is_some() || content.entropy_delta_bits_changed.is_some()
            }),
            image_bytes: image.image_bytes,
            file_count: image.file_count,
            judgement: verdict.judgement.clone(),
            p_value: verdict.p_value.map(anomaly_model::PValue::get),
            review: review.map_or(ReviewStatus::NotReviewed, |review| review.status),
            is_covered: verdict.covered_by.is_some(),
            is_drip: verdict
                .kind()
                .is_some_and(|kind| onset(kind, verdict) == Onset::Drip),
            unseen: verdict.unseen.clone(),
        }
    }

    /// Whether a person said that it was usual, or that such jobs are.
    fn was_called_usual(&self) -> bool {
        self.is_covered || self.review == ReviewStatus::FalsePositive
    }

    /// Whether there is nothing to restore.
    fn is_empty(&self) -> bool {
        self.image_bytes == Some(0) || self.file_count == Some(0)
    }

    fn left_an_image(&self) -> bool {
        matches!(self.status, JobStatus::Succeeded | JobStatus::Partial)
    }

    /// Why the image, taken by itself, is no proof; `None` if it was judged normal.
    fn doubt(&self, thresholds: &Thresholds) -> Option<SuspectReason> {
        let p_value = self.p_value.unwrap_or(1.0);
        match self.judgement {
            _ if self.status == JobStatus::Partial => Some(SuspectReason::Partial),
            Judgement::Normal | Judgement::Anomalous { .. } if self.was_called_usual() => None,
            Judgement::Normal if p_value < thresholds.strange => Some(SuspectReason::GoesOn),
            Judgement::Normal if p_value < thresholds.raised => Some(SuspectReason::Raised),
            Judgement::Normal => None,
            Judgement::Anomalous { .. } => Some(SuspectReason::Anomalous),
            Judgement::WarmingUp => Some(SuspectReason::WarmingUp),
            _ => Some(SuspectReason::NotJudged),
        }
    }

    /// Whether it says that something had begun: not what failed or was missed, nor what a person
    /// said does not matter.
    fn is_sign(&self, thresholds: &Thresholds) -> bool {
        let concerns_data = match self.judgement {
            Judgement::Anomalous { kind, .. } => is_of_data(kind),
            Judgement::Normal => true,
            _ => false,
        };
        let doubt = self.doubt(thresholds);
        concerns_data
            && self.review != ReviewStatus::Ignored
            && matches!(
                doubt,
                Some(SuspectReason::Anomalous | SuspectReason::GoesOn | SuspectReason::Raised)
            )
    }
}

/// Whether an anomaly of this kind says that data were hit, and not only that a backup failed, was
/// missed or took long.
#[must_use]
pub fn is_of_data(kind: AnomalyKind) -> bool {
    use AnomalyKind::{Failure, MissedBackup, Slowdown};
    !matches!(kind, Failure | MissedBackup | Slowdown)
}

/// How an incident began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Onset {
    /// With one job.
    Sudden,
    /// In small steps, seen in the least that each of some jobs did: before anyone could see it.
    Drip,
    /// With data that went little by little, since the stream held most.
    Loss,
}

/// The first alarm of an incident, as far as a stream is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstAlarm {
    /// When the first job of the stream's client started that is an anomaly of data.
    pub at: DateTime<Utc>,
    /// How it began.
    pub onset: Onset,
}

impl FirstAlarm {
    /// Of one anomaly; `None` if it says nothing of the data.
    #[must_use]
    pub fn of(anomaly: &Verdict) -> Option<Self> {
        let kind = anomaly.kind().filter(|&kind| is_of_data(kind))?;
        let onset = onset(kind, anomaly);
        let at = anomaly.started_at;
        Some(Self { at, onset })
    }

    /// The first of two anomalies of an incident; what comes later says nothing of how it began.
    #[must_use]
    pub fn or_before(self, other: Self) -> Self {
        if (self.at, other.onset) < (other.at, self.onset) {
            self
        } else {
            other
        }
    }
}

fn onset(kind: AnomalyKind, anomaly: &Verdict) -> Onset {
    if kind != AnomalyKind::SlowDrift {
        return Onset::Sudden;
    }
    let of_shares = anomaly.findings.iter().any(|finding| {
        let mut sustained = STATISTICS.iter().filter(|one| one.is_sustained());
        sustained.any(|one| one.share.name() == finding.feature.as_str())
    });
    if of_shares { Onset::Drip } else { Onset::Loss }
}

struct Thresholds {
    strange: f64,
    raised: f64,
}

/// The p-value below which evidence is raised, where it is an anomaly's below `strange`.
pub(crate) fn raised(strange: f64) -> f64 {
    (RAISED * strange).min(MOST_RAISED).max(strange)
}

/// From where to restore a stream: its newest image that was judged normal before the first sign of
/// the incident.
///
/// `newest_first` are the stream's jobs that a tool ran, the newest start first; no more of them are
/// taken than it needs. The first sign may be earlier than the first alarm: a job whose evidence was
/// stranger than that of nearly all usual ones, with fewer than seven calm jobs between, is one. Of
/// a change in small steps the first sign is not known: the answer is an image from before the jobs
/// in which it was seen, and from when the stream held most.
///
/// Of jobs that started up to `deleted_until` nothing is known any more: it is said where that is why
/// there is no image, or little that speaks for it.
///
/// An image is proof when its job succeeded and was judged normal, or a person called it usual; not
/// when it was warming up, not judged, partial, or went on with what was reported.
///
/// # Errors
/// Whatever error the iterator has.
pub fn recovery_point<E>(
    stream: StreamKey,
    settings: &DetectionSettings,
    first_alarm: Option<FirstAlarm>,
    deleted_until: Option<DateTime<Utc>>,
    newest_first: impl IntoIterator<Item = Result<Examined, E>>,
) -> Result<RecoveryPoint, E> {
    let strange = settings.p_value_threshold();
    let mut search = Search {
        thresholds: Thresholds {
            strange,
            raised: raised(strange),
        },
        onset: first_alarm.map_or(Onset::Sudden, |alarm| alarm.onset),
        since_drip: None,
        remembered_jobs: settings.history_jobs.get() as usize,
        deleted_until,
        first_alarm,
        first_sign: first_alarm.map(|alarm| alarm.at),
        point: RecoveryPoint::new(stream),
        images: 0,
        found: None,
        before: 0,
        calm: 0,
        most: Most::default(),
    };
    for examined in newest_first {
        search.take(&examined?);
        if search.is_done() {
            break;
        }
    }
    Ok(search.conclude())
}

/// The walk back through a stream's jobs.
struct Search {
    thresholds: Thresholds,
    onset: Onset,
    /// Jobs since the drip that was found last, after the first alarm.
    since_drip: Option<usize>,
    /// Jobs that were compared with each other.
    remembered_jobs: usize,
    /// When the newest job started of which nothing is known any more.
    deleted_until: Option<DateTime<Utc>>,
    first_alarm: Option<FirstAlarm>,
    first_sign: Option<DateTime<Utc>>,
    point: RecoveryPoint,
    /// Images so far.
    images: u64,
    found: Option<Found>,
    /// Jobs since the first sign, as far as that is known.
    before: usize,
    /// Normal jobs in a row up to and with the one that was found.
    calm: usize,
    most: Most,
}

/// The image that was found.
struct Found {
    examined: Examined,
    /// How many are newer.
    newer: u64,
}

/// About the most that a stream held.
#[derive(Default)]
struct Most {
    image_bytes: u64,
    file_count: u64,
}

impl Most {
    /// Whether an older image held notably more than later ones.
    fn is_less_than(&mut self, examined: &Examined) -> bool {
        let more = |now: Option<u64>, most: &mut u64| {
            let now = now.unwrap_or(0);
            let more = now as f64 > NOTABLY * *most as f64;
            if more {
                *most = now;
            }
            more
        };
        let bytes = more(examined.image_bytes, &mut self.image_bytes);
        let files = more(examined.file_count, &mut self.file_count);
        bytes || files
    }
}

impl Search {
    fn is_slow(&self) -> bool {
        self.onset > Onset::Sudden
    }

    /// Jobs before the first sign that are not trusted, whatever they say.
    fn slow_jobs(&self) -> usize {
        if self.is_slow() { SLOW_JOBS } else { 0 }
    }

    fn is_done(&self) -> bool {
        let compared = self.onset < Onset::Loss || self.before >= self.remembered_jobs;
        self.found.is_some() && self.calm >= CALM_JOBS && compared
    }

    fn take(&mut self, examined: &Examined) {
        let doubt = examined.doubt(&self.thresholds);
        let held_more = self.most.is_less_than(examined);
        let alarm = self.first_alarm.map(|alarm| alarm.at);
        if alarm.is_some_and(|at| examined.job.started_at >= at) {
            self.note_drip(examined, doubt);
            self.list(examined, doubt.unwrap_or(SuspectReason::AfterFirstSign));
            return;
        }
        // A drip whose jobs reach back beyond the first alarm began before it.
        if self.since_drip.take().is_some_and(reaches_back) {
            self.onset = self.onset.max(Onset::Drip);
        }
        self.before += 1;
        if alarm.is_some() && examined.is_sign(&self.thresholds) {
            self.first_sign = Some(examined.job.started_at);
            (self.before, self.calm, self.found) = (0, 0, None);
        } else if self.onset == Onset::Loss && held_more {
            (self.calm, self.found) = (0, None);
        }
        let succeeded = examined.status == JobStatus::Succeeded && !examined.is_empty();
        let trusted = succeeded && doubt.is_none() && self.before > self.slow_jobs();
        if trusted && self.found.is_none() {
            self.found = Some(Found {
                examined: examined.clone(),
                newer: self.images,
            });
        }
        self.calm += usize::from(trusted);
        let reason = if self.is_slow() {
            SuspectReason::Shrinking
        } else {
            SuspectReason::AfterFirstSign
        };
        self.list(examined, doubt.unwrap_or(reason));
    }

    /// Notes how long before the job something was found that takes several jobs to be seen.
    fn note_drip(&mut self, examined: &Examined, doubt: Option<SuspectReason>) {
        if examined.is_drip && doubt == Some(SuspectReason::Anomalous) {
            self.since_drip = Some(0);
        } else if examined.left_an_image() {
            self.since_drip = self.since_drip.map(|jobs| jobs + 1);
        }
    }

    /// Lists an image as suspect; what is not newer than the one that is found leaves the list again.
    fn list(&mut self, examined: &Examined, reason: SuspectReason) {
        if !examined.left_an_image() {
            return;
        }
        self.images += 1;
        if self.point.suspects.len() < RecoveryPoint::MOST_SUSPECTS {
            let suspect = Suspect::new(examined.job.clone(), reason);
            self.point.suspects.push(suspect);
        }
    }

    fn conclude(mut self) -> RecoveryPoint {
        self.point.first_sign = self.first_sign;
        let mut reasons = Vec::new();
        match (self.first_alarm, self.first_sign) {
            (Some(alarm), Some(sign)) if sign < alarm.at => reasons.push(format!(
                "The first alarm was at {}; signs shortly before it go back to {}.",
                when(alarm.at),
                when(sign)
            )),
            (Some(alarm), _) => reasons.push(format!("The first sign was at {}.", when(alarm.at))),
            (None, _) => reasons.push("Nothing says that data of this client were hit.".to_owned()),
        }
        if self.is_slow() {
            let most = match self.onset {
                Onset::Loss => ", and holds about the most that is remembered",
                _ => "",
            };
            reasons.push(format!(
                "It came in small steps, so that nobody knows when it began: the image is from \
                 before the {SLOW_JOBS} jobs in which it was seen{most}."
            ));
        }
        let found = self.found.take();
        let newer = found.as_ref().map_or(self.images, |found| found.newer);
        let listed = usize::try_from(newer).unwrap_or(usize::MAX);
        self.point.suspects.truncate(listed);
        self.point.more_suspects = newer - self.point.suspects.len() as u64;
        if let Some(Found {
            examined: found, ..
        }) = found
        {
            let confidence = self.confidence(&found, &mut reasons);
            let image = RecoveryImage::new(found.job, confidence, found.unseen);
            self.point.image = Some(image);
        } else {
            reasons.push(self.no_image());
        }
        self.point.reasons = reasons;
        self.point
    }

    /// Why there is no image.
    fn no_image(&self) -> String {
        let before = self.first_alarm.map_or("", |_| " before that");
        match self.deleted_until {
            Some(until) => format!(
                "No job{before} is stored that was judged normal: those up to {} were deleted because \
                 they are old (`storage.retention_days`). The backup tool may still have their \
                 images; which of them are clean is not known here.",
                when(until)
            ),
            None => format!(
                "No image{before} was judged normal: those that there are come from jobs that were \
                 warming up, not judged, partial or strange themselves."
            ),
        }
    }

    fn confidence(&self, found: &Examined, reasons: &mut Vec<String>) -> Confidence {
        let mut confidence = Confidence::High;
        let mut at_most = |most: Confidence, reason: String| {
            confidence = confidence.min(most);
            reasons.push(reason);
        };
        if found.was_called_usual() {
            let said = "A person said that it, or one like it, was usual.";
            at_most(Confidence::Medium, said.to_owned());
        }
        if !found.content_seen {
            let unseen =
                "What was written was not looked at: what changes no numbers would not show.";
            at_most(Confidence::Medium, unseen.to_owned());
        }
        if found.p_value.is_none() {
            let rules = "Only rules judged it: there were no numbers to compare.";
            at_most(Confidence::Low, rules.to_owned());
        }
        if self.calm < CALM_JOBS {
            let jobs = counted(self.calm as u64, "job");
            let is = if self.calm == 1 {
                ("is", "was")
            } else {
                ("are", "were")
            };
            let few = match self.deleted_until {
                Some(_) => format!(
                    "Only {jobs} up to and with it {} remembered as normal; older ones were deleted.",
                    is.0
                ),
                None => format!("Only {jobs} up to and with it {} judged normal.", is.1),
            };
            at_most(Confidence::Low, few);
        } else {
            let calm = format!("It and the {} before it were judged normal.", CALM_JOBS - 1);
            at_most(Confidence::High, calm);
        }
        if self.is_slow() {
            confidence = Confidence::Low;
        }
        if found.holds_changes_only {
            reasons.push(
                "It holds changes only: it takes the images before it, down to a full one."
                    .to_owned(),
            );
        }
        confidence
    }
}

/// Whether a drip that was found so many jobs after the first alarm began before it: a week or two
/// of jobs had it, and those of the week may be just the ones since.
fn reaches_back(jobs: usize) -> bool {
    jobs + 1 < SLOW_JOBS && jobs + 1 != CALM_JOBS
}

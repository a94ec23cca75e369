//! Events to tell, and sinks that tell them.
#![allow(dead_code, reason = "each test uses some of it")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use anomaly_model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_model::{
    Anomaly, AnomalyKind, BackupJob, Direction, FeatureName, Finding, Incident, JobRef, Judgement,
    PValue, PolicyType, RecoveryImage, RecoveryPoint, Review, ReviewStatus, ScheduleType, Severity,
    StreamKey, StreamPart, Verdict,
};
use anomaly_notify::{
    AnomalyLine, AnomalyNews, Event, IncidentChange, IncidentNews, RecoveryLine, ReviewNews, Sink,
    SinkOptions, SystemKind, SystemNews, What,
};

pub(crate) const INSTANCE: &str = "6f1c2a8e-1111-4000-8000-000000000001";

/// 2026-11-25 22:07:30 UTC, a Wednesday.
pub(crate) fn night() -> DateTime<Utc> {
    "2026-11-25T22:07:30Z".parse().unwrap()
}

pub(crate) fn sink(toml: &str) -> Sink {
    let options: SinkOptions = toml::from_str(toml).unwrap();
    Sink::open(options).unwrap()
}

pub(crate) fn verdict(client: &str, policy: &str, job: &str, severity: Severity) -> Verdict {
    let job = BackupJob::builder("restic", job, client, policy, night())
        .schedule_type(ScheduleType::Full)
        .build()
        .unwrap();
    let kind = AnomalyKind::MassEncryption;
    let summary = "Looks like mass encryption: 382 of 732 files were replaced by files of kinds \
                   never seen here, and what was written looks random.";
    let mut verdict = Verdict::new(&job, Judgement::Anomalous { severity, kind }, summary);
    verdict.p_value = Some(PValue::new(1e-9).unwrap());
    let finding = |name, observed, usual, score| {
        let name = FeatureName::new(name).unwrap();
        Finding::new(name, observed, usual, Direction::Above, score)
    };
    verdict.findings = vec![
        finding("mean_entropy_bits", 7.83, (4.2, 5.0), 9.0),
        finding("transferred_bytes", 9_000_000.0, (0.0, 1_900_000.0), 3.5),
    ];
    verdict
}

pub(crate) fn event(what: What) -> Event {
    Event::new(INSTANCE, night() + TimeDelta::minutes(5), what)
}

pub(crate) fn anomaly_of(verdict: Verdict, incident: Option<u64>) -> Event {
    let mut anomaly = Anomaly::new(verdict);
    let before = night() - TimeDelta::days(1);
    let job = BackupJob::builder("restic", "d03-0055", "mail01", "daily", before);
    anomaly.last_normal = Some(JobRef::new(job.build().unwrap().key(), before));
    let policy_type = PolicyType::new("filesystem").unwrap();
    event(What::Anomaly(Box::new(AnomalyNews::new(
        anomaly,
        incident,
        Some(policy_type),
    ))))
    .with_link("https://backwatch.example/anomalies/restic/d03-0056")
}

pub(crate) fn anomaly(severity: Severity) -> Event {
    anomaly_of(verdict("mail01", "daily", "d03-0056", severity), Some(12))
}

pub(crate) fn incident_of(verdicts: &[Verdict], change: IncidentChange) -> IncidentNews {
    let mut incident = Incident::of(&verdicts[0]).unwrap();
    for verdict in &verdicts[1..] {
        incident.merge(&Incident::of(verdict).unwrap());
    }
    let lines = verdicts.iter().filter_map(AnomalyLine::of);
    IncidentNews::new(12, change, incident)
        .with_policy_types([Some(PolicyType::new("filesystem").unwrap())])
        .with_anomalies(lines)
}

pub(crate) fn incident(change: IncidentChange) -> Event {
    let verdicts = [
        verdict("mail01", "daily", "d03-0056", Severity::High),
        verdict("file02", "daily", "d07-0101", Severity::Medium),
    ];
    let before = night() - TimeDelta::days(1);
    let job = BackupJob::builder("restic", "d03-0055", "mail01", "daily", before)
        .schedule_type(ScheduleType::Full)
        .build()
        .unwrap();
    let mut point = RecoveryPoint::new(StreamKey::of(&job, &StreamPart::DEFAULT));
    point.first_sign = Some(night());
    point.image = Some(RecoveryImage::new(
        JobRef::new(job.key(), before),
        anomaly_model::Confidence::Medium,
        Vec::new(),
    ));
    point.reasons = vec!["The image and the 30 before it were judged normal.".to_owned()];
    let news = incident_of(&verdicts, change).with_recovery([RecoveryLine::from(&point)]);
    event(What::Incident(Box::new(news))).with_link("https://backwatch.example/incidents/12")
}

pub(crate) fn review(status: ReviewStatus) -> Event {
    let anomaly = Anomaly::new(verdict("mail01", "daily", "d03-0056", Severity::High));
    let review = Review::new(status, "alice", night() + TimeDelta::hours(9))
        .with_reason("the yearly re-encoding of scans");
    event(What::Review(Box::new(ReviewNews::new(
        &anomaly,
        review,
        Some(12),
        None,
    ))))
}

pub(crate) fn system() -> Event {
    let news = SystemNews::new(
        SystemKind::SettingsLoosened,
        Severity::High,
        "detection.alarm_budget_per_year",
        "The budget for false alarms went from 4 to 40 a year: less strange jobs are reported \
         later, or never.",
    );
    event(What::System(news.done_by("bob")))
}

/// One of each, by name.
pub(crate) fn samples() -> Vec<(&'static str, Event)> {
    vec![
        ("anomaly", anomaly(Severity::High)),
        ("opened", incident(IncidentChange::Opened)),
        ("grown", incident(IncidentChange::Grown)),
        ("closed", incident(IncidentChange::Closed)),
        ("reopened", incident(IncidentChange::Reopened)),
        ("review", review(ReviewStatus::FalsePositive)),
        ("system", system()),
        ("test", event(What::Test)),
    ]
}

/// Names that try to be more than a name.
pub(crate) const HOSTILE: &[&str] = &[
    "mail01\r\nBcc: everyone@example.org",
    "a|b=c]d\\e\"f",
    "<script>alert(1)</script>&amp;",
    "\u{202e}10liam\u{0}\u{1b}[2J",
    "x\u{2028}y\u{85}z",
];

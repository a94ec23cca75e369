//! From where to restore, on histories of real backups in which the attacked jobs are known.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use anomaly_engine::is_of_data;
use anomaly_eval::{Branch, History, Track, embedded_histories};
use anomaly_service::AnomalyService;
use anomaly_service::model::{
    BackupJob, ClientName, Confidence, Review, ReviewScope, ReviewStatus, SuspectReason, Verdict,
};
use anomaly_service::settings::Settings;
use common::{day, failed, job, job_of, observe, overwritten, settled, usual_image};

/// What became of one attack of which something was reported.
struct Attacked {
    /// How many jobs before the first one that it touched the recovery point is; negative if it is
    /// not before.
    distance: Option<i64>,
    what: String,
}

/// The attack of a branch, if a job that it touched was reported as one of data.
fn attacked(history: &History, branch: &Branch, track: Track) -> Option<Attacked> {
    let jobs: Vec<BackupJob> = history.jobs[..branch.prefix_jobs]
        .iter()
        .chain(&branch.jobs)
        .map(|job| track.view(job).unwrap())
        .collect();
    let touched: Vec<usize> = branch
        .affected()
        .map(|place| branch.prefix_jobs + place)
        .collect();
    let mut service = AnomalyService::in_memory(Settings::default());
    let (mut place, mut is_told) = (0, false);
    service
        .observe_all(jobs.iter().cloned(), |observed| {
            let of_data = observed.verdict.kind().is_some_and(is_of_data);
            is_told |= of_data && touched.contains(&place);
            place += 1;
        })
        .unwrap();
    let first = *touched.first().filter(|_| is_told)?;
    let client = &jobs[0].client().name;
    let points = service.recovery_points(client, None).unwrap();
    let chosen = points.iter().filter_map(|point| point.image.as_ref());
    let places = chosen.map(|image| {
        let mut all = jobs.iter();
        all.position(|job| job.key() == image.job.key).unwrap()
    });
    let distance = |place: usize| first.cast_signed() as i64 - 1 - place.cast_signed() as i64;
    Some(Attacked {
        distance: places.max().map(distance),
        what: format!("{track}: {} of {}", branch.kind(), history.name),
    })
}

/// Of every attack in the histories of which something was reported, by a tool that reports counts:
/// no image that it touched is called a recovery point, and in most cases it is the very last clean
/// one.
#[test]
fn no_attacked_image_is_a_recovery_point() {
    let (mut found, mut at_once) = (0, 0);
    for history in embedded_histories().unwrap() {
        let attacks = history
            .branches
            .iter()
            .filter(|branch| matches!(branch.family(), "ransomware" | "destruction" | "exfil"));
        for branch in attacks {
            for track in [Track::Counts, Track::Content] {
                let Some(attack) = attacked(&history, branch, track) else {
                    continue;
                };
                let distance = attack.distance.unwrap_or(0);
                assert!(distance >= 0, "{}: {distance}", attack.what);
                found += 1;
                at_once += usize::from(attack.distance == Some(0));
            }
        }
    }
    assert!(found > 100, "{found}");
    assert!(at_once * 3 > found * 2, "{at_once} of {found}");
}

fn client(number: u64) -> ClientName {
    ClientName::new(format!("client{number:03}")).unwrap()
}

#[test]
fn every_stream_of_a_client_is_restored_from_before_its_first_sign() {
    let mut service = settled(2);
    let other_policy = |number: u64| {
        let job = job_of(1, number, usual_image(number));
        let start = job.started_at() + anomaly_service::model::chrono::TimeDelta::hours(6);
        BackupJob::builder("restic", format!("db-{number}"), "client001", "db", start)
            .image(usual_image(number))
            .build()
            .unwrap()
    };
    for number in 0..45 {
        observe(&mut service, &other_policy(number));
    }
    observe(&mut service, &job(40, usual_image(40)));
    // Before the attack its backups fail, which says nothing of the data.
    observe(&mut service, &failed(1, 41));
    let attack = job(42, overwritten(42, 60, true));
    assert!(observe(&mut service, &attack).is_anomalous());
    observe(&mut service, &job(43, usual_image(43)));

    let points = service.recovery_points(&client(1), None).unwrap();
    assert_eq!(points.len(), 2);
    let daily = points[0].image.as_ref().unwrap();
    assert_eq!(daily.job.key, job(40, usual_image(40)).key());
    assert_eq!(daily.confidence, Confidence::High);
    let reasons: Vec<_> = points[0].suspects.iter().map(|one| one.reason).collect();
    assert_eq!(
        reasons,
        [SuspectReason::AfterFirstSign, SuspectReason::Anomalous]
    );
    // The other stream's job of that day began after the attack was seen.
    let db = points[1].image.as_ref().unwrap();
    assert_eq!(db.job.key, other_policy(41).key());
    assert_eq!(points[1].first_sign, Some(attack.started_at()));
    // Another client is not concerned.
    let others = service.recovery_points(&client(2), None).unwrap();
    assert_eq!(others[0].first_sign, None);
    assert_eq!(
        others[0].image.as_ref().unwrap().job.started_at,
        job_of(2, 39, usual_image(39)).started_at()
    );
    assert_eq!(service.recovery_points(&client(9), None).unwrap(), []);

    // A false positive is none of the incident's signs, and as good as normal.
    let review = service.false_positive("ada", day(44), ReviewScope::ThisJob);
    service.review(&attack.key(), &review).unwrap();
    let points = service.recovery_points(&client(1), None).unwrap();
    assert_eq!(points[0].first_sign, None);
    assert_eq!(
        points[0].image.as_ref().unwrap().job.key,
        job(43, usual_image(43)).key()
    );
    // A confirmed one stays what it is, though its incident is closed.
    let confirmed = Review::new(ReviewStatus::Confirmed, "ada", day(45));
    service.review(&attack.key(), &confirmed).unwrap();
    service.review(&failed(1, 41).key(), &confirmed).unwrap();
    let stream = points[0].stream.clone();
    let point = service.recovery_point(&stream, None).unwrap();
    assert_eq!(point.image.unwrap().job.key, job(40, usual_image(40)).key());
    // Asked about an incident by its number, that one counts.
    let number = service.incident_of(&attack.key()).unwrap();
    let point = service.recovery_point(&stream, number).unwrap();
    assert_eq!(point.first_sign, Some(attack.started_at()));
}

/// An incident that nobody has looked at casts doubt on whatever came after it.
#[test]
fn what_nobody_looked_at_is_not_forgotten() {
    let mut service = settled(1);
    let attack = job(40, overwritten(40, 60, true));
    assert!(observe(&mut service, &attack).is_anomalous());
    let normal = |service: &mut AnomalyService, days: std::ops::Range<u64>| {
        for number in days {
            observe(service, &job(number, usual_image(number)));
        }
    };
    normal(&mut service, 41..60);
    let later = job(60, overwritten(60, 90, true));
    let verdict = observe(&mut service, &later);
    assert!(verdict.is_anomalous());
    normal(&mut service, 61..63);
    let before = |number| job(number, usual_image(number)).key();

    let of_later = |service: &AnomalyService| {
        let points = service.recovery_points(&client(1), None).unwrap();
        points.into_iter().next().unwrap()
    };
    let point = of_later(&service);
    let image = point.image.unwrap();
    assert_eq!(image.job.key, before(59));
    assert_eq!(image.confidence, Confidence::Low);
    let reason = point.reasons.last().unwrap();
    assert!(
        reason.starts_with("Nobody has looked at incident 1 of 2026-02-10 00:01 UTC"),
        "{reason}"
    );
    let point = service.recovery_points(&client(1), Some(1)).unwrap();
    assert_eq!(point[0].image.as_ref().unwrap().job.key, before(39));

    // Once someone has, it is his word that counts.
    let confirmed = Review::new(ReviewStatus::Confirmed, "ada", day(63));
    service.review(&attack.key(), &confirmed).unwrap();
    let image = of_later(&service).image.unwrap();
    assert_eq!(
        (image.job.key, image.confidence),
        (before(59), Confidence::High)
    );
}

/// What goes on for days is not restored from the day before the last of them.
#[test]
fn the_last_clean_job_is_from_before_the_incident() {
    let mut service = settled(1);
    let attacks = [(40, 30), (43, 60), (46, 95)];
    let mut verdicts = Vec::new();
    for number in 40..50 {
        let attack = attacks.iter().find(|(day, _)| *day == number);
        let image = match attack {
            Some((_, percent)) => overwritten(number, *percent, true),
            None => usual_image(number),
        };
        let verdict = observe(&mut service, &job(number, image));
        assert_eq!(verdict.is_anomalous(), attack.is_some(), "{number}");
        verdicts.extend(Some(verdict).filter(Verdict::is_anomalous));
    }
    for verdict in &verdicts {
        let clean = service.last_clean(verdict).unwrap().unwrap();
        assert_eq!(clean.key, job(39, usual_image(39)).key());
    }
    // A backup that failed says nothing of the data that others hold.
    let broken = observe(&mut service, &failed(1, 70));
    let clean = service.last_clean(&broken).unwrap().unwrap();
    assert_eq!(clean.key, job(49, usual_image(49)).key());
}

//! What people decide is kept, learnt as it says, and can be taken back.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use anomaly_service::model::chrono::TimeDelta;
use anomaly_service::model::{
    Ceiling, FeatureName, JobId, JobKey, Judgement, Review, ReviewScope, ReviewStatus, SourceName,
    Undo,
};
use anomaly_service::settings::Settings;
use anomaly_service::storage::{AnomalyQuery, AuditQuery, MemoryStore, Read, SqliteStore};
use anomaly_service::{
    AnomalyService, Backtest, ReviewRefused, ReviewRequest, Reviewed, ServiceError,
    StoredDifference,
};
use common::{day, failed, job, observe, overwritten, settled, usual_image, usual_jobs};

fn decision(status: ReviewStatus) -> Review {
    Review::new(status, "ada", day(41))
}

fn refused(answer: Result<Reviewed, ServiceError>) -> ReviewRefused {
    match answer {
        Err(ServiceError::Review(refused)) => refused,
        other => unreachable!("{other:?}"),
    }
}

/// The scope of a false positive holds in the service: within its ceiling, until it expires.
#[test]
fn a_false_positive_covers_later_jobs_of_its_stream() {
    let mut service = settled(1);
    let strange = |number, percent| job(number, overwritten(number, percent, false));
    let first = strange(40, 50);
    let anomaly = observe(&mut service, &first);
    assert!(anomaly.is_anomalous());
    let shown = anomaly.findings.iter();
    let scope = ReviewScope::Features(shown.map(|finding| finding.feature.clone()).collect());
    let review = service.false_positive("ada", day(41), scope);
    let review = review.with_reason("the yearly dump");
    assert_eq!(review.expires_at, Some(day(41 + 90)));
    let reviewed = service.review(&first.key(), &review).unwrap();
    assert!(!reviewed.learnt, "a scope of features teaches nothing");
    let quiet = |service: &mut AnomalyService, days: std::ops::Range<u64>| {
        for number in days {
            observe(service, &job(number, usual_image(number)));
        }
    };
    quiet(&mut service, 41..60);
    let covered = observe(&mut service, &strange(60, 54));
    assert_eq!(covered.judgement, Judgement::Normal);
    let by = covered.covered_by.unwrap();
    assert_eq!((by.job.key, by.reviewed_at), (first.key(), day(41)));
    quiet(&mut service, 61..75);
    assert!(observe(&mut service, &strange(75, 60)).is_anomalous());
    quiet(&mut service, 76..85);

    // Taken back, it covers nothing.
    let undo = Undo::new("eve", day(85)).with_reason("that was no dump");
    let back = service.take_back(&first.key(), &undo).unwrap();
    assert_eq!(back.review.status, ReviewStatus::NotReviewed);
    let verdict = observe(&mut service, &strange(85, 54));
    assert!(verdict.covered_by.is_none());
    assert!(verdict.is_anomalous(), "{}", verdict.summary);
}

/// A decision and its undo leave the verdicts on what comes after as if there had been none.
#[test]
fn taken_back_it_is_as_if_never_decided() {
    let later: Vec<_> = (41..80)
        .map(|number| match number % 13 {
            0 => job(number, overwritten(number, 45, false)),
            _ => job(number, usual_image(number)),
        })
        .collect();
    let verdicts = |decide: &dyn Fn(&mut AnomalyService, &JobKey)| {
        let mut service = settled(1);
        let first = job(40, overwritten(40, 50, false));
        observe(&mut service, &first);
        decide(&mut service, &first.key());
        let verdicts = later.iter().map(|job| observe(&mut service, job));
        verdicts.collect::<Vec<_>>()
    };
    let never = verdicts(&|_, _| {});
    let scopes = [
        ReviewScope::ThisJob,
        ReviewScope::ThisStream,
        ReviewScope::LevelShift,
    ];
    for scope in scopes {
        let taken_back = verdicts(&|service, job| {
            let review = service.false_positive("ada", day(41), scope.clone());
            let review = review.with_reason("a dump");
            assert!(service.review(job, &review).unwrap().learnt);
            service.take_back(job, &Undo::new("ada", day(41))).unwrap();
        });
        assert_eq!(taken_back, never, "{scope:?}");
        let decided = verdicts(&|service, job| {
            let review = service.false_positive("ada", day(41), scope.clone());
            let review = review.with_reason("a dump");
            service.review(job, &review).unwrap();
        });
        assert_ne!(decided, never, "{scope:?} changes something");
    }
}

#[test]
fn what_is_not_allowed_is_refused_with_a_reason() {
    let mut service = settled(1);
    let strange = job(40, overwritten(40, 50, false));
    let broken = failed(1, 41);
    observe(&mut service, &strange);
    observe(&mut service, &broken);
    let usual = |scope, expires_at| {
        let usual = decision(ReviewStatus::FalsePositive).with_reason("a dump");
        usual.with_scope(scope, Ceiling::NO_MORE, expires_at)
    };
    let soon = Some(day(60));
    let mut refuse =
        |job: &JobKey, review: &Review| refused(service.review(job, review)).to_string();
    let stream = ReviewScope::ThisStream;
    let mut silent = usual(stream.clone(), soon);
    for reason in [None, Some(" ".to_owned())] {
        silent.reason = reason;
        assert_eq!(
            refuse(&strange.key(), &silent),
            "a false positive that covers later jobs needs a reason"
        );
    }
    assert!(refuse(&strange.key(), &usual(stream.clone(), None)).contains("needs an end"));
    assert!(
        refuse(&strange.key(), &usual(stream.clone(), Some(day(41 + 367))))
            .starts_with("it may cover later jobs until 2027-02-12 00:00:00 UTC at most")
    );
    assert!(refuse(&broken.key(), &usual(stream, soon)).starts_with("nothing was measured"));
    let unknown = FeatureName::new("directory_count").unwrap();
    let message = refuse(
        &strange.key(),
        &usual(ReviewScope::Features(vec![unknown]), soon),
    );
    assert!(
        message.starts_with(
            "the anomaly shows nothing unusual of `directory_count`: its scope may name "
        ),
        "{message}"
    );
    let nobody = Review::new(ReviewStatus::Ignored, " ", day(41));
    assert!(refuse(&strange.key(), &nobody).starts_with("`reviewer` is"));
    let gone = JobKey::new(
        SourceName::new("restic").unwrap(),
        JobId::new("gone").unwrap(),
    );
    let ignored = decision(ReviewStatus::Ignored);
    assert_eq!(
        refuse(&gone, &ignored),
        "no anomaly is stored for job gone of restic: it never was one, or it was purged"
    );
    let normal = job(39, usual_image(39)).key();
    assert!(refuse(&normal, &ignored).starts_with("no anomaly is stored"));
    let nothing = refused(service.take_back(&strange.key(), &Undo::new("ada", day(42))));
    assert!(matches!(nothing, ReviewRefused::NothingToTakeBack { .. }));
    assert_eq!(service.reviews(&strange.key()).unwrap(), []);

    let mut settings = Settings::default();
    settings.review.endless = true;
    let mut endless = AnomalyService::in_memory(settings);
    endless.observe_all(usual_jobs(1, 0..40), |_| {}).unwrap();
    observe(&mut endless, &strange);
    let for_ever = usual(ReviewScope::ThisStream, None);
    assert!(endless.review(&strange.key(), &for_ever).is_ok());
}

/// Of two who decide at once, the second is told what the first decided.
#[test]
fn the_second_of_two_reviewers_is_told_of_the_first() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("backwatch.db");
    let open = || AnomalyService::open(&path, Settings::default()).unwrap();
    let strange = job(40, overwritten(40, 50, false));
    let mut first = open();
    first.observe_all(usual_jobs(1, 0..40), |_| {}).unwrap();
    observe(&mut first, &strange);
    let mut second = open();
    let request = |status| ReviewRequest::decide(strange.key(), decision(status)).expecting(None);
    first.review_one(request(ReviewStatus::Confirmed)).unwrap();
    let refused = refused(second.review_one(request(ReviewStatus::FalsePositive)));
    assert_eq!(
        refused.to_string(),
        "job 1-40 of restic is not as expected: ada called it confirmed at 2026-02-11 00:00 UTC; \
         look again, and decide anew"
    );
    // Knowing it, the second may.
    let standing = second.anomalies(&AnomalyQuery::default()).unwrap()[0]
        .review
        .clone();
    let anew = ReviewRequest::decide(strange.key(), decision(ReviewStatus::FalsePositive));
    let reviewed = second.review_one(anew.expecting(standing)).unwrap();
    assert_eq!(reviewed.replaced.unwrap().status, ReviewStatus::Confirmed);
    // What was taken back counts as not decided.
    second
        .take_back(&strange.key(), &Undo::new("eve", day(42)))
        .unwrap();
    second
        .take_back(&strange.key(), &Undo::new("eve", day(42)))
        .unwrap();
    assert!(first.review_one(request(ReviewStatus::Ignored)).is_ok());
}

/// Many decisions are one transaction; each has its answer, and every change is in the audit log.
#[test]
fn many_decisions_at_once_have_an_answer_each() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("backwatch.db");
    let mut service = AnomalyService::open(&path, Settings::default()).unwrap();
    let strange: Vec<_> = (1..=5).map(|client| failed(client, 40)).collect();
    service.observe_all(strange.clone(), |_| {}).unwrap();
    let mut requests: Vec<_> = strange
        .iter()
        .map(|job| ReviewRequest::decide(job.key(), decision(ReviewStatus::Ignored)))
        .collect();
    requests[2].job = job(3, usual_image(3)).key();
    let answers = service.review_all(&requests).unwrap();
    let done: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(done, [true, true, false, true, true]);
    let undo = Undo::new("eve", day(43)).with_reason("too fast");
    service.take_back(&strange[0].key(), &undo).unwrap();
    drop(service);

    let store = SqliteStore::open(&path).unwrap();
    let entries = store
        .audit_entries(&AuditQuery::default().what("review".to_owned()))
        .unwrap();
    assert_eq!(entries.len(), 5);
    let last = &entries[0].record;
    assert_eq!((last.who.as_str(), last.at), ("eve", day(43)));
    assert_eq!(last.reason.as_deref(), Some("too fast"));
    assert_eq!(last.before.as_ref().unwrap()["status"], "ignored");
    assert_eq!(last.after.as_ref().unwrap()["status"], "not_reviewed");
    let first = &entries[4].record;
    assert_eq!((first.who.as_str(), first.before.as_ref()), ("ada", None));
}

/// What was confirmed teaches nothing by coming again, until that is taken back.
#[test]
fn what_was_confirmed_never_trains() {
    let third = |decide: &dyn Fn(&mut AnomalyService, &JobKey)| {
        let mut service = settled(1);
        for (late, usual) in [(47, 48..57), (64, 65..74)] {
            let late = job(late, usual_image(late));
            assert!(observe(&mut service, &late).is_anomalous());
            decide(&mut service, &late.key());
            for number in usual {
                observe(&mut service, &job(number, usual_image(number)));
            }
        }
        let third = observe(&mut service, &job(81, usual_image(81)));
        // A backtest has people decide the same.
        let today = Settings::default();
        let report = service
            .backtest(&Backtest::new(today.clone(), today))
            .unwrap();
        assert_eq!(report.stored, StoredDifference::default());
        third
    };
    let confirm = |service: &mut AnomalyService, job: &JobKey| {
        let reviewed = service.review(job, &decision(ReviewStatus::Confirmed));
        assert!(!reviewed.unwrap().learnt);
    };
    let never = third(&|_, _| {});
    assert_eq!(never.judgement, Judgement::Normal);
    assert!(third(&confirm).is_anomalous());
    let taken_back = third(&|service, job| {
        confirm(service, job);
        service.take_back(job, &Undo::new("ada", day(90))).unwrap();
    });
    assert_eq!(taken_back, never);
    let decided_anew = third(&|service, job| {
        confirm(service, job);
        let ignored = decision(ReviewStatus::Ignored);
        service.review(job, &ignored).unwrap();
    });
    assert_eq!(decided_anew, never);
}

/// A change that lasts is listed until a person decides, and is then how the stream is.
#[test]
fn what_lasts_is_proposed_until_a_person_decides() {
    let mut service = settled(1);
    let strange = |number| job(number, overwritten(number, 50, false));
    for number in 40..60 {
        observe(&mut service, &strange(number));
    }
    let proposals = service.proposals(10).unwrap();
    assert_eq!(proposals.len(), 1);
    assert_eq!(proposals[0].stream.to_string(), "client001 / daily / -");
    assert_eq!(service.coverage(day(60)).unwrap().proposals, 1);
    let began = proposals[0].shift.began_with.clone().unwrap();
    let review = service.false_positive("ada", day(60), ReviewScope::LevelShift);
    assert_eq!(review.expires_at, None, "it covers no later jobs");
    assert!(service.review(&began, &review).unwrap().learnt);
    assert_eq!(service.proposals(10).unwrap(), []);
    // Taken back, it is proposed again with the next job that goes on.
    service
        .take_back(&began, &Undo::new("ada", day(60)))
        .unwrap();
    observe(&mut service, &strange(60));
    assert_eq!(service.proposals(10).unwrap().len(), 1);
    service.review(&began, &review).unwrap();
    let after = observe(&mut service, &strange(61));
    assert_eq!(after.summary, "Nothing unusual in what was reported.");
    assert_eq!(service.proposals(10).unwrap(), []);
}

/// A review is not lost by a model that cannot be used, and does not stop others.
#[test]
fn a_damaged_model_refuses_only_what_would_teach() {
    let mut store = MemoryStore::default();
    let strange = job(40, overwritten(40, 50, false));
    let stream = {
        let mut service = settled(1);
        service.observe(&strange).unwrap().stream
    };
    {
        use anomaly_service::storage::Store;
        let mut transaction = store.transaction().unwrap();
        transaction.put_model_state(&stream, &[1, 2, 3]).unwrap();
        let verdict = observe(&mut settled(1), &strange);
        let observation = anomaly_service::storage::Observation {
            job: &strange,
            stream: &stream,
            verdict: &verdict,
            origin: anomaly_service::storage::Origin::Tool,
        };
        transaction.insert(&observation).unwrap();
        transaction.commit().unwrap();
    }
    let mut service = AnomalyService::with_store(Box::new(store), Settings::default());
    let teaches = decision(ReviewStatus::FalsePositive);
    let answer = refused(service.review(&strange.key(), &teaches));
    assert!(matches!(answer, ReviewRefused::Model { .. }), "{answer}");
    let confirmed = decision(ReviewStatus::Confirmed);
    assert!(service.review(&strange.key(), &confirmed).is_ok());
    assert_eq!(TimeDelta::days(1), day(41) - day(40));
}

//! The rules of other tools raise an alarm beyond their documented limits, and not before.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "a builder hands its result over"
)]

use anomaly_eval::{Judge, Peer, PeerJudge};
use anomaly_model::chrono::{DateTime, TimeDelta};
use anomaly_model::{BackupImage, BackupJob};

fn job(day: usize, image: BackupImage) -> BackupJob {
    let started_at = DateTime::UNIX_EPOCH + TimeDelta::days(day.try_into().unwrap());
    BackupJob::builder("t", day.to_string(), "c", "p", started_at)
        .duration_seconds(100.0)
        .image(image)
        .build()
        .unwrap()
}

fn image(image_bytes: u64, file_count: u64, transferred_bytes: u64) -> BackupImage {
    BackupImage::default()
        .image_bytes(image_bytes)
        .file_count(file_count)
        .transferred_bytes(transferred_bytes)
}

/// Whether the rule flags `last` after 40 jobs, of which `usual` gives the image sizes.
fn flags(peer: Peer, usual: impl Fn(usize) -> u64, last: BackupImage) -> bool {
    let mut judge = PeerJudge::new(peer);
    for day in 0..40 {
        judge.observe(&job(day, image(usual(day), 100, 10)));
    }
    judge.observe(&job(40, last)).unwrap().is_alarm()
}

#[test]
fn limits_are_the_documented_ones() {
    let constant = |_| 1000;
    let sized = |bytes| image(bytes, 100, 10);
    for (peer, size, alarm) in [
        // With a constant history the MAD is 0, which leaves the limits of 5 times and half.
        (Peer::VaultForUnraid, 4900, false),
        (Peer::VaultForUnraid, 5100, true),
        (Peer::VaultForUnraid, 510, false),
        (Peer::VaultForUnraid, 490, true),
        (Peer::Npbackup, 910, false),
        (Peer::Npbackup, 890, true),
        (Peer::Npbackup, 1490, false),
        (Peer::Npbackup, 1510, true),
    ] {
        assert_eq!(
            flags(peer, constant, sized(size)),
            alarm,
            "{peer:?}: {size}"
        );
    }
    for (files, sent, alarm) in [
        (51, 10, false),
        (49, 10, true),
        (100, 790, false),
        (100, 810, true),
    ] {
        let last = image(1000, files, sent);
        assert_eq!(
            flags(Peer::TwoPoints, constant, last),
            alarm,
            "{files} files, {sent} sent"
        );
    }
}

/// Sizes of 990 and 1,010 in turn: mean and median 1,000, sample deviation 10.13, MAD 10.
#[test]
fn distances_are_measured_in_the_spread_of_the_history() {
    let varied = |day: usize| if day.is_multiple_of(2) { 990 } else { 1010 };
    // All other attributes are constant, but the deduplication rate follows the size.
    let sized = |bytes: u64| image(bytes, 100, 10).dedup_ratio(0.99);
    let flags = |peer, bytes| {
        let mut judge = PeerJudge::new(peer);
        for day in 0..40 {
            judge.observe(&job(day, sized(varied(day))));
        }
        judge.observe(&job(40, sized(bytes))).unwrap().is_alarm()
    };
    assert!(!flags(Peer::ZScore, 1030));
    assert!(flags(Peer::ZScore, 1031));
    assert!(!flags(Peer::ModifiedZScore, 1051));
    assert!(flags(Peer::ModifiedZScore, 1053));
    assert!(!flags(Peer::ClusterDistance, 1012));
    assert!(flags(Peer::ClusterDistance, 2000));
}

#[test]
fn a_job_without_numbers_is_not_judged_and_not_learnt() {
    let mut judge = PeerJudge::new(Peer::Npbackup);
    for day in 0..5 {
        judge.observe(&job(day, image(1000, 100, 10)));
        let answer = judge
            .observe(&job(100 + day, BackupImage::default()))
            .unwrap();
        assert_eq!(answer.score, None);
    }
    assert!(
        !judge
            .observe(&job(9, image(1000, 100, 10)))
            .unwrap()
            .is_alarm()
    );
}

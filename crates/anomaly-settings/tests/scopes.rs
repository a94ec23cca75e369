//! Which scope wins.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod any_settings;

use std::fmt::Write as _;
use std::path::Path;

use anomaly_model::chrono::DateTime;
use anomaly_model::{BackupJob, ScheduleType};
use anomaly_settings::{Settings, SwitchedOffBy};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// The settings that a file of this text holds.
fn file(text: &str) -> Settings {
    Settings::parse(Path::new("backwatch.toml"), text).unwrap()
}

fn job(client: &str, policy: &str, policy_type: Option<&str>, full: bool) -> BackupJob {
    BackupJob::builder("restic", "1", client, policy, DateTime::UNIX_EPOCH)
        .policy_type(policy_type)
        .schedule_type(if full {
            ScheduleType::Full
        } else {
            ScheduleType::Incremental
        })
        .build()
        .unwrap()
}

fn seed_of(settings: &Settings, job: &BackupJob) -> u64 {
    settings.detection_for(job).seed
}

#[test]
fn fleet_then_policy_type_then_policy_then_client_then_stream() {
    // Narrowest first, so that the order of the file has no part in it.
    let settings = file(
        "detection = { seed = 1, iqr_factor = 3 }

        [[scope]]
        client = 'mail01'
        policy = 'daily'
        schedule_type = 'full'
        detection.seed = 5

        [[scope]]
        client = 'mail01'
        detection.seed = 4

        [[scope]]
        policy = 'daily'
        detection.seed = 3

        [[scope]]
        policy_type = 'oracle'
        detection = { seed = 2, rules.clock = false }",
    );
    assert_eq!(seed_of(&settings, &job("a", "b", None, true)), 1);
    assert_eq!(seed_of(&settings, &job("a", "b", Some("oracle"), true)), 2);
    assert_eq!(
        seed_of(&settings, &job("a", "daily", Some("oracle"), true)),
        3
    );
    assert_eq!(
        seed_of(&settings, &job("mail01", "daily", Some("oracle"), false)),
        4
    );

    let stream = job("mail01", "daily", Some("oracle"), true);
    let detection = settings.detection_for(&stream);
    assert_eq!(detection.seed, 5);
    assert!(!detection.rules.clock, "a wider scope's other keys hold");
    assert!(detection.rules.failed_job);
    assert_eq!(detection.iqr_factor.get().to_string(), "3");
}

#[test]
fn a_history_always_holds_the_warm_up() {
    let settings = file(
        "detection = { warm_up_jobs = 30, history_jobs = 20 }
        [[scope]]
        client = 'a'
        detection.warm_up_jobs = 365
        [[scope]]
        client = 'b'
        detection.history_jobs = 50",
    );
    let kept = |client| {
        settings
            .detection_for(&job(client, "p", None, true))
            .history_jobs
            .get()
    };
    assert_eq!((kept("a"), kept("b"), kept("c")), (365, 50, 30));
}

/// What a scope of the property below names: client, policy, policy type, full or not.
type Names = (
    Option<&'static str>,
    Option<&'static str>,
    Option<&'static str>,
    Option<bool>,
);

fn names() -> impl Strategy<Value = Names> {
    let one_of = |words: &'static [&'static str]| option::of(select(words));
    (
        one_of(&["a", "b"]),
        one_of(&["p", "q"]),
        one_of(&["x", "y"]),
        option::of(any::<bool>()),
    )
        .prop_filter("a scope names something", |names| {
            *names != (None, None, None, None)
        })
}

proptest! {
    /// Of the scopes for a job the one of most weight wins, then the later one.
    #[test]
    fn narrowest_wins(
        scopes in prop::collection::vec(names(), 0..12),
        client in select(vec!["a", "b"]),
        policy in select(vec!["p", "q"]),
        policy_type in option::of(select(vec!["x", "y"])),
        full in any::<bool>(),
    ) {
        let mut text = String::new();
        let mut best = (0, 0);
        for (at, names) in (1_u64..).zip(&scopes) {
            text.push_str("[[scope]]\n");
            let mut weight = 0;
            let mut is_for_the_job = true;
            let mut name = |key, named: Option<&str>, found, key_weight| {
                if let Some(named) = named {
                    writeln!(text, "{key} = '{named}'").unwrap();
                    weight += key_weight;
                    is_for_the_job &= Some(named) == found;
                }
            };
            let schedule = |full| if full { "full" } else { "incremental" };
            name("client", names.0, Some(client), 8);
            name("policy", names.1, Some(policy), 4);
            name("policy_type", names.2, policy_type, 2);
            name("schedule_type", names.3.map(schedule), Some(schedule(full)), 1);
            writeln!(text, "detection.seed = {at}").unwrap();
            if is_for_the_job {
                best = best.max((weight, at));
            }
        }
        let settings = file(&text);
        let job = job(client, policy, policy_type, full);
        prop_assert_eq!(seed_of(&settings, &job), best.1, "{}", text);
    }
}

/// A scope with an end is for the jobs that start before it, by their own clock.
#[test]
fn a_scope_ends() {
    let settings = file(
        "[[scope]]
        client = 'a'
        until = '2027-01-31T00:00:00Z'
        detection.enabled = false

        [[scope]]
        client = 'a'
        policy = 'watched'
        detection.enabled = true",
    );
    let at = |start: &str, policy| {
        BackupJob::builder("restic", "1", "a", policy, start.parse().unwrap())
            .build()
            .unwrap()
    };
    let before = at("2027-01-30T23:59:59Z", "p");
    assert!(!settings.detection_for(&before).enabled);
    let by = SwitchedOffBy::Scope(&settings.scopes[0]);
    assert_eq!(settings.switched_off_for(&before), Some(by));
    assert_eq!(settings.scopes[0].to_string(), "client a");
    let after = at("2027-01-31T00:00:00Z", "p");
    assert!(settings.detection_for(&after).enabled);
    assert_eq!(settings.switched_off_for(&after), None);
    // The narrower one wins.
    let watched = at("2027-01-30T00:00:00Z", "watched");
    assert_eq!(settings.switched_off_for(&watched), None);
}

/// Of scopes that name the same the last one wins, however many, also after they were kept in parts.
#[test]
fn the_last_of_many_scopes_wins_in_parts_too() {
    let scope = |seed: u64| format!("[[scope]]\nclient = 'a (7)'\ndetection.seed = {seed}\n");
    let settings = file(&(1..=12).map(scope).collect::<String>());
    let kept = Settings::of_parts(&settings.parts());
    assert_eq!(seed_of(&kept, &job("a (7)", "b", None, true)), 12);
    assert_eq!(kept, settings);
}

proptest! {
    /// What is said to switch detection off does, and nothing else does.
    #[test]
    fn who_switches_off_is_known(settings in any_settings::any_settings(), full in any::<bool>()) {
        let job = job("a", "b", Some("oracle"), full);
        let off = settings.switched_off_for(&job).is_some();
        prop_assert_eq!(off, !settings.detection_for(&job).enabled);
    }
}

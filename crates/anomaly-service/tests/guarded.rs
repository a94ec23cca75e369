//! What makes Backwatch see less is told, ends, and can need a second person.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use anomaly_service::model::Severity;
use anomaly_service::model::chrono::{DateTime, TimeDelta, Utc};
use anomaly_service::settings::{Layers, Settings};
use anomaly_service::storage::{AuditEntry, AuditQuery, Read, SqliteStore};
use anomaly_service::{
    AnomalyService, Loosening, LooseningState, ServiceError, SettingsNews, SettingsRefused,
    SettingsRequest,
};
use proptest::prelude::*;
use serde_json::json;

fn at(day: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000 + day)
}

fn settings(text: &str) -> Settings {
    Settings::parse(Path::new("test.toml"), text).unwrap()
}

struct Case {
    directory: tempfile::TempDir,
}

impl Case {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory }
    }

    fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("db")
    }

    fn open(&self) -> AnomalyService {
        AnomalyService::open(self.path(), Settings::default()).unwrap()
    }

    /// A run of the program with this settings file: what then holds, and what is new.
    fn run(&self, text: &str, day: i64) -> (Settings, Vec<SettingsNews>) {
        let mut service = self.open();
        let over = service.kept_settings().unwrap();
        let file = self.directory.path().join("settings.toml");
        std::fs::write(&file, text).unwrap();
        let configured = Layers::read(Some(&file), [], &[]).unwrap().over(over);
        let looked = service.guarded(&configured, at(day)).unwrap();
        let report = service
            .settle_settings(&configured, "root", at(day))
            .unwrap();
        assert_eq!(looked.settings, report.settings);
        assert_eq!(service.settings(), &report.settings);
        (report.settings, report.news)
    }

    fn events(&self) -> Vec<AuditEntry> {
        let store = SqliteStore::open(self.path()).unwrap();
        let query = AuditQuery::default().at_least(Severity::Medium);
        let entries = store.audit_entries(&query).unwrap();
        entries.into_iter().map(|stored| stored.record).collect()
    }

    fn set(&self, part: &str, value: serde_json::Value, by: &str, day: i64) -> SettingsNews {
        self.try_set(part, value, by, day, None).unwrap()
    }

    fn try_set(
        &self,
        part: &str,
        value: serde_json::Value,
        by: &str,
        day: i64,
        until: Option<DateTime<Utc>>,
    ) -> Result<SettingsNews, ServiceError> {
        let request = SettingsRequest {
            parts: vec![(part.to_owned(), Some(value))],
            by: by.to_owned(),
            reason: Some("a test".to_owned()),
            until,
        };
        let mut news = self.open().set_settings(&request, None, at(day))?;
        assert_eq!(news.len(), 1);
        Ok(news.remove(0))
    }
}

const OFF: &str = "[detection.rules]\nclock = false";

/// A file that changed between two runs: the next run notices, says so, and lets it end.
#[test]
fn a_file_that_loosens_is_noticed_and_ends_by_itself() {
    let case = Case::new();
    case.run("", 0);
    assert_eq!(case.events(), []);
    let (holds, news) = case.run(OFF, 1);
    assert!(!holds.detection.rules.clock);
    let [SettingsNews::Loosened(loosening)] = news.as_slice() else {
        panic!("{news:?}")
    };
    assert_eq!(loosening.until, Some(at(31)));
    let events = case.events();
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].who.as_str(), events[0].what.as_str()),
        ("root", "loosening")
    );
    assert_eq!(events[0].subject, "detection.rules.clock");
    assert_eq!(events[0].before, Some(json!(true)));
    assert_eq!(events[0].after.as_ref().unwrap()["value"], json!(false));

    // The same file again is no news, and writes nothing.
    let leaves = || {
        SqliteStore::open(case.path())
            .unwrap()
            .log_head()
            .unwrap()
            .size
    };
    let before = leaves();
    let (holds, news) = case.run(OFF, 30);
    assert_eq!((holds.detection.rules.clock, news), (false, vec![]));
    assert_eq!(leaves(), before);

    // Its time is over, though the file still says so.
    let (holds, news) = case.run(OFF, 31);
    assert!(holds.detection.rules.clock);
    assert!(
        matches!(news.as_slice(), [SettingsNews::Ended(_)]),
        "{news:?}"
    );
    let (holds, news) = case.run(OFF, 99);
    assert_eq!((holds.detection.rules.clock, news), (true, vec![]));

    // Taken back and asked for anew, it is another one.
    case.run("", 100);
    let (holds, news) = case.run(OFF, 101);
    assert!(!holds.detection.rules.clock);
    assert!(
        matches!(news.as_slice(), [SettingsNews::Loosened(_)]),
        "{news:?}"
    );
    let tightened = case.run("[detection]\nwarm_up_jobs = 5", 102).1;
    assert!(
        tightened
            .iter()
            .all(|one| matches!(one, SettingsNews::Changed { .. })),
        "{tightened:?}"
    );
    // First, loosened, ended, taken out of the file, loosened, tightened.
    let history = case.open().settings_history().unwrap();
    assert_eq!(history.len(), 6);
    assert_eq!(history[3].changes, []);
    assert_eq!(history[1].changes[0].part, "detection.rules.clock");
}

/// What a database begins with is no change; it is told all the same.
#[test]
fn the_first_settings_are_taken_as_they_are() {
    let case = Case::new();
    let (holds, news) = case.run(OFF, 0);
    assert!(!holds.detection.rules.clock);
    let looser = vec!["detection.rules.clock".to_owned()];
    assert_eq!(news, [SettingsNews::First { looser }]);
    assert_eq!(case.events().len(), 1);
    assert!(!case.run(OFF, 3_000).0.detection.rules.clock);
}

/// Whoever asks cannot approve, whatever way it was asked for.
#[test]
fn a_second_person_is_another_person() {
    let case = Case::new();
    case.run("", 0);
    case.set("guard.second_person", json!(true), "ann", 1);
    let news = case.set("detection.enabled", json!(false), "ann", 2);
    let SettingsNews::Proposed(asked) = news else {
        panic!("{news:?}")
    };
    let LooseningState::Waits { proposal, .. } = asked.state else {
        panic!("{asked:?}")
    };
    assert!(case.run("", 3).0.detection.enabled);
    let mut service = case.open();
    for name in ["ann", " Ann ", ""] {
        let error = service
            .decide_setting(proposal, true, name, at(3))
            .unwrap_err();
        let is_refused = matches!(
            error,
            ServiceError::Settings(SettingsRefused::SamePerson { .. } | SettingsRefused::Nameless)
        );
        assert!(is_refused, "{error}");
    }
    let error = service.decide_setting(99, true, "bob", at(3)).unwrap_err();
    assert!(error.to_string().contains("99"), "{error}");
    let approved = service
        .decide_setting(proposal, true, "bob", at(4))
        .unwrap();
    assert_eq!(approved.until, Some(at(34)));
    assert!(
        service
            .decide_setting(proposal, true, "eve", at(4))
            .is_err()
    );
    let (holds, news) = case.run("", 5);
    assert_eq!((holds.detection.enabled, news), (false, vec![]));
    let last = case.open().settings_history().unwrap().pop().unwrap();
    assert_eq!(
        (last.by.as_str(), last.seconded_by.as_deref()),
        ("ann", Some("bob"))
    );
    assert_eq!(last.reason.as_deref(), Some("a test"));
    // By itself, and for good: the database does not ask for it any more.
    assert!(case.run("", 34).0.detection.enabled);
    assert!(case.open().kept_settings().unwrap().detection.enabled);

    // A file that switches the guard off and loosens with the same stroke has to wait with both.
    let both = format!("{OFF}\n[guard]\nsecond_person = false");
    let (holds, news) = case.run(&both, 40);
    assert!(holds.guard.second_person && holds.detection.rules.clock);
    let proposed = news
        .iter()
        .filter(|one| matches!(one, SettingsNews::Proposed(_)));
    assert_eq!(proposed.count(), 2);
    let waiting = case.open().pending_settings().unwrap();
    assert_eq!(waiting.len(), 2);
    case.open()
        .decide_setting(waiting[0].number, false, "bob", at(41))
        .unwrap();
    // What is not decided lapses; what is taken out of the file does not wait any more.
    case.run(&both, 75);
    assert_eq!(case.open().pending_settings().unwrap(), []);
    let (holds, _) = case.run(&both, 76);
    assert!(holds.guard.second_person && holds.detection.rules.clock);
    case.run("", 77);
    case.run(OFF, 78);
    assert_eq!(case.open().pending_settings().unwrap().len(), 1);
    case.run("", 79);
    assert_eq!(case.open().pending_settings().unwrap(), []);
}

/// While nothing is watched anyway, an exclusion loosens nothing of what holds. It would once more is
/// watched again.
#[test]
fn an_exclusion_does_not_slip_in_behind_another_loosening() {
    let case = Case::new();
    case.run("", 0);
    case.set("guard.second_person", json!(true), "ann", 1);
    let off = case.set("detection.enabled", json!(false), "ann", 2);
    let SettingsNews::Proposed(Loosening {
        state: LooseningState::Waits { proposal, .. },
        ..
    }) = off
    else {
        panic!("{off:?}")
    };
    case.open()
        .decide_setting(proposal, true, "bob", at(2))
        .unwrap();
    let off = json!({ "detection": { "enabled": false } });
    for number in 0..3 {
        let client = format!("n{number}");
        let mut scope = off.clone();
        scope["client"] = json!(client);
        let news = case.set(&format!("scope client {client}"), scope, "ann", 3);
        assert!(matches!(news, SettingsNews::Proposed(_)), "{news:?}");
    }
    let (holds, _) = case.run("", 4);
    assert!(!holds.detection.enabled);
    assert_eq!(holds.scopes, []);
    assert_eq!(case.open().pending_settings().unwrap().len(), 3);
    let told = case.events().into_iter();
    let told = told.filter(|event| event.what == "loosening_proposed");
    assert_eq!(told.count(), 4);
    // One that is approved ends, as any other does; those that nobody approves never hold.
    let first = case.open().pending_settings().unwrap()[0].number;
    let approved = case
        .open()
        .decide_setting(first, true, "bob", at(5))
        .unwrap();
    assert_eq!(approved.until, Some(at(35)));
    // What is stricter than either holds at once.
    let mut on = off;
    on["client"] = json!("n7");
    on["detection"]["enabled"] = json!(true);
    let news = case.set("scope client n7", on, "ann", 6);
    assert!(matches!(news, SettingsNews::Changed { .. }), "{news:?}");
    let (holds, _) = case.run("", 36);
    assert!(holds.detection.enabled);
    assert_eq!(holds.scopes.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever one person asks for, in whatever order: once every loosening has ended, nothing is
    /// looser than it was at first.
    #[test]
    fn nothing_stays_loosened(
        changes in prop::collection::vec((0..6_usize, any::<bool>(), 0..15_i64), 1..8),
    ) {
        let case = Case::new();
        case.run("", 0);
        let mut service = case.open();
        let mut day = 1;
        for (part, looser, days) in changes {
            let scope = |place: serde_json::Value| {
                let mut scope = place;
                scope["detection"] = json!({
                    "enabled": !looser,
                    "warm_up_jobs": if looser { 30 } else { 5 },
                });
                scope
            };
            let (part, value) = match part {
                0 => ("detection.enabled", json!(!looser)),
                1 => ("detection.warm_up_jobs", json!(if looser { 30 } else { 5 })),
                2 => ("scope client a", scope(json!({ "client": "a" }))),
                3 => ("scope client b", scope(json!({ "client": "b" }))),
                4 => ("scope policy p", scope(json!({ "policy": "p" }))),
                _ => (
                    "scope client a, policy p",
                    scope(json!({ "client": "a", "policy": "p" })),
                ),
            };
            let request = SettingsRequest {
                parts: vec![(part.to_owned(), Some(value))],
                by: "ann".to_owned(),
                reason: None,
                until: None,
            };
            service.set_settings(&request, None, at(day)).unwrap();
            day += days;
        }
        drop(service);
        let (holds, _) = case.run("", day + 31);
        let differences = Settings::default().parts().differences(&holds.parts());
        let looser: Vec<_> = differences.iter().filter(|one| one.loosens).collect();
        prop_assert!(looser.is_empty(), "{looser:?}");
    }
}

/// An end is never later than the settings allow, and a loosening is only renewed by asking.
#[test]
fn a_loosening_has_an_end() {
    let case = Case::new();
    case.run("", 0);
    let try_set =
        |day, until| case.try_set("review.endless", json!(true), "ann", day, Some(at(until)));
    for (until, is_told) in [(1, "not after now"), (400, "guard.longest_days")] {
        let error = try_set(1, until).unwrap_err().to_string();
        assert!(error.contains(is_told), "{error}");
    }
    let refused = |part: &str, value| {
        let error = case.try_set(part, value, "ann", 1, Some(at(10)));
        error.unwrap_err().to_string()
    };
    // What loosens nothing has no end, and what is no setting is none.
    let stricter = refused("detection.warm_up_jobs", json!(5));
    assert!(stricter.contains("loosens nothing"), "{stricter}");
    for (part, value) in [
        ("detection.of_tomorrow", json!(1)),
        ("review.ceiling", json!(9)),
    ] {
        assert!(refused(part, value).contains("is no part of the settings"));
    }
    assert_eq!(case.open().settings_history().unwrap().len(), 1);
    try_set(1, 10).unwrap();
    let SettingsNews::Loosened(renewed) = try_set(5, 50).unwrap() else {
        panic!("not renewed")
    };
    assert_eq!(
        (renewed.before, renewed.until),
        (Some(json!(false)), Some(at(50)))
    );
    assert!(case.run("", 49).0.review.endless);
    assert!(!case.run("", 50).0.review.endless);

    // A scope that ends by itself ends then; one without an end gets one.
    let scope = |until: &str| format!("[[scope]]\nclient = 'a'\n{until}detection.enabled = false");
    let until = at(60).to_rfc3339();
    let (_, news) = case.run(&scope(&format!("until = '{until}'\n")), 51);
    let Some(SettingsNews::Loosened(one)) = news.last() else {
        panic!("{news:?}")
    };
    assert_eq!(one.until, Some(at(60)));
    let (holds, _) = case.run(&scope(""), 52);
    assert_eq!(holds.scopes.len(), 1);
    assert_eq!(case.run(&scope(""), 52 + 30).0.scopes, []);

    // Where the settings forbid an end, there is none.
    case.set("guard.endless", json!(true), "ann", 90);
    let SettingsNews::Loosened(endless) = case.set("detection.iqr_factor", json!(9.0), "ann", 91)
    else {
        panic!("not loosened")
    };
    assert_eq!(endless.until, None);
}

/// A scope that a file no longer has holds again in the end, and is none that the store was asked for.
#[test]
fn a_scope_that_is_gone_from_a_file_does_not_move_to_the_store() {
    let scope = "[[scope]]\nclient = 'a'\ndetection.alarm_budget = 4";
    let case = Case::new();
    let held = case.run(scope, 0).0.scopes;
    let (holds, news) = case.run("", 1);
    assert!(matches!(news.as_slice(), [SettingsNews::Loosened(_)]));
    assert_eq!(holds.scopes, []);
    let (holds, news) = case.run("", 31);
    assert!(matches!(news.as_slice(), [SettingsNews::Ended(_)]));
    assert_eq!(holds.scopes, held);
    assert_eq!(case.open().kept_settings().unwrap(), Settings::default());
    assert_eq!(case.run("", 32), (holds, vec![]));
}

/// What the database keeps lies under the file.
#[test]
fn a_file_lies_over_what_the_database_keeps() {
    let case = Case::new();
    case.set("detection.warm_up_jobs", json!(6), "ann", 0);
    assert_eq!(case.run("", 1).0.detection.warm_up_jobs.get(), 6);
    let file = "[detection]\nwarm_up_jobs = 5";
    assert_eq!(case.run(file, 2).0.detection.warm_up_jobs.get(), 5);
    assert_eq!(settings(file).detection.warm_up_jobs.get(), 5);
    assert_eq!(case.run("", 3).0.detection.warm_up_jobs.get(), 6);
}

/// All that is asked for at once changes, or nothing; and only what whoever asks has seen.
#[test]
fn several_changes_are_one() {
    let case = Case::new();
    case.run("", 0);
    let mut service = case.open();
    let seen = service.settings_version().unwrap();
    let part = |part: &str, value| (part.to_owned(), Some(value));
    let request = |parts| SettingsRequest {
        parts,
        by: "ann".to_owned(),
        reason: Some("a test".to_owned()),
        until: Some(at(9)),
    };
    let wrong = request(vec![
        part("detection.seed", json!(7)),
        part("review.ceiling", json!(9)),
    ]);
    assert!(service.set_settings(&wrong, None, at(1)).is_err());
    assert_eq!(service.settings_version().unwrap(), seen);

    // The guard that is switched on with the same stroke is not asked yet.
    let several = request(vec![
        part("guard.second_person", json!(true)),
        part("detection.rules.clock", json!(false)),
        part("detection.seed", json!(7)),
    ]);
    let news = service.set_settings(&several, Some(seen), at(1)).unwrap();
    let [
        SettingsNews::Changed { .. },
        SettingsNews::Loosened(clock),
        SettingsNews::Changed { .. },
    ] = news.as_slice()
    else {
        panic!("{news:?}")
    };
    assert_eq!(clock.until, Some(at(9)));
    assert_eq!(service.settings_history().unwrap().len(), 2);
    let error = service
        .set_settings(&several, Some(seen), at(1))
        .unwrap_err();
    assert!(matches!(
        error,
        ServiceError::Settings(SettingsRefused::Changed)
    ));
    assert_eq!(case.run("", 2).0.detection.seed, 7);
}

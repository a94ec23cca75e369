//! What is said of settings that are wrong, word for word.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use anomaly_model::StreamPart;
use anomaly_settings::{DetectorSet, ForestTrees, IqrFactor, Settings, StreamParts};

fn file(text: &str) -> String {
    let refused = Settings::parse(Path::new("backwatch.toml"), text);
    refused.unwrap_err().to_string()
}

fn environment(variable: &str, value: &str) -> String {
    let environment = [(variable.to_owned(), value.to_owned())];
    let refused = Settings::load(None, environment, &[]);
    refused.unwrap_err().to_string()
}

fn flag(key: &str, value: &str) -> String {
    let flags = [(key.to_owned(), value.to_owned())];
    Settings::load(None, [], &flags).unwrap_err().to_string()
}

#[test]
fn unknown_key() {
    assert_eq!(
        file("[detection]\nseed = 1\nalarm_budgt = 2\n"),
        "backwatch.toml:3:1: there is no setting `detection.alarm_budgt`; did you mean \
         `detection.alarm_budget`? Allowed: enabled, alarm_budget, sensitivity_percent, fleet_alarms_per_week, fleet_streams, warm_up_jobs, \
         history_jobs, accept_level_shift_after_jobs, detectors, iqr_factor, forest_trees, forest_samples, seed, \
         excluded_features, attribute_deviations, attribute_rate, suspicious_extension_percent, \
         include_extensions, exclude_extensions, rules"
    );
    assert_eq!(
        file("[detecton]\nseed = 1\n"),
        "backwatch.toml:1:2: there is no setting `detecton`; did you mean `detection`? \
         Allowed: detection, streams, review, incidents, guard, roles, storage, scope"
    );
    assert_eq!(
        file("alarm_budget = 2"),
        "backwatch.toml:1:1: there is no setting `alarm_budget`; did you mean \
         `detection.alarm_budget`? Allowed: detection, streams, review, incidents, guard, roles, storage, scope"
    );
    assert_eq!(
        file("detection.failed_job = false"),
        "backwatch.toml:1:11: there is no setting `detection.failed_job`; did you mean \
         `detection.rules.failed_job`? Allowed: enabled, alarm_budget, sensitivity_percent, fleet_alarms_per_week, fleet_streams, warm_up_jobs, \
         history_jobs, accept_level_shift_after_jobs, detectors, iqr_factor, forest_trees, forest_samples, seed, \
         excluded_features, attribute_deviations, attribute_rate, suspicious_extension_percent, \
         include_extensions, exclude_extensions, rules"
    );
    assert_eq!(
        file("detection.rules.weather = false"),
        "backwatch.toml:1:17: there is no setting `detection.rules.weather`. Allowed: \
         failed_job, empty_image, clock, most_gone, all_overwritten, slow_loss, slow_job, missed_backup, \
         attribute_shift, suspicious_extension, ransom_note"
    );
    assert_eq!(
        file("[[scope]]\nclient = 'a'\nstreams.key = ['client']"),
        "backwatch.toml:3:1: there is no setting `scope.streams`; did you mean `streams`? \
         Allowed: schedule_type, policy_type, policy, client, until, detection"
    );
    assert_eq!(
        file("[[scope]]\nclient = 'a'\nseed = 1"),
        "backwatch.toml:3:1: there is no setting `scope.seed`; did you mean \
         `scope.detection.seed`? Allowed: schedule_type, policy_type, policy, client, until, detection"
    );
    assert_eq!(
        file("'detection.seed' = 1"),
        "backwatch.toml:1:1: there is no setting `\"detection.seed\"`; did you mean \
         `detection.seed`? Allowed: detection, streams, review, incidents, guard, roles, storage, scope"
    );
    assert_eq!(
        file("\"a\\u001Bb\" = 1"),
        "backwatch.toml:1:1: there is no setting `\"a\\u{1b}b\"`. Allowed: detection, \
         streams, review, incidents, guard, roles, storage, scope"
    );
}

#[test]
fn wrong_type() {
    assert_eq!(
        file("detection.alarm_budget = 'two'"),
        "backwatch.toml:1:26: `detection.alarm_budget` is 'two': must be a number from 0.01 to 36.5"
    );
    assert_eq!(
        file("[detection]\n  detectors = \"iqr\""),
        "backwatch.toml:2:15: `detection.detectors` is \"iqr\": must be a list of one or more \
         of affected_shares, z_score, modified_z_score, iqr, isolation_forest, each at most once"
    );
    assert_eq!(
        file("detection = 5"),
        "backwatch.toml:1:13: `detection` is 5: must be a table: [detection]"
    );
    assert_eq!(
        file("detection.rules = [\n true,\n false]"),
        "backwatch.toml:1:19: `detection.rules` is [ true, false]: must be a table: \
         [detection.rules]"
    );
    assert_eq!(
        file("detection.warm_up_jobs = 14.0"),
        "backwatch.toml:1:26: `detection.warm_up_jobs` is 14.0: must be a whole number from 5 \
         to 365"
    );
    assert_eq!(
        file("[scope]\nclient = 'a'"),
        "backwatch.toml:1:1: `scope` is [scope]: must be tables, each headed [[scope]]"
    );
    assert_eq!(
        environment("BACKWATCH_DETECTION_ENABLED", "yes"),
        "environment variable BACKWATCH_DETECTION_ENABLED: `detection.enabled` is \"yes\": \
         must be true or false"
    );
    assert_eq!(
        environment("BACKWATCH_DETECTION_SEED", ""),
        "environment variable BACKWATCH_DETECTION_SEED: `detection.seed` is \"\": must be a \
         whole number from 0 to 18446744073709551615"
    );
    assert_eq!(
        flag("detection.detectors", "[iqr]"),
        "--set: `detection.detectors` is \"[iqr]\": must be a list of one or more of affected_shares, z_score, \
         modified_z_score, iqr, isolation_forest, each at most once"
    );
}

#[test]
fn out_of_range() {
    assert_eq!(
        file("# \u{e9}\n\n[detection]\nalarm_budget = 36.6"),
        "backwatch.toml:4:16: `detection.alarm_budget` is 36.6: must be a number from 0.01 to 36.5"
    );
    assert_eq!(
        file("\u{feff}detection = { history_jobs = 401 }"),
        "backwatch.toml:1:30: `detection.history_jobs` is 401: must be a whole number from 20 \
         to 400"
    );
    assert_eq!(
        file("# \u{e9}\u{e9}\r\ndetection.rules = { clock = '\u{e9}', x = 1 }"),
        "backwatch.toml:2:29: `detection.rules.clock` is '\u{e9}': must be true or \
         false\nbackwatch.toml:2:34: there is no setting `detection.rules.x`. Allowed: failed_job, \
         empty_image, clock, most_gone, all_overwritten, slow_loss, slow_job, missed_backup, \
         attribute_shift, suspicious_extension, ransom_note"
    );
    assert_eq!(
        file("streams.key = ['client', 'client']"),
        "backwatch.toml:1:15: `streams.key` is ['client', 'client']: must be a list of one or \
         more of source, client, policy, policy_type, schedule, schedule_type, each at most \
         once; schedule_type always"
    );
    let misspelt = file("detection.excluded_features = ['image_bytes', 'file_coumt']");
    let start = "backwatch.toml:1:31: `detection.excluded_features` is ['image_bytes', \
                 'file_coumt']: must be a list of any of image_bytes, file_count, ";
    assert!(misspelt.starts_with(start), "{misspelt}");
    assert_eq!(
        environment("BACKWATCH_DETECTION_ALARM_BUDGET", "nan"),
        "environment variable BACKWATCH_DETECTION_ALARM_BUDGET: `detection.alarm_budget` is \
         nan: must be a number from 0.01 to 36.5"
    );
    assert_eq!(
        flag("detection.seed", "-1"),
        "--set: `detection.seed` is -1: must be a whole number from 0 to 18446744073709551615"
    );
    assert_eq!(
        flag(
            "detection.iqr_factor",
            &format!("[{}]", "1.5, ".repeat(100))
        ),
        "--set: `detection.iqr_factor` is [1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, \
         1.5, 1.5,...: must be a number from 0.5 to 10"
    );
}

#[test]
fn bad_scope() {
    assert_eq!(
        file("[[scope]]\nclient = 'a'\n\n[[scope]]\ndetection.seed = 1"),
        "backwatch.toml:4:1: this [[scope]] names nothing: name at least one of \
         schedule_type, policy_type, policy, client, or set the keys under [detection] to \
         mean every job"
    );
    assert_eq!(
        file("[[scope]]\nclient = ''\ndetection.seed = 1"),
        "backwatch.toml:2:10: `scope.client` is '': must be the name of a client, not blank"
    );
    assert_eq!(
        file("[[scope]]\ncleint = 'a'"),
        "backwatch.toml:2:1: there is no setting `scope.cleint`; did you mean `scope.client`? \
         Allowed: schedule_type, policy_type, policy, client, until, detection"
    );
    assert_eq!(
        file("[[scope]]\nschedule_type = 'weekly'"),
        "backwatch.toml:2:17: `scope.schedule_type` is 'weekly': must be one of full, \
         differential_incremental, cumulative_incremental, incremental, user_backup, other"
    );
    assert_eq!(
        file("[[scope]]\nclient = 'a'\ndetection.forest_trees = 5"),
        "backwatch.toml:3:26: `scope.detection.forest_trees` is 5: must be a whole number \
         from 10 to 500"
    );
    assert_eq!(
        file("scope = [{ client = 'a' }, 7]"),
        "backwatch.toml:1:28: `scope` is 7: must be tables, each headed [[scope]]"
    );
}

#[test]
fn not_toml() {
    assert_eq!(
        file("[detection]\nseed = = 1"),
        "backwatch.toml:2:8: not valid TOML: extra `=`, expected nothing"
    );
    assert_eq!(
        file("[detection]\nseed = 1\nseed = 2"),
        "backwatch.toml:3:1: not valid TOML: duplicate key"
    );
    assert_eq!(
        file("[detection"),
        "backwatch.toml:1:11: not valid TOML: unclosed table, expected `]`"
    );
}

/// Every error of a layer is told, in the order of the file.
#[test]
fn all_at_once() {
    let text = "[streams]\nkey = 1\n[detection]\nseed = 'a'\nenabled = 1\n[[scope]]\n";
    let told = file(text);
    let places: Vec<_> = told
        .lines()
        .map(|line| line.split_once(": ").unwrap().0)
        .collect();
    assert_eq!(
        places,
        [
            "backwatch.toml:2:7",
            "backwatch.toml:4:8",
            "backwatch.toml:5:11",
            "backwatch.toml:6:1"
        ]
    );

    let pair = |key: &str| (key.to_owned(), "1".to_owned());
    let variables = ["BACKWATCH_STREAMS_KEY", "BACKWATCH_DETECTION_ENABLED"].map(pair);
    let told = Settings::load(None, variables, &[])
        .unwrap_err()
        .to_string();
    assert_eq!(told.lines().count(), 2, "{told}");
    assert!(
        told.starts_with("environment variable BACKWATCH_DETECTION_ENABLED: "),
        "{told}"
    );
    let told = Settings::load(None, [], &[pair("a"), pair("b")])
        .unwrap_err()
        .to_string();
    assert_eq!(told.lines().count(), 2, "{told}");
}

#[test]
fn unknown_variable_or_flag_names_the_nearest_and_all() {
    let variable = environment("BACKWATCH_DETECTION_ALARM_BUDGT", "2");
    assert!(
        variable.starts_with(
            "environment variable BACKWATCH_DETECTION_ALARM_BUDGT: there is no setting \
             `BACKWATCH_DETECTION_ALARM_BUDGT`; did you mean `BACKWATCH_DETECTION_ALARM_BUDGET`? \
             Allowed: BACKWATCH_DETECTION_ENABLED, "
        ),
        "{variable}"
    );
    let key = flag("detection.alarm_budgt", "2");
    assert!(
        key.starts_with(
            "--set: there is no setting `detection.alarm_budgt`; did you mean \
             `detection.alarm_budget`? Allowed: detection.enabled, "
        ),
        "{key}"
    );
    let scope = flag("scope", "[{ client = 'a' }]");
    assert!(
        scope.starts_with("--set: there is no setting `scope`. Allowed: "),
        "{scope}"
    );
    for known in Settings::keys() {
        assert!(
            variable.contains(&known.environment_variable()),
            "{variable}"
        );
        assert!(
            key.contains(known.name) && scope.contains(known.name),
            "{key}"
        );
    }
}

#[test]
fn built_in_code() {
    assert_eq!(
        ForestTrees::new(501).unwrap_err().to_string(),
        "`forest_trees` is 501: must be a whole number from 10 to 500"
    );
    for number in [f64::NAN, f64::INFINITY, -0.0, 10.01] {
        assert!(IqrFactor::new(number).is_err(), "{number}");
    }
    assert_eq!(
        DetectorSet::new([]).unwrap_err().to_string(),
        "`detectors` is []: must be a list of one or more of affected_shares, z_score, modified_z_score, iqr, \
         isolation_forest, each at most once"
    );
    let twice = StreamParts::new([StreamPart::Client, StreamPart::Client]).unwrap_err();
    assert!(
        twice
            .to_string()
            .starts_with("`key` is [client, client]: must be "),
        "{twice}"
    );
    let shared = StreamParts::new([StreamPart::Client, StreamPart::Policy]).unwrap_err();
    assert!(
        shared.to_string().ends_with("; schedule_type always"),
        "{shared}"
    );
    // A whole tree in another format is held to the same rules.
    for json in [
        r#"{"detection":{"seed":-1}}"#,
        r#"{"sed":1}"#,
        r#"{"scope":[{"detection":{}}]}"#,
    ] {
        assert!(serde_json::from_str::<Settings>(json).is_err(), "{json}");
    }
}

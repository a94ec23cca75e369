//! Which layer wins.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::process::Command;
use std::{env, fs};

use anomaly_settings::{Key, Layers, Settings, SettingsError};
use proptest::prelude::*;

/// For every key three values, none of them the default.
const VALUES: &[(&str, [&str; 3])] = &[
    ("detection.enabled", ["false", "false", "false"]),
    ("detection.alarm_budget", ["0.01", "2.0", "36.5"]),
    ("detection.sensitivity_percent", ["-60.0", "25.0", "1000.0"]),
    ("detection.fleet_alarms_per_week", ["0.5", "5.0", "10000.0"]),
    ("detection.fleet_streams", ["2", "1000", "10000000"]),
    ("detection.warm_up_jobs", ["5", "30", "365"]),
    ("detection.history_jobs", ["20", "60", "400"]),
    (
        "detection.accept_level_shift_after_jobs",
        ["7", "14", "365"],
    ),
    (
        "detection.detectors",
        [
            r#"["iqr"]"#,
            r#"["z_score", "iqr"]"#,
            r#"["isolation_forest"]"#,
        ],
    ),
    ("detection.iqr_factor", ["0.5", "3.0", "10.0"]),
    ("detection.forest_trees", ["10", "100", "500"]),
    ("detection.forest_samples", ["8", "256", "1024"]),
    ("detection.seed", ["1", "2", "3"]),
    (
        "detection.excluded_features",
        [
            r#"["file_count"]"#,
            r#"["file_count", "directory_count"]"#,
            r#"["image_bytes"]"#,
        ],
    ),
    ("detection.attribute_deviations", ["2.0", "20.0", "1000.0"]),
    ("detection.attribute_rate", ["0.01", "0.5", "1.0"]),
    (
        "detection.suspicious_extension_percent",
        ["11.0", "50.0", "100.0"],
    ),
    (
        "detection.include_extensions",
        [r#"["locked"]"#, r#"["locked", "crypt"]"#, r#"["crypt"]"#],
    ),
    (
        "detection.exclude_extensions",
        [r#"["wcry"]"#, r#"["wcry", "locky"]"#, r#"["locky"]"#],
    ),
    ("detection.rules.failed_job", ["false", "false", "false"]),
    ("detection.rules.empty_image", ["false", "false", "false"]),
    ("detection.rules.clock", ["false", "false", "false"]),
    ("detection.rules.most_gone", ["false", "false", "false"]),
    (
        "detection.rules.all_overwritten",
        ["false", "false", "false"],
    ),
    ("detection.rules.slow_loss", ["false", "false", "false"]),
    ("detection.rules.slow_job", ["false", "false", "false"]),
    ("detection.rules.missed_backup", ["false", "false", "false"]),
    (
        "detection.rules.attribute_shift",
        ["false", "false", "false"],
    ),
    (
        "detection.rules.suspicious_extension",
        ["false", "false", "false"],
    ),
    ("detection.rules.ransom_note", ["false", "false", "false"]),
    (
        "streams.key",
        [
            r#"["client", "schedule_type"]"#,
            r#"["schedule_type", "client"]"#,
            r#"["source", "schedule_type"]"#,
        ],
    ),
    ("review.ceiling", ["1.0", "1.5", "2.0"]),
    ("review.expires_after_days", ["1", "30", "3660"]),
    ("review.longest_days", ["1", "30", "3660"]),
    ("review.endless", ["true", "true", "true"]),
    ("incidents.client_hours", ["1", "24", "8784"]),
    ("incidents.fleet_hours", ["1", "12", "744"]),
    ("incidents.clients", ["2", "30", "100000"]),
    ("guard.second_person", ["true", "true", "true"]),
    ("guard.expires_after_days", ["1", "60", "3660"]),
    ("guard.longest_days", ["1", "30", "3660"]),
    ("guard.endless", ["true", "true", "true"]),
    ("roles.gather", ["false", "false", "false"]),
    ("roles.alert", ["false", "false", "false"]),
    ("storage.retention_days", ["0", "30", "36500"]),
    ("storage.wait_seconds", ["0", "30", "86400"]),
];

#[test]
fn every_key_is_tried() {
    let tried: Vec<_> = VALUES.iter().map(|(key, _)| *key).collect();
    let keys: Vec<_> = Settings::keys().iter().map(|key| key.name).collect();
    assert_eq!(tried, keys);
}

proptest! {
    /// Each key is set in any of the three layers: the last that sets it wins, and no key touches
    /// another.
    #[test]
    fn last_layer_wins(set_in in prop::collection::vec(any::<[bool; 3]>(), VALUES.len())) {
        let (mut file, mut environment, mut flags) = (String::new(), Vec::new(), Vec::new());
        let mut expected = toml::Value::try_from(Settings::default()).unwrap();
        for ((key, set_in), (name, values)) in Settings::keys().iter().zip(&set_in).zip(VALUES) {
            if set_in[0] {
                writeln!(file, "{name} = {}", values[0]).unwrap();
            }
            if set_in[1] {
                environment.push((key.environment_variable(), values[1].to_owned()));
            }
            if set_in[2] {
                flags.push(((*name).to_owned(), values[2].to_owned()));
            }
            if let Some(last) = (0..3).rev().find(|&layer| set_in[layer]) {
                let value = name.split('.').fold(&mut expected, |table, name| &mut table[name]);
                *value = values[last].parse().unwrap();
            }
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("backwatch.toml");
        fs::write(&path, &file).unwrap();
        let settings = Settings::load(Some(&path), environment, &flags).unwrap();
        prop_assert_eq!(toml::Value::try_from(settings).unwrap(), expected, "{}", file);
    }
}

#[test]
fn bare_words_are_strings_and_other_variables_are_not_read() {
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    let environment = pairs(&[
        ("PATH", "/bin"),
        ("backwatch_seed", "x"),
        ("XBACKWATCH_Y", ""),
    ]);
    let flags = pairs(&[("detection.seed", "1"), ("detection.seed", "2")]);
    let settings = Settings::load(None, environment, &flags).unwrap();
    assert_eq!(settings.detection.seed, 2, "the later of two flags wins");

    let bare_word = Settings::load(None, [], &pairs(&[("detection.excluded_features", "a")]));
    assert!(
        bare_word
            .unwrap_err()
            .to_string()
            .contains(r#"is "a": must be a list"#)
    );
}

#[test]
fn no_two_keys_share_a_variable() {
    let mut variables: Vec<_> = Settings::keys()
        .iter()
        .map(Key::environment_variable)
        .collect();
    variables.sort();
    variables.dedup();
    assert_eq!(variables.len(), Settings::keys().len());
}

#[test]
fn a_file_that_cannot_be_read_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing.toml");
    let binary = directory.path().join("binary.toml");
    fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    for path in [missing.as_path(), binary.as_path(), directory.path()] {
        let error = Settings::load(Some(path), [], &[]).unwrap_err();
        assert!(matches!(error, SettingsError::Read { .. }), "{error}");
        assert!(
            error.to_string().starts_with(path.to_str().unwrap()),
            "{error}"
        );
        assert!(std::error::Error::source(&error).is_some(), "{error}");
    }
}

/// Runs itself again with an environment to read; a variable that is not Unicode does no harm.
#[cfg(unix)]
#[test]
fn here_is_the_environment_of_the_process() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    const AGAIN: &str = "SETTINGS_TEST_RUNS_AGAIN";
    if env::var_os(AGAIN).is_some() {
        assert_eq!(Settings::load_here(None, &[]).unwrap().detection.seed, 7);
        return;
    }
    let again = Command::new(env::current_exe().unwrap())
        .args(["--exact", "here_is_the_environment_of_the_process"])
        .env(AGAIN, OsStr::from_bytes(&[0xff]))
        .env("BACKWATCH_DETECTION_SEED", "7")
        .output()
        .unwrap();
    assert!(
        again.status.success(),
        "{}",
        String::from_utf8_lossy(&again.stdout)
    );
    assert!(String::from_utf8_lossy(&again.stdout).contains("1 passed"));
}

/// What is set above cannot be changed below: who would is told where it is set.
#[test]
fn the_last_layer_that_sets_a_part_is_where_it_is_set() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = "[detection]\nseed = 1\nrules.clock = false\n\n[[scope]]\nclient = 'a'\ndetection.seed = 2\n\n\
                [[scope]]\nclient = 'a'\ndetection.seed = 3\n";
    fs::write(file.path(), text).unwrap();
    let environment = [("BACKWATCH_DETECTION_SEED".to_owned(), "4".to_owned())];
    let flags = [("review.endless".to_owned(), "true".to_owned())];
    let layers = Layers::read(Some(file.path()), environment, &flags).unwrap();
    let place = |part: &str| layers.place_of(part).map(ToString::to_string);
    let in_file = |place: &str| Some(format!("{}:{place}", file.path().display()));
    assert_eq!(place("detection.rules.clock"), in_file("3:7"));
    assert_eq!(place("scope client a"), in_file("5:1"));
    let variable = "environment variable BACKWATCH_DETECTION_SEED".to_owned();
    assert_eq!(place("detection.seed"), Some(variable));
    assert_eq!(place("review.endless").as_deref(), Some("--set"));
    for other in [
        "detection.enabled",
        "scope.client",
        "client",
        "scope client b",
    ] {
        assert_eq!(place(other), None);
    }
    let names = layers.over(Settings::default()).parts();
    assert!(names.names().any(|name| name == "scope client a"));
}

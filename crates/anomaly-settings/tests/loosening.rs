//! What makes Backwatch see less is known as such.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod any_settings;

use std::path::Path;

use anomaly_settings::{Difference, Settings};
use any_settings::any_settings;
use proptest::prelude::*;

/// Two settings at once are too large for the stack of a test.
fn boxed() -> BoxedStrategy<Box<Settings>> {
    any_settings().prop_map(Box::new).boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Where values are ordered, of a change and its way back exactly one loosens; where a list
    /// grows or shrinks, at least one; and every difference is told.
    #[test]
    fn of_a_change_and_its_way_back_one_loosens(
        (before, after) in (boxed(), boxed()),
    ) {
        let (before, after) = (before.parts(), after.parts());
        let (there, back) = (before.differences(&after), after.differences(&before));
        prop_assert_eq!(there.len(), back.len());
        for (there, back) in there.iter().zip(&back) {
            prop_assert_eq!(&there.part, &back.part);
            prop_assert_eq!(&there.before, &back.after);
            let Some(key) = Settings::keys().iter().find(|key| key.name == there.part) else {
                continue;
            };
            if key.loosens.is_ordered() {
                prop_assert!(there.loosens != back.loosens, "{}", there.part);
            }
        }
        for name in before.names().filter(|name| before.get(name) != after.get(name)) {
            prop_assert!(there.iter().any(|one| one.part == name), "{name}");
        }
        prop_assert_eq!(before.differences(&before), []);
    }

    /// Parts are the settings.
    #[test]
    fn parts_read_back(settings in boxed()) {
        let parts = settings.parts();
        prop_assert_eq!(Settings::of_parts(&parts).parts(), parts);
    }
}

fn settings(text: &str) -> Settings {
    Settings::parse(Path::new("test.toml"), text).unwrap()
}

fn differences(before: &str, after: &str) -> Vec<Difference> {
    settings(before)
        .parts()
        .differences(&settings(after).parts())
}

/// Whether the one part that differs loosens, there and back.
fn loosens(before: &str, after: &str) -> (bool, bool) {
    let one = |before, after| {
        let found = differences(before, after);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].loosens
    };
    (one(before, after), one(after, before))
}

#[test]
fn a_scope_is_held_against_what_held_without_it() {
    let excluded = "scope = [{ client = 'a', detection.enabled = false }]";
    assert_eq!(loosens("", excluded), (true, false));
    let until = |day| {
        format!(
            "scope = [{{ client = 'a', until = '2027-01-{day}T00:00:00Z', detection.enabled = false }}]"
        )
    };
    assert_eq!(loosens(&until("10"), &until("20")), (true, false));
    assert_eq!(loosens(&until("10"), excluded), (true, false));
    // What is stricter for a while is looser when the while is cut short.
    let stricter = until("10").replace("enabled = false", "warm_up_jobs = 5");
    assert_eq!(loosens("", &stricter), (false, true));
    assert_eq!(
        loosens(&stricter.replace("-10T", "-20T"), &stricter),
        (true, false)
    );

    // Detection that is off for a policy is on again for one of its clients: no loosening, but to
    // take that back is.
    let off = "[[scope]]\npolicy = 'p'\ndetection.enabled = false\n";
    let again = format!("{off}[[scope]]\nclient = 'a'\ndetection.enabled = true");
    assert_eq!(loosens(off, &again), (false, true));
    // A client is only as strict as its policy, though the fleet is less so.
    let strict =
        "[detection]\nwarm_up_jobs = 30\n[[scope]]\npolicy = 'p'\ndetection.warm_up_jobs = 5\n";
    let client = format!("{strict}[[scope]]\nclient = 'a'\ndetection.warm_up_jobs = 20");
    assert!(loosens(strict, &client).0);
    // Of another policy it is none of its business.
    let other = client.replace("client = 'a'", "policy = 'q'");
    assert_eq!(loosens(strict, &other), (false, true));
}

#[test]
fn two_scopes_of_the_same_name_are_two_parts() {
    let one = "[[scope]]\nclient = 'a'\ndetection.seed = 1\n";
    let parts = settings(&one.repeat(2)).parts();
    let scopes: Vec<&str> = parts
        .names()
        .filter(|name| name.starts_with("scope"))
        .collect();
    assert_eq!(scopes, ["scope client a", "scope client a (2)"]);
}

#[test]
fn what_a_newer_version_wrote_is_left_out() {
    let mut parts = settings("[detection]\nseed = 7").parts();
    parts.set("detection.of_tomorrow", Some(1.into()));
    parts.set("detection.alarm_budget", Some("many".into()));
    assert_eq!(Settings::of_parts(&parts).detection.seed, 7);
}

//! What a sink wants, when it is told, and when again; and which options are refused.
#![allow(
    clippy::unnecessary_debug_formatting,
    reason = "a path in TOML stands in quotes"
)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "shared/mod.rs"]
mod shared;

use std::collections::BTreeSet;

use anomaly_model::chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use anomaly_model::{ReviewStatus, Severity};
use anomaly_notify::{
    Backoff, Event, IncidentChange, NotifyError, Sink, SinkOptions, SystemKind, What, check_names,
};
use proptest::prelude::*;

use shared::{
    anomaly, anomaly_of, event, incident, incident_of, night, review, sink, system, verdict,
};

const FILE: &str = "[file]\npath = \"/a\"\n";
const MAIL: &str = "[email]\nserver = \"localhost:25\"\ntls = \"none\"\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]\n";

fn of(options: &str, channel: &str) -> Sink {
    sink(&format!("name = \"a\"\n{options}\n{channel}"))
}

/// `deliver` can be awaited on any thread.
#[test]
fn delivering_can_move_between_threads() {
    fn is_send(_: &(impl Send + Sync)) {}
    fn future_is_send(_: impl Send) {}

    let file = of("", FILE);
    is_send(&file);
    let event = system();
    let events = [&event];
    future_is_send(file.deliver(&events, night()));
}

#[test]
fn a_sink_is_told_what_matters_to_it() {
    let wants = |options: &str, event: &Event| of(options, FILE).wants(event);
    let (low, high) = (anomaly(Severity::Low), anomaly(Severity::High));
    assert!(wants("", &low));
    assert!(!wants("min_severity = \"medium\"", &low) && wants("min_severity = \"medium\"", &high));
    assert!(!wants("events = [\"incident\"]", &high));
    assert!(wants(
        "events = [\"incident\"]",
        &incident(IncidentChange::Grown)
    ));
    assert!(wants(
        "events = [\"review\"]",
        &review(ReviewStatus::Confirmed)
    ));
    // A test is always wanted.
    let test = event(What::Test);
    assert!(wants(
        "min_severity = \"high\"\nevents = [\"incident\"]\nscope.clients = [\"x\"]",
        &test
    ));
}

#[test]
fn a_scope_covers_what_has_one_of_each_that_it_names() {
    let wants = |scope: &str, event: &Event| of(&format!("[scope]\n{scope}"), FILE).wants(event);
    let of_mail01 = anomaly(Severity::High);
    for (scope, is_wanted) in [
        ("clients = [\"mail01\"]", true),
        ("clients = [\"mail02\", \"mail01\"]", true),
        ("clients = [\"mail02\"]", false),
        ("clients = [\"mail\"]", false),
        (
            "policies = [\"daily\"]\npolicy_types = [\"filesystem\"]",
            true,
        ),
        ("clients = [\"mail01\"]\npolicies = [\"weekly\"]", false),
        ("policy_types = [\"vmware\"]", false),
    ] {
        assert_eq!(wants(scope, &of_mail01), is_wanted, "{scope}");
    }
    let both = incident(IncidentChange::Opened);
    assert!(wants("clients = [\"file02\"]", &both));
    assert!(!wants("clients = [\"db03\"]", &both));
    // What is not known may be there.
    assert!(wants(
        "policy_types = [\"vmware\"]",
        &review(ReviewStatus::Confirmed)
    ));
    let mut many = incident_of(
        &[verdict("mail01", "daily", "1", Severity::High)],
        IncidentChange::Opened,
    );
    many.incident.clients.and_more = true;
    assert!(wants(
        "clients = [\"db03\"]",
        &event(What::Incident(Box::new(many)))
    ));
    // The watching concerns everyone.
    assert!(wants("clients = [\"db03\"]", &system()));
}

#[test]
fn a_mail_about_an_incident_waits_for_what_else_there_is() {
    let mail = of("", MAIL);
    let now = night();
    let held = |event: &Event| mail.held_until(event, now);
    assert_eq!(held(&incident(IncidentChange::Opened)), None);
    assert_eq!(held(&system()), None);
    assert_eq!(held(&event(What::Test)), None);
    assert_eq!(held(&anomaly(Severity::High)), None);
    let grown = incident(IncidentChange::Grown);
    let end = held(&grown).unwrap();
    assert_eq!(
        end,
        "2026-11-25T23:00:00Z".parse::<DateTime<Utc>>().unwrap()
    );
    // What comes in the same hour becomes due at once with it, and then it is told.
    assert_eq!(held(&incident(IncidentChange::Closed)), Some(end));
    assert_eq!(mail.held_until(&grown, end), None);
    assert_eq!(
        of("", &format!("{MAIL}digest_minutes = 0")).held_until(&grown, now),
        None
    );
    // Nobody else collects.
    assert_eq!(of("", FILE).held_until(&grown, now), None);
    // The anomaly of an incident is in its mail; one of none is a mail of its own.
    let all = of("events = [\"anomaly\", \"incident\"]", MAIL);
    assert!(!all.wants(&anomaly(Severity::High)));
    assert!(all.wants(&anomaly_of(verdict("a", "b", "c", Severity::High), None)));
}

const NIGHTS: &str = "
    [[quiet]]
    from = \"22:00\"
    to = \"07:00\"
    zone = \"Europe/Berlin\"
    break_through = \"high\"
    [[quiet]]
    days = [\"sat\", \"sun\"]
    zone = \"Europe/Berlin\"
";

#[test]
fn quiet_hours_end_by_the_clock_of_their_zone() {
    let office = of(NIGHTS, FILE);
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    // Wednesday, 23:07 in Berlin.
    assert_eq!(
        office.quiet_until(night()),
        Some(at("2026-11-26T06:00:00Z"))
    );
    assert_eq!(office.quiet_until(at("2026-11-26T06:00:00Z")), None);
    // From Friday night over the weekend to Monday morning it is one silence.
    assert_eq!(
        office.quiet_until(at("2026-11-27T21:00:00Z")),
        Some(at("2026-11-30T06:00:00Z"))
    );
    // High breaks through nights, and not through weekends.
    assert_eq!(office.held_until(&anomaly(Severity::High), night()), None);
    assert!(
        office
            .held_until(&anomaly(Severity::Medium), night())
            .is_some()
    );
    let saturday = at("2026-11-28T12:00:00Z");
    assert_eq!(
        office.held_until(&anomaly(Severity::High), saturday),
        Some(at("2026-11-29T23:00:00Z"))
    );
    // The night in which the clock is set on, at 2:00 to 3:00, and the one in which it is set back.
    assert_eq!(
        office.quiet_until(at("2026-03-29T00:30:00Z")),
        Some(at("2026-03-30T05:00:00Z"))
    );
    let skipped = "[[quiet]]\nfrom = \"01:00\"\nto = \"02:30\"\nzone = \"Europe/Berlin\"";
    let skipped = of(skipped, FILE);
    assert_eq!(
        skipped.quiet_until(at("2026-03-29T00:30:00Z")),
        Some(at("2026-03-29T01:00:00Z"))
    );
    // The mail about what came in the night comes in the morning.
    let mail = of(NIGHTS, MAIL);
    let grown = incident_of(
        &[verdict("a", "b", "c", Severity::Low)],
        IncidentChange::Grown,
    );
    let grown = event(What::Incident(Box::new(grown)));
    assert_eq!(
        mail.held_until(&grown, night()),
        Some(at("2026-11-26T06:00:00Z"))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_silence_ends_and_not_before_its_end(
        days in proptest::sample::subsequence(vec!["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 1..=6),
        from in 0..24_u32,
        to in 0..24_u32,
        zone in proptest::sample::select(vec![
            "UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe",
        ]),
        minutes in 0..60_i64 * 24 * 366 * 20,
        part in 0..100_i32,
    ) {
        let options = format!(
            "[[quiet]]\ndays = {days:?}\nfrom = \"{from:02}:15\"\nto = \"{to:02}:15\"\nzone = \"{zone}\""
        );
        let sink = of(&options, FILE);
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(365 * 40) + TimeDelta::minutes(minutes);
        if let Some(end) = sink.quiet_until(now) {
            prop_assert!(end > now && end <= now + TimeDelta::days(8));
            prop_assert_eq!(sink.quiet_until(end), None);
            let between = now + (end - now) * part / 100;
            prop_assert_eq!(sink.quiet_until(between), Some(end));
            prop_assert_eq!(end.minute() % 15, 0);
        }
    }

    #[test]
    fn waits_grow_to_the_longest_and_end(attempts in 1..10_000_u32, seed: u64) {
        let backoff = Backoff::default();
        let now = night();
        match backoff.next(attempts, now, seed) {
            Some(next) => {
                let most = TimeDelta::seconds(10 << (attempts - 1).min(20)).min(backoff.longest);
                prop_assert!(next - now >= most / 2 && next - now <= most, "{}", next - now);
            }
            // The first waits are 10, 20, 40 s and so on, eight of them under the hour.
            None => prop_assert!(attempts > 72),
        }
        prop_assert!(backoff.next(attempts, now, seed).is_some() || backoff.next(attempts + 1, now, seed).is_none());
    }
}

#[test]
fn what_failed_at_once_is_not_tried_again_at_once() {
    let next = |seed| Backoff::default().next(12, night(), seed).unwrap();
    let mut times: Vec<_> = (0..100).map(next).collect();
    times.sort_unstable();
    times.dedup();
    assert!(times.len() > 90);
    assert_eq!(next(7), next(7));
}

/// Options, and what must be in the reason for which they are refused.
const REFUSED: &[(&str, &str)] = &[
    ("name = \"a\"", "exactly one of the tables"),
    (
        "name = \"a\"\n[file]\npath = \"/a\"\n[command]\nargv = [\"/b\"]",
        "exactly one of the tables",
    ),
    (
        "name = \"A b\"\n[file]\npath = \"/a\"",
        "lower-case letters",
    ),
    (
        "name = \"a\"\nmin_severty = \"low\"\n[file]\npath = \"/a\"",
        "unknown field `min_severty`",
    ),
    (
        "name = \"a\"\nevents = []\n[file]\npath = \"/a\"",
        "never be told anything",
    ),
    ("name = \"a\"\n[file]\npath = \"a\"", "must be absolute"),
    (
        "name = \"a\"\n[file]\npath = \"/a\"\nformat = \"text\"",
        "must be one of ocsf, cloudevents, cef",
    ),
    (
        "name = \"a\"\n[webhook]\nurl = \"http://siem.example/\"",
        "must begin with https",
    ),
    (
        "name = \"a\"\n[webhook]\nurl = \"https://u:p@siem.example/\"",
        "use `token_file`",
    ),
    (
        "name = \"a\"\n[webhook]\nurl = \"file:///etc/passwd\"",
        "must begin with https",
    ),
    (
        "name = \"a\"\n[webhook]\nurl = \"https://a.example\"\nproxy = \"http://u:p@b.example\"",
        "without a user",
    ),
    (
        "name = \"a\"\n[webhook]\ntimeout_seconds = 9",
        "one of `url` and `url_file`",
    ),
    (
        "name = \"a\"\n[webhook]\nurl = \"https://a.example\"\ntimeout_seconds = 0",
        "1 to 600",
    ),
    (
        "name = \"a\"\n[webhook]\nurl = \"https://a.example\"\nsecret = \"x\"",
        "unknown field `secret`",
    ),
    (
        "name = \"a\"\n[email]\nserver = \"mail.example:25\"\ntls = \"none\"\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]",
        "`starttls` or `tls` only",
    ),
    (
        "name = \"a\"\n[email]\nserver = \"mail.example\"\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]",
        "a host and a port",
    ),
    (
        "name = \"a\"\n[email]\nserver = \"mail.example:587\"\nfrom = \"a@b.example\"\nto = [\"c@d.example\\r\\nBcc: e@f.example\"]",
        "must be a mail address",
    ),
    (
        "name = \"a\"\n[email]\nserver = \"mail.example:587\"\nfrom = \"a@b.example\"\nto = []",
        "names nobody",
    ),
    (
        "name = \"a\"\n[email]\nserver = \"mail.example:587\"\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]\nusername = \"u\"",
        "belong together",
    ),
    (
        "name = \"a\"\n[syslog]\nserver = \"log.example:514\"\ntransport = \"tcp\"\nca_file = \"/a\"",
        "certificates are for",
    ),
    (
        "name = \"a\"\n[syslog]\nserver = \"log.example:514\"\ntransport = \"udp\"\nhostname = \"a b\"",
        "visible ASCII",
    ),
    (
        "name = \"a\"\n[command]\nargv = [\"page\"]",
        "absolute path",
    ),
    (
        "name = \"a\"\n[file]\npath = \"/a\"\n[[quiet]]\nfrom = \"25:00\"",
        "is no time",
    ),
    (
        "name = \"a\"\n[file]\npath = \"/a\"\n[[quiet]]\ndays = []",
        "without a day",
    ),
    (
        "name = \"a\"\n[file]\npath = \"/a\"\n[[quiet]]\nzone = \"Berlin\"",
        "Berlin",
    ),
    (
        "name = \"a\"\n[file]\npath = \"/a\"\n[[quiet]]",
        "the whole week",
    ),
];

#[test]
fn options_that_make_no_sense_are_refused_with_the_reason() {
    let refused = |toml: &str| {
        let error = toml::from_str::<SinkOptions>(toml).expect_err(toml);
        error.message().to_owned()
    };
    for (toml, reason) in REFUSED {
        let said = refused(toml);
        assert!(said.contains(reason), "{toml}\n{said}");
    }
}

#[test]
fn two_sinks_have_two_names() {
    let options = |name: &str| -> SinkOptions {
        toml::from_str(&format!("name = {name:?}\n{FILE}")).unwrap()
    };
    assert!(check_names(&[options("a"), options("b")]).is_ok());
    let error = check_names(&[options("a"), options("b"), options("a")]).unwrap_err();
    assert_eq!(error.to_string(), "two sinks have the name `a`");
}

#[cfg(unix)]
#[test]
fn a_secret_that_others_may_read_is_refused_and_never_shown() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("key");
    let open = |text: &str, mode: u32| {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let toml =
            format!("name = \"a\"\n[webhook]\nurl = \"https://a.example\"\nsecret_file = {path:?}");
        Sink::open(toml::from_str(&toml).unwrap())
    };
    let long = "correct horse battery staple";
    assert!(open(long, 0o600).is_ok() && open(long, 0o640).is_ok());
    for (text, mode, reason) in [
        (long, 0o644, "every user of this machine"),
        ("short", 0o600, "24 bytes or more"),
        (" \n", 0o600, "is empty"),
        ("whsec_correct horse", 0o600, "is not base64"),
    ] {
        let error = open(text, mode).unwrap_err();
        assert!(matches!(error, NotifyError::Secret { .. }));
        let shown = format!("{error:?} {error}");
        assert!(shown.contains(reason), "{shown}");
        assert!(
            !shown.contains("correct") && !shown.contains("short\""),
            "{shown}"
        );
    }
}

#[test]
fn every_kind_of_system_event_has_a_word_and_a_title_of_its_own() {
    let words: BTreeSet<&str> = SystemKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let titles: BTreeSet<&str> = SystemKind::ALL.iter().map(|kind| kind.title()).collect();
    let count = SystemKind::ALL.len();
    assert_eq!((words.len(), titles.len()), (count, count));
    for kind in SystemKind::ALL {
        let written = serde_json::to_string(kind).unwrap();
        assert_eq!(written, format!("\"{}\"", kind.as_str()));
    }
}

//! Names of strangers: whatever they are, they stay names.

use anomaly_model::chrono::TimeDelta;
use anomaly_model::{Severity, Verdict};
use anomaly_notify::{Event, IncidentChange, SystemKind, SystemNews, What};
use proptest::prelude::*;

use crate::shared::{HOSTILE, anomaly_of, event, incident_of, night, sink, verdict};

/// Text with more of what separates and acts than chance would give.
fn text() -> impl Strategy<Value = String> {
    let nasty = proptest::sample::select(vec![
        "\r\n",
        "\n",
        "\r",
        "|",
        "=",
        "]",
        "[",
        "\\",
        "\"",
        "<",
        ">",
        "&",
        "\u{0}",
        "\u{1b}",
        "\u{85}",
        "\u{2028}",
        "\u{202e}",
        "\u{feff}",
        ".",
        "\n.\r\n",
        "Bcc: a@b.c",
        " ",
    ]);
    let part = prop_oneof![
        nasty.prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
        "[a-z]{1,8}",
    ];
    let made = proptest::collection::vec(part, 1..12).prop_map(|parts| parts.concat());
    let picked = proptest::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned);
    prop_oneof![4 => made, 1 => picked]
        .prop_filter("names are not blank", |text| !text.trim().is_empty())
}

fn hostile(client: &str, policy: &str, job: &str, summary: &str) -> Verdict {
    let mut verdict = verdict(client, policy, job, Severity::High);
    summary.clone_into(&mut verdict.summary);
    verdict
}

/// One event of each kind with these texts wherever a stranger may put one.
fn events(a: &str, b: &str, c: &str) -> Vec<Event> {
    let verdict = hostile(a, b, c, c);
    let opened = incident_of(std::slice::from_ref(&verdict), IncidentChange::Opened);
    let system = SystemNews::new(SystemKind::SourceDegraded, Severity::Low, a, b).done_by(c);
    vec![
        anomaly_of(verdict, None).with_link(b),
        event(What::Incident(Box::new(opened))),
        event(What::System(system)),
    ]
}

fn acts(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}'..='\u{202e}' | '\u{feff}')
}

fn told(toml: &str, event: &Event) -> String {
    let parts = sink(toml)
        .preview(&[event], night() + TimeDelta::hours(1))
        .unwrap();
    String::from_utf8(parts.concat()).unwrap()
}

/// Splits a CEF header at the separators that are not escaped.
fn cef_parts(line: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' if parts.len() < 8 => parts.last_mut().unwrap().extend(characters.next()),
            '|' if parts.len() < 8 => parts.push(String::new()),
            _ => parts.last_mut().unwrap().push(character),
        }
    }
    parts
}

/// The keys of a CEF extension: words before an `=` that is not escaped.
fn cef_keys(extension: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut before = String::new();
    let mut characters = extension.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => before.extend(characters.next()),
            '=' => keys.push(before.rsplit(' ').next().unwrap().to_owned()),
            _ => {}
        }
        before.push(character);
    }
    keys
}

const CEF: &str = "name = \"a\"\n[file]\npath = \"/a\"\nformat = \"cef\"";
const SYSLOG: &str =
    "name = \"a\"\n[syslog]\nserver = \"[::1]:514\"\ntransport = \"udp\"\nhostname = \"host\"";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn cef_is_one_line_with_the_fields_that_were_meant(a in text(), b in text(), c in text()) {
        let usual: Vec<Vec<String>> = events("a", "b", "c")
            .iter()
            .map(|event| cef_keys(&cef_parts(&told(CEF, event))[7]))
            .collect();
        for (event, usual) in events(&a, &b, &c).iter().zip(usual) {
            let line = told(CEF, event);
            prop_assert!(!line.contains(acts), "{line:?}");
            let parts = cef_parts(&line);
            prop_assert_eq!(parts.len(), 8);
            prop_assert_eq!((parts[0].as_str(), parts[1].as_str()), ("CEF:0", "Backwatch"));
            prop_assert!(parts[6].parse::<u8>().is_ok_and(|severity| severity <= 10));
            prop_assert_eq!(cef_keys(&parts[7]), usual);
        }
    }

    #[test]
    fn syslog_is_one_message_with_one_element(a in text(), b in text(), c in text()) {
        for event in events(&a, &b, &c) {
            let message = told(SYSLOG, &event);
            let (head, rest) = message.split_once(" [").unwrap();
            prop_assert!(head.is_ascii() && head.split(' ').count() == 6, "{head}");
            // The element ends at the first `]` that is not escaped; then come the mark and the text.
            let mut is_escaped = false;
            let end = rest.char_indices().find(|(_, character)| {
                let ends = *character == ']' && !is_escaped;
                is_escaped = *character == '\\' && !is_escaped;
                ends
            });
            let (data, text) = rest.split_at(end.unwrap().0);
            prop_assert!(text.starts_with("] \u{feff}"), "{message:?}");
            prop_assert!(!data.contains(acts), "{data:?}");
            prop_assert!(!text["] \u{feff}".len()..].contains(acts), "{text:?}");
        }
    }

    #[test]
    fn json_is_one_line_and_keeps_names_as_they_are(a in text(), b in text(), c in text()) {
        for format in ["cloudevents", "ocsf"] {
            let toml = format!("name = \"a\"\n[file]\npath = \"/a\"\nformat = \"{format}\"");
            let line = told(&toml, &events(&a, &b, &c)[0]);
            prop_assert!(!line.contains('\n'));
            let json: serde_json::Value = serde_json::from_str(&line).unwrap();
            let client = match format {
                "ocsf" => json.pointer("/resources/0/name"),
                _ => json.pointer("/data/anomaly/verdict/client"),
            };
            prop_assert_eq!(client.and_then(|name| name.as_str()), Some(a.as_str()));
        }
    }

    #[test]
    fn a_mail_has_the_headers_and_the_markup_that_were_meant(
        a in text(), b in text(), c in text(),
    ) {
        let usual = events("a", "b", "c").iter().map(crate::mail::shape).collect::<Vec<_>>();
        for (event, usual) in events(&a, &b, &c).iter().zip(usual) {
            prop_assert_eq!(crate::mail::shape(event), usual);
        }
    }
}

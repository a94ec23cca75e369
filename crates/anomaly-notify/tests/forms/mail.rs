//! Mails as whole: their headers, their threads, and what is in them.

use anomaly_model::chrono::TimeDelta;
use anomaly_model::{ReviewStatus, Severity};
use anomaly_notify::{Event, IncidentChange, Sink, What};

use crate::shared::{anomaly, anomaly_of, incident, night, review, sink, system, verdict};

fn ops() -> Sink {
    sink(
        "
        name = \"ops\"
        [email]
        server = \"localhost:25\"
        tls = \"none\"
        from = \"Backwatch <backwatch@example.org>\"
        to = [\"Operators <ops@example.org>\"]",
    )
}

fn mail(events: &[&Event]) -> String {
    let mails = ops()
        .preview(events, night() + TimeDelta::hours(1))
        .unwrap();
    String::from_utf8(mails.concat()).unwrap()
}

fn header<'a>(mail: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = mail.split_once("\r\n\r\n").unwrap();
    let found = head
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    found.map(str::trim)
}

/// Undoes quoted-printable or base64, as the part says.
fn decoded(part: &str) -> String {
    let (head, body) = part.split_once("\r\n\r\n").unwrap();
    if head.to_lowercase().contains("base64") {
        use base64::Engine as _;

        let text = body.replace(['\r', '\n'], "");
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(text)
            .unwrap();
        return String::from_utf8(bytes).unwrap();
    }
    if !head.to_lowercase().contains("quoted-printable") {
        return body.to_owned();
    }
    let body = body.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = body.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if let (b'=', [high, low, tail @ ..]) = (first, tail) {
            let hex = String::from_utf8(vec![*high, *low]).unwrap();
            bytes.push(u8::from_str_radix(&hex, 16).unwrap());
            rest = tail;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The plain text and the HTML of a mail.
fn parts(mail: &str) -> (String, String) {
    let boundary = mail
        .split_once("boundary=\"")
        .unwrap()
        .1
        .split_once('"')
        .unwrap()
        .0;
    let parts: Vec<&str> = mail.split(&format!("--{boundary}")).collect();
    assert_eq!(parts.len(), 4, "{mail}");
    let part = |position: usize| decoded(parts[position].trim_start());
    (part(1), part(2))
}

/// What must not depend on names: the names of the headers, the lines of the plain text by their
/// count, and the tags of the HTML.
pub(crate) fn shape(event: &Event) -> (Vec<String>, usize, Vec<String>) {
    let mail = mail(&[event]);
    let (head, _) = mail.split_once("\r\n\r\n").unwrap();
    let lines = head
        .split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']));
    let headers = lines
        .map(|line| line.split(':').next().unwrap().to_owned())
        .collect();
    let (plain, html) = parts(&mail);
    assert!(!plain.replace("\r\n", "").contains(|character: char| {
        character != '\n' && (character.is_control() || character == '\u{202e}')
    }));
    let tags = html.split('<').skip(1).map(|tag| {
        let tag = tag.split('>').next().unwrap();
        // Addresses of links differ.
        tag.split("href=").next().unwrap().to_owned()
    });
    let tags: Vec<String> = tags.collect();
    (headers, plain.trim_end().lines().count(), tags)
}

/// A mail server keeps one mail for each `Message-ID`.
#[test]
fn the_review_of_an_anomaly_without_an_incident_answers_its_mail() {
    let found = anomaly_of(verdict("mail01", "daily", "d03-0056", Severity::High), None);
    let mut decided = review(ReviewStatus::Confirmed);
    if let What::Review(news) = &mut decided.what {
        news.incident = None;
    }
    let (found, decided) = (mail(&[&found]), mail(&[&decided]));
    let root = header(&found, "Message-ID").unwrap();
    assert_ne!(header(&decided, "Message-ID"), Some(root));
    assert_eq!(header(&decided, "In-Reply-To"), Some(root));
}

#[test]
fn mails_of_one_incident_are_a_thread() {
    let opened = mail(&[&incident(IncidentChange::Opened)]);
    let grown = mail(&[&incident(IncidentChange::Grown)]);
    let root = header(&opened, "Message-ID").unwrap();
    assert!(header(&opened, "In-Reply-To").is_none());
    assert_eq!(header(&grown, "In-Reply-To"), Some(root));
    assert_eq!(header(&grown, "References"), Some(root));
    assert_ne!(header(&grown, "Message-ID"), Some(root));
    assert!(root.ends_with("@example.org>"));
    assert_eq!(
        header(&opened, "List-Id"),
        Some("Backwatch ops <ops.backwatch.example.org>")
    );
    assert_eq!(header(&opened, "Auto-Submitted"), Some("auto-generated"));
    // The same mail again is known by its id.
    assert_eq!(opened, mail(&[&incident(IncidentChange::Opened)]));
}

#[test]
fn one_mail_tells_all_that_is_due_of_an_incident() {
    let events = vec![
        incident(IncidentChange::Opened),
        system(),
        incident(IncidentChange::Grown),
        review(anomaly_model::ReviewStatus::Confirmed),
    ];
    let ops = ops();
    assert_eq!(ops.groups(&events), [vec![0, 2, 3], vec![1]]);
    let (plain, html) = parts(&mail(&[&events[0], &events[2], &events[3]]));
    for text in [&plain, &html] {
        for what in [
            "Incident 12",
            "2 anomalies on 2 clients (file02, mail01)",
            "mail01 / daily / full",
            "content entropy",
            "4.20 to 5.00 bits",
            "2026-11-24 22:07 UTC, job d03-0055, confidence medium",
            "Confirmed by alice",
            "https://backwatch.example/incidents/12",
        ] {
            assert!(text.contains(what), "{what} is not in\n{text}");
        }
        // Each job once, however often it was told.
        assert_eq!(text.matches("score 9.0").count(), 2, "{text}");
    }
    // What belongs to an incident is no mail of its own.
    assert!(!ops.wants(&anomaly(Severity::High)));
}

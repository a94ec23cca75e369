//! A message as RFC 5424 says.

use std::fmt::Write as _;

use anomaly_model::Severity;

use crate::event::Activity;
use crate::text::one_line;
use crate::{Event, Format, NotifyError, SyslogOptions, Topic, What, body, host};

/// No value of the structured data is longer, in characters.
const MOST_VALUE: usize = 255;

/// What is the same in all messages of one sink.
pub(super) struct Header {
    facility: u8,
    hostname: String,
    enterprise_number: u32,
    format: Format,
}

impl Header {
    pub(super) fn new(options: &SyslogOptions) -> Self {
        let hostname = options
            .hostname
            .clone()
            .or_else(host::name)
            .unwrap_or_default();
        Self {
            facility: options.facility.number(),
            hostname: field(&hostname, 255),
            enterprise_number: options.enterprise_number,
            format: options.format,
        }
    }

    /// The message about an event.
    pub(super) fn message(&self, event: &Event) -> Result<Vec<u8>, NotifyError> {
        let priority = u32::from(self.facility) * 8 + severity(event);
        let at = event.at.format("%Y-%m-%dT%H:%M:%S%.6fZ");
        let message_id = event.topic().as_str().to_uppercase();
        let head = format!(
            "<{priority}>1 {at} {} backwatch - {message_id} {} ",
            self.hostname,
            self.structured_data(event)
        );
        let mut message = head.into_bytes();
        if self.format == Format::Text {
            // Says that what follows is UTF-8; readers of the other forms would stumble over it.
            message.extend_from_slice("\u{feff}".as_bytes());
        }
        message.extend_from_slice(body::line(event, self.format)?.as_bytes());
        Ok(message)
    }

    fn structured_data(&self, event: &Event) -> String {
        let mut data = format!("[backwatch@{}", self.enterprise_number);
        for (name, value) in parameters(event) {
            _ = write!(data, " {name}=\"{}\"", parameter_value(&value));
        }
        data.push(']');
        data
    }
}

/// RFC 5424, 6.2.1: 2 critical, 3 error, 4 warning, 5 notice, 6 informational.
fn severity(event: &Event) -> u32 {
    let is_over = event.what.activity() == Activity::Closed;
    match event.severity() {
        _ if event.topic() == Topic::Test => 6,
        _ if is_over || event.topic() == Topic::Review => 5,
        Severity::High => 2,
        Severity::Medium => 3,
        _ => 4,
    }
}

fn parameters(event: &Event) -> Vec<(&'static str, String)> {
    let mut parameters = vec![
        ("id", event.id.clone()),
        ("finding", event.finding_uid()),
        ("instance", event.instance.clone()),
        ("activity", event.what.activity().as_str().to_owned()),
        ("severity", event.severity().as_str().to_owned()),
    ];
    if let Some(number) = event.incident() {
        parameters.push(("incident", number.to_string()));
    }
    match &event.what {
        What::Anomaly(news) => {
            let verdict = &news.anomaly.verdict;
            parameters.extend([
                ("client", verdict.client.to_string()),
                ("policy", verdict.policy.to_string()),
                ("source", verdict.source.to_string()),
                ("job", verdict.job_id.to_string()),
            ]);
            if let Some(kind) = verdict.kind() {
                parameters.push(("kind", kind.as_str().to_owned()));
            }
            if let Some(score) = verdict.score() {
                parameters.push(("score", format!("{score:.3}")));
            }
        }
        What::Review(news) => parameters.extend([
            ("client", news.client.to_string()),
            ("policy", news.policy.to_string()),
            ("source", news.job.source.to_string()),
            ("job", news.job.job_id.to_string()),
            ("review", news.review.status.as_str().to_owned()),
            ("by", news.review.recorded_by().to_owned()),
        ]),
        What::Incident(news) => parameters.extend([
            ("kind", news.incident.kind().as_str().to_owned()),
            ("anomalies", news.incident.anomalies().to_string()),
            ("clients", news.incident.clients.names.len().to_string()),
        ]),
        What::System(news) => parameters.extend([
            ("kind", news.kind.as_str().to_owned()),
            ("subject", news.subject.clone()),
        ]),
        What::Test => {}
    }
    if let Some(link) = &event.link {
        parameters.push(("link", link.clone()));
    }
    parameters
}

/// Escapes `"`, `\` and `]`, in one line.
pub(super) fn parameter_value(text: &str) -> String {
    let mut value = String::new();
    for character in one_line(text, MOST_VALUE).chars() {
        if matches!(character, '"' | '\\' | ']') {
            value.push('\\');
        }
        value.push(character);
    }
    value
}

/// A field of a header: visible ASCII, or `-` for nothing.
fn field(text: &str, most: usize) -> String {
    let visible = text.chars().filter(char::is_ascii_graphic);
    let visible: String = visible.take(most).collect();
    if visible.is_empty() {
        "-".to_owned()
    } else {
        visible
    }
}

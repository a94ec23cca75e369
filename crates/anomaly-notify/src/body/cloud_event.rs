//! An event in the form of `CloudEvents` 1.0, structured, in JSON.

use anomaly_model::Severity;
use anomaly_model::chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{Event, NotifyError, Topic, What};

/// The media type of this form.
pub(crate) const MEDIA_TYPE: &str = "application/cloudevents+json";

#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: &'a str,
    source: String,
    r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    time: DateTime<Utc>,
    /// An extension: so that a receiver can sort without looking into the data.
    severity: Severity,
    datacontenttype: &'static str,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    finding_uid: String,
    link: Option<&'a str>,
    #[serde(flatten)]
    what: &'a What,
}

/// One line of JSON.
pub(crate) fn json(event: &Event) -> Result<String, NotifyError> {
    let cloud_event = CloudEvent {
        specversion: "1.0",
        id: &event.id,
        source: format!("/instances/{}", event.instance),
        r#type: type_of(event),
        subject: subject(event),
        time: event.at,
        severity: event.severity(),
        datacontenttype: "application/json",
        data: Data {
            finding_uid: event.finding_uid(),
            link: event.link.as_deref(),
            what: &event.what,
        },
    };
    serde_json::to_string(&cloud_event).map_err(|error| NotifyError::Body {
        reason: error.to_string(),
    })
}

/// A review is a change of the anomaly that it is about.
fn type_of(event: &Event) -> String {
    let topic = match event.topic() {
        Topic::Review => Topic::Anomaly,
        topic => topic,
    };
    match topic {
        Topic::System | Topic::Test => format!("io.backwatch.{}.v1", topic.as_str()),
        _ => format!(
            "io.backwatch.{}.{}.v1",
            topic.as_str(),
            event.what.activity().as_str()
        ),
    }
}

fn subject(event: &Event) -> Option<String> {
    match &event.what {
        What::Anomaly(news) => {
            let verdict = &news.anomaly.verdict;
            Some(format!("{}/{}", verdict.client, verdict.policy))
        }
        What::Review(news) => Some(format!("{}/{}", news.client, news.policy)),
        What::Incident(news) => Some(format!("incidents/{}", news.number)),
        // An empty subject is not allowed.
        What::System(news) => Some(news.subject.clone()).filter(|subject| !subject.is_empty()),
        What::Test => None,
    }
}

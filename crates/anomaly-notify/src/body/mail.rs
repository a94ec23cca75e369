//! A mail about one incident, or about something else that happened.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anomaly_model::{JobKey, Severity};
use askama::Template;

use super::words;
use crate::text::one_line;
use crate::{AnomalyLine, Event, IncidentNews, RecoveryLine, Topic, What};

/// No subject is longer, in characters.
const MOST_SUBJECT: usize = 150;
/// No sentence of others is longer.
const MOST_SENTENCE: usize = 1_000;

/// What a mail tells, each text in one line that does nothing.
pub(crate) struct Digest {
    severity: Severity,
    /// The severity, or that it is a test.
    mark: String,
    title: String,
    instance: String,
    /// Sentences under the title.
    notes: Vec<String>,
    anomalies: Vec<Anomaly>,
    more_anomalies: u64,
    recovery: Vec<Recovery>,
    decisions: Vec<String>,
    link: Option<String>,
}

struct Anomaly {
    severity: Severity,
    when: String,
    stream: String,
    score: String,
    summary: String,
    /// What, how much, and how much usually.
    findings: Vec<(String, String, String)>,
    link: Option<String>,
}

struct Recovery {
    stream: String,
    image: String,
    reasons: Vec<String>,
}

impl Digest {
    /// What is told of `events`, all of which are of the same incident, or one of none.
    pub(crate) fn of(events: &[&Event]) -> Self {
        let incident = events.iter().rev().find_map(|event| match &event.what {
            What::Incident(news) => Some((*event, &**news)),
            _ => None,
        });
        let told = incident.map(|(event, _)| event).or(events.last().copied());
        let severity = events.iter().map(|event| event.severity()).max();
        let severity = severity.unwrap_or(Severity::Low);
        let is_test = told.is_some_and(|event| event.topic() == Topic::Test);
        let mut digest = Self {
            severity,
            mark: if is_test {
                "TEST".to_owned()
            } else {
                words::severity_word(severity)
            },
            title: told.map_or_else(String::new, words::title),
            instance: told.map_or_else(String::new, |event| words::name(&event.instance)),
            notes: Vec::new(),
            anomalies: Vec::new(),
            more_anomalies: 0,
            recovery: Vec::new(),
            decisions: Vec::new(),
            link: told.and_then(|event| event.link.as_deref()).map(safe_link),
        };
        if let Some((_, news)) = incident {
            digest.add_incident(news);
        }
        let mut told_jobs: BTreeSet<JobKey> = BTreeSet::new();
        let mut lines = Vec::new();
        for event in events {
            digest.add_event(event, &mut lines);
        }
        lines.retain(|line| told_jobs.insert(line.job.clone()));
        lines.sort_by(|a, b| {
            b.severity
                .cmp(&a.severity)
                .then(a.started_at.cmp(&b.started_at))
        });
        lines.truncate(IncidentNews::MOST_ANOMALIES);
        if let Some((_, news)) = incident {
            digest.more_anomalies = news.incident.anomalies().saturating_sub(lines.len() as u64);
        }
        digest.anomalies = lines.iter().map(Anomaly::of).collect();
        digest
    }

    fn add_incident(&mut self, news: &IncidentNews) {
        let incident = &news.incident;
        let (first, last) = (
            words::when(incident.first_seen),
            words::when(incident.last_seen),
        );
        self.notes
            .push(format!("First seen {first} UTC, last seen {last} UTC."));
        self.notes
            .push(format!("Clients: {}", words::names(&incident.clients)));
        self.notes
            .push(format!("Policies: {}", words::names(&incident.policies)));
        self.recovery = news.recovery.iter().map(Recovery::of).collect();
    }

    fn add_event(&mut self, event: &Event, lines: &mut Vec<AnomalyLine>) {
        match &event.what {
            What::Anomaly(news) => {
                if let Some(job) = &news.anomaly.last_normal {
                    let id = words::name(job.key.job_id.as_str());
                    let when = words::when(job.started_at);
                    self.notes
                        .push(format!("Last job that looks clean: {when} UTC ({id})"));
                }
                let found = AnomalyLine::of(&news.anomaly.verdict);
                lines.extend(found.map(|line| match &event.link {
                    Some(address) => line.with_link(address),
                    None => line,
                }));
            }
            What::Incident(news) => lines.extend(news.anomalies.iter().cloned()),
            What::Review(news) => self.decisions.push(format!(
                "{} UTC  {}",
                words::when(news.review.recorded_at()),
                words::message(event)
            )),
            What::System(news) => {
                self.notes.push(format!("{} UTC", words::when(event.at)));
                self.notes
                    .push(one_line(&news.summary, MOST_SENTENCE).into_owned());
                if let Some(by) = &news.by {
                    self.notes.push(format!("By {}.", words::name(by)));
                }
            }
            What::Test => self.notes.push(words::message(event)),
        }
    }

    pub(crate) fn severity(&self) -> Severity {
        self.severity
    }

    pub(crate) fn subject(&self) -> String {
        let subject = format!("[Backwatch] {}: {}", self.mark, self.title);
        one_line(&subject, MOST_SUBJECT).into_owned()
    }

    pub(crate) fn html(&self, sink: &str) -> Result<String, askama::Error> {
        Page { digest: self, sink }.render()
    }

    pub(crate) fn plain(&self, sink: &str) -> String {
        let mut text = String::new();
        self.write_plain(&mut text, sink)
            .map_or_else(|_| String::new(), |()| text)
    }

    fn write_plain(&self, out: &mut String, sink: &str) -> std::fmt::Result {
        writeln!(out, "{}  {}", self.mark, self.title)?;
        if !self.notes.is_empty() {
            writeln!(out)?;
        }
        for note in &self.notes {
            writeln!(out, "{note}")?;
        }
        if !self.anomalies.is_empty() {
            writeln!(out, "\nWhat is strange")?;
        }
        for anomaly in &self.anomalies {
            anomaly.write_plain(out)?;
        }
        if self.more_anomalies > 0 {
            writeln!(out, "\n  and {} more", self.more_anomalies)?;
        }
        if !self.recovery.is_empty() {
            writeln!(out, "\nWhere to restore from")?;
        }
        for recovery in &self.recovery {
            writeln!(out, "  {}\n    {}", recovery.stream, recovery.image)?;
            for reason in &recovery.reasons {
                writeln!(out, "    {reason}")?;
            }
        }
        if !self.decisions.is_empty() {
            writeln!(out, "\nWhat was decided")?;
        }
        for decision in &self.decisions {
            writeln!(out, "  {decision}")?;
        }
        if let Some(link) = &self.link {
            writeln!(out, "\nLook and decide: {link}")?;
        }
        writeln!(out, "\n-- \n{}", self.signature(sink))
    }

    fn signature(&self, sink: &str) -> String {
        format!(
            "Backwatch {}, sink {sink}. Times are in UTC.",
            self.instance
        )
    }
}

impl Anomaly {
    fn of(line: &AnomalyLine) -> Self {
        let findings = line.findings.iter().filter_map(words::finding);
        Self {
            severity: line.severity,
            when: words::when(line.started_at),
            stream: words::stream(
                line.client.as_str(),
                line.policy.as_str(),
                line.schedule_type,
            ),
            score: match line.score {
                Some(score) if !line.findings.is_empty() => format!("score {score:.1}"),
                _ => "by rule".to_owned(),
            },
            summary: one_line(&line.summary, MOST_SENTENCE).into_owned(),
            findings: findings.collect(),
            link: line.link.as_deref().map(safe_link),
        }
    }

    fn severity_word(&self) -> String {
        words::severity_word(self.severity)
    }

    fn write_plain(&self, out: &mut String) -> std::fmt::Result {
        let (word, when, stream, score) =
            (self.severity_word(), &self.when, &self.stream, &self.score);
        writeln!(out, "\n  {word}  {when}  {stream}  {score}")?;
        writeln!(out, "    {}", self.summary)?;
        let width = |cell: fn(&(String, String, String)) -> &String| {
            let widths = self.findings.iter().map(|row| cell(row).chars().count());
            widths.max().unwrap_or(0)
        };
        let (name, value) = (width(|row| &row.0), width(|row| &row.1));
        for (what, observed, usual) in &self.findings {
            writeln!(
                out,
                "      {what:name$}    {observed:value$}    usual {usual}"
            )?;
        }
        if let Some(link) = &self.link {
            writeln!(out, "    {link}")?;
        }
        Ok(())
    }
}

impl Recovery {
    fn of(line: &RecoveryLine) -> Self {
        let image = match &line.image {
            Some(job) => {
                let confidence = line.confidence;
                let sure = confidence.map(|confidence| format!(", confidence {confidence}"));
                format!(
                    "{} UTC, job {}{}",
                    words::when(job.started_at),
                    words::name(job.key.job_id.as_str()),
                    sure.unwrap_or_default()
                )
            }
            None => "no image that looks clean".to_owned(),
        };
        let reasons = line.reasons.iter();
        Self {
            stream: one_line(&line.stream, 3 * words::MOST_NAME).into_owned(),
            image,
            reasons: reasons
                .map(|reason| one_line(reason, MOST_SENTENCE).into_owned())
                .collect(),
        }
    }
}

/// A link that a mail program opens in a browser, or nothing that can be clicked on.
fn safe_link(address: &str) -> String {
    let is_web = address.starts_with("https://") || address.starts_with("http://");
    let line = one_line(address, 2_000);
    if is_web {
        line.into_owned()
    } else {
        format!("({line})")
    }
}

#[derive(Template)]
#[template(path = "digest.html")]
struct Page<'a> {
    digest: &'a Digest,
    sink: &'a str,
}

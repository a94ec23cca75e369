//! The default view: each anomaly with its reasons, then a summary.

use std::io::{self, Write};

use anomaly_features::{counted, label};
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{Anomaly, Finding, JobRef, Severity, Verdict};
use anstyle::{AnsiColor, Style};

use crate::found::Found;
use crate::input::FileSummary;
use crate::report::{files, summary};
use crate::terminal::harmless;

const MOST_COLUMNS: usize = 100;
pub(crate) const INDENT: &str = "      ";
const WHEN: &str = "%Y-%m-%d %H:%M";

pub(super) fn print(out: &mut impl Write, found: &Found) -> io::Result<()> {
    for file in &found.files {
        writeln!(out, "{}", harmless(&headline(file)))?;
    }
    writeln!(out)?;
    anomalies(out, found)?;
    summary::print(out, found)
}

/// What is new: little, unless something is anomalous.
pub(super) fn news(out: &mut impl Write, found: &Found) -> io::Result<()> {
    if found.anomalies.is_empty() {
        return summary::print_news(out, found);
    }
    anomalies(out, found)?;
    summary::print(out, found)
}

fn anomalies(out: &mut impl Write, found: &Found) -> io::Result<()> {
    for anomaly in &found.anomalies {
        print_anomaly(out, &anomaly.anomaly)?;
        last_clean(out, anomaly.last_clean.as_ref())?;
        writeln!(out)?;
    }
    Ok(())
}

fn headline(file: &FileSummary) -> String {
    let mut parts = vec![
        counted(file.jobs, "job"),
        counted(file.clients.len() as u64, "client"),
        counted(file.streams.len() as u64, "stream"),
    ];
    if let (Some(first), Some(last)) = (file.first_start, file.last_start) {
        parts.push(format!(
            "{} to {} UTC",
            first.format("%Y-%m-%d"),
            last.format("%Y-%m-%d")
        ));
    }
    format!("{}: {}", file.name, parts.join(", "))
}

pub(crate) fn print_anomaly(out: &mut impl Write, anomaly: &Anomaly) -> io::Result<()> {
    let verdict = &anomaly.verdict;
    let severity = verdict.severity().unwrap_or(Severity::Low);
    let style = style(severity);
    let word = severity.as_str().to_uppercase();
    let place = format!("{}  {}", when(verdict.started_at), stream(verdict));
    let score = score(verdict).map_or("by rule".to_owned(), |score| format!("score {score}"));
    let place = harmless(&place);
    let width = columns().saturating_sub(word.len() + 2 + score.len() + 1);
    writeln!(out, "{style}{word}{style:#}  {place:<width$} {score}")?;
    for line in wrapped(&verdict.summary, INDENT) {
        writeln!(out, "{line}")?;
    }
    for row in rows(&verdict.findings) {
        writeln!(out, "{INDENT}  {}", row.trim_end())?;
    }
    for line in files::lines(&verdict.files) {
        writeln!(out, "{INDENT}  {line}")?;
    }
    Ok(())
}

fn last_clean(out: &mut impl Write, job: Option<&JobRef>) -> io::Result<()> {
    match job {
        Some(job) => writeln!(
            out,
            "{INDENT}Last job that looks clean: {} ({})",
            when(job.started_at),
            harmless(job.key.job_id.as_str())
        ),
        None => writeln!(
            out,
            "{INDENT}No earlier job of this stream is known to be clean."
        ),
    }
}

/// The score, unless it was a rule that raised the alarm and not the numbers.
pub(super) fn score(verdict: &Verdict) -> Option<String> {
    let score = verdict.score().filter(|_| !verdict.findings.is_empty())?;
    Some(format!("{score:.1}"))
}

/// The findings, in columns: what, how much, how much usually.
fn rows(findings: &[Finding]) -> Vec<String> {
    let cells: Vec<(String, String, String)> = findings
        .iter()
        .filter_map(|finding| {
            let (label, unit) = label(finding.feature.as_str())?;
            let usual = unit.format_range(finding.usual_low, finding.usual_high);
            let usual = format!("usual {usual}");
            Some((label.to_owned(), unit.format(finding.observed), usual))
        })
        .collect();
    let width = |cell: fn(&(String, String, String)) -> &String| {
        cells
            .iter()
            .map(|cells| cell(cells).chars().count())
            .max()
            .unwrap_or(0)
    };
    let (name, value) = (width(|cells| &cells.0), width(|cells| &cells.1));
    cells
        .iter()
        .map(|(a, b, c)| format!("{a:name$}    {b:value$}    {c}"))
        .collect()
}

/// `text`, made harmless, in lines that fit, each behind `indent`. A line end in a name is no line
/// of ours.
pub(crate) fn wrapped(text: &str, indent: &str) -> Vec<String> {
    let text = &harmless(text);
    let options = textwrap::Options::new(columns())
        .initial_indent(indent)
        .subsequent_indent(indent);
    textwrap::wrap(text, options)
        .into_iter()
        .map(std::borrow::Cow::into_owned)
        .collect()
}

fn columns() -> usize {
    textwrap::termwidth().clamp(40, MOST_COLUMNS)
}

pub(crate) fn when(time: DateTime<Utc>) -> String {
    time.format(WHEN).to_string()
}

/// Client, policy and schedule type, as far as they are known.
fn stream(verdict: &Verdict) -> String {
    let schedule_type = verdict
        .schedule_type
        .map(anomaly_model::ScheduleType::as_str);
    let parts = [
        Some(verdict.client.as_str()),
        Some(verdict.policy.as_str()),
        schedule_type,
    ];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    parts.join(" / ")
}

/// Colour is never the only sign: the word stands beside it.
pub(crate) fn style(severity: Severity) -> Style {
    let colour = match severity {
        Severity::High => AnsiColor::Red,
        Severity::Medium => AnsiColor::Yellow,
        _ => AnsiColor::Cyan,
    };
    colour.on_default().bold()
}

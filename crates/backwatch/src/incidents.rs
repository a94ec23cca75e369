//! `backwatch incidents`: anomalies that belong together.

use std::fmt::Write as _;
use std::io::{self, Write};

use anomaly_features::counted;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{Incident, Spread};
use anomaly_service::IncidentReport;
use anomaly_service::storage::{AnomalyQuery, IncidentQuery};
use clap::Args;
use serde::Serialize;

use crate::cli::TextOrJson;
use crate::coverage::{Coverage, paragraph};
use crate::database::{DatabaseOptions, Now, job_name};
use crate::exit::{Exit, Failure};
use crate::limit::{self, cut, one_more};
use crate::report::json;
use crate::report::text::{INDENT, style, when, wrapped};

/// More names than this are counted, not shown.
const SHOWN_NAMES: usize = 8;

/// List incidents: anomalies of one client within days, or of many clients at once.
///
/// Exit status: 0 none, 1 some, 2 wrong usage or settings, 4 failure, also when there is none because
/// gathering or detection is switched off.
#[derive(Debug, Args)]
pub(crate) struct IncidentsArguments {
    /// Only this one, with its anomalies.
    #[arg(value_name = "NUMBER")]
    number: Option<u64>,

    #[command(flatten)]
    database: DatabaseOptions,

    #[command(flatten)]
    now: Now,

    /// Also those in which every anomaly was reviewed.
    #[arg(long)]
    all: bool,

    /// No more than this many, those seen last; of one incident, of its anomalies.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,

    /// How to show them.
    #[arg(long, value_enum, default_value_t)]
    output: TextOrJson,
}

/// One incident for programs.
#[derive(Serialize)]
struct Shown<'a> {
    number: u64,
    severity: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    incident: &'a Incident,
    closed_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merged_into: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    anomalies: Vec<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    incidents: Vec<Shown<'a>>,
    /// Whether there are more than are listed: incidents, or anomalies of the one.
    more: bool,
    coverage: &'a Coverage,
}

pub(crate) fn run(arguments: &IncidentsArguments) -> Result<Exit, Failure> {
    let (service, switched_off) = arguments.database.open_at(arguments.now.time())?;
    let limit = arguments.limit;
    let mut anomalies = Vec::new();
    let (reports, more) = if let Some(number) = arguments.number {
        let what = || format!("incident {number}");
        let report = service.incident(number)?;
        let report = report.ok_or_else(|| Failure::NothingKnown { what: what() })?;
        let query = AnomalyQuery::default()
            .incident(number)
            .limit(one_more(limit));
        let mut members = service.anomalies(&query)?;
        let more = cut(&mut members, limit);
        anomalies = members.into_iter().map(|anomaly| anomaly.verdict).collect();
        (vec![report], more)
    } else {
        let open = (!arguments.all).then_some(true);
        let query = IncidentQuery::default().open(open).limit(one_more(limit));
        let mut reports = service.incidents(&query)?;
        let more = cut(&mut reports, limit);
        (reports, more)
    };
    let fleet = service.coverage(arguments.now.time())?;
    let coverage = Coverage {
        fleet,
        switched_off,
    };
    match arguments.output {
        TextOrJson::Text => {
            let mut out = anstream::stdout().lock();
            for report in &reports {
                print(&mut out, report)?;
            }
            for verdict in &anomalies {
                let job = job_name(&verdict.key());
                let text = format!("{}  {job}  {}", when(verdict.started_at), verdict.summary);
                for line in wrapped(&text, INDENT) {
                    writeln!(out, "{line}")?;
                }
            }
            if more {
                writeln!(out, "{}", limit::more(limit))?;
            } else if reports.is_empty() {
                writeln!(out, "No open incident.")?;
            }
            writeln!(out)?;
            paragraph(&mut out, &coverage.in_words())?;
        }
        TextOrJson::Json => {
            let jobs: Vec<String> = anomalies.iter().map(|one| job_name(&one.key())).collect();
            let incidents = reports.iter().map(|report| Shown {
                number: report.number,
                severity: report.incident.severity().as_str(),
                kind: report.incident.kind().as_str(),
                incident: &report.incident,
                closed_at: report.closed_at,
                merged_into: report.merged_into,
                anomalies: jobs.clone(),
            });
            let document = Document {
                incidents: incidents.collect(),
                more,
                coverage: &coverage,
            };
            json::pretty(io::stdout().lock(), &document)?;
        }
    }
    Ok(coverage.exit(reports.is_empty() && !more))
}

fn print(out: &mut impl Write, report: &IncidentReport) -> io::Result<()> {
    let incident = &report.incident;
    let severity = incident.severity();
    let style = style(severity);
    let word = severity.as_str().to_uppercase();
    let kind = incident.kind().as_str().replace('_', " ");
    writeln!(
        out,
        "{style}{word}{style:#}  incident {}: {kind}, {} to {}",
        report.number,
        when(incident.first_seen),
        when(incident.last_seen),
    )?;
    let mut text = format!(
        "{} of {}: {}.",
        counted(incident.anomalies(), "anomaly"),
        clients(&incident.clients),
        names(&incident.clients)
    );
    _ = write!(text, " Policies: {}.", names(&incident.policies));
    _ = match (report.merged_into, report.closed_at) {
        (Some(other), _) => write!(text, " It is part of incident {other}."),
        (None, Some(at)) => write!(text, " Every anomaly was reviewed by {}.", when(at)),
        (None, None) => Ok(()),
    };
    for line in wrapped(&text, INDENT) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn clients<T: Ord>(spread: &Spread<T>) -> String {
    let clients = counted(spread.names.len() as u64, "client");
    if spread.and_more {
        format!("more than {clients}")
    } else {
        clients
    }
}

fn names<T: Ord + Clone + ToString>(spread: &Spread<T>) -> String {
    let shown: Vec<String> = spread
        .names
        .iter()
        .take(SHOWN_NAMES)
        .map(T::to_string)
        .collect();
    let text = shown.join(", ");
    match spread.names.len().checked_sub(SHOWN_NAMES) {
        Some(more @ 1..) if spread.and_more => format!("{text} and more than {more} more"),
        Some(more @ 1..) => format!("{text} and {more} more"),
        _ => text,
    }
}

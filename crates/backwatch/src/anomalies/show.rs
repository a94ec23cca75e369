//! `backwatch anomalies show`.

use std::fmt::Write as _;
use std::io::{self, Write};

use anomaly_model::{Anomaly, JobKey, RecoveryPoint, Review, ReviewScope};
use anomaly_service::AnomalyService;
use anomaly_service::storage::AnomalyQuery;
use clap::Args;
use serde::Serialize;

use crate::cli::TextOrJson;
use crate::database::{DatabaseOptions, job, job_name};
use crate::exit::{Exit, Failure};
use crate::recovery;
use crate::report::json;
use crate::report::text::{INDENT, print_anomaly, when, wrapped};
use crate::terminal::harmless;

/// Show one anomaly: its reasons, what was decided about it, and from where to restore.
///
/// Exit status: 0 shown, 2 wrong usage or settings, 4 failure, also when there is no such anomaly.
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// The job: its tool and the tool's own id, such as restic:4711.
    #[arg(value_name = "SOURCE:JOB", value_parser = job)]
    job: JobKey,

    #[command(flatten)]
    database: DatabaseOptions,

    /// How to show it.
    #[arg(long, value_enum, default_value_t)]
    output: TextOrJson,
}

/// All that is known of an anomaly.
#[derive(Serialize)]
struct Known {
    #[serde(flatten)]
    anomaly: Anomaly,
    incident: Option<u64>,
    reviews: Vec<Review>,
    recovery_points: Vec<RecoveryPoint>,
}

pub(super) fn run(arguments: &ShowArguments) -> Result<Exit, Failure> {
    let (service, _) = arguments.database.open()?;
    let known = know(&service, &arguments.job)?;
    match arguments.output {
        TextOrJson::Text => print(&mut anstream::stdout().lock(), &known)?,
        TextOrJson::Json => json::pretty(io::stdout().lock(), &known)?,
    }
    Ok(Exit::Quiet)
}

fn know(service: &AnomalyService, job: &JobKey) -> Result<Known, Failure> {
    let unknown = || Failure::NothingKnown {
        what: format!("an anomaly {}", job_name(job)),
    };
    let verdict = service.verdict(job)?.ok_or_else(unknown)?;
    let started_at = verdict.started_at;
    // The anomaly with its review, among those of its client that started in that instant.
    let query = AnomalyQuery::default()
        .client(verdict.client.clone())
        .started_from(started_at)
        .started_until(started_at + anomaly_model::chrono::TimeDelta::microseconds(1));
    let anomalies = service.anomalies(&query)?;
    let mut of_job = anomalies.into_iter();
    let anomaly = of_job.find(|anomaly| anomaly.verdict.key() == *job);
    let anomaly = anomaly.ok_or_else(unknown)?;
    let incident = service.incident_of(job)?;
    Ok(Known {
        reviews: service.reviews(job)?,
        recovery_points: service.recovery_points(&verdict.client, incident)?,
        anomaly,
        incident,
    })
}

fn print(out: &mut impl Write, known: &Known) -> io::Result<()> {
    print_anomaly(out, &known.anomaly)?;
    let mut text = format!("Job {}", job_name(&known.anomaly.verdict.key()));
    if let Some(number) = known.incident {
        _ = write!(text, ", incident {number}");
    }
    writeln!(out, "{INDENT}{}.", harmless(&text))?;
    for review in &known.reviews {
        for line in wrapped(&decision(review), INDENT) {
            writeln!(out, "{line}")?;
        }
    }
    if known.reviews.is_empty() {
        writeln!(out, "{INDENT}Nobody has decided about it.")?;
    }
    for point in &known.recovery_points {
        writeln!(out)?;
        recovery::print(out, point)?;
    }
    Ok(())
}

/// A decision in one sentence.
pub(super) fn decision(review: &Review) -> String {
    let (who, at) = (review.recorded_by(), when(review.recorded_at()));
    let mut text = if review.undo.is_some() {
        format!(
            "{at}: {who} took the decision back; {} stands",
            review.status
        )
    } else {
        format!("{at}: {who} decided {}", review.status)
    };
    let scope = match &review.scope {
        ReviewScope::LevelShift => ", with what went on from it".to_owned(),
        ReviewScope::ThisStream => ", for its stream".to_owned(),
        ReviewScope::Features(names) => {
            let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
            format!(", for {} of its stream", names.join(", "))
        }
        _ => String::new(),
    };
    text.push_str(&scope);
    if review.covers_later_jobs() {
        _ = write!(text, ", up to {} times as much", review.ceiling.get());
        _ = match review.expires_at {
            Some(end) => write!(text, ", until {}", when(end)),
            None => write!(text, ", without an end"),
        };
    }
    let reason = match &review.undo {
        Some(undo) => undo.reason.as_ref(),
        None => review.reason.as_ref(),
    };
    match reason {
        Some(reason) => format!("{text}: {reason}"),
        None => format!("{text}."),
    }
}

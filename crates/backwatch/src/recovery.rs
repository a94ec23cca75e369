//! `backwatch recovery-point`: from where to restore.

use std::io::{self, Write};

use anomaly_features::{counted, feature};
use anomaly_model::{ClientName, PolicyName, RecoveryPoint, StreamPart, Suspect};
use anstyle::Style;
use clap::Args;

use crate::cli::TextOrJson;
use crate::database::{DatabaseOptions, job_name};
use crate::exit::{Exit, Failure};
use crate::report::json;
use crate::report::text::{INDENT, when, wrapped};
use crate::terminal::harmless;

/// More suspect images than this are counted, not shown.
const SHOWN_SUSPECTS: usize = 10;

/// Tell from where to restore a client: the newest image that was judged normal before the first sign.
///
/// For each stream of the client, with how much speaks for it, what could not be judged, and the
/// images after it, which are not to be trusted.
///
/// Exit status: 0 every stream has one, 1 some stream has none, 2 wrong usage or settings, 4
/// failure, also when nothing is known of the client.
#[derive(Debug, Args)]
pub(crate) struct RecoveryArguments {
    #[command(flatten)]
    database: DatabaseOptions,

    /// The client.
    #[arg(long, value_name = "NAME")]
    client: String,

    /// Only streams of this policy.
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,

    /// Before this incident, by its number; the newest one that is open or was confirmed when not
    /// given.
    #[arg(long, value_name = "NUMBER")]
    incident: Option<u64>,

    /// How to show it.
    #[arg(long, value_enum, default_value_t)]
    output: TextOrJson,
}

pub(crate) fn run(arguments: &RecoveryArguments) -> Result<Exit, Failure> {
    let (service, _) = arguments.database.open()?;
    let client = ClientName::new(&arguments.client).map_err(Failure::Argument)?;
    let policy = arguments.policy.as_ref().map(PolicyName::new).transpose();
    let policy = policy.map_err(Failure::Argument)?;
    let mut points = service.recovery_points(&client, arguments.incident)?;
    if let Some(policy) = &policy {
        let of_policy = (StreamPart::Policy, Some(policy.to_string()));
        points.retain(|point| point.stream.parts().contains(&of_policy));
    }
    if points.is_empty() {
        let what = match &policy {
            Some(policy) => format!("client {client} with policy {policy}"),
            None => format!("client {client}"),
        };
        return Err(Failure::NothingKnown { what });
    }
    match arguments.output {
        TextOrJson::Text => {
            let mut out = anstream::stdout().lock();
            for point in &points {
                print(&mut out, point)?;
                writeln!(out)?;
            }
        }
        TextOrJson::Json => json::pretty(io::stdout().lock(), &points)?,
    }
    let all = points.iter().all(|point| point.image.is_some());
    Ok(if all { Exit::Quiet } else { Exit::Anomalies })
}

pub(crate) fn print(out: &mut impl Write, point: &RecoveryPoint) -> io::Result<()> {
    let bold = Style::new().bold();
    let stream = point.stream.to_string();
    writeln!(out, "{bold}{}{bold:#}", harmless(&stream))?;
    let found = match &point.image {
        Some(image) => format!(
            "Restore from {}, {}: confidence {}.",
            when(image.job.started_at),
            job_name(&image.job.key),
            image.confidence
        ),
        None => "No image to restore from.".to_owned(),
    };
    lines(out, &found)?;
    for reason in &point.reasons {
        lines(out, reason)?;
    }
    if let Some(image) = point
        .image
        .as_ref()
        .filter(|image| !image.unseen.is_empty())
    {
        let unseen: Vec<&str> = image
            .unseen
            .iter()
            .map(|name| feature(name.as_str()).map_or(name.as_str(), |found| found.label))
            .collect();
        lines(
            out,
            &format!("Not reported, so not judged: {}.", unseen.join(", ")),
        )?;
    }
    suspects(out, point)
}

fn suspects(out: &mut impl Write, point: &RecoveryPoint) -> io::Result<()> {
    let all = point.suspects.len() as u64 + point.more_suspects;
    if all == 0 {
        return Ok(());
    }
    let after = if point.image.is_some() {
        " after it"
    } else {
        ""
    };
    let images = counted(all, "image");
    lines(out, &format!("{images}{after}, not to be trusted:"))?;
    let shown = point.suspects.iter().take(SHOWN_SUSPECTS);
    for Suspect { job, reason, .. } in shown {
        let text = format!(
            "{}  {}  {}",
            when(job.started_at),
            job_name(&job.key),
            words(reason.as_str())
        );
        writeln!(out, "{INDENT}  {}", harmless(&text))?;
    }
    let more = all.saturating_sub(SHOWN_SUSPECTS as u64);
    if more > 0 {
        writeln!(
            out,
            "{INDENT}  ... and {more} more; --output json names them"
        )?;
    }
    Ok(())
}

fn words(word: &str) -> String {
    word.replace('_', " ")
}

fn lines(out: &mut impl Write, text: &str) -> io::Result<()> {
    for line in wrapped(text, INDENT) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

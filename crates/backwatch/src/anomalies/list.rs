//! `backwatch anomalies list`.

use std::io::{self, Write};

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{Anomaly, AnomalyKind, ClientName, PolicyName, ReviewStatus, Severity};
use anomaly_service::storage::AnomalyQuery;
use clap::builder::TypedValueParser as _;
use clap::{Args, builder::PossibleValuesParser};
use serde::Serialize;

use crate::cli::{TextOrJson, time};
use crate::coverage::{Coverage, paragraph};
use crate::database::{DatabaseOptions, Now, job_name};
use crate::exit::{Exit, Failure};
use crate::limit::{self, cut, one_more};
use crate::report::json;
use crate::report::table::plain;
use crate::report::text::when;
use crate::terminal::harmless;

/// List the anomalies in a database, newest first, with how much of the fleet is watched.
///
/// Exit status: 0 none, 1 some, 2 wrong usage or settings, 4 failure, also when there is none because
/// gathering or detection is switched off.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    database: DatabaseOptions,

    #[command(flatten)]
    now: Now,

    /// Only of this client.
    #[arg(long, value_name = "NAME")]
    client: Option<String>,

    /// Only of this policy.
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,

    /// Only of this kind.
    #[arg(long, value_name = "KIND", value_parser = kinds())]
    kind: Option<AnomalyKind>,

    /// Only of this severity or a higher one.
    #[arg(long, value_name = "SEVERITY", value_parser = severities())]
    at_least: Option<Severity>,

    /// Only those about which this was decided.
    #[arg(long, value_name = "STATUS", value_parser = statuses())]
    status: Option<ReviewStatus>,

    /// Only of this incident.
    #[arg(long, value_name = "NUMBER")]
    incident: Option<u64>,

    /// Only jobs that started at this time or later.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<DateTime<Utc>>,

    /// Only jobs that started before this time.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<DateTime<Utc>>,

    /// No more than this many, the newest ones.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,

    /// How to show them.
    #[arg(long, value_enum, default_value_t)]
    output: TextOrJson,
}

macro_rules! words {
    ($($function:ident: $Word:ty;)*) => {$(
        pub(super) fn $function() -> impl clap::builder::TypedValueParser<Value = $Word> {
            PossibleValuesParser::new(<$Word>::ALL.iter().map(|word| word.as_str()))
                .try_map(|word| word.parse::<$Word>())
        }
    )*};
}

words! {
    kinds: AnomalyKind;
    severities: Severity;
    statuses: ReviewStatus;
}

pub(super) fn run(arguments: &ListArguments) -> Result<Exit, Failure> {
    let (service, switched_off) = arguments.database.open_at(arguments.now.time())?;
    let client = arguments.client.as_ref().map(ClientName::new).transpose();
    let client = client.map_err(Failure::Argument)?;
    let policy = arguments.policy.as_ref().map(PolicyName::new).transpose();
    let policy = policy.map_err(Failure::Argument)?;
    let query = AnomalyQuery::default()
        .client(client)
        .policy(policy)
        .kind(arguments.kind)
        .at_least(arguments.at_least)
        .review_status(arguments.status)
        .incident(arguments.incident)
        .started_from(arguments.since)
        .started_until(arguments.until)
        .limit(one_more(arguments.limit));
    let mut anomalies = service.anomalies(&query)?;
    let more = cut(&mut anomalies, arguments.limit);
    let fleet = service.coverage(arguments.now.time())?;
    let coverage = Coverage {
        fleet,
        switched_off,
    };
    match arguments.output {
        TextOrJson::Text => {
            let more = more.then(|| limit::more(arguments.limit));
            let out = &mut anstream::stdout().lock();
            print(out, &anomalies, more.as_deref(), &coverage)?;
        }
        TextOrJson::Json => {
            #[derive(Serialize)]
            struct Document<'a> {
                anomalies: &'a [Anomaly],
                more: bool,
                coverage: &'a Coverage,
            }
            let document = Document {
                anomalies: &anomalies,
                more,
                coverage: &coverage,
            };
            json::pretty(io::stdout().lock(), &document)?;
        }
    }
    Ok(coverage.exit(anomalies.is_empty() && !more))
}

fn print(
    out: &mut impl Write,
    anomalies: &[Anomaly],
    more: Option<&str>,
    coverage: &Coverage,
) -> io::Result<()> {
    let mut table = plain([
        "severity",
        "when (UTC)",
        "client",
        "policy",
        "kind",
        "review",
        "job",
    ]);
    for anomaly in anomalies {
        let verdict = &anomaly.verdict;
        let cells = [
            verdict.severity().map_or("", Severity::as_str).to_owned(),
            when(verdict.started_at),
            verdict.client.to_string(),
            verdict.policy.to_string(),
            verdict.kind().map_or("", AnomalyKind::as_str).to_owned(),
            anomaly.review_status().as_str().to_owned(),
            job_name(&verdict.key()),
        ];
        table.add_row(cells.map(|cell| harmless(&cell).into_owned()));
    }
    if !anomalies.is_empty() {
        writeln!(out, "{}", table.trim_fmt())?;
    }
    if let Some(more) = more {
        writeln!(out, "{more}")?;
    } else if anomalies.is_empty() {
        writeln!(out, "No anomalies of that sort.")?;
    }
    writeln!(out)?;
    paragraph(out, &coverage.in_words())
}

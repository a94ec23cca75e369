//! `backwatch tick`: which jobs have not come.

use std::fmt::Write as _;
use std::io;

use anomaly_features::counted;
use anomaly_model::Verdict;
use anomaly_settings::Role;
use clap::Args;
use serde::Serialize;

use crate::cli::TextOrJson;
use crate::coverage::paragraph;
use crate::database::{DatabaseOptions, Now};
use crate::exit::{Exit, Failure};
use crate::report::json;
use crate::terminal::warning;

/// Ask which jobs that were due have not come, and report each once.
///
/// To be run regularly, such as once an hour by cron. After a pause the first run only notes what is
/// overdue, so that what came meanwhile can be ingested, and the next one reports it.
///
/// Exit status: 0 nothing missed, 1 missed jobs reported, 2 wrong usage or settings, 4 failure, also
/// when gathering or detection is switched off.
#[derive(Debug, Args)]
pub(crate) struct TickArguments {
    #[command(flatten)]
    database: DatabaseOptions,

    #[command(flatten)]
    now: Now,

    /// How to show what was missed.
    #[arg(long, value_enum, default_value_t)]
    output: TextOrJson,
}

/// What a run did.
#[derive(Serialize)]
struct Done {
    missed: u64,
    watched: u64,
    waiting: u64,
    silent_fleet: Option<u64>,
    clock_was_set_back: bool,
}

pub(crate) fn run(arguments: &TickArguments) -> Result<Exit, Failure> {
    let (mut service, switched_off) = arguments.database.open_to_change(arguments.now.time())?;
    if !service.settings().is_on(Role::Gather) {
        return Err(Failure::NotGathered);
    }
    let mut shown = Ok(());
    let show = |verdict: &Verdict| -> Result<(), Failure> {
        match arguments.output {
            TextOrJson::Text => {
                let text = format!(
                    "{} / {}: {}",
                    verdict.client, verdict.policy, verdict.summary
                );
                Ok(paragraph(&mut anstream::stdout().lock(), &text)?)
            }
            TextOrJson::Json => json::line(&mut io::stdout().lock(), verdict),
        }
    };
    let report = service.tick(arguments.now.time(), |verdict| {
        if shown.is_ok() {
            shown = show(verdict);
        }
    })?;
    match shown {
        Err(failure) if !failure.is_closed_pipe() => return Err(failure),
        _ => {}
    }
    if report.clock_was_set_back {
        warning("the clock was set back since the last run: nothing was concluded");
    }
    if let Some(streams) = report.silent_fleet {
        warning(&format!(
            "{} are overdue, which is most of them: the clock is wrong, or nothing is ingested \
             any more, or no backup runs",
            counted(streams, "stream")
        ));
    }
    match arguments.output {
        TextOrJson::Text => {
            let mut text = format!(
                "{} missed. {} waited for.",
                counted(report.missed, "job"),
                streams_are(report.watched)
            );
            if report.waiting > 0 {
                let streams = counted(report.waiting, "stream");
                _ = write!(
                    text,
                    " {streams} may have missed one: the next run says, since this one comes after \
                     a pause."
                );
            }
            paragraph(&mut anstream::stdout().lock(), &text)?;
        }
        TextOrJson::Json => json::line(
            &mut io::stdout().lock(),
            &Done {
                missed: report.missed,
                watched: report.watched,
                waiting: report.waiting,
                silent_fleet: report.silent_fleet,
                clock_was_set_back: report.clock_was_set_back,
            },
        )?,
    }
    let found = report.missed > 0 || report.silent_fleet.is_some();
    let exit = if found { Exit::Anomalies } else { Exit::Quiet };
    Ok(switched_off.exit(exit, &[Role::Detect]))
}

fn streams_are(count: u64) -> String {
    let are = if count == 1 { "is" } else { "are" };
    format!("{} {are}", counted(count, "stream"))
}

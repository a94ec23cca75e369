//! `backwatch backtest`: what other settings would have said.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::SystemTime;

use anomaly_features::counted;
use anomaly_model::Severity;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_service::storage::SqliteStore;
use anomaly_service::{Backtest, BacktestProgress, BacktestReport, ChangedAnomaly, Changes};
use anomaly_settings::{Difference, Layers, Settings};
use clap::Args;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use rayon::ThreadPoolBuilder;
use serde::Serialize;

use crate::cli::{TextOrJson, key_value, time};
use crate::coverage::paragraph;
use crate::database::{existing, job_name};
use crate::exit::{Exit, Failure};
use crate::guard::changed;
use crate::population;
use crate::progress::Progress;
use crate::report::json;
use crate::report::text::when;
use crate::terminal::harmless;

/// Tell what other settings would have found and missed in the stored history.
///
/// The history is replayed twice: under the settings that hold in the database, and under the
/// others. Reviews take part in the order in which they were made. Nothing is changed, and jobs can
/// be ingested meanwhile.
///
/// Exit status: 0 no anomaly that a person confirmed would be lost, 1 one would, 2 wrong usage or
/// settings, 4 failure.
#[derive(Debug, Args)]
pub(crate) struct BacktestArguments {
    /// The database, as `scan --db` or `ingest --db` made it.
    #[arg(long, value_name = "PATH")]
    db: PathBuf,

    /// The other settings: those that this TOML file and the environment say, over what the database
    /// keeps. Those that hold in the database when not given.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,

    /// Change one of the other settings, such as `detection.alarm_budget=2`; may be given several
    /// times.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    #[arg(required_unless_present = "settings")]
    set: Vec<(String, String)>,

    /// What is known of streams in general, as `eval learn` wrote it; what the program carries when
    /// not given.
    #[arg(long, value_name = "FILE")]
    population: Option<PathBuf>,

    /// Count only jobs that started at this time or later; what is usual is learnt from those before
    /// all the same.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<DateTime<Utc>>,

    /// Count only jobs that started before this time.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<DateTime<Utc>>,

    /// Name so many anomalies of each list, and so many streams.
    #[arg(long, value_name = "N", default_value_t = 10)]
    list: usize,

    /// How many threads; one per core when not given. Changes the time, never the answer.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// How to show it; JSON names up to a thousand of each list.
    #[arg(long, value_enum, default_value_t)]
    output: TextOrJson,

    /// The same as `--output json`.
    #[arg(long)]
    json: bool,
}

/// What is told.
#[derive(Serialize)]
struct Told {
    settings: Vec<Difference>,
    #[serde(flatten)]
    report: BacktestReport,
}

pub(crate) fn run(arguments: &BacktestArguments) -> Result<Exit, Failure> {
    let store = existing(&arguments.db)?;
    let service = anomaly_service::AnomalyService::with_store(Box::new(store), Settings::default());
    let now = DateTime::<Utc>::from(SystemTime::now());
    let today = if service.settings_history()?.is_empty() {
        Settings::load_here(None, &[])?
    } else {
        service.settings_in_force(now)?
    };
    let other = match &arguments.settings {
        Some(file) => Layers::read_here(Some(file), &arguments.set)?.over(service.kept_settings()?),
        None => Layers::read(None, [], &arguments.set)?.over(today.clone()),
    };
    drop(service);
    let settings = today.parts().differences(&other.parts());
    let mut backtest = Backtest::new(today, other)
        .since(arguments.since)
        .until(arguments.until);
    if let Some(population) = population::read(arguments.population.as_deref())? {
        backtest = backtest.with_population(population);
    }
    let open = || SqliteStore::open_existing(&arguments.db);
    let progress: Mutex<Option<Progress>> = Mutex::new(None);
    let advance = |now: BacktestProgress| {
        if let Ok(mut progress) = progress.lock() {
            let total = usize::try_from(now.of_at_most).unwrap_or(usize::MAX);
            let progress = progress.get_or_insert_with(|| Progress::new(total));
            progress.reach(now.done);
        }
        ControlFlow::Continue(())
    };
    let replay = || backtest.run(open, advance);
    let report = match arguments.threads {
        Some(threads) => {
            let pool = ThreadPoolBuilder::new().num_threads(threads.into()).build();
            pool.map_err(io::Error::other)?.install(replay)?
        }
        None => replay()?,
    };
    drop(progress);
    let told = Told { settings, report };
    if arguments.json || arguments.output == TextOrJson::Json {
        json::pretty(io::stdout().lock(), &told)?;
    } else {
        print(&mut anstream::stdout().lock(), &told, arguments.list)?;
    }
    Ok(if told.report.confirmed_lost.count > 0 {
        Exit::Anomalies
    } else {
        Exit::Quiet
    })
}

fn print(out: &mut impl Write, told: &Told, listed: usize) -> io::Result<()> {
    let report = &told.report;
    for one in &told.settings {
        paragraph(out, &changed(one))?;
    }
    if told.settings.is_empty() {
        paragraph(out, "The other settings are those that hold.")?;
    }
    paragraph(out, &report.in_words())?;
    writeln!(out)?;

    let lost = &report.confirmed_lost;
    match lost.count {
        0 => paragraph(out, "No anomaly that a person confirmed would be lost.")?,
        1 => paragraph(out, "1 ANOMALY THAT A PERSON CONFIRMED WOULD BE LOST:")?,
        count => {
            let text = format!("{count} ANOMALIES THAT PEOPLE CONFIRMED WOULD BE LOST:");
            paragraph(out, &text)?;
        }
    }
    list(out, lost, listed)?;
    if report.confirmed_lowered.count > 0 {
        let count = counted(report.confirmed_lowered.count, "anomaly");
        paragraph(
            out,
            &format!("{count} that people confirmed would be less severe:"),
        )?;
        list(out, &report.confirmed_lowered, listed)?;
    }
    let text = format!(
        "Of what else would be gone, {} called a false positive, {} ignored, and {} not reviewed.",
        were(report.false_positives_gone),
        were(report.ignored_gone),
        were(report.unreviewed_lost)
    );
    if report.lost.count == 0 {
        paragraph(out, "Nothing that is found would be gone.")?;
    } else if report.lost.count > lost.count {
        paragraph(out, &text)?;
    }
    writeln!(out)?;

    table(out, report)?;
    for (changes, what) in [(&report.gained, "gained"), (&report.lost, "lost")] {
        if changes.count > 0 {
            writeln!(out)?;
            paragraph(
                out,
                &format!("{} {what}:", counted(changes.count, "anomaly")),
            )?;
            list(out, changes, listed)?;
        }
    }
    if !report.by_stream.is_empty() {
        writeln!(out)?;
        paragraph(out, "Streams with the most changes:")?;
    }
    for stream in report.by_stream.iter().take(listed) {
        let text = format!(
            "  {}: {} -> {}, {} gained, {} lost, of {}",
            stream.stream,
            stream.before,
            stream.after,
            stream.gained,
            stream.lost,
            counted(stream.jobs, "job")
        );
        writeln!(out, "{}", harmless(&text))?;
    }
    let stored = report.stored;
    if stored.only_stored + stored.only_replayed > 0 {
        writeln!(out)?;
        let text = format!(
            "What is stored differs from a replay under the settings that hold: {} stored and not \
             raised by it ({} of them confirmed), {} raised by it and not stored. Other settings or \
             an earlier version judged then, a model was forgotten, or older jobs were deleted. The \
             figures above compare two replays.",
            stored.only_stored, stored.only_stored_confirmed, stored.only_replayed
        );
        paragraph(out, &text)?;
    }
    Ok(())
}

fn were(count: u64) -> String {
    let verb = if count == 1 { "was" } else { "were" };
    format!("{count} {verb}")
}

/// Before and after, per severity and kind.
fn table(out: &mut impl Write, report: &BacktestReport) -> io::Result<()> {
    let BacktestReport {
        before,
        after,
        gained,
        lost,
        ..
    } = report;
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["", "before", "after", "gained", "lost"]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut row = |name: &str, cells: [String; 4]| {
        let name = name.to_owned();
        let [before, after, gained, lost] = cells;
        table.add_row([name, before, after, gained, lost]);
    };
    let counts = [before.anomalies, after.anomalies, gained.count, lost.count];
    row("anomalies", counts.map(|count| count.to_string()));
    let rate = |rate: f64| format!("{rate:.2}");
    let none = String::new;
    row(
        "per 30 jobs",
        [
            rate(before.per_30_jobs),
            rate(after.per_30_jobs),
            none(),
            none(),
        ],
    );
    let pair = |a: u64, b: u64| [a.to_string(), b.to_string(), String::new(), String::new()];
    row("incidents", pair(before.incidents, after.incidents));
    row(
        "jobs not judged",
        pair(before.not_scored_jobs, after.not_scored_jobs),
    );
    for severity in Severity::ALL.iter().rev() {
        rows(
            &mut row,
            severity,
            severity.as_str(),
            [
                &before.by_severity,
                &after.by_severity,
                &gained.by_severity,
                &lost.by_severity,
            ],
        );
    }
    for kind in anomaly_model::AnomalyKind::ALL {
        rows(
            &mut row,
            kind,
            kind.as_str(),
            [
                &before.by_kind,
                &after.by_kind,
                &gained.by_kind,
                &lost.by_kind,
            ],
        );
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A row, unless it would be all zeros.
fn rows<K: Ord>(
    row: &mut impl FnMut(&str, [String; 4]),
    key: &K,
    name: &str,
    counts: [&BTreeMap<K, u64>; 4],
) {
    let counts = counts.map(|counts| counts.get(key).copied().unwrap_or(0));
    if counts != [0; 4] {
        row(name, counts.map(|count| count.to_string()));
    }
}

fn list(out: &mut impl Write, changes: &Changes, listed: usize) -> io::Result<()> {
    for one in changes.anomalies.iter().take(listed) {
        writeln!(out, "  {}", harmless(&line(one)))?;
    }
    let shown = changes.anomalies.len().min(listed) as u64;
    if changes.count > shown && changes.count > 0 {
        writeln!(out, "  and {} more", changes.count - shown)?;
    }
    Ok(())
}

fn line(one: &ChangedAnomaly) -> String {
    format!(
        "{}  {}: {} {}, {} ({})",
        when(one.started_at),
        one.stream,
        one.severity,
        one.kind,
        one.review_status,
        job_name(&one.job)
    )
}

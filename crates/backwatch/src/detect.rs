//! `backwatch detect`: one detector over one table of numbers, one score per row.

mod catalogue;
mod csv_file;
mod error;
mod numpy_file;
mod scale;
mod table;
mod timings;

use std::io::{self, BufWriter, Write as _};
use std::time::Instant;

use anomaly_detectors::metrics::{auroc, average_precision};
use anomaly_detectors::ndarray::{Array1, Array2};
use serde_json::Value;

pub(crate) use self::catalogue::{DETECTORS, Detector};
pub(crate) use self::error::DetectError;
pub(crate) use self::scale::Scale;
use self::table::Table;
use self::timings::Timings;
use crate::cli::DetectArguments;
use crate::exit::{Exit, Failure};
use crate::terminal::warning;

pub(crate) fn run(arguments: &DetectArguments) -> Result<Exit, Failure> {
    match detect(arguments) {
        // Whoever reads our output has seen enough.
        Err(failure) if failure.is_closed_pipe() => Ok(Exit::Quiet),
        done => done,
    }
}

fn detect(arguments: &DetectArguments) -> Result<Exit, Failure> {
    let (Some(detector), Some(input)) = (arguments.detector, &arguments.input) else {
        // The argument parser asks for both unless there is `--list`.
        io::stdout().write_all(catalogue::list().as_bytes())?;
        return Ok(Exit::Quiet);
    };
    let mut parameters = arguments.set.clone();
    if let Some(seed) = arguments.seed {
        if detector.has_seed() {
            if parameters.iter().any(|(key, _)| key == "seed") {
                return Err(DetectError::SeedTwice.into());
            }
            parameters.push(("seed".to_owned(), seed.to_string()));
        } else {
            let name = detector.name;
            warning(&format!(
                "--seed is not used: {name} draws no random numbers"
            ));
        }
    }
    let parameters = detector.parameters(&parameters)?;
    let mut table = Table::read(input, arguments.label.as_deref())?;
    arguments.scale.apply(&mut table.rows);

    let (scores, timings) = in_threads(arguments.threads, || {
        fit_and_score(detector, &parameters, &table.rows)
    })?
    .map_err(|error| error.in_file(input))?;
    write_scores(&scores)?;
    if let Some(labels) = &table.labels {
        write_measures(&scores.to_vec(), labels);
    }
    if arguments.timings {
        timings.write()?;
    }
    Ok(Exit::Quiet)
}

/// Runs `work` on so many threads of its own, or on one per core.
fn in_threads<T: Send>(
    threads: Option<u16>,
    work: impl FnOnce() -> T + Send,
) -> Result<T, DetectError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.map_or(0, usize::from))
        .build()
        .map_err(DetectError::Threads)?;
    Ok(pool.install(work))
}

fn fit_and_score(
    detector: &Detector,
    parameters: &Value,
    rows: &Array2<f64>,
) -> Result<(Array1<f64>, Timings), DetectError> {
    let start = Instant::now();
    let fitted = detector.fit(parameters, rows)?;
    let fit_seconds = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let scores = fitted.score(rows.view()).map_err(DetectError::Detector)?;
    let score_seconds = start.elapsed().as_secs_f64();
    let timings = Timings::new(fit_seconds, score_seconds, rows.dim());
    Ok((scores, timings))
}

fn write_scores(scores: &Array1<f64>) -> io::Result<()> {
    let mut output = BufWriter::new(io::stdout().lock());
    for score in scores {
        // `Debug` writes 1e100 where `Display` would write a hundred zeros; both read back exactly.
        writeln!(output, "{score:?}")?;
    }
    output.flush()
}

fn write_measures(scores: &[f64], labels: &[bool]) {
    for (name, measure) in [
        ("AUROC", auroc(scores, labels)),
        ("AP", average_precision(scores, labels)),
    ] {
        let value = measure.map_or_else(
            || "undefined: all labels are the same".to_owned(),
            |value| format!("{value:.6}"),
        );
        // When standard error is closed, there is nobody left to tell.
        _ = writeln!(io::stderr(), "{name} {value}");
    }
}

//! `backwatch scan`: files in, verdicts out.

use anomaly_model::{Anomaly, JobRef, Severity, StreamKey, Verdict};
use anomaly_service::AnomalyService;
use anomaly_settings::Settings;

use crate::cli::{Output, ScanArguments};
use crate::exit::{Exit, Failure};
use crate::input::{FileSummary, Input};
use crate::population;
use crate::progress::Progress;
use crate::report;
use crate::switched_off::SwitchedOff;
use crate::tally::Tally;
use crate::terminal::warning;

/// All that a scan found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) files: Vec<FileSummary>,
    pub(crate) tally: Tally,
    /// What the settings keep from judging.
    pub(crate) off: SwitchedOff,
    /// In time order.
    pub(crate) anomalies: Vec<FoundAnomaly>,
    /// Every verdict in time order; empty unless the output needs them.
    pub(crate) verdicts: Vec<Verdict>,
}

/// An anomaly, and the stream that it is in.
#[derive(Debug)]
pub(crate) struct FoundAnomaly {
    pub(crate) anomaly: Anomaly,
    pub(crate) stream: StreamKey,
}

pub(crate) fn run(arguments: &ScanArguments) -> Result<Exit, Failure> {
    let settings = Settings::load_here(arguments.settings.as_deref(), &arguments.set)?;
    let key = settings.streams.key.parts().to_vec();
    let off = SwitchedOff::by(&settings);
    let mut service = match &arguments.db {
        Some(path) => AnomalyService::open(path, settings)?,
        None => AnomalyService::in_memory(settings),
    };
    if let Some(population) = population::read(arguments.population.as_deref())? {
        service = service.with_population(population);
    }
    let input = Input::read(&arguments.files, &arguments.input, &key)?;
    let found = judge(&mut service, input, off, arguments.output == Output::Ndjson)?;
    match report::print(arguments.output, &found) {
        // Whoever reads our output has seen enough; the status still says what was found.
        Err(failure) if failure.is_closed_pipe() => {}
        printed => printed?,
    }
    Ok(found.exit())
}

impl Found {
    fn exit(&self) -> Exit {
        let tally = &self.tally;
        if tally.bad_records > 0 {
            Exit::BadRecords
        } else if tally.anomalous > 0 {
            Exit::Anomalies
        } else if tally.jobs > 0 && tally.not_scored == tally.jobs {
            warning("not one job could be judged: this says nothing about the backups");
            Exit::Failure
        } else {
            Exit::Quiet
        }
    }

    /// The last normal job of the stream before the first serious anomaly of this scan: what came
    /// after that one, however normal in itself, may hold what the attack left.
    pub(crate) fn last_clean<'a>(&'a self, anomaly: &'a FoundAnomaly) -> Option<&'a JobRef> {
        let first = self.anomalies.iter().find(|other| {
            other.stream == anomaly.stream
                && other.anomaly.verdict.severity() == Some(Severity::High)
                && other.anomaly.verdict.started_at <= anomaly.anomaly.verdict.started_at
        });
        first.unwrap_or(anomaly).anomaly.last_normal.as_ref()
    }
}

fn judge(
    service: &mut AnomalyService,
    input: Input,
    off: SwitchedOff,
    keep_verdicts: bool,
) -> Result<Found, Failure> {
    let mut tally = Tally::of_input(input.bad_records, input.duplicates);
    let (mut anomalous, mut verdicts) = (Vec::new(), Vec::new());
    let mut progress = Progress::new(input.jobs.len());
    service.observe_all(input.jobs, |observed| {
        progress.advance();
        tally.count(&observed);
        if keep_verdicts {
            verdicts.push(observed.verdict.clone());
        }
        if observed.verdict.is_anomalous() {
            anomalous.push((observed.verdict, observed.stream));
        }
    })?;
    drop(progress);
    verdicts.sort_by_key(|verdict: &Verdict| verdict.started_at);
    anomalous.sort_by_key(|(verdict, _): &(Verdict, StreamKey)| verdict.started_at);
    let mut anomalies = Vec::with_capacity(anomalous.len());
    for (verdict, stream) in anomalous {
        let last_normal = service.last_normal(&verdict.key())?;
        let mut anomaly = Anomaly::new(verdict);
        anomaly.last_normal = last_normal;
        anomalies.push(FoundAnomaly { anomaly, stream });
    }
    Ok(Found {
        files: input.files,
        tally,
        off,
        anomalies,
        verdicts,
    })
}

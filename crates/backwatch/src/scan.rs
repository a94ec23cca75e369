//! `backwatch scan`: files in, verdicts out.

use anomaly_model::{Anomaly, Verdict};
use anomaly_service::AnomalyService;
use anomaly_settings::Settings;

use crate::cli::{Output, ScanArguments};
use crate::exit::{Exit, Failure};
use crate::input::{FileSummary, Input};
use crate::progress::Progress;
use crate::report;
use crate::tally::Tally;

/// All that a scan found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) files: Vec<FileSummary>,
    pub(crate) tally: Tally,
    /// In time order.
    pub(crate) anomalies: Vec<Anomaly>,
    /// Every verdict in time order; empty unless the output needs them.
    pub(crate) verdicts: Vec<Verdict>,
}

pub(crate) fn run(arguments: &ScanArguments) -> Result<Exit, Failure> {
    let settings = Settings::load_here(arguments.settings.as_deref(), &arguments.set)?;
    let key = settings.streams.key.parts().to_vec();
    let mut service = match &arguments.db {
        Some(path) => AnomalyService::open(path, settings)?,
        None => AnomalyService::in_memory(settings),
    };
    let input = Input::read(arguments, &key)?;
    let found = judge(&mut service, input, arguments.output == Output::Ndjson)?;
    report::print(arguments.output, &found)?;
    Ok(if found.tally.bad_records > 0 {
        Exit::BadRecords
    } else if found.tally.anomalous > 0 {
        Exit::Anomalies
    } else {
        Exit::Quiet
    })
}

fn judge(
    service: &mut AnomalyService,
    input: Input,
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
            anomalous.push(observed.verdict);
        }
    })?;
    drop(progress);
    verdicts.sort_by_key(|verdict: &Verdict| verdict.started_at);
    anomalous.sort_by_key(|verdict| verdict.started_at);
    let mut anomalies = Vec::with_capacity(anomalous.len());
    for verdict in anomalous {
        let last_normal = service.last_normal(&verdict.key())?;
        let mut anomaly = Anomaly::new(verdict);
        anomaly.last_normal = last_normal;
        anomalies.push(anomaly);
    }
    Ok(Found {
        files: input.files,
        tally,
        anomalies,
        verdicts,
    })
}

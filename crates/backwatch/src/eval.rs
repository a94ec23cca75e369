//! `backwatch eval`: the judge on labelled histories.

mod arguments;
mod learn;
mod list;
mod report;
mod tables;

use std::path::Path;

use anomaly_engine::Engine;
use anomaly_eval::{
    EvalError, Evaluation, Fleet, History, Peer, PeerJudge, Track, embedded_histories, evaluate,
    evaluate_left_out, evaluate_short, read_histories,
};
use anomaly_settings::Settings;
use clap::ValueEnum;

pub(crate) use self::arguments::EvalArguments;
use self::arguments::{EvalCommand, MeasureArguments, SimulateArguments};
use crate::exit::{Exit, Failure};
use crate::population;

/// So many jobs of history are left with `--short-histories`.
const SHORT_HISTORIES: [usize; 4] = [5, 10, 20, 40];

/// Which tracks are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tracks {
    /// Image size, files, transferred data, deduplication rate, duration, times and status.
    Metadata,
    /// Also new, changed and deleted files, directories, stored data.
    Counts,
    /// Everything, with content statistics.
    Content,
    /// Each of the three.
    All,
}

impl Tracks {
    fn tracks(self) -> Vec<Track> {
        match self {
            Self::Metadata => vec![Track::Metadata],
            Self::Counts => vec![Track::Counts],
            Self::Content => vec![Track::Content],
            Self::All => Track::ALL.to_vec(),
        }
    }
}

/// One judge, measured on one track.
#[derive(Debug)]
struct Measured {
    /// The rule of another tool; Backwatch's own judge if `None`.
    peer: Option<Peer>,
    /// How much history is left before each job; all of it if `None`.
    history_jobs: Option<usize>,
    evaluation: Evaluation,
}

impl Measured {
    fn judge(&self) -> &'static str {
        self.peer.map_or("backwatch", Peer::as_str)
    }
}

pub(crate) fn run(arguments: &EvalArguments) -> Result<Exit, Failure> {
    let done = match &arguments.command {
        Some(EvalCommand::Simulate(arguments)) => simulate(arguments),
        Some(EvalCommand::Learn(arguments)) => learn::run(arguments),
        None => measure_given(arguments),
    };
    match done {
        // Whoever reads our output has seen enough.
        Err(failure) if failure.is_closed_pipe() => Ok(Exit::Quiet),
        done => done,
    }
}

fn measure_given(arguments: &EvalArguments) -> Result<Exit, Failure> {
    let histories = histories(arguments.histories.as_deref())?;
    measure(&arguments.measure, &histories)
}

/// Those of a directory, or those that the program carries.
fn histories(directory: Option<&Path>) -> Result<Vec<History>, EvalError> {
    match directory {
        Some(directory) => read_histories(directory),
        None => embedded_histories(),
    }
}

fn simulate(arguments: &SimulateArguments) -> Result<Exit, Failure> {
    let mut fleet = Fleet::default()
        .jobs(arguments.jobs.into())
        .branches(arguments.branches.into())
        .seed(arguments.seed);
    if !arguments.pattern.is_empty() {
        fleet = fleet
            .clients(arguments.pattern.len())
            .patterns(arguments.pattern.clone());
    }
    if let Some(clients) = arguments.clients {
        fleet = fleet.clients(clients.into());
    }
    let histories = fleet.simulate()?;
    let Some(directory) = &arguments.out else {
        return measure(&arguments.measure, &histories);
    };
    for history in &histories {
        history.write(directory)?;
    }
    Ok(Exit::Quiet)
}

fn measure(arguments: &MeasureArguments, histories: &[History]) -> Result<Exit, Failure> {
    let settings = Settings::load_here(arguments.settings.as_deref(), &arguments.set)?;
    let mut engine = Engine::new(settings);
    if let Some(population) = population::read(arguments.population.as_deref())? {
        engine = engine.with_population(population);
    }
    let tracks = arguments.track.tracks();
    let mut found = Vec::new();
    if arguments.leave_out {
        let evaluations = evaluate_left_out(&engine, histories, &tracks)?;
        found.extend(evaluations.into_iter().map(|evaluation| Measured {
            peer: None,
            history_jobs: None,
            evaluation,
        }));
    }
    for track in tracks {
        if !arguments.leave_out {
            found.push(backwatch(None, evaluate(&engine, histories, track))?);
        }
        for jobs in SHORT_HISTORIES.iter().filter(|_| arguments.short_histories) {
            let short = evaluate_short(&engine, histories, track, *jobs);
            found.push(backwatch(Some(*jobs), short)?);
        }
    }
    for peer in Peer::ALL.into_iter().filter(|_| arguments.compare) {
        // The rules look at what every track shows: one is enough.
        let evaluation = evaluate(&PeerJudge::new(peer), histories, Track::Metadata)?;
        found.push(Measured {
            peer: Some(peer),
            history_jobs: None,
            evaluation,
        });
    }
    report::print(arguments, histories, &found)?;
    Ok(Exit::Quiet)
}

fn backwatch(
    history_jobs: Option<usize>,
    evaluation: Result<Evaluation, EvalError>,
) -> Result<Measured, EvalError> {
    Ok(Measured {
        peer: None,
        history_jobs,
        evaluation: evaluation?,
    })
}

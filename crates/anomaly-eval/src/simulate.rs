//! Simulated fleets, with labels.

mod attack;
mod branch;
mod client;
mod content;
mod deed;
mod pattern;
mod random;
mod record;
mod scenario;
mod tree;

use anomaly_model::ModelError;

pub use self::attack::Attack;
use self::branch::Writer;
use self::client::{Client, Tamper};
pub use self::pattern::Pattern;
use self::random::Random;
use self::scenario::Scenario;
use crate::{EvalError, History, JobLabel, Label};

/// A fleet to simulate: clients whose trees of files live from day to day, and to which things
/// happen.
///
/// A file has a size, a kind of content and a name, as far as a backup tool's numbers and content
/// statistics see them; every job record follows from the tree, so that its numbers fit each
/// other. What a scenario does, it does to the files: encrypting some in place makes new data,
/// changed files of high entropy and nothing else.
///
/// The same fleet gives the same histories on every platform. Real backups are stranger than
/// simulated ones: a judge that is quiet here may not be quiet there.
///
/// ```
/// use anomaly_eval::{Fleet, Pattern};
///
/// let fleet = Fleet::default().patterns(vec![Pattern::WeeklyFull]).clients(2).jobs(60).seed(7);
/// let histories = fleet.simulate()?;
/// assert_eq!(histories[1].name, "s001-weekly-full");
/// assert_eq!(histories[1].jobs.len(), 60);
/// assert_eq!(histories, fleet.simulate()?);
/// # Ok::<(), anomaly_eval::EvalError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Fleet {
    /// How many clients. Default one per pattern.
    pub clients: usize,
    /// How many clean jobs each has, at least 1. Default 120.
    pub jobs: usize,
    /// How many branches each has, if it has more than 20 clean jobs to leave from. Default 8.
    pub branches: usize,
    /// Where the randomness starts. Default 0.
    pub seed: u64,
    /// The clients' patterns, in turn. Default all.
    pub patterns: Vec<Pattern>,
}

/// A branch leaves after so many clean jobs at the earliest.
const FIRST_BRANCH: usize = 20;

impl Default for Fleet {
    fn default() -> Self {
        Self {
            clients: Pattern::ALL.len(),
            jobs: 120,
            branches: 8,
            seed: 0,
            patterns: Pattern::ALL.to_vec(),
        }
    }
}

impl Fleet {
    /// Sets how many clients.
    #[must_use]
    pub fn clients(mut self, clients: usize) -> Self {
        self.clients = clients;
        self
    }

    /// Sets how many clean jobs each client has.
    #[must_use]
    pub fn jobs(mut self, jobs: usize) -> Self {
        self.jobs = jobs;
        self
    }

    /// Sets how many branches each client has.
    #[must_use]
    pub fn branches(mut self, branches: usize) -> Self {
        self.branches = branches;
        self
    }

    /// Sets where the randomness starts.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the clients' patterns, in turn; with none, every client is flat.
    #[must_use]
    pub fn patterns(mut self, patterns: Vec<Pattern>) -> Self {
        self.patterns = patterns;
        self
    }

    /// Makes the histories.
    ///
    /// # Errors
    /// [`EvalError`] never, unless a number leaves the range of the job format after very many jobs.
    pub fn simulate(&self) -> Result<Vec<History>, EvalError> {
        let scenarios = shuffled(scenario::all(), &mut Random::new(self.seed, u64::MAX));
        (0..self.clients)
            .map(|index| self.history(index, &scenarios))
            .collect()
    }

    fn history(&self, index: usize, scenarios: &[Scenario]) -> Result<History, EvalError> {
        let pattern = match self.patterns.as_slice() {
            [] => Pattern::Flat,
            patterns => patterns[index % patterns.len()],
        };
        let mut random = Random::new(self.seed, index as u64);
        let mut leaves: Vec<usize> = (0..self.branches)
            .filter(|_| self.jobs > FIRST_BRANCH)
            .map(|_| FIRST_BRANCH + random.below(self.jobs - FIRST_BRANCH))
            .collect();
        leaves.sort_unstable();

        let name = format!("s{index:03}-{pattern}");
        let mut client = Client::new(name.clone(), pattern, random);
        let mut history = History {
            name,
            jobs: Vec::with_capacity(self.jobs),
            labels: Vec::with_capacity(self.jobs),
            branches: Vec::new(),
        };
        let mut branches = Vec::new();
        for step in 0..self.jobs {
            for number in (0..leaves.len()).filter(|&number| leaves[number] == step) {
                // Every scenario has its turn before one has it twice.
                let turn = index * self.branches + number;
                let mut client = client.clone();
                client.random = Random::new(self.seed, ((index as u64 + 1) << 32) | number as u64);
                let writer = Writer {
                    client,
                    scenario: &scenarios[turn % scenarios.len()],
                    number: u32::try_from(number).unwrap_or(u32::MAX),
                    base_step: step as u64,
                    step: step as u64,
                    jobs: Vec::new(),
                    labels: Vec::new(),
                };
                branches.push((writer.number, writer.write()?));
            }
            clean_job(&mut client, step, &mut history)?;
        }
        for (number, (jobs, labels)) in branches {
            let branch = history.branch(number, jobs, labels)?;
            history.branches.push(branch);
        }
        Ok(history)
    }
}

fn clean_job(client: &mut Client, step: usize, history: &mut History) -> Result<(), ModelError> {
    let job_id = format!("{}-{step:04}", client.name);
    if step > 0 {
        client.live();
    }
    let churn_frac = (client.tree.churn() * 1e4).round() / 1e4;
    history.jobs.push(client.report(&job_id, Tamper::NONE)?);
    history.labels.push(Label {
        branch: None,
        base_step: None,
        step: step as u64,
        job_id,
        label: JobLabel::Normal,
        attack_phase: None,
        attack_kind: None,
        attack_family: None,
        attack_id: None,
        severity: None,
        churn_frac,
        benign_event: step > 0 && churn_frac > 0.3,
        initial: step == 0,
    });
    Ok(())
}

/// Fisher and Yates.
fn shuffled<T>(mut items: Vec<T>, random: &mut Random) -> Vec<T> {
    for place in (1..items.len()).rev() {
        items.swap(place, random.below(place + 1));
    }
    items
}

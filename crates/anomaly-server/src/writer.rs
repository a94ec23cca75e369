//! The one thread that writes.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anomaly_model::BackupJob;
use anomaly_service::{AnomalyService, Observed, ServiceError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use crate::ServerError;
use crate::app::now;
use crate::meters::Meters;
use crate::problem::Problem;

/// Requests that wait for the thread; more are turned away.
const WAITING: usize = 512;
/// Jobs that are committed together: as many as the service commits at once.
const TOGETHER: usize = 1_000;
/// How long who can wait waits until it has less to do.
pub(crate) const BUSY: Duration = Duration::from_millis(200);

/// Hands work to the thread that writes. When the last one is dropped, the thread finishes what it
/// was handed, and ends.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    sender: mpsc::Sender<Work>,
}

enum Work {
    /// Jobs to be judged: those that wait are committed together, which a disk does as fast as one.
    Jobs(Posted),
    /// Anything else, on its own.
    Other(Box<dyn FnOnce(&mut AnomalyService) + Send>),
}

struct Posted {
    jobs: Vec<BackupJob>,
    answer: oneshot::Sender<Answer>,
}

/// What became of posted jobs, in their order; an error is that of all that were committed together.
type Answer = Result<Vec<Observed>, Arc<ServiceError>>;

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(
        service: AnomalyService,
        meters: Arc<Meters>,
    ) -> Result<(Self, thread::JoinHandle<()>), ServerError> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let thread = thread::Builder::new()
            .name("writer".into())
            .spawn(move || work(service, receiver, &meters))
            .map_err(ServerError::Start)?;
        Ok((Self { sender }, thread))
    }

    /// Requests that wait for the thread.
    pub(crate) fn waiting(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }

    /// Judges jobs, and answers once they are on the disk.
    ///
    /// # Errors
    /// A problem when too many others wait, or when the store failed; then none of them was kept.
    pub(crate) async fn observe(&self, jobs: Vec<BackupJob>) -> Result<Vec<Observed>, Problem> {
        let (answer, answered) = oneshot::channel();
        self.hand_over(Work::Jobs(Posted { jobs, answer }))?;
        match answered.await {
            Ok(Ok(observed)) => Ok(observed),
            Ok(Err(error)) => Err(Problem::of_service(&error)),
            Err(_) => Err(Problem::stopping()),
        }
    }

    /// The same, however long others write: for jobs that come after some that were kept.
    pub(crate) async fn observe_patiently(
        &self,
        jobs: Vec<BackupJob>,
    ) -> Result<Vec<Observed>, Problem> {
        loop {
            match self.observe(jobs.clone()).await {
                Err(problem) if problem.is_busy() => sleep(BUSY).await,
                observed => return observed,
            }
        }
    }

    /// Does something with the service that writes.
    ///
    /// # Errors
    /// A problem when too many others wait, and whatever `work` answers.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut AnomalyService) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, Problem> {
        let (answer, answered) = oneshot::channel();
        self.hand_over(Work::Other(Box::new(move |service| {
            // Whoever asked may have gone.
            _ = answer.send(work(service));
        })))?;
        match answered.await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(Problem::of_service(&error)),
            Err(_) => Err(Problem::stopping()),
        }
    }

    /// The same, for what the service does by itself: it is done whenever there is time for it.
    pub(crate) async fn run_patiently<T: Send + 'static>(
        &self,
        work: impl Fn(&mut AnomalyService) -> Result<T, ServiceError> + Clone + Send + 'static,
    ) -> Result<T, Problem> {
        loop {
            match self.run(work.clone()).await {
                Err(problem) if problem.is_busy() => sleep(BUSY).await,
                done => return done,
            }
        }
    }

    /// Waits until the thread has ended: while this is there, only because it broke down.
    pub(crate) async fn ended(&self) {
        self.sender.closed().await;
    }

    /// Whether it has.
    pub(crate) fn has_ended(&self) -> bool {
        self.sender.is_closed()
    }

    fn hand_over(&self, work: Work) -> Result<(), Problem> {
        self.sender.try_send(work).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Problem::busy(),
            mpsc::error::TrySendError::Closed(_) => Problem::stopping(),
        })
    }
}

fn work(mut service: AnomalyService, mut receiver: mpsc::Receiver<Work>, meters: &Meters) {
    let mut next = None;
    while let Some(work) = next.take().or_else(|| receiver.blocking_recv()) {
        match work {
            Work::Other(work) => work(&mut service),
            Work::Jobs(posted) => {
                let mut together = vec![posted];
                let mut count = together[0].jobs.len();
                while count < TOGETHER {
                    match receiver.try_recv() {
                        Ok(Work::Jobs(posted)) if count + posted.jobs.len() <= TOGETHER => {
                            count += posted.jobs.len();
                            together.push(posted);
                        }
                        Ok(other) => {
                            next = Some(other);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                let begun = Instant::now();
                observe(&mut service, together);
                meters.committed(begun.elapsed());
            }
        }
    }
}

fn observe(service: &mut AnomalyService, together: Vec<Posted>) {
    let mut observed = Vec::new();
    let lengths: Vec<usize> = together.iter().map(|posted| posted.jobs.len()).collect();
    let (jobs, answers): (Vec<_>, Vec<_>) = together
        .into_iter()
        .map(|posted| (posted.jobs, posted.answer))
        .unzip();
    service.set_received_at(now());
    let result = service.observe_all(jobs.into_iter().flatten(), |job| observed.push(job));
    let failure = result.err().map(Arc::new);
    let mut observed = observed.into_iter();
    for (length, answer) in lengths.into_iter().zip(answers) {
        let own: Vec<Observed> = observed.by_ref().take(length).collect();
        let own = match &failure {
            Some(error) if own.len() < length => Err(Arc::clone(error)),
            _ => Ok(own),
        };
        // Whoever asked may have gone; the jobs are kept all the same.
        _ = answer.send(own);
    }
}

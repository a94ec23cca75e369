//! `backwatch ingest`: what is new at the end of a backup, judged.

use std::mem;
use std::time::SystemTime;

use anomaly_model::BackupJob;
use anomaly_model::chrono::{DateTime, Utc};
use anomaly_service::{AnomalyService, Novelty};

use crate::cli::{IngestArguments, Output};
use crate::exit::{Exit, Failure};
use crate::found::Found;
use crate::input::{Arrivals, JobFile};
use crate::judge::Judge;
use crate::report;
use crate::terminal::warning;
#[cfg(unix)]
use crate::walk;

/// So many new jobs are held to see whether they are in the order in which they ran. A longer input
/// that is goes through so many at a time, once the next one that left an image comes: the newest of
/// those is judged last, by a walk if there is one.
const HELD_JOBS: usize = 2_000;

/// Jobs that are too old and are deleted at the end, of which there may be twice as many as new ones
/// if those are more.
const PURGED_JOBS: u64 = 400;

pub(crate) fn run(arguments: &IngestArguments) -> Result<Exit, Failure> {
    let Judge {
        mut service,
        key,
        off,
    } = Judge::open("backwatch ingest", Some(&arguments.db), &arguments.judge)?;
    let mut found = Found::new(off, arguments.output == Output::Ndjson);
    let sort = arguments.input.sort;
    let mut new = Arrivals::default();
    for path in &arguments.files {
        let mut file = JobFile::open(path, &arguments.input)?;
        while let Some(job) = file.next()? {
            match service.novelty(&job.value)? {
                Novelty::New => {}
                Novelty::NotKept(why) => {
                    found.tally.not_kept += 1;
                    file.not_kept(&job, &why);
                    file.pass_over();
                    continue;
                }
                Novelty::Known => {
                    found.tally.already_known += 1;
                    file.pass_over();
                    continue;
                }
            }
            let is_full = new.len() > 0 && new.len().is_multiple_of(HELD_JOBS);
            let has_image = job.value.status().has_image();
            if is_full && has_image && !sort && !new.are_disordered(&key) {
                judge(
                    &mut service,
                    mem::take(&mut new).arranged(sort, &key),
                    &mut found,
                )?;
            }
            new.push(file.name(), job);
        }
        found.tally.bad_records += file.finish();
    }
    let mut last = new.arranged(sort, &key);
    #[cfg(unix)]
    let walked = arguments
        .beside
        .fill(&mut last, service.settings(), &arguments.db);
    judge(&mut service, last, &mut found)?;
    // Only what was judged need not be seen again.
    #[cfg(unix)]
    walk::keep(walked);
    found.finish(&service)?;
    // A little of what is too old each time. What is deleted or not has no say in the exit status.
    let now = DateTime::<Utc>::from(SystemTime::now());
    let most_jobs = PURGED_JOBS.max(2 * found.tally.jobs);
    if let Err(error) = service.purge(now, most_jobs) {
        warning(&format!("old jobs were not deleted: {error}"));
    }
    shown(report::news(arguments.output, &found))?;
    Ok(found.exit())
}

fn judge(
    service: &mut AnomalyService,
    jobs: Vec<BackupJob>,
    found: &mut Found,
) -> Result<(), Failure> {
    service.observe_all(jobs, |observed| {
        // Named twice in the input, or taken by another process just now.
        if observed.already_known {
            found.tally.already_known += 1;
        } else {
            found.add(observed);
        }
    })?;
    shown(report::verdicts(&mem::take(&mut found.verdicts)))
}

/// Whoever reads our output may have seen enough; the rest is judged all the same.
fn shown(printed: Result<(), Failure>) -> Result<(), Failure> {
    match printed {
        Err(failure) if failure.is_closed_pipe() => Ok(()),
        printed => printed,
    }
}

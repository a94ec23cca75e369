//! `backwatch anomalies review`.

use std::io::{self, Write};

use anomaly_model::chrono::{DateTime, Utc};
use anomaly_model::{Ceiling, FeatureName, JobKey, Review, ReviewScope, ReviewStatus, Undo};
use anomaly_service::storage::AnomalyQuery;
use anomaly_service::{AnomalyService, ReviewRefused, ReviewRequest, Reviewed};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::list::statuses;
use super::show::decision;
use crate::cli::{TextOrJson, time};
use crate::database::{DatabaseOptions, Now, job, job_name};
use crate::exit::{Exit, Failure};
use crate::guard::user;
use crate::report::json;
use crate::terminal::harmless;

/// Take down what anomalies were, or take that back; many at once, each with its answer.
///
/// A false positive is learnt as a usual job. With a scope it also covers later jobs of its stream,
/// as far as they are no stranger, until it expires: see docs/review.md. A decision that someone
/// made before is replaced only with --replace.
///
/// Exit status: 0 all were taken down, 2 wrong usage or settings, 3 some were refused, 4 failure.
#[derive(Debug, Args)]
pub(crate) struct ReviewArguments {
    /// The jobs, each by its tool and the tool's own id, such as restic:4711.
    #[arg(value_name = "SOURCE:JOB", value_parser = job)]
    #[arg(required_unless_present = "incident")]
    jobs: Vec<JobKey>,

    #[command(flatten)]
    database: DatabaseOptions,

    #[command(flatten)]
    now: Now,

    /// Also every anomaly of this incident.
    #[arg(long, value_name = "NUMBER")]
    incident: Option<u64>,

    /// What they were.
    #[arg(long = "as", value_name = "STATUS", value_parser = statuses())]
    #[arg(required_unless_present = "undo", conflicts_with = "undo")]
    status: Option<ReviewStatus>,

    /// Take the last decision about each back: the one before it holds again.
    #[arg(long)]
    undo: bool,

    /// Who decides; the user who runs the program when not given.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,

    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,

    /// What a false positive says of other jobs.
    #[arg(long, value_enum, conflicts_with = "feature")]
    scope: Option<Scope>,

    /// Later jobs are covered if nothing but this feature or share is unusual; may be given several
    /// times.
    #[arg(long, value_name = "NAME")]
    feature: Vec<String>,

    /// How many times as much is covered, 1 to 2; `review.ceiling` when not given.
    #[arg(long, value_name = "FACTOR")]
    ceiling: Option<f64>,

    /// Jobs that start at this time or later are not covered; after `review.expires_after_days` when
    /// not given.
    #[arg(long, value_name = "TIME", value_parser = time)]
    expires: Option<DateTime<Utc>>,

    /// Also replace what someone decided before.
    #[arg(long)]
    replace: bool,

    /// How to show the answers.
    #[arg(long, value_enum, default_value_t)]
    output: TextOrJson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scope {
    /// Nothing: the job was usual, and is learnt.
    ThisJob,
    /// What went on from this job is how the stream is now.
    LevelShift,
    /// Later jobs of the stream are covered, as far as the same is unusual, and no more of it.
    ThisStream,
}

/// What became of one decision.
#[derive(Serialize)]
struct Answer {
    job: String,
    taken_down: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<Review>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<Review>,
    #[serde(skip_serializing_if = "Option::is_none")]
    learnt: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unlearnt: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

pub(super) fn run(arguments: &ReviewArguments) -> Result<Exit, Failure> {
    let (mut service, _) = arguments.database.open_to_change(arguments.now.time())?;
    let jobs = jobs(&service, arguments)?;
    let mut requests = Vec::with_capacity(jobs.len());
    for job in &jobs {
        let request = request(&service, arguments, job.clone())?;
        requests.push(if arguments.replace || arguments.undo {
            request
        } else {
            request.expecting(None)
        });
    }
    let answers = service.review_all(&requests)?;
    let answers: Vec<Answer> = jobs
        .iter()
        .zip(answers)
        .map(|(job, one)| answer(job, one))
        .collect();
    match arguments.output {
        TextOrJson::Text => {
            let mut out = anstream::stdout().lock();
            for answer in &answers {
                // A reason may be long, and is one line all the same.
                writeln!(out, "{}", harmless(&answer.in_words()))?;
            }
        }
        TextOrJson::Json => json::pretty(io::stdout().lock(), &answers)?,
    }
    let refused = answers.iter().any(|answer| !answer.taken_down);
    Ok(if refused {
        Exit::BadRecords
    } else {
        Exit::Quiet
    })
}

/// The jobs that are named, and those of the incident.
fn jobs(service: &AnomalyService, arguments: &ReviewArguments) -> Result<Vec<JobKey>, Failure> {
    let mut jobs = arguments.jobs.clone();
    if let Some(number) = arguments.incident {
        let query = AnomalyQuery::default().incident(number);
        for anomaly in service.anomalies(&query)? {
            let key = anomaly.verdict.key();
            if !jobs.contains(&key) {
                jobs.push(key);
            }
        }
    }
    if jobs.is_empty() {
        let what = arguments
            .incident
            .map_or_else(String::new, |number| format!("incident {number}"));
        return Err(Failure::NothingKnown { what });
    }
    Ok(jobs)
}

fn request(
    service: &AnomalyService,
    arguments: &ReviewArguments,
    job: JobKey,
) -> Result<ReviewRequest, Failure> {
    let now = arguments.now.time();
    let by = arguments
        .by
        .clone()
        .or_else(user)
        .ok_or(Failure::NoReviewer)?;
    let Some(status) = arguments.status else {
        let undo = Undo::new(by, now);
        let undo = match &arguments.reason {
            Some(reason) => undo.with_reason(reason),
            None => undo,
        };
        return Ok(ReviewRequest::take_back(job, undo));
    };
    let features: Vec<FeatureName> = arguments
        .feature
        .iter()
        .map(FeatureName::new)
        .collect::<Result<_, _>>()
        .map_err(Failure::Argument)?;
    let scope = match arguments.scope {
        _ if !features.is_empty() => ReviewScope::Features(features),
        Some(Scope::LevelShift) => ReviewScope::LevelShift,
        Some(Scope::ThisStream) => ReviewScope::ThisStream,
        Some(Scope::ThisJob) | None => ReviewScope::ThisJob,
    };
    let mut review = service.false_positive(by, now, scope);
    review.status = status;
    if let Some(factor) = arguments.ceiling {
        review.ceiling = Ceiling::new(factor).map_err(Failure::Argument)?;
    }
    if !review.covers_later_jobs() && (arguments.ceiling.is_some() || arguments.expires.is_some()) {
        return Err(Failure::CoversNothing);
    }
    review.expires_at = arguments.expires.or(review.expires_at);
    review.reason.clone_from(&arguments.reason);
    Ok(ReviewRequest::decide(job, review))
}

fn answer(job: &JobKey, answer: Result<Reviewed, ReviewRefused>) -> Answer {
    let job = job_name(job);
    match answer {
        Ok(reviewed) => Answer {
            job,
            taken_down: true,
            review: Some(reviewed.review),
            replaced: reviewed.replaced,
            learnt: Some(reviewed.learnt),
            unlearnt: Some(reviewed.unlearnt),
            refused: None,
        },
        Err(refused) => Answer {
            job,
            taken_down: false,
            review: None,
            replaced: None,
            learnt: None,
            unlearnt: None,
            refused: Some(match &refused {
                ReviewRefused::Changed { .. } => format!("{refused}; --replace replaces it"),
                _ => refused.to_string(),
            }),
        },
    }
}

impl Answer {
    fn in_words(&self) -> String {
        if let Some(refused) = &self.refused {
            return format!("{}: refused: {refused}", self.job);
        }
        let decision = self.review.as_ref().map(decision).unwrap_or_default();
        let learnt = match (self.learnt, self.unlearnt) {
            (Some(true), _) => " and learnt",
            (_, Some(true)) => ", and what it had taught is forgotten",
            _ => "",
        };
        format!("{}: taken down{learnt}. {decision}", self.job)
    }
}

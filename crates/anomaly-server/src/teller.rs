//! Looks at what was stored, by whichever process, and tells those who want to know.

use std::time::Duration;

use anomaly_model::chrono::TimeDelta;
use anomaly_storage::{ObservationQuery, Recorded, StoredObservation};

use crate::app::{App, now};
use crate::calendar::DAYS;
use crate::live::Happened;
use crate::news::{Sender, Told};
use crate::problem::Problem;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(1);
/// Records that are looked at in one go.
const PAGE: usize = 500;

/// Fills the calendar, then tells open pages of each anomaly as it is stored, until the service ends.
pub(crate) async fn tell(app: App) {
    let mut seen = None;
    let mut interval = tokio::time::interval(EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        if let Err(problem) = look(&app, &mut seen).await {
            tracing::warn!(detail = problem.detail(), "cannot look for news");
        }
    }
}

/// Tells of what was stored after `seen`, and moves that on. The first time, all that is there is
/// old: it is in the calendar, and nobody is told.
async fn look(app: &App, seen: &mut Option<u64>) -> Result<(), Problem> {
    let Some(mut last_seen) = *seen else {
        *seen = Some(remember(app).await?);
        return Ok(());
    };
    loop {
        let page = app
            .readers
            .read(move |service| Ok(service.records().recorded_after(None, last_seen, PAGE)?))
            .await?;
        let is_last = page.len() < PAGE;
        let today = now().date_naive();
        post(app, &page).await?;
        last_seen = page.last().map_or(last_seen, Recorded::number);
        *seen = Some(last_seen);
        let observations = page.into_iter().filter_map(|record| match record {
            Recorded::Observation(stored) => Some(stored),
            Recorded::Review { .. } => None,
        });
        for stored in ring(app, observations.collect()).await? {
            app.calendar.note(&stored.verdict, today);
            app.meters.job(&stored.verdict);
            if let Some(happened) = Happened::of(&stored.verdict) {
                app.live.tell(happened);
            }
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Tells people in the browser.
async fn ring(app: &App, page: Vec<StoredObservation>) -> Result<Vec<StoredObservation>, Problem> {
    let own = app.clone();
    app.readers
        .read(move |service| {
            if own.bell.note(service, &page)? {
                own.live.tell(Happened::News);
            }
            Ok(page)
        })
        .await
}

/// Puts into the outbox what sinks are to be told.
async fn post(app: &App, page: &[Recorded]) -> Result<(), Problem> {
    if app.sinks.is_empty() {
        // A sink that comes later is told of what comes after it.
        if !page.is_empty() {
            app.writer.run(Told::skip).await?;
        }
        return Ok(());
    }
    let sender = Sender {
        instance: app.instance.clone(),
        address: app.address(),
        sinks: app
            .sinks
            .iter()
            .map(|sink| sink.name().to_owned())
            .collect(),
    };
    let page = page.to_vec();
    app.writer
        .run(move |service| sender.post(service, &page, now()))
        .await
}

/// Reads the days that the calendar shows, and says up to where all is read.
async fn remember(app: &App) -> Result<u64, Problem> {
    let head = app
        .readers
        .read(|service| Ok(service.records().log_head()?))
        .await?;
    let today = now().date_naive();
    let from = now() - TimeDelta::days(DAYS.into());
    let mut query = ObservationQuery::default().started_from(from).limit(PAGE);
    loop {
        let asked = query.clone();
        let page = app
            .readers
            .read(move |service| Ok(service.records().observations(&asked)?))
            .await?;
        for stored in &page {
            app.calendar.note(&stored.verdict, today);
        }
        match page.last() {
            Some(last) if page.len() == PAGE => query = query.after(last.job.key()),
            _ => break,
        }
    }
    app.calendar.complete();
    let own = app.clone();
    app.readers
        .read(move |service| own.bell.begin(service))
        .await?;
    if app.sinks.is_empty() {
        app.writer.run(Told::skip).await?;
        return Ok(head.size);
    }
    // What was stored while the service did not run is news to sinks.
    let told = app.writer.run(Told::begin).await?;
    Ok(told.record.min(head.size))
}

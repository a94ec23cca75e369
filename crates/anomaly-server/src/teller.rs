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
        match look(&app, seen).await {
            Ok(now_seen) => seen = Some(now_seen),
            Err(problem) => tracing::warn!(detail = problem.detail(), "cannot look for news"),
        }
    }
}

/// Tells of what was stored after `seen`, and says how far it has seen. The first time, all that is
/// there is old: it is in the calendar, and nobody is told.
async fn look(app: &App, seen: Option<u64>) -> Result<u64, Problem> {
    let Some(mut seen) = seen else {
        return remember(app).await;
    };
    loop {
        let page = app
            .readers
            .read(move |service| Ok(service.records().recorded_after(None, seen, PAGE)?))
            .await?;
        let is_last = page.len() < PAGE;
        let today = now().date_naive();
        post(app, &page).await?;
        seen = page.last().map_or(seen, Recorded::number);
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
            return Ok(seen);
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
        return Ok(head.size);
    }
    // What was stored while the service did not run is news to sinks.
    let told = app.writer.run(Told::begin).await?;
    Ok(told.record.min(head.size))
}

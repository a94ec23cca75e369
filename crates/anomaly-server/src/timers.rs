//! What has to be done again and again.

use std::sync::Arc;
use std::time::Duration;

use anomaly_service::{AnomalyService, ServiceError, SettingsNews};
use anomaly_settings::{Layers, Role, Settings};

use crate::app::{App, now};
use crate::duties::Duty;

/// How often it is asked which jobs did not come, and deleted what is old.
const EVERY: Duration = Duration::from_mins(1);
/// How often the settings are looked at: what is switched on the command line is soon off here.
const SETTLE_EVERY: Duration = Duration::from_secs(2);
/// Jobs that are deleted each time: others write meanwhile.
const MOST_PURGED: u64 = 2_000;

/// Judges by what is configured, as far as the database's guard allows: a loosening that has ended
/// holds no more, and what was changed on the command line does.
pub(crate) fn settle(
    service: &mut AnomalyService,
    layers: &Layers,
) -> Result<Settings, ServiceError> {
    let configured = layers.over(service.kept_settings()?);
    let report = service.settle_settings(&configured, "backwatch serve", now())?;
    let is_change = |news: &&SettingsNews| !matches!(news, SettingsNews::First { .. });
    for news in report.news.iter().filter(is_change) {
        tracing::warn!(?news, "the settings have changed");
    }
    Ok(report.settings)
}

/// Judges by what holds now, until the service ends.
pub(crate) async fn settle_again(app: App) {
    let mut interval = tokio::time::interval(SETTLE_EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        settle_now(&app).await;
    }
}

async fn settle_now(app: &App) {
    let layers = Arc::clone(&app.layers);
    let settled = app
        .writer
        .run(move |service| settle(service, &layers))
        .await;
    app.duties.note(Duty::Settle, "", &settled);
    match settled {
        Ok(settings) if settings != *app.readers.settings() => app.readers.set_settings(settings),
        _ => {}
    }
}

/// Asks which jobs did not come, and deletes what is kept no longer, until the service ends.
pub(crate) async fn run(app: App) {
    let mut interval = tokio::time::interval(EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        app.meters.tidy();
        app.throttle.forget();
        purge(&app).await;
        // What is not taken in is not missing.
        if !app.readers.settings().is_on(Role::Gather) {
            continue;
        }
        // What is missed is stored as an anomaly: the teller sees it as it sees any other.
        let ticked = app.writer.run(|service| service.tick(now(), |_| ())).await;
        app.duties.note(Duty::Tick, "", &ticked);
        match ticked {
            Ok(report) if report.missed > 0 => {
                tracing::info!(missed = report.missed, "jobs are missing");
            }
            _ => {}
        }
    }
}

async fn purge(app: &App) {
    let purged = app
        .writer
        .run(|service| service.purge(now(), MOST_PURGED))
        .await;
    app.duties.note(Duty::Purge, "", &purged);
}
